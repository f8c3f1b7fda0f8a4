/* Holds reel's ops to cases from outside: `onnx_cases DIR` runs every case of a folder in the form of
   ../shared/data/onnx_flat (tests/support/onnx_case.h), which is what it takes without an argument.

   A case runs on the cpu and on the reference backend, in f32 and in f64. Outputs must be within 1e-6 + 1e-5 |expected|
   of the expected ones; gradients within 1e-6 (f64) or 1e-4 (f32) of the largest expected entry. One case has expected
   values typed with four decimals, and gets 1e-3. A gradient that is expected to be zero everywhere is compared but
   proves little: it is counted apart.

   A line for each failure, with the worst entry; a line for each case whose operator or variant reel does not have.
   Exit code 0: none failed; 1: some failed, a case cannot be read, or there is none; 2: the folder is missing. */
#include "autograd/gradient.h"
#include "backends/cpu/cpu.h"
#include "core/memory.h"
#include "core/plan.h"
#include "tests/support/onnx_build.h"
#include "tools/array_file.h"

#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_FOLDER "../shared/data/onnx_flat"

enum { WANTED = ONNX_INPUTS + ONNX_OUTPUTS };

typedef struct {
    int passed, failed, skipped;
    int arrays, zero_arrays; /* expected gradients */
    size_t entries;
} tally;

/* One way of running a case. */
typedef struct {
    const onnx_case *from;
    reel_backend *backend;
    reel_dtype real;
    onnx_build build;
    reel_plan *plan;
    reel_tensor *gradient[ONNX_INPUTS];
    reel_error error;
    bool ok;
} attempt;

static double tolerance(const onnx_case *c)
{
    return strcmp(c->name, "node.test_averagepool_2d_ceil_last_window_starts_on_pad") ? 0 : 1e-3;
}

static void complain(attempt *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(attempt *a, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("FAIL %s: %s, %s: ", a->from->name, a->backend->name, reel_dtype_name(a->real));
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    a->ok = false;
}

/* --- gradients and inputs --- */

/* Adds the gradients that the case knows, along its cotangent. */
static bool add_gradients(attempt *a)
{
    const onnx_case *c = a->from;
    reel_tensor *wrt[ONNX_INPUTS], *found[ONNX_INPUTS];
    int count = 0, of[ONNX_INPUTS];
    void *values;
    for (int i = 0; i < ONNX_INPUTS; i++) {
        if (!c->gradient[i].present) continue;
        if (!a->build.input[i]) return reel_fail(&a->error, REEL_USAGE, "input %d was not used", i), false;
        of[count] = i;
        wrt[count++] = a->build.input[i];
    }
    if (!count) return true;
    reel_tensor *y = a->build.output[0];
    if (reel_npy_values(&c->cotangent.array, y->dtype, "cotangent", &values, &a->error)) return false;
    reel_tensor *dy = reel_constant(a->build.graph, y->dtype, reel_npy_shape(&c->cotangent.array), values);
    reel_free(values);
    reel_gradients_along(y, dy, wrt, count, found);
    for (int k = 0; k < count; k++) a->gradient[of[k]] = found[k];
    return true;
}

static bool write_inputs(attempt *a)
{
    for (int i = 0; i < ONNX_INPUTS; i++) {
        reel_tensor *x = a->build.input[i];
        void *values;
        if (!x) continue;
        if (reel_npy_values(&a->from->input[i].array, x->dtype, x->name, &values, &a->error)) return false;
        reel_status status = x->node->op == &reel_op_parameter
                                 ? reel_parameter_write(x->node->source.parameter, values, &a->error)
                                 : reel_plan_write(a->plan, x, values, &a->error);
        reel_free(values);
        if (status) return false;
    }
    return true;
}

/* --- comparing --- */

static double number(const void *data, reel_dtype dtype, size_t i)
{
    switch (dtype) {
    case REEL_F32:
        return (double)((const float *)data)[i];
    case REEL_F64:
        return ((const double *)data)[i];
    case REEL_I32:
        return ((const int32_t *)data)[i];
    default:
        return ((const uint8_t *)data)[i];
    }
}

/* Holds a tensor's values to an array: every |difference| <= absolute + relative * |expected|. */
static void compare(attempt *a, const char *what, int which, reel_tensor *x, const reel_npy *expected, double absolute,
                    double relative)
{
    char have[REEL_SHAPE_TEXT], want[REEL_SHAPE_TEXT];
    reel_shape shape = reel_npy_shape(expected);
    if (!reel_shape_equal(&x->shape, &shape)) {
        complain(a, "%s %d has shape %s, expected %s", what, which, reel_shape_text(&x->shape, have),
                 reel_shape_text(&shape, want));
        return;
    }
    size_t worst = 0, bad = 0;
    double excess = 1;
    void *data = reel_alloc(expected->elements, reel_dtype_size(x->dtype));
    if (!data || reel_plan_read(a->plan, x, data, &a->error)) complain(a, "reading %s %d failed", what, which);
    for (size_t i = 0; data && i < expected->elements; i++) {
        double got = number(data, x->dtype, i), ref = reel_npy_number(expected, i);
        if (got == ref || (isnan(got) && isnan(ref))) continue;
        double ratio = fabs(got - ref) / (absolute + relative * fabs(ref));
        if (ratio <= 1) continue;
        if (!bad++ || !(ratio <= excess)) worst = i, excess = ratio;
    }
    if (bad) {
        double got = number(data, x->dtype, worst), ref = reel_npy_number(expected, worst);
        complain(a, "%s %d: %zu of %zu entries differ, worst entry %zu: %.9g, expected %.9g (|d| %.3g, allowed %.3g)",
                 what, which, bad, expected->elements, worst, got, ref, fabs(got - ref),
                 absolute + relative * fabs(ref));
    }
    reel_free(data);
}

static double largest_gradient(const onnx_case *c)
{
    double largest = 0;
    for (int k = 0; k < ONNX_INPUTS; k++)
        for (size_t i = 0; c->gradient[k].present && i < c->gradient[k].array.elements; i++)
            largest = fmax(largest, fabs(reel_npy_number(&c->gradient[k].array, i)));
    return largest;
}

static void compare_all(attempt *a)
{
    const onnx_case *c = a->from;
    double loose = tolerance(c), largest = largest_gradient(c);
    double allowed = (a->real == REEL_F64 ? 1e-6 : 1e-4) * (largest > 0 ? largest : 1);
    for (int k = 0; k < c->outputs; k++)
        if (c->output[k].present)
            compare(a, "output", k, a->build.output[k], &c->output[k].array, fmax(1e-6, loose), fmax(1e-5, loose));
    for (int i = 0; i < ONNX_INPUTS; i++)
        if (c->gradient[i].present) compare(a, "gradient", i, a->gradient[i], &c->gradient[i].array, allowed, 0);
}

/* --- running --- */

static bool plan_and_run(attempt *a)
{
    reel_tensor *wanted[WANTED];
    int count = 0;
    for (int k = 0; k < a->from->outputs; k++)
        if (a->from->output[k].present) wanted[count++] = a->build.output[k];
    for (int i = 0; i < ONNX_INPUTS; i++)
        if (a->gradient[i]) wanted[count++] = a->gradient[i];
    a->plan = reel_plan_new(a->build.graph, a->backend, wanted, count, &a->error);
    return a->plan && write_inputs(a) && !reel_plan_run(a->plan, &a->error);
}

/* False when the case is absent: then build.absent says why. */
static bool try_case(attempt *a)
{
    onnx_build *b = &a->build;
    *b = (onnx_build){
        .from = a->from, .graph = reel_graph_new(), .set = reel_parameters_new(a->backend, 1), .real = a->real};
    a->ok = true;
    bool built = b->graph && b->set && onnx_build_case(b);
    if (built && add_gradients(a) && plan_and_run(a)) {
        compare_all(a);
    } else if (!*b->absent) {
        const char *text = reel_failed(reel_graph_error(b->graph)) ? reel_graph_error(b->graph)->text : a->error.text;
        complain(a, "%s", text);
    }
    reel_plan_free(a->plan);
    reel_graph_free(b->graph);
    reel_parameters_free(b->set);
    return !*b->absent;
}

static void count_gradients(tally *t, const onnx_case *c)
{
    for (int k = 0; k < ONNX_INPUTS; k++) {
        if (!c->gradient[k].present) continue;
        bool zero = true;
        for (size_t i = 0; i < c->gradient[k].array.elements; i++)
            zero = zero && reel_npy_number(&c->gradient[k].array, i) == 0;
        t->zero_arrays += zero;
        t->arrays += !zero;
        t->entries += zero ? 0 : c->gradient[k].array.elements;
    }
}

static void run_case(tally *t, const onnx_case *c, reel_backend *const backends[2])
{
    static attempt a;
    bool ok = true;
    for (int k = 0; k < 4; k++) {
        a = (attempt){.from = c, .backend = backends[k / 2], .real = k % 2 ? REEL_F64 : REEL_F32};
        if (!try_case(&a)) {
            printf("SKIP %s: %s: absent: %s\n", c->name, c->op, a.build.absent);
            t->skipped++;
            return;
        }
        ok = ok && a.ok;
    }
    count_gradients(t, c);
    t->passed += ok;
    t->failed += !ok;
}

static int is_folder(const char *folder, const char *name)
{
    char path[4096];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return name[0] != '.' && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int run_folder(const char *folder, struct dirent **entry, int entries, reel_backend *const backends[2])
{
    static onnx_case c;
    tally t = {0};
    char why[1200];
    int cases = 0;
    for (int i = 0; i < entries; i++) {
        if (!is_folder(folder, entry[i]->d_name)) continue;
        cases++;
        if (onnx_case_read(&c, folder, entry[i]->d_name, why, sizeof why)) {
            run_case(&t, &c, backends);
        } else {
            printf("FAIL %s: cannot be read: %s\n", entry[i]->d_name, why);
            t.failed++;
        }
        onnx_case_free(&c);
    }
    if (!cases) {
        printf("FAIL %s: holds no case\n", folder);
        t.failed++;
    }
    printf("gradients: %d arrays with %zu entries, and %d arrays that are zero everywhere\n", t.arrays, t.entries,
           t.zero_arrays);
    printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped);
    return t.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : DEFAULT_FOLDER;
    struct dirent **entry;
    reel_error error = {REEL_OK, ""};
    int entries = scandir(folder, &entry, NULL, alphasort);
    if (entries < 0 && argc < 2) return printf("SKIP onnx_cases: " DEFAULT_FOLDER " is absent\n"), 0;
    if (entries < 0) return fprintf(stderr, "onnx_cases: %s: no such folder, or it cannot be read\n", folder), 2;
    reel_backend *backends[2] = {reel_cpu_backend(2, &error), reel_reference_backend()};
    int code = backends[0] && backends[1] ? run_folder(folder, entry, entries, backends) : 2;
    for (int i = 0; i < 2; i++)
        if (backends[i]) backends[i]->close(backends[i]);
    for (int i = 0; i < entries; i++) free(entry[i]);
    free(entry);
    return code;
}
