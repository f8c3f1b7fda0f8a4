/* reel plan: where the memory of a training step goes. Plans the step as `reel train` would and shows the arena: which
   tensors are alive at the peak, and a picture of all of them over time. Nothing is computed. */
#include "core/memory.h"
#include "tools/advice.h"
#include "tools/commands.h"
#include "tools/device.h"
#include "tools/model_options.h"
#include "tools/op_costs.h"
#include "tools/options.h"
#include "tools/timeline.h"

#include <stdio.h>

typedef struct {
    reel_model_options model;
    const char *svg;
    int frames, batch, threads, count;
    size_t memory;
    int clip_batch;
    double bandwidth, arithmetic;
    bool recompute, ops, json;
} plan_options;

static const reel_option table[] = {
    REEL_MODEL_OPTIONS(plan_options, model),
    REEL_OPTION("frames", INT, plan_options, frames, "T", "predicted frames of a clip, after its first",
                .fallback = "5", .low = 1, .high = 1000),
    REEL_OPTION("batch", INT, plan_options, batch, "N", "clips a step", .fallback = "1", .low = 1, .high = 4096),
    REEL_OPTION("threads", INT, plan_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    REEL_OPTION("recompute", FLAG, plan_options, recompute, NULL, "as in reel train"),
    REEL_OPTION("memory", BYTES, plan_options, memory, "BUDGET", "as in reel train"),
    REEL_OPTION("clip-batch", CHOICE, plan_options, clip_batch, "on|off", "as in reel train", .fallback = "on"),
    REEL_OPTION("svg", STRING, plan_options, svg, "FILE", "draw the arena over time", .with = "!ops"),
    REEL_OPTION("count", INT, plan_options, count, "N", "how many tensors of the peak to list", .fallback = "20",
                .low = 0, .high = 1000000, .with = "!ops"),
    REEL_OPTION("ops", FLAG, plan_options, ops, NULL,
                "instead of memory, what each kind of op computes and moves, each array being read or written once"),
    REEL_OPTION("bandwidth", DOUBLE, plan_options, bandwidth, "TB/S",
                "with --ops: the least time on a device whose memory is as fast", .fallback = "0", .low = 0,
                .high = 1e6, .with = "ops"),
    REEL_OPTION("arithmetic", DOUBLE, plan_options, arithmetic, "TFLOP/S",
                "with --ops: the least time on a device that computes as fast", .fallback = "0", .low = 0, .high = 1e9,
                .with = "ops"),
    REEL_OPTION("json", FLAG, plan_options, json, NULL, "print JSON"),
    {0},
};
static const reel_usage usage = {"plan", "Shows where the memory of a training step goes, without running it.", table,
                                 "example: reel plan --width 0.25 --memory 300MiB --svg arena.svg"};

static bool at_peak(const reel_timeline *t, const reel_span *span)
{
    return span->block.first <= t->peak && t->peak <= span->block.last;
}

static void sum_kinds(const reel_timeline *t, size_t bytes[REEL_KINDS])
{
    for (int i = 0; i < t->spans; i++)
        if (at_peak(t, &t->span[i])) bytes[t->span[i].kind] += t->span[i].block.bytes;
}

static void print_text(const reel_timeline *t, int count)
{
    char text[REEL_NODE_TEXT], shape[REEL_SHAPE_TEXT];
    size_t bytes[REEL_KINDS] = {0};
    const double mib = 1048576;
    sum_kinds(t, bytes);
    printf("arena  %.1f MiB for %d tensors\npeak   %.1f MiB live, at node %d of %d, %s:\n", (double)t->arena / mib,
           t->spans, (double)t->live[t->peak] / mib, t->peak, t->steps,
           reel_node_text(reel_plan_node(t->plan, t->peak), text));
    for (int k = 0; k < REEL_KINDS; k++)
        printf("  %8.1f MiB  %s\n", (double)bytes[k] / mib, reel_kind_name((reel_kind)k));
    printf("the largest of them, with the nodes between which they live:\n");
    for (int i = 0, shown = 0; i < t->spans && shown < count; i++) {
        const reel_block *b = &t->span[i].block;
        if (!at_peak(t, &t->span[i])) continue;
        printf("  %8.1f MiB  %5d to %5d  %s %s\n", (double)b->bytes / mib, b->first, b->last,
               reel_node_text(b->tensor->node, text), reel_shape_text(&b->tensor->shape, shape));
        shown++;
    }
}

static void print_json(const reel_timeline *t, int count)
{
    char text[REEL_NODE_TEXT], shape[REEL_SHAPE_TEXT];
    size_t bytes[REEL_KINDS] = {0};
    sum_kinds(t, bytes);
    printf(
        "{\"arena\": %zu, \"tensors\": %d, \"nodes\": %d, \"backward\": %d, \"peak\": {\"bytes\": %zu, \"node\": %d, "
        "\"name\": \"%s\"",
        t->arena, t->spans, t->steps, t->backward, t->live[t->peak], t->peak,
        reel_node_text(reel_plan_node(t->plan, t->peak), text));
    for (int k = 0; k < REEL_KINDS; k++) printf(", \"%s\": %zu", reel_kind_name((reel_kind)k), bytes[k]);
    printf(", \"largest\": [");
    for (int i = 0, shown = 0; i < t->spans && shown < count; i++) {
        const reel_block *b = &t->span[i].block;
        if (!at_peak(t, &t->span[i])) continue;
        printf("%s{\"name\": \"%s\", \"shape\": %s, \"bytes\": %zu, \"offset\": %zu, \"first\": %d, \"last\": %d, "
               "\"kind\": \"%s\"}",
               shown ? ", " : "", reel_node_text(b->tensor->node, text), reel_shape_text(&b->tensor->shape, shape),
               b->bytes, b->offset, b->first, b->last, reel_kind_name(t->span[i].kind));
        shown++;
    }
    printf("]}}\n");
}

static reel_status show(const plan_options *o, reel_error *error)
{
    reel_training training = {.model = o->model.config,
                              .height = o->model.size.height,
                              .width = o->model.size.width,
                              .frames = o->frames,
                              .batch = o->batch,
                              .dtype = o->model.real,
                              .bf16 = o->model.bf16,
                              .recompute = o->recompute,
                              .memory = o->memory,
                              .clip_batch = !o->clip_batch,
                              .ahead = 2 * o->batch + 1,
                              .saves = true,
                              .seed = 1};
    reel_backend *backend = reel_device_open(o->model.device, o->threads, error);
    if (!backend) return error->status;
    reel_trainer *trainer = reel_trainer_or_advice(&training, backend, error);
    reel_timeline t = {0};
    reel_status status = trainer ? REEL_OK : error->status;
    if (!status && o->ops) {
        reel_ceilings ceilings = {o->bandwidth * 1e12, o->arithmetic * 1e12};
        status = reel_op_costs_print(stdout, reel_trainer_plan(trainer), ceilings, o->json, error);
        reel_trainer_free(trainer);
        backend->close(backend);
        return status;
    }
    if (!status && !reel_timeline_new(&t, reel_trainer_plan(trainer))) status = reel_fail_memory(error);
    if (!status) (o->json ? print_json : print_text)(&t, o->count);
    if (!status && o->svg) status = reel_timeline_draw(&t, o->svg, error);
    reel_timeline_free(&t);
    reel_trainer_free(trainer);
    backend->close(backend);
    return status;
}

int reel_command_plan(int argc, char **argv)
{
    plan_options o;
    reel_error error = {REEL_OK, ""};
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    reel_status status = reel_model_options_settle(&o.model, &error);
    if (!status) status = show(&o, &error);
    return status ? reel_complain(&usage, &error) : REEL_OK;
}
