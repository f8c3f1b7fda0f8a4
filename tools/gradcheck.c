/* `reel gradcheck`: does the gradient of an op, or of a whole network's loss, agree with differences of its forward
   pass? See autograd/gradcheck.h for the method. */
#include "autograd/gradcheck.h"
#include "core/memory.h"
#include "tools/commands.h"
#include "tools/device.h"
#include "tools/gradcheck_model.h"
#include "tools/op_call.h"

#include <math.h>
#include <string.h>

static const reel_option table[] = {
    REEL_OPTION("op", STRING, reel_gradcheck_options, op, "OP", "name of the op; without it, the network is checked",
                .positional = true),
    REEL_OPTION("input", LIST, reel_gradcheck_options, input, "INPUT",
                "inputs in order, drawn at random: 2x3x5x5, kind:2x3x5x5, or - for one left out", .with = "op"),
    REEL_OPTION("set", LIST, reel_gradcheck_options, set, "NAME=VALUE", "attributes; `reel ops OP` explains them",
                .with = "op"),
    REEL_OPTION("order", INT, reel_gradcheck_options, order, "N", "1: gradients, 2: gradients of gradients",
                .fallback = "1", .low = 1, .high = 2),
    REEL_OPTION("directions", INT, reel_gradcheck_options, directions, "N", "random directions", .fallback = "8",
                .low = 0, .high = 10000),
    REEL_OPTION("entries", INT, reel_gradcheck_options, entries, "N",
                "single entries, chosen at random when there are more", .fallback = "400", .low = 0, .high = 1e9),
    REEL_OPTION("step", DOUBLE, reel_gradcheck_options, step, "X", "of the differences", .fallback = "1e-5",
                .low = 1e-9, .high = 0.1),
    REEL_OPTION("relative", DOUBLE, reel_gradcheck_options, relative, "X",
                "tolerance, as a share of the largest gradient entry", .fallback = "1e-6", .low = 0, .high = 1),
    REEL_OPTION("absolute", DOUBLE, reel_gradcheck_options, absolute, "X", "tolerance", .fallback = "1e-8", .low = 0,
                .high = 1),
    REEL_OPTION("seed", SEED, reel_gradcheck_options, seed, "N", "of inputs, entries and directions", .fallback = "1"),
    REEL_OPTION("device", STRING, reel_gradcheck_options, model.device, "NAME", REEL_DEVICE_HELP, .fallback = "cpu"),
    REEL_OPTION("threads", INT, reel_gradcheck_options, threads, "N", "0: all cores", .fallback = "0", .low = 0,
                .high = 1024),
    REEL_OPTION("json", FLAG, reel_gradcheck_options, json, NULL, "print JSON"),
    REEL_OPTION("model", CHOICE, reel_gradcheck_options, model.model, REEL_MODEL_NAMES, "network", .fallback = "s2s++",
                .with = "!op"),
    REEL_OPTION("frames", INT, reel_gradcheck_options, frames, "T", "predicted frames of the clip", .fallback = "2",
                .low = 1, .high = 100, .with = "!op"),
    REEL_OPTION("size", SIZE, reel_gradcheck_options, model.size, "HxW", "of the frames", .fallback = "32x32", .low = 8,
                .high = 512, .with = "!op"),
    REEL_OPTION("width", DOUBLE, reel_gradcheck_options, model.width, "X", "scales all channel counts",
                .fallback = "0.015625", .low = 0.001, .high = 1, .with = "!op"),
    REEL_OPTION("top", CHOICE, reel_gradcheck_options, model.top, "compact|fcn|authors",
                "what becomes of VGG's fully connected layers", .fallback = "compact", .with = "!op"),
    {0},
};
static const reel_usage usage = {
    "gradcheck",
    "Holds the gradients of one op on random inputs, or of a network's loss on a random clip, to differences of the "
    "forward pass, in double precision.",
    table,
    "kinds of inputs: real (-1..1), positive (0.5..1.5), unit (0.1..0.9), apart (distinct, away from 0: for max, "
    "relu),\n"
    "mask (0 or 1), intN (0..N-1), byteN; after ! an input is not differentiated.\n"
    "example: reel gradcheck conv2d --input 2x3x5x5 4x3x3x3 --set stride=2 --order 2\n"
    "exit codes: 0 the gradients agree; 1 usage; 2 out of memory; 3 they do not agree, or more than half of the "
    "entries\n"
    "lie on kinks and prove nothing"};

/* --- one op --- */

static reel_status draw_inputs(reel_op_call *call, const reel_gradcheck_options *o, reel_error *error)
{
    for (int i = 0; i < o->input.count; i++) {
        call->inputs = i + 1;
        reel_status status =
            reel_op_argument_draw(&call->input[i], o->input.at[i], REEL_F64, reel_key(o->seed, (uint64_t)i), error);
        if (status) return status;
    }
    return REEL_OK;
}

static reel_status check_op(const reel_gradcheck_options *o, reel_backend *backend, reel_check_result *result,
                            reel_error *error)
{
    reel_op_call call;
    reel_check_input input[REEL_MOST_WORDS];
    int inputs = 0, place[REEL_MOST_WORDS];
    reel_check_options how = reel_gradcheck_how(o);
    reel_status status = reel_op_call_begin(&call, o->op, &o->set, error);
    if (!status) status = draw_inputs(&call, o, error);
    if (!status) status = reel_op_call_build(&call, backend, error);
    for (int i = 0; !status && i < call.inputs; i++) {
        if (!call.x[i]) continue;
        place[inputs] = i;
        input[inputs++] = (reel_check_input){call.x[i], call.input[i].value, reel_op_call_differentiable(&call, i)};
    }
    if (!status) status = reel_gradcheck(call.y, call.op->outputs, input, inputs, backend, &how, result, error);
    if (!status && result->input >= 0) result->input = place[result->input];
    reel_op_call_free(&call);
    return status;
}

/* --- the verdict --- */

static void print_text(const reel_gradcheck_options *o, const reel_check_result *r, const char *where)
{
    printf("%s: %s, order %d\n", o->op ? o->op : "network", r->passed ? "passed" : "FAILED", o->order);
    printf("  %d checked, %d failed, %d skipped on kinks\n", r->checked, r->failed, r->skipped);
    if (r->checked) {
        printf("  worst: %s: gradient %.12g, differences %.12g, %.3g of the tolerance\n", where, r->analytic,
               r->numeric, r->worst);
        printf("  largest relative error along a direction: %.3g\n", r->worst_direction);
    }
}

/* JSON has no NaN and no infinity; what is neither known nor finite is null. */
static const char *json_number(double value, char text[32])
{
    snprintf(text, 32, isfinite(value) ? "%.17g" : "null", value);
    return text;
}

static void print_json(const reel_gradcheck_options *o, const reel_check_result *r, const char *where)
{
    char number[4][32];
    printf("{\"what\": \"%s\", \"order\": %d, \"passed\": %s, \"checked\": %d, \"failed\": %d, "
           "\"skipped\": %d, \"worst\": {\"where\": \"%s\", \"gradient\": %s, \"differences\": %s, "
           "\"share_of_tolerance\": %s}, \"worst_direction\": %s}\n",
           o->op ? o->op : "network", o->order, r->passed ? "true" : "false", r->checked, r->failed, r->skipped, where,
           json_number(r->analytic, number[0]), json_number(r->numeric, number[1]), json_number(r->worst, number[2]),
           json_number(r->worst_direction, number[3]));
}

int reel_command_gradcheck(int argc, char **argv)
{
    reel_gradcheck_options o = {.op = NULL};
    reel_error error = {REEL_OK, ""};
    reel_check_result result = {.passed = false};
    char where[REEL_WHERE_TEXT] = "";
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    reel_backend *backend = reel_device_open(o.model.device, o.threads, &error);
    if (backend && o.op)
        check_op(&o, backend, &result, &error);
    else if (backend)
        reel_gradcheck_model(&o, backend, &result, where, &error);
    if (backend) backend->close(backend);
    if (reel_failed(&error)) return reel_complain(&usage, &error);
    if (result.input < 0)
        snprintf(where, sizeof where, "direction %lld", (long long)result.entry);
    else if (!*where)
        snprintf(where, sizeof where, "input %d, entry %lld", result.input, (long long)result.entry);
    (o.json ? print_json : print_text)(&o, &result, where);
    return result.passed ? REEL_OK : REEL_BAD_DATA;
}
