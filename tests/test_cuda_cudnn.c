/* Convolutions by cuDNN, of which tests have a stand-in (tests/cuda/cudnn.cpp) that goes by the descriptions it is
   given: all directions against the reference; which are asked of it, and that own kernels are used where it is
   missing, refuses, is slower, or is not asked for. */
#include "tests/cuda/emulated.h"
#include "tests/support/op_table.h"
#include "tests/support/saying.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <string.h>

static reel_backend *reference;

/* Each runs in three directions: the op and two gradients. The weights' is float32, so not cuDNN's in bf16. */
static const op_case rows[] = {
    {"conv2d", "pad=1", "real:2x3x5x6 real:4x3x3x3 real:4"},
    {"conv2d", "", "real:2x3x5x4 real:4x3x1x1"},
    {"conv2d", "stride=2,1 pad=2,1,2,1", "real:2x3x8x5 real:2x3x3x4 real:2"},
    {"conv2d", "dilation=2,3 pad=2,0,2,0 relu=1", "real:1x2x7x9 real:3x2x3x3 real:3"},
    {"conv2d", "groups=2 pad=1 relu=1", "real:2x4x5x5 real:6x2x3x3"},
    {"conv2d", "groups=4 stride=2 pad=1", "real:1x4x6x5 real:4x1x3x3 real:4"},
    {"conv2d", "stride=2 pad=1,1,0,0", "real:1x2x6x4 real:3x2x3x3"}, /* the last windows end within the picture */
    {"conv_transpose2d", "stride=2 pad=1 output_pad=1", "real:2x2x3x4 real:2x3x3x3 real:3"},
    {"conv_transpose2d", "groups=2", "real:2x4x3x3 real:4x1x3x3 real:2"},
};
enum { ROWS = sizeof rows / sizeof *rows, DIRECTIONS = 3, BF16_DIRECTIONS = 2 };

/* Rows that it cannot be asked for. */
static const op_case others[] = {
    {"conv2d", "pad=1,0,2,1", "real:1x3x7x5 real:2x3x3x3 real:2"}, /* padded unevenly */
    {"conv2d", "pad=0,1,0,0", "real:1x3x7x5 real:2x3x3x3 real:2"},
    {"conv_transpose2d", "pad=0,1,1,0", "real:1x3x4x3 real:3x2x3x3 real:2"},
};
enum { OTHERS = sizeof others / sizeof *others };

static reel_backend *open_with(const char *tf32, const char *cudnn)
{
    return must_open_saying("REEL_TF32", tf32, "REEL_CUDNN", cudnn);
}

/* Convolutions asked of the library for a row, which must come out right. */
static long long asked(const op_case *row, reel_dtype type, reel_backend *cuda, double tolerance)
{
    long long before = emulated.convolved;
    must_agree(row, type, cuda, reference, tolerance);
    return emulated.convolved - before;
}

START_TEST(takes_all_directions)
{
    reel_backend *plain = open_with("off", "on"), *tf32 = open_with("on", "on"), *split = open_with("split", "on");
    for (int i = 0; i < ROWS; i++) {
        ck_assert_int_eq(asked(&rows[i], REEL_F32, plain, 2e-6), DIRECTIONS);
        ck_assert_int_eq(asked(&rows[i], REEL_F32, tf32, 4e-3), DIRECTIONS);
        ck_assert_int_eq(asked(&rows[i], REEL_BF16, plain, 0), BF16_DIRECTIONS);
        ck_assert_int_eq(asked(&rows[i], REEL_BF16, split, 0), BF16_DIRECTIONS);
        ck_assert_int_eq(asked(&rows[i], REEL_F32, split, 2e-5), 0);
        ck_assert_int_eq(asked(&rows[i], REEL_F64, plain, 1e-12), 0);
    }
    reel_backend *const all[] = {plain, tf32, split};
    for (int i = 0; i < 3; i++) all[i]->close(all[i]);
}
END_TEST

/* TF32 is used where it is asked for, and nowhere else. */
START_TEST(goes_by_the_asked_precision)
{
    char why[256] = "";
    op_problem p;
    reel_backend *tf32 = open_with("on", "on");
    ck_assert(op_problem_read(&p, &rows[0]));
    ck_assert(!agree(&p, REEL_F32, tf32, REEL_F64, reference, 2e-6, why, sizeof why));
    tf32->close(tf32);
}
END_TEST

START_TEST(leaves_the_rest)
{
    static const op_case wide = {"conv2d", "wide=1 pad=1", "!real:2x3x5x4 !real:2x3x3x3 !real:2"};
    static const op_case narrow = {"conv2d", "pad=1", "!real:2x3x5x4 !real:2x3x3x3 !real:2"};
    reel_backend *plain = open_with("off", "on");
    for (int i = 0; i < OTHERS; i++) {
        ck_assert_int_eq(asked(&others[i], REEL_F32, plain, 2e-6), 0);
        ck_assert_int_eq(asked(&others[i], REEL_BF16, plain, 0), 0);
    }
    ck_assert_int_eq(asked(&narrow, REEL_BF16, plain, 0), 1);
    ck_assert_int_eq(asked(&wide, REEL_BF16, plain, 0), 0); /* the same sizes, but float32 out of bf16 */
    plain->close(plain);
}
END_TEST

START_TEST(works_without_it)
{
    reel_backend *off = open_with("off", "off"), *unasked = open_with("off", ""), *on = open_with("off", "on");
    emulated.no_cudnn = true;
    reel_backend *missing = open_with("off", "on");
    ck_assert_int_eq(asked(&rows[0], REEL_F32, missing, 2e-6), 0);
    emulated.no_cudnn = false;
    ck_assert_int_eq(asked(&rows[0], REEL_F32, missing, 2e-6), 0);
    ck_assert_int_eq(asked(&rows[0], REEL_F32, off, 2e-6), 0);
    ck_assert_int_eq(asked(&rows[0], REEL_F32, unasked, 2e-6), 0);
    emulated.unknown_shapes = true;
    for (int i = 0; i < ROWS; i++) ck_assert_int_eq(asked(&rows[i], REEL_F32, on, 2e-6), 0);
    emulated.unknown_shapes = false;
    reel_backend *const all[] = {off, unasked, on, missing};
    for (int i = 0; i < 4; i++) all[i]->close(all[i]);
}
END_TEST

/* What is refused when it is to be started is computed all the same, in both ways of asking. */
START_TEST(refused_calls_are_computed)
{
    static const int refusals[] = {3, 9, 2003, 3012};
    for (int i = 0; i < 4; i++) {
        reel_backend *on = open_with("off", "on"), *measure = open_with("off", "measure");
        emulated.fail_convolution = refusals[i];
        ck_assert_int_eq(asked(&rows[3], REEL_F32, on, 2e-6), 0);
        ck_assert_int_eq(asked(&rows[3], REEL_F32, measure, 2e-6), 0);
        emulated.fail_convolution = 0;
        ck_assert_int_eq(asked(&rows[3], REEL_F32, measure, 2e-6), 0); /* it has been decided */
        on->close(on);
        measure->close(measure);
    }
}
END_TEST

START_TEST(tells_of_failures)
{
    reel_backend *cuda = open_with("off", "on");
    emulated.fail_convolution = 8;
    must_fail(&rows[0], cuda, "cuda:0: conv2d: cuDNN fails with status 8, as emulated");
    emulated.fail_convolution = 0;
    cuda->close(cuda);
}
END_TEST

/* --- measuring --- */

/* Once to load it, three times by the clock, and a last time for the result where the library is the faster. */
START_TEST(measures_once)
{
    enum { TRIED = 4 };
    emulated.library_time = 0.25;
    reel_backend *cuda = open_with("off", "measure");
    ck_assert_int_eq(asked(&rows[1], REEL_F32, cuda, 2e-6), DIRECTIONS * (TRIED + 1));
    ck_assert_int_eq(asked(&rows[1], REEL_F32, cuda, 2e-6), DIRECTIONS);
    emulated.library_time = 1000;
    ck_assert_int_eq(asked(&rows[1], REEL_F32, cuda, 2e-6), DIRECTIONS);
    ck_assert_int_eq(asked(&rows[4], REEL_F32, cuda, 2e-6), DIRECTIONS * TRIED);
    ck_assert_int_eq(asked(&rows[4], REEL_F32, cuda, 2e-6), 0);
    ck_assert_int_eq(asked(&rows[4], REEL_BF16, cuda, 0), BF16_DIRECTIONS * TRIED);
    cuda->close(cuda);
    emulated.library_time = 0;
}
END_TEST

enum { PICTURE = 2 * 6 * 7, WEIGHTS = 3 * 2 * 3 * 3, RESULT = 3 * 6 * 7, RUNS = 4 };

/* Runs y = conv2d(exp(x), w) some times; the first fails before the convolution when asked to. */
static void run_often(reel_backend *cuda, bool failing, float y[RUNS][RESULT])
{
    float picture[PICTURE], weights[WEIGHTS];
    for (int i = 0; i < PICTURE; i++) picture[i] = (float)(i % 11) / 7 - 1;
    for (int i = 0; i < WEIGHTS; i++) weights[i] = (float)(i % 5) / 3 - 1;
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(1, 2, 6, 7));
    reel_tensor *w = reel_input(graph, "w", REEL_F32, REEL_SHAPE(3, 2, 3, 3));
    reel_tensor *wanted = reel_conv2d(reel_exp(x), w, NULL, reel_conv2d_same(3));
    reel_plan *plan = reel_plan_new(graph, cuda, &wanted, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    ck_assert(!reel_plan_write(plan, x, picture, &error) && !reel_plan_write(plan, w, weights, &error));
    for (int i = 0; i < RUNS; i++) {
        bool fails = failing && i == 0;
        emulated.fail_launch = fails;
        ck_assert_msg((reel_plan_run(plan, &error) != REEL_OK) == fails, "run %d: %s", i, error.text);
        error = (reel_error){REEL_OK, ""};
        if (!fails) ck_assert(!reel_plan_read(plan, wanted, y[i], &error));
    }
    reel_plan_free(plan);
    reel_graph_free(graph);
}

/* A plan measures in its first run; the others, recorded, give the same bits. */
START_TEST(recorded_runs_keep_to_it)
{
    static float y[RUNS][RESULT];
    for (int slow = 0; slow < 2; slow++) {
        emulated.library_time = slow ? 1000 : 0.25;
        reel_backend *cuda = open_with("off", "measure");
        long long recorded = emulated.recorded, before = emulated.convolved;
        run_often(cuda, false, y);
        for (int i = 1; i < RUNS; i++) ck_assert(!memcmp(y[0], y[i], sizeof y[0]));
        ck_assert_int_eq(emulated.recorded - recorded, 1);
        ck_assert_int_eq(emulated.convolved - before, slow ? 4 : 6); /* the recording asks once more */
        cuda->close(cuda);
    }
    emulated.library_time = 0;
}
END_TEST

/* Where nothing was measured before a plan is recorded, nothing is measured while it is. */
START_TEST(no_measuring_while_recording)
{
    static float y[RUNS][RESULT];
    emulated.library_time = 0.25;
    reel_backend *cuda = open_with("off", "measure");
    long long recorded = emulated.recorded, before = emulated.convolved;
    run_often(cuda, true, y);
    ck_assert_int_eq(emulated.recorded - recorded, 1);
    ck_assert_int_eq(emulated.convolved - before, 0);
    for (int i = 2; i < RUNS; i++) ck_assert(!memcmp(y[1], y[i], sizeof y[1]));
    cuda->close(cuda);
    emulated.library_time = 0;
}
END_TEST

START_TEST(an_unknown_choice_is_refused)
{
    refused_saying("REEL_CUDNN", "maybe", "expected off, on");
}
END_TEST

int main(void)
{
    reference = reel_reference_backend();
    if (!reference) return 2;
    const TTest *const tests[] = {
        takes_all_directions,         goes_by_the_asked_precision, leaves_the_rest, works_without_it,
        refused_calls_are_computed,   tells_of_failures,           measures_once,   recorded_runs_keep_to_it,
        no_measuring_while_recording, an_unknown_choice_is_refused};
    int code = tiny_suite("cuda_cudnn", tests, sizeof tests / sizeof *tests);
    reference->close(reference);
    return code;
}
