/* The convolutions on AMX, by emulation: this program has its own copy of backends/cpu/brgemm_amx.c, whose tile
   instructions are those of tests/support/amx_emulation.h, and the linker takes it for the library's. All around it is
   what a machine with AMX would run, packing, loops and all, and is compared with the float kernels of this machine on
   the same, rounded, inputs. Where there is AMX, tests/test_ops.c has the real instructions as one more set. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/isa.h"
#include "tests/support/op_run.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#ifdef __x86_64__
#include "tests/support/amx_emulation.h"
/* Behind the header. */
#include "backends/cpu/brgemm_amx.c"

static reel_backend *cpu;
static cpu_isa widest;

/* Beside the table of the convolutions: more channels than a step, a tile, a slab and a section have; strides, kernels
   and groups with them. */
static const op_case rows[] = {
    {"conv2d", "pad=1", "real:1x70x9x11 real:40x70x3x3 real:40"},
    {"conv2d", "", "real:2x33x5x7 real:17x33x1x1 real:17"},
    {"conv2d", "stride=2 pad=1", "real:1x40x13x15 real:33x40x3x3"},
    {"conv2d", "stride=3,2 pad=2,1,0,2", "real:1x34x10x17 real:20x34x5x3"},
    {"conv2d", "stride=2", "real:1x36x8x9 real:18x36x1x1"},
    {"conv2d", "dilation=2,3 pad=2", "real:1x35x12x14 real:19x35x3x2 real:19"},
    {"conv2d", "dilation=3 stride=2 pad=3", "real:1x20x14x13 real:18x20x3x3"},
    {"conv2d", "groups=2 pad=1", "real:2x80x6x7 real:70x40x3x3 real:70"},
    {"conv2d", "pad=1", "real:3x32x16x16 real:32x32x3x3"},
    {"conv2d", "pad=1 relu=1", "real:1x5x40x60 real:18x5x3x3 real:18"},                     /* several bands */
    {"conv2d", "pad=2", "real:1x350x3x5 real:20x350x5x5 real:20"},                          /* several sections */
    {"conv2d_weight_gradient", "size=1,3 pad=0,1,0,1", "real:1x64x80x130 real:1x8x80x130"}, /* several bands */
    {"conv_transpose2d", "pad=1", "real:1x33x7x9 real:33x18x3x3 real:18"},
    {NULL, NULL, NULL}};

static bool is_convolution(const op_case *row)
{
    return !strncmp(row->op, "conv2d", 6) || !strncmp(row->op, "conv_transpose2d", 16);
}

static void each_row(void (*check)(const op_problem *p))
{
    const op_case *const lists[] = {cases_convolution, rows};
    for (int i = 0; i < 2; i++)
        for (const op_case *row = lists[i]; row->op; row++) {
            op_problem p;
            if (!is_convolution(row)) continue;
            ck_assert_msg(op_problem_read(&p, row), "cannot read a row");
            check(&p);
        }
}

static void run(op_results *r, const op_problem *p, reel_dtype dtype, cpu_isa isa)
{
    char why[1200] = "";
    cpu_isa_use(isa);
    bool ok = op_run(r, p, dtype, cpu, why, sizeof why);
    cpu_isa_use(widest);
    ck_assert_msg(ok, "%s {%s} %s: %s", p->from->op, p->from->attrs, p->from->inputs, why);
}

/* What was summed in float and not rounded is as near as the order of sums lets it be; the rest is half a unit away in
   the last of eight places, and a gradient that was made of such a one is a little further. */
static void agrees(const op_problem *p)
{
    op_problem rounded = *p;
    rounded.rounded = true;
    op_results tiles, floats;
    run(&tiles, p, REEL_BF16, CPU_ISA_AMX);
    run(&floats, &rounded, REEL_F32, widest);
    for (int k = 0; k < tiles.count; k++) {
        bool first = k < p->op->outputs;
        double allowed = tiles.dtype[k] == REEL_BF16 ? (first ? 1.01 * 0x1p-8 : 0x1p-6) : first ? 3e-6 : 0x1p-8;
        double distance = op_results_distance(&tiles, &floats, k, k + 1);
        ck_assert_msg(distance <= allowed, "%s {%s} %s: result %d is %g off, allowed %g", p->from->op, p->from->attrs,
                      p->from->inputs, k, distance, allowed);
    }
    op_results_free(&tiles);
    op_results_free(&floats);
}

/* The same with y in f32, which shows what rounding would hide. */
static void agrees_unrounded(const op_problem *p)
{
    op_problem wide = *p;
    if (p->op != &reel_op_conv2d) return;
    ((reel_conv2d_attr *)(void *)wide.attr)->wide = true;
    agrees(&wide);
}

static void any_threads(const op_problem *p)
{
    static const int counts[] = {2, 3, 4, 8};
    op_results one, many;
    cpu->threads = 1;
    run(&one, p, REEL_BF16, CPU_ISA_AMX);
    for (int i = 0; i < 4; i++) {
        cpu->threads = counts[i];
        run(&many, p, REEL_BF16, CPU_ISA_AMX);
        ck_assert_msg(op_results_same_bits(&one, &many), "%s {%s} %s: %d threads give other bits", p->from->op,
                      p->from->attrs, p->from->inputs, counts[i]);
        op_results_free(&many);
    }
    cpu->threads = 2;
    op_results_free(&one);
}

START_TEST(tiles_agree_with_floats)
{
    long before = atomic_load(&amx_products);
    each_row(agrees);
    each_row(agrees_unrounded);
    ck_assert_msg(atomic_load(&amx_products) > before + 1000, "the convolutions did not use tiles");
    ck_assert_int_eq(atomic_load(&amx_faults), 0);
    ck_assert_int_eq(atomic_load(&amx_held), 0);
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    each_row(any_threads);
    ck_assert_int_eq(atomic_load(&amx_faults), 0);
    ck_assert_int_eq(atomic_load(&amx_held), 0);
}
END_TEST

/* Numbers by hand: 1 + 2 * 3 + 4 * 5 = 27, a denormal that counts as zero, and tiles that nobody set up. */
START_TEST(the_emulation_multiplies)
{
    amx_config shape = {.palette = 1, .bytes = {8, 4, 8}, .rows = {1, 1, 1}};
    reel_bf16 a[2] = {reel_bf16_from_float(2), reel_bf16_from_float(4)};
    reel_bf16 b[4] = {reel_bf16_from_float(3), reel_bf16_from_float(5), 1, 0};
    float c[2] = {1, 0x1p-140F};
    amx_loadconfig(&shape);
    amx_load(0, c, 8);
    amx_load(1, a, 4);
    amx_load(2, b, 8);
    amx_multiply(0, 1, 2);
    amx_store(0, c, 8);
    ck_assert(c[0] == 27 && c[1] == 0);
    amx_release();
    ck_assert_int_eq(atomic_load(&amx_faults), 0);
    amx_load(0, c, 8);
    ck_assert_int_eq(atomic_exchange(&amx_faults, 0), 1);
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    const TTest *const tests[] = {the_emulation_multiplies, tiles_agree_with_floats, threads_do_not_change_bits};
    if (cpu_this_machine().widest < CPU_ISA_AVX512) {
        puts("SKIP amx: what is around the tiles needs AVX-512");
        return 0;
    }
    cpu = reel_cpu_backend(2, &error);
    if (!cpu) return 2;
    widest = cpu_isa_current() < CPU_ISA_AVX512 ? cpu_isa_current() : CPU_ISA_AVX512;
    cpu->serial_below = 0;
    int code = tiny_suite("amx", tests, sizeof tests / sizeof *tests);
    cpu->close(cpu);
    return code;
}
#else
int main(void)
{
    puts("SKIP amx: not an x86-64");
    return 0;
}
#endif
