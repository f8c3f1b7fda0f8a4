/* The CUDA backend, its sources compiled for the CPU (tests/cuda/cuda_runtime.h): every row of the table of op cases
   against the reference, in every order of blocks; and what goes wrong with devices. */
#include "backends/cuda/cuda.h"
#include "backends/registry.h"
#include "tests/cuda/emulated.h"
#include "tests/support/compute.h"
#include "tests/support/op_table.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static reel_backend *reference, *cuda;
static bool (*find_kernel)(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native);

/* --- every kernel with a block of its own for each array --- */

static size_t bytes_of(const reel_array *a)
{
    return (size_t)reel_elements(&a->shape) * reel_dtype_size(a->dtype);
}

/* The first array of the call that is the memory of array i. (An array of no elements may begin where another does.) */
static int same_memory(const reel_array *const *array, int i)
{
    for (int k = 0; k < i; k++)
        if (array[k]->data == array[i]->data && bytes_of(array[k]) == bytes_of(array[i])) return k;
    return i;
}

/* Runs the kernel on copies of its arrays, each between guards that the emulation watches, so that a step outside of an
   array is seen even where a plan has put another array. What an op does not write becomes NaN. */
static reel_status guarded(const reel_call *call)
{
    enum { MOST = 32 };
    reel_array copy[MOST];
    const reel_array *array[MOST];
    int count = call->inputs + call->outputs;
    ck_assert_int_le(count, MOST);
    for (int i = 0; i < count; i++) {
        array[i] = i < call->inputs ? &call->input[i] : &call->output[i - call->inputs];
        copy[i] = *array[i];
        int first = same_memory(array, i);
        if (!copy[i].data) continue;
        if (first < i) {
            copy[i].data = copy[first].data;
            continue;
        }
        copy[i].data = cuda->allocate(cuda, bytes_of(&copy[i]), call->error);
        ck_assert_msg(copy[i].data != NULL, "%s", call->error->text);
        if (i < call->inputs) cuda->copy(cuda, copy[i].data, array[i]->data, bytes_of(&copy[i]), call->error);
    }
    reel_call inner = *call;
    inner.input = copy;
    inner.output = copy + call->inputs;
    reel_status status = cuda_find_kernel(call->op).run(&inner);
    for (int i = 0; i < count; i++)
        if (copy[i].data) cuda->copy(cuda, array[i]->data, copy[i].data, bytes_of(&copy[i]), call->error);
    for (int i = 0; i < count; i++)
        if (copy[i].data && same_memory(array, i) == i) cuda->release(cuda, copy[i].data);
    return status;
}

static bool guarded_kernel(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native)
{
    if (!find_kernel(backend, node, kernel, native)) return false;
    kernel->run = guarded;
    return true;
}

/* --- the table --- */

static bool in_double(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F64, cuda, REEL_F64, reference, 1e-12, why, size);
}

static bool in_float(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F32, cuda, REEL_F64, reference, 2e-5, why, size);
}

static bool in_bf16(const op_problem *p, char *why, size_t size)
{
    return bf16_agrees(p, cuda, reference, why, size);
}

static bool any_order(const op_problem *p, char *why, size_t size)
{
    op_results forwards = {0}, backwards = {0};
    bool ok = op_run(&forwards, p, REEL_F32, cuda, why, size);
    emulated.backwards = true;
    ok = ok && op_run(&backwards, p, REEL_F32, cuda, why, size);
    emulated.backwards = false;
    if (ok && !op_results_same_bits(&forwards, &backwards)) {
        snprintf(why, size, "the order of the blocks changes bits");
        ok = false;
    }
    op_results_free(&forwards);
    op_results_free(&backwards);
    return ok;
}

START_TEST(agrees_with_reference_in_double)
{
    over_table("cuda, double", in_double);
}
END_TEST
START_TEST(agrees_with_reference_in_float)
{
    over_table("cuda, float", in_float);
}
END_TEST
START_TEST(agrees_with_reference_in_bf16)
{
    over_table("cuda, bf16", in_bf16);
}
END_TEST
START_TEST(order_of_blocks_does_not_change_bits)
{
    over_table("cuda, order", any_order);
}
END_TEST

START_TEST(every_op_has_a_kernel)
{
    bool own;
    for (int i = 0; i < reel_ops_count; i++) {
        if (reel_ops[i]->flags & (REEL_OP_VIEW | REEL_OP_SOURCE)) continue;
        ck_assert_msg(reel_backend_covers(1, reel_ops[i], &own) && own, "cuda has no kernel for %s", reel_ops[i]->name);
    }
}
END_TEST

/* --- devices --- */

static void refused(const char *device, const char *part)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open(device, 1, &error);
    ck_assert_msg(!backend, "%s was opened", device);
    ck_assert_msg(error.status == REEL_ENVIRONMENT && strstr(error.text, part), "%s: '%s' lacks '%s'", device,
                  error.text, part);
}

START_TEST(devices_that_are_not_there)
{
    const emulated_machine whole = emulated;
    refused("cuda:1", "there is 1 GPU, cuda:0 to cuda:0");
    refused("cuda:", "reel has the devices");
    refused("cuda:x", "reel has the devices");
    refused("cuda:0x", "reel has the devices");
    refused("cuda:-1", "reel has the devices");
    refused("cuda:99999999999", "reel has the devices");
    refused("cpu:0", "reel has the devices");
    emulated.devices = 3;
    refused("cuda:3", "there are 3 GPUs, cuda:0 to cuda:2");
    emulated.devices = 0;
    refused("cuda", "the driver finds no GPU");
    emulated.devices = -1;
    refused("cuda:0", "no NVIDIA driver");
    emulated = whole;
    emulated.old_gpu = true;
    refused("cuda:0", "architecture 5.0");
    emulated = whole;
    emulated.memory = 0;
    refused("cuda:0", "out of memory");
    emulated = whole;
}
END_TEST

/* --- what fails later --- */

static reel_graph *small_graph(reel_tensor **input, reel_tensor **wanted)
{
    reel_graph *graph = reel_graph_new();
    *input = reel_input(graph, "x", REEL_F32, REEL_SHAPE(64, 1024));
    *wanted = reel_exp(*input);
    return graph;
}

static reel_error run_small(reel_backend *backend)
{
    static float values[64 * 1024];
    reel_error error = {REEL_OK, ""};
    reel_tensor *input, *wanted;
    reel_graph *graph = small_graph(&input, &wanted);
    tiny_run(graph, backend, &(tiny_input){input, values}, 1, &wanted, (void *[]){values}, 1, &error);
    reel_graph_free(graph);
    return error;
}

START_TEST(too_little_memory)
{
    const emulated_machine whole = emulated;
    emulated.memory = 300 * 1024;
    reel_error error = run_small(cuda);
    emulated = whole;
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "cuda:0: out of memory: 0 MiB asked for") && strstr(error.text, "--dry-run"), "%s",
                  error.text);
    ck_assert_msg(run_small(cuda).status == REEL_OK, "nothing works after a refusal");
}
END_TEST

START_TEST(failed_launches_and_waits)
{
    emulated.fail_launch = 1;
    reel_error error = run_small(cuda);
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "exp at backends/cuda/elementwise.cu:") &&
                      strstr(error.text, "cudaErrorInvalidConfiguration"),
                  "%s", error.text);
    emulated.fail_synchronize = 2; /* the first is that of writing the input */
    error = run_small(cuda);
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "cudaStreamSynchronize(device->stream) at backends/cuda/run.cu:") &&
                      strstr(error.text, "cudaErrorIllegalAddress"),
                  "%s", error.text);
    ck_assert_msg(run_small(cuda).status == REEL_OK, "nothing works after a failure");
}
END_TEST

/* --- refused values --- */

/* A step with a label that is no class: refused by name and place, and the weights stay as they were. */
START_TEST(bad_labels_change_nothing)
{
    const int32_t labels[2][3] = {{0, 1, -100}, {2, 7, 1}};
    float before[12], after[12];
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_parameters *set = reel_parameters_new(cuda, 1);
    reel_init init = {REEL_INIT_NORMAL, 1};
    reel_parameter *w = reel_parameter_declare(set, "w", REEL_F32, REEL_SHAPE(2, 2, 3), init, true, &error);
    reel_parameter *buffer =
        reel_parameter_declare(set, "buffer", REEL_F32, REEL_SHAPE(2, 2, 3), (reel_init){0}, false, &error);
    reel_tensor *x = reel_parameter_in(graph, w), *t = reel_input(graph, "t", REEL_I32, REEL_SHAPE(2, 3));
    reel_tensor *loss = reel_cross_entropy(x, t, NULL, (reel_cross_entropy_attr){.ignore_index = -100});
    reel_tensor *moved = reel_sgd(x, reel_parameter_in(graph, buffer), reel_gradient_of(loss, x),
                                  reel_scalar_like(x, 0.1), NULL, (reel_sgd_attr){0});
    ck_assert(!reel_parameter_read(w, before, &error));
    reel_status status = tiny_run(graph, cuda, &(tiny_input){t, labels}, 1, &moved, (void *[]){NULL}, 1, &error);
    ck_assert_int_eq(status, REEL_BAD_DATA);
    ck_assert_msg(strstr(error.text, "the label at [1,0] is not one of 0..1 or the ignored -100"), "%s", error.text);
    error = (reel_error){REEL_OK, ""};
    ck_assert_msg(!reel_parameter_read(w, after, &error) && !memcmp(before, after, sizeof before), "weights changed");
    reel_graph_free(graph);
    reel_parameters_free(set);
}
END_TEST

/* --- products that fill large tiles, and those that are cut along the depth --- */

START_TEST(large_tiles)
{
    static const op_case rows[] = {{"conv2d", "pad=1 relu=1", "real:1x3x140x130 real:130x3x3x3 real:130"},
                                   {"matmul", "", "real:12x130x20 real:20x500"},
                                   {"conv2d", "", "real:1x60x5x4 real:5x60x3x3"}};
    char why[256] = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        op_problem p;
        op_results a = {0}, b = {0};
        ck_assert(op_problem_read(&p, &rows[i]));
        for (int k = 0; k < p.inputs; k++) p.input[k].differentiate = false;
        ck_assert_msg(op_run(&a, &p, REEL_F32, cuda, why, sizeof why), "%s", why);
        ck_assert_msg(op_run(&b, &p, REEL_F64, reference, why, sizeof why), "%s", why);
        double distance = op_results_distance(&a, &b, 0, -1);
        ck_assert_msg(distance < 2e-5, "row %zu is %g off", i, distance);
        op_results_free(&a);
        op_results_free(&b);
    }
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reference = reel_reference_backend();
    cuda = reel_backend_open("cuda:0", 1, &error);
    if (!reference || !cuda) return printf("%s\n", error.text), 2;
    find_kernel = cuda->kernel;
    cuda->kernel = guarded_kernel;
    const TTest *const tests[] = {
        every_op_has_a_kernel,
        agrees_with_reference_in_double,
        agrees_with_reference_in_float,
        agrees_with_reference_in_bf16,
        order_of_blocks_does_not_change_bits,
        devices_that_are_not_there,
        too_little_memory,
        failed_launches_and_waits,
        bad_labels_change_nothing,
        large_tiles,
    };
    int code = tiny_suite("cuda", tests, sizeof tests / sizeof *tests);
    reference->close(reference);
    cuda->close(cuda);
    return code;
}
