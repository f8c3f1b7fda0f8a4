/* `reel op`: one op on arrays from files, with the gradients of its first output, so that any other system's numbers
   can be held against reel's without writing C. */
#include "autograd/gradient.h"
#include "core/element.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/plan.h"
#include "tools/array_file.h"
#include "tools/commands.h"
#include "tools/device.h"
#include "tools/op_call.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name, *out, *cotangent, *device;
    reel_words in, set;
    int dtype, threads;
    uint64_t seed;
    bool json;
} op_options;

static const reel_dtype asked[] = {REEL_DTYPES, REEL_F32, REEL_F64, REEL_BF16}; /* the first: as the file has it */

static const reel_option table[] = {
    REEL_OPTION("op", STRING, op_options, name, "OP", "name of the op; `reel ops` lists all", .required = true,
                .positional = true),
    REEL_OPTION("in", LIST, op_options, in, "FILE", "inputs as .npy files, in order; - leaves an optional one out"),
    REEL_OPTION("set", LIST, op_options, set, "NAME=VALUE", "attributes; `reel ops OP` explains them"),
    REEL_OPTION("out", STRING, op_options, out, "DIR",
                "folder for out_K.npy and grad_I.npy, made when it is not there; without it values are only described"),
    REEL_OPTION("cotangent", STRING, op_options, cotangent, "FILE",
                "array of the shape of output 0; gradients are those of sum(cotangent * output 0), of the plain sum "
                "without it"),
    REEL_OPTION("dtype", CHOICE, op_options, dtype, "file|f32|f64|bf16", "what floats are computed in",
                .fallback = "file"),
    REEL_OPTION("device", STRING, op_options, device, "NAME", REEL_DEVICE_HELP, .fallback = "cpu"),
    REEL_OPTION("threads", INT, op_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    REEL_OPTION("seed", SEED, op_options, seed, "N", "of ops that draw random numbers", .fallback = "1"),
    REEL_OPTION("json", FLAG, op_options, json, NULL, "print JSON"),
    {0},
};
static const reel_usage usage = {
    "op", "Runs one op on arrays in .npy files and, for float inputs, the gradients of its first output.", table,
    "Integers become i32, booleans and bytes u8, half precision f32. There is no bf16 in a .npy file: it is written as "
    "f32.\n"
    "example: reel op conv2d --in x.npy w.npy - --set stride=2 pad=1 --out result"};

typedef struct {
    op_options o;
    reel_op_call call;
    reel_backend *backend;
    reel_plan *plan;
    reel_tensor *gradient[REEL_MOST_WORDS];
    json_t *report;
    reel_error error;
} op_run;

/* --- in --- */

static reel_status read_array(op_run *r, const char *path, reel_op_argument *in)
{
    reel_npy array;
    reel_status status = reel_npy_read(&array, path, &r->error);
    if (status) return status;
    *in = (reel_op_argument){.present = true, .dtype = reel_npy_dtype(&array), .shape = reel_npy_shape(&array)};
    if (reel_dtype_is_float(in->dtype) && r->o.dtype) in->dtype = asked[r->o.dtype];
    status = reel_npy_values(&array, in->dtype, path, &in->value, &r->error);
    reel_npy_free(&array);
    return status;
}

static reel_status read_inputs(op_run *r)
{
    for (int i = 0; i < r->o.in.count; i++) {
        r->call.inputs = i + 1;
        reel_status status = strcmp(r->o.in.at[i], "-") ? read_array(r, r->o.in.at[i], &r->call.input[i]) : REEL_OK;
        if (status) return status;
    }
    return REEL_OK;
}

/* --- gradients --- */

static reel_tensor *cotangent(op_run *r)
{
    reel_tensor *y = r->call.y[0];
    reel_op_argument in = {.present = false};
    char have[REEL_SHAPE_TEXT], want[REEL_SHAPE_TEXT];
    if (!r->o.cotangent) return reel_broadcast_to(reel_scalar_like(y, 1), y->shape);
    reel_npy array;
    if (reel_npy_read(&array, r->o.cotangent, &r->error)) return NULL;
    in.shape = reel_npy_shape(&array);
    reel_tensor *dy = NULL;
    if (!reel_shape_equal(&in.shape, &y->shape))
        reel_fail(&r->error, REEL_BAD_DATA, "%s: has shape %s, but output 0 has %s", r->o.cotangent,
                  reel_shape_text(&in.shape, have), reel_shape_text(&y->shape, want));
    else if (!reel_npy_values(&array, y->dtype, r->o.cotangent, &in.value, &r->error))
        dy = reel_constant(r->call.graph, y->dtype, y->shape, in.value);
    reel_free(in.value);
    reel_npy_free(&array);
    return dy;
}

static reel_status add_gradients(op_run *r)
{
    reel_tensor *wrt[REEL_MOST_WORDS], *found[REEL_MOST_WORDS];
    int count = 0, of[REEL_MOST_WORDS];
    for (int i = 0; i < r->call.inputs; i++) {
        if (!reel_op_call_differentiable(&r->call, i)) continue;
        of[count] = i;
        wrt[count++] = r->call.x[i];
    }
    if (!count && r->o.cotangent)
        return reel_fail(&r->error, REEL_USAGE, "--cotangent: there is nothing to differentiate %s by",
                         r->call.op->name);
    if (!count) return REEL_OK;
    reel_tensor *dy = cotangent(r);
    if (!dy) return r->error.status;
    reel_gradients_along(r->call.y[0], dy, wrt, count, found);
    for (int k = 0; k < count; k++) r->gradient[of[k]] = found[k];
    return REEL_OK;
}

/* --- out --- */

typedef struct {
    double least, most, mean;
    int64_t odd; /* how many are NaN or infinite */
} summary;

static summary summarise(const void *data, reel_dtype dtype, int64_t n)
{
    summary s = {.least = INFINITY, .most = -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        double v = reel_element(data, dtype, i);
        if (!isfinite(v)) {
            s.odd++;
            continue;
        }
        s.least = fmin(s.least, v);
        s.most = fmax(s.most, v);
        s.mean += v;
    }
    if (n > s.odd) s.mean /= (double)(n - s.odd);
    return s;
}

static void describe(op_run *r, const char *name, const reel_tensor *t, const void *data)
{
    char shape[REEL_SHAPE_TEXT];
    int64_t n = reel_elements(&t->shape);
    summary s = summarise(data, t->dtype, n);
    if (!r->o.json) {
        printf("%-8s %s %-16s", name, reel_dtype_name(t->dtype), reel_shape_text(&t->shape, shape));
        if (n > s.odd) printf("  least %.9g, most %.9g, mean %.9g", s.least, s.most, s.mean);
        if (s.odd) printf("  %lld of %lld NaN or infinite", (long long)s.odd, (long long)n);
        putchar('\n');
        return;
    }
    json_t *sizes = json_array(), *entry = json_object();
    for (int i = 0; i < t->shape.rank; i++) json_array_append_new(sizes, json_integer(t->shape.size[i]));
    json_object_set_new(entry, "name", json_string(name));
    json_object_set_new(entry, "dtype", json_string(reel_dtype_name(t->dtype)));
    json_object_set_new(entry, "shape", sizes);
    json_object_set_new(entry, "least", n > s.odd ? json_real(s.least) : json_null());
    json_object_set_new(entry, "most", n > s.odd ? json_real(s.most) : json_null());
    json_object_set_new(entry, "mean", n > s.odd ? json_real(s.mean) : json_null());
    json_object_set_new(entry, "not_finite", json_integer(s.odd));
    json_array_append_new(r->report, entry);
}

static reel_status give(op_run *r, const char *kind, int which, reel_tensor *t)
{
    char name[24], path[4096];
    snprintf(name, sizeof name, "%s_%d", kind, which);
    void *data = reel_alloc_raw((size_t)reel_elements(&t->shape), reel_dtype_size(t->dtype));
    if (!data) return reel_fail_memory(&r->error);
    reel_status status = reel_plan_read(r->plan, t, data, &r->error);
    if (!status) describe(r, name, t, data);
    if (!status && r->o.out) {
        if (snprintf(path, sizeof path, "%s/%s.npy", r->o.out, name) >= (int)sizeof path)
            status = reel_fail(&r->error, REEL_USAGE, "--out: the path is too long");
        else
            status = reel_npy_write_values(path, t->dtype, &t->shape, data, &r->error);
    }
    reel_free(data);
    return status;
}

static reel_status give_all(op_run *r)
{
    reel_status status = REEL_OK;
    if (r->o.out && reel_make_folders(r->o.out, &r->error)) return r->error.status;
    r->report = json_array();
    for (int k = 0; !status && k < r->call.op->outputs; k++) status = give(r, "out", k, r->call.y[k]);
    for (int i = 0; !status && i < r->call.inputs; i++)
        if (r->gradient[i]) status = give(r, "grad", i, r->gradient[i]);
    char *text = !status && r->o.json ? json_dumps(r->report, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    if (text) puts(text);
    free(text);
    json_decref(r->report);
    return status;
}

static reel_status run_op(op_run *r)
{
    reel_tensor *wanted[REEL_MOST_WORDS + REEL_MAX_OUTPUTS];
    int count = 0;
    reel_status status = reel_op_call_begin(&r->call, r->o.name, &r->o.set, &r->error);
    if (!status) status = read_inputs(r);
    if (status) return status;
    r->backend = reel_device_open(r->o.device, r->o.threads, &r->error);
    if (!r->backend) return r->error.status;
    status = reel_op_call_build(&r->call, r->backend, &r->error);
    if (!status) status = add_gradients(r);
    if (status) return status;
    for (int k = 0; k < r->call.op->outputs; k++) wanted[count++] = r->call.y[k];
    for (int i = 0; i < r->call.inputs; i++)
        if (r->gradient[i]) wanted[count++] = r->gradient[i];
    r->plan = reel_plan_new(r->call.graph, r->backend, wanted, count, &r->error);
    if (!r->plan) return r->error.status;
    reel_plan_random(r->plan, r->o.seed, 0);
    status = reel_op_call_write(&r->call, r->plan, &r->error);
    if (!status) status = reel_plan_run(r->plan, &r->error);
    return status ? status : give_all(r);
}

int reel_command_op(int argc, char **argv)
{
    op_run r = {.plan = NULL};
    int code = reel_options_begin(&usage, argc, argv, &r.o);
    if (code >= 0) return code;
    reel_status status = run_op(&r);
    reel_plan_free(r.plan);
    reel_op_call_free(&r.call);
    if (r.backend) r.backend->close(r.backend);
    return status ? reel_complain(&usage, &r.error) : REEL_OK;
}
