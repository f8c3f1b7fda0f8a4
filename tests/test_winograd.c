/* Convolutions by Winograd's filtering (backends/cpu/winograd.h), in all three directions, against direct ones in
   double; in every instruction set, bf16, and with any number of threads. The table of op cases has too few channels
   for it. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/isa.h"
#include "backends/cpu/winograd.h"
#include "tests/support/op_run.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static reel_backend *cpu;

static const op_case rows[] = {
    {"conv2d", "pad=1", "real:1x33x23x26 real:35x33x3x3 real:35"},       /* tiles that reach beyond the picture */
    {"conv2d", "pad=2 relu=1", "real:2x32x9x11 real:40x32x5x5 real:40"}, /* blocks that go on in the next image */
    {"conv2d", "", "real:3x40x15x14 real:32x40x3x3"},                    /* no border */
    {"conv2d", "pad=0,2,1,3", "real:2x32x13x12 real:34x32x5x5"},         /* another border on every side */
    {"conv2d", "pad=4", "real:1x32x12x13 real:32x32x5x5 real:32"},       /* more border than the kernel reaches */
    {"conv2d", "pad=1", "real:1x32x5x470 real:33x32x3x3"},               /* rows of tiles that are cut */
    {"conv2d", "pad=1", "real:3x32x27x38 real:33x32x3x3"},               /* blocks that begin and end within an image */
    {"conv2d", "pad=1", "real:1x300x22x23 real:140x300x3x3 real:140"},   /* sections and slabs */
    {"conv2d", "pad=2 relu=1", "real:1x34x40x42 real:300x34x5x5 real:300"}, /* several blocks */
    {"conv2d", "pad=1", "real:1x200x8x14 real:170x200x3x3 real:170"},       /* one block and more weights than that */
    {"conv2d", "relu=1 pad=1", "real:3x180x5x7 real:180x180x3x3"},
    {NULL, NULL, NULL}};
/* So many kernels that they are transformed in groups. */
static const op_case large[] = {{"conv2d", "pad=2", "real:1x1300x19x19 real:300x1300x5x5 real:300"},
                                {NULL, NULL, NULL}};

static void run(op_results *r, const op_problem *p, reel_dtype dtype, bool winograd)
{
    char why[1200] = "";
    cpu_winograd_use(winograd);
    bool ok = op_run(r, p, dtype, cpu, why, sizeof why);
    cpu_winograd_use(true);
    ck_assert_msg(ok, "%s {%s} %s: %s", p->from->op, p->from->attrs, p->from->inputs, why);
}

/* Results: y, and the gradients of x and of the weight. That each has other bits than a direct convolution shows that
   it went this way. With ReLU gradients depend on signs, which rounding may turn, and only y is compared. */
static void near(const op_problem *p, reel_dtype dtype, double allowed)
{
    op_problem same = *p;
    same.rounded = dtype == REEL_BF16;
    op_results filtered, direct, exact;
    run(&filtered, &same, dtype, true);
    run(&direct, &same, dtype, false);
    run(&exact, &same, REEL_F64, false);
    int results = strstr(p->from->attrs, "relu") ? 1 : 3;
    for (int k = 0; k < results; k++) {
        double distance = op_results_distance(&filtered, &exact, k, k + 1);
        ck_assert_msg(distance <= allowed, "{%s} %s, %s: result %d is %g off, allowed %g", p->from->attrs,
                      p->from->inputs, cpu_isa_name(cpu_isa_current()), k, distance, allowed);
        ck_assert_msg(dtype == REEL_BF16 || op_results_distance(&filtered, &direct, k, k + 1) > 0,
                      "{%s} %s: result %d is that of a direct convolution", p->from->attrs, p->from->inputs, k);
    }
    op_results_free(&filtered);
    op_results_free(&direct);
    op_results_free(&exact);
}

static void each_row(const op_case *row, void (*check)(const op_problem *p))
{
    for (; row->op; row++) {
        op_problem p;
        ck_assert_msg(op_problem_read(&p, row), "cannot read a row");
        check(&p);
    }
}

static void near_in_float(const op_problem *p)
{
    near(p, REEL_F32, 2e-5);
}

static void near_in_bf16(const op_problem *p)
{
    near(p, REEL_BF16, 0x1p-6);
}

static void every_thread_count(const op_problem *p)
{
    op_results one, many;
    cpu->threads = 1;
    run(&one, p, REEL_F32, true);
    for (cpu->threads = 2; cpu->threads <= 8; cpu->threads++) {
        run(&many, p, REEL_F32, true);
        ck_assert_msg(op_results_same_bits(&one, &many), "{%s} %s: %d threads give other bits than 1", p->from->attrs,
                      p->from->inputs, cpu->threads);
        op_results_free(&many);
    }
    cpu->threads = 2;
    op_results_free(&one);
}

START_TEST(agrees_with_direct_convolutions)
{
    cpu_isa before = cpu_isa_current();
    for (cpu_isa isa = CPU_ISA_PORTABLE; isa <= cpu_this_machine().widest; isa++) {
        cpu_isa_use(isa);
        each_row(rows, near_in_float);
    }
    cpu_isa_use(before);
}
END_TEST

START_TEST(kernels_in_groups)
{
    each_row(large, near_in_float);
}
END_TEST

/* With AMX bf16 goes another way. */
START_TEST(bf16_is_widened)
{
    cpu_isa before = cpu_isa_current();
    if (before > CPU_ISA_AVX512) cpu_isa_use(CPU_ISA_AVX512);
    each_row(rows, near_in_bf16);
    cpu_isa_use(before);
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    each_row(rows, every_thread_count);
}
END_TEST

/* The least that is filtered. */
static const reel_conv2d_geometry whole = {.n = 1,
                                           .groups = 1,
                                           .c = 32,
                                           .h = 12,
                                           .w = 8,
                                           .k = 32,
                                           .p = 12,
                                           .q = 8,
                                           .kh = 3,
                                           .kw = 3,
                                           .cg = 32,
                                           .kg = 32,
                                           .stride = {1, 1},
                                           .dilation = {1, 1},
                                           .top = 1,
                                           .left = 1};

START_TEST(what_is_left_to_direct_convolutions)
{
    ck_assert(cpu_winograd_serves(&whole, REEL_F32));
    ck_assert(!cpu_winograd_serves(&whole, REEL_F64));
    reel_conv2d_geometry other[] = {whole, whole, whole, whole, whole, whole, whole};
    other[0].stride[1] = 2;
    other[1].dilation[0] = 2;
    other[2].groups = 2;
    other[3].kw = 5;
    other[4].kh = other[4].kw = 7;
    other[5].cg = 31;
    other[6].p = 8;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ck_assert_msg(!cpu_winograd_serves(&other[i], REEL_F32), "geometry %zu", i);
}
END_TEST

START_TEST(the_environment_decides)
{
    reel_error error = {REEL_OK, ""};
    static const char *const words[] = {"off", "on", "off", ""};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(setenv("REEL_WINOGRAD", words[i], 1), 0);
        ck_assert_int_eq(cpu_winograd_choose(&error), REEL_OK);
        ck_assert_int_eq(cpu_winograd_serves(&whole, REEL_F32), i % 2);
    }
    ck_assert_int_eq(setenv("REEL_WINOGRAD", "yes", 1), 0);
    ck_assert_ptr_null(reel_cpu_backend(1, &error));
    ck_assert_int_eq(error.status, REEL_USAGE);
    ck_assert_ptr_nonnull(strstr(error.text, "REEL_WINOGRAD=yes is neither on nor off"));
    unsetenv("REEL_WINOGRAD");
}
END_TEST

int main(void)
{
    unsetenv("REEL_WINOGRAD");
    reel_error error = {REEL_OK, ""};
    cpu = reel_cpu_backend(2, &error);
    if (!cpu) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    const TTest *const tests[] = {
        agrees_with_direct_convolutions,     kernels_in_groups,      bf16_is_widened, threads_do_not_change_bits,
        what_is_left_to_direct_convolutions, the_environment_decides};
    int failed = tiny_suite("winograd", tests, sizeof tests / sizeof *tests);
    cpu->close(cpu);
    return failed;
}
