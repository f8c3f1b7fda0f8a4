/* The CUDA backend: every row of the table of op cases against the reference, every kernel between guards; what fails
   on a device; values that are refused. Built twice: for the CPU (tests/cuda/cuda_runtime.h), and for a GPU.
   REEL_TEST_GUARD=0 leaves the guards away, for tools that watch memory themselves. */
#include "backends/cuda/cuda.h"
#include "backends/registry.h"
#include "tests/cuda/faults.h"
#include "tests/support/guard.h"
#include "tests/support/op_table.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static reel_backend *reference, *cuda;
static size_t guard = 256;

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
START_TEST(every_op_has_a_kernel)
{
    bool own;
    for (int i = 0; i < reel_ops_count; i++) {
        if (reel_ops[i]->flags & (REEL_OP_VIEW | REEL_OP_SOURCE)) continue;
        ck_assert_msg(reel_backend_covers(1, reel_ops[i], &own) && own, "cuda has no kernel for %s", reel_ops[i]->name);
    }
}
END_TEST

/* --- what fails --- */

static reel_error run_exp(reel_status (*kernel)(const reel_call *call))
{
    float values[3 * 5] = {0};
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(3, 5)), *y = reel_exp(x);
    guard_replace(kernel);
    tiny_run(graph, cuda, &(tiny_input){x, values}, 1, &y, (void *[]){values}, 1, &error);
    guard_replace(NULL);
    reel_graph_free(graph);
    if (!error.status) ck_assert_msg(values[14] == 1, "exp(0) is %g", (double)values[14]);
    return error;
}

static void fails(reel_status (*kernel)(const reel_call *call), reel_status status, const char *a, const char *b)
{
    reel_error error = run_exp(kernel);
    ck_assert_int_eq(error.status, status);
    ck_assert_msg(strstr(error.text, a) && strstr(error.text, b), "'%s' lacks '%s' or '%s'", error.text, a, b);
    error = run_exp(NULL);
    ck_assert_msg(error.status == REEL_OK, "afterwards: %s", error.text);
}

START_TEST(launches_that_fail_are_told)
{
    fails(fault_launch, REEL_ENVIRONMENT, "exp at tests/cuda/faults.cu:", "cudaErrorInvalidConfiguration");
}
END_TEST

START_TEST(guards_see_a_byte)
{
    if (!guard) return;
    fails(fault_write_behind, REEL_BAD_DATA, "exp: byte 1 behind output 0 was written", "");
    fails(fault_write_before, REEL_BAD_DATA, "exp: byte 1 before output 0 was written", "");
}
END_TEST

START_TEST(memory_that_is_not_there)
{
    reel_error error = {REEL_OK, ""};
    ck_assert(!cuda->allocate(cuda, (size_t)1 << 46, &error));
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "out of memory: 67108864 MiB asked for"), "%s", error.text);
    error = run_exp(NULL);
    ck_assert_msg(error.status == REEL_OK, "afterwards: %s", error.text);
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
    const char *asked = getenv("REEL_TEST_GUARD");
    if (asked) guard = (size_t)atoi(asked);
    guard_kernels(cuda, guard);
    const TTest *const tests[] = {
        every_op_has_a_kernel,         agrees_with_reference_in_double, agrees_with_reference_in_float,
        agrees_with_reference_in_bf16, launches_that_fail_are_told,     guards_see_a_byte,
        memory_that_is_not_there,      bad_labels_change_nothing,       large_tiles,
    };
    int code = tiny_suite("cuda", tests, sizeof tests / sizeof *tests);
    reference->close(reference);
    cuda->close(cuda);
    return code;
}
