/* bfloat16 as a dtype: rounding against a slow definition, what is not finite, denormals on a backend that flushes
   them, and what may not be rounded: sums, and the gradient of a parameter whose copy is bf16. */
#include "backends/cpu/cpu.h"
#include "core/bf16.h"
#include "core/rng.h"
#include "tests/support/compute.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <string.h>

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* --- conversion --- */

START_TEST(every_value_comes_back)
{
    for (uint32_t x = 0; x < 0x10000; x++) {
        float value = reel_bf16_to_float((reel_bf16)x);
        ck_assert_uint_eq(bits_of(value), x << 16);
        if (value != value)
            ck_assert_uint_eq(reel_bf16_from_float(value), x | 0x40); /* the same NaN, quiet */
        else
            ck_assert_uint_eq(reel_bf16_from_float(value), x);
    }
}
END_TEST

/* The nearer of the two neighbours, the even one of two as near; beyond the largest, as if there were one more. */
static reel_bf16 rounded_slowly(float value)
{
    uint32_t low = bits_of(value) >> 16, high = low + 1;
    double below = fabs((double)float_of(low << 16)), at = fabs((double)value);
    double above = (high & 0x7fff) == 0x7f80 ? 0x1p128 : fabs((double)float_of(high << 16));
    if (at - below == above - at) return (reel_bf16)(low & 1 ? high : low);
    return (reel_bf16)(at - below < above - at ? low : high);
}

START_TEST(rounding_is_to_the_nearest_and_to_the_even)
{
    static const uint32_t corners[] = {0,          1,          0x7fff,     0x8000,     0x8001,
                                       0x18000,    0x17fff,    0x18001,    0x007fffff, 0x00800000,
                                       0x007f8000, 0x3f7fffff, 0x3f800000, 0x3f808000, 0x3f818000,
                                       0x3f808001, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff};
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++)
        for (uint32_t sign = 0; sign < 2; sign++) {
            float value = float_of(corners[i] | sign << 31);
            ck_assert_msg(reel_bf16_from_float(value) == rounded_slowly(value), "%a becomes %#x, expected %#x",
                          (double)value, reel_bf16_from_float(value), rounded_slowly(value));
        }
    for (uint64_t i = 0; i < 1000000; i++) {
        float value = float_of((uint32_t)(reel_random(1, i) >> 32));
        if (isfinite(value)) ck_assert_uint_eq(reel_bf16_from_float(value), rounded_slowly(value));
    }
}
END_TEST

START_TEST(infinity_and_nan_stay_what_they_are)
{
    ck_assert_uint_eq(reel_bf16_from_float(INFINITY), 0x7f80);
    ck_assert_uint_eq(reel_bf16_from_float(-INFINITY), 0xff80);
    for (uint32_t fraction = 1; fraction < 0x800000; fraction += 0x1fff)
        for (uint32_t sign = 0; sign < 2; sign++) {
            reel_bf16 x = reel_bf16_from_float(float_of(sign << 31 | 0x7f800000 | fraction));
            ck_assert_msg(isnan(reel_bf16_to_float(x)) && x >> 15 == sign, "fraction %#x becomes %#x", fraction, x);
        }
}
END_TEST

/* --- in a plan --- */

static reel_graph *graph;
static reel_backend *backends[2];

static void open_graph(void)
{
    reel_error error = {REEL_OK, ""};
    graph = reel_graph_new();
    backends[0] = reel_reference_backend();
    backends[1] = reel_cpu_backend(2, &error);
    ck_assert_msg(graph && backends[0] && backends[1], "%s", error.text);
}

static void close_graph(void)
{
    reel_graph_free(graph);
    for (int b = 0; b < 2; b++) backends[b]->close(backends[b]);
}

START_TEST(denormals_are_cast_whole)
{
    enum { N = 70 }; /* some vectors and a rest */
    static const reel_bf16 kinds[] = {1, 2, 0x7f, 0x40, 0x8001, 0x80, 0};
    reel_bf16 tiny[N];
    for (int i = 0; i < N; i++) tiny[i] = kinds[i % 7];
    open_graph();
    reel_tensor *x = reel_constant(graph, REEL_BF16, REEL_SHAPE(N), tiny), *wide = reel_cast(x, REEL_F32);
    reel_tensor *joined = reel_concat((reel_tensor *[]){reel_cast(wide, REEL_BF16), x}, 2, 0);
    for (int b = 0; b < 2; b++) {
        reel_bf16 back[2 * N];
        float values[N];
        compute(backends[b], (reel_tensor *[]){joined, wide}, 2, (void *[]){back, values});
        ck_assert(!memcmp(back, tiny, sizeof tiny) && !memcmp(back + N, tiny, sizeof tiny));
        for (int i = 0; i < N; i++) ck_assert_uint_eq(bits_of(values[i]), (uint32_t)tiny[i] << 16);
    }
    close_graph();
}
END_TEST

/* Arrays are converted by vector code, which has no choices: the same as one by one, NaN and all. */
START_TEST(arrays_are_converted_as_their_elements_are)
{
    enum { N = 100003 };
    static float values[N], back[N];
    static reel_bf16 half[N];
    for (int i = 0; i < N; i++)
        values[i] = float_of((uint32_t)(reel_random(2, (uint64_t)i) >> 32) | (i % 5 ? 0 : 0x7f800000));
    for (int threads = 1; threads < 4; threads++) {
        reel_bf16_narrow(values, half, N, threads);
        reel_bf16_widen(half, back, N, threads);
        for (int i = 0; i < N; i++) {
            ck_assert_uint_eq(half[i], reel_bf16_from_float(values[i]));
            ck_assert_uint_eq(bits_of(back[i]), (uint32_t)half[i] << 16);
        }
    }
}
END_TEST

START_TEST(the_node_that_overflows_is_named)
{
    open_graph();
    float large = 3.4e38F; /* rounds to infinity */
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = reel_cast(reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &large), REEL_BF16);
    reel_plan *plan = reel_plan_new(graph, backends[1], &x, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    ck_assert_int_eq(reel_plan_run_checked(plan, &error), REEL_NONFINITE);
    ck_assert_msg(strstr(error.text, "cast"), "%s", error.text);
    reel_plan_free(plan);
    close_graph();
}
END_TEST

/* An image of ones in bf16: [1, 1, 7, 43], 301 of them, which is a number that bf16 does not have. */
static reel_tensor *ones(void)
{
    float one = 1;
    reel_tensor *x = reel_cast(reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &one), REEL_BF16);
    return reel_broadcast_to(x, REEL_SHAPE(1, 1, 7, 43));
}

START_TEST(sums_are_not_rounded)
{
    open_graph();
    reel_tensor *list[] = {reel_sum_all(ones()), reel_sum_to(ones(), REEL_SCALAR_SHAPE),
                           reel_square(reel_global_norm((reel_tensor *[]){ones()}, 1)),
                           reel_scale(reel_mean_all(ones()), 301)};
    for (int b = 0; b < 2; b++) {
        float sum[4];
        compute(backends[b], list, 4, (void *[]){&sum[0], &sum[1], &sum[2], &sum[3]});
        for (int i = 0; i < 4; i++) ck_assert_msg(fabsf(sum[i] - 301) < 1e-3F, "sum %d is %g", i, (double)sum[i]);
    }
    close_graph();
}
END_TEST

/* Two convolutions read one copy of a weight; each has the gradient 301, and their sum 602 is none of bf16's either. */
START_TEST(the_gradient_of_a_copied_weight_is_not_rounded)
{
    open_graph();
    float half = 0.5F, zero = 0;
    reel_tensor *weight = reel_constant(graph, REEL_F32, REEL_SHAPE(1, 1, 1, 1), &half);
    reel_tensor *bias = reel_constant(graph, REEL_F32, REEL_SHAPE(1), &zero);
    reel_tensor *copy = reel_cast(weight, REEL_BF16), *loss = NULL, *gradient[2];
    for (int wide = 0; wide < 2; wide++) {
        reel_conv2d_attr attr = reel_conv2d_same(1);
        attr.wide = wide;
        reel_tensor *y = reel_conv2d(ones(), copy, bias, attr);
        ck_assert_int_eq(y->dtype, wide ? REEL_F32 : REEL_BF16);
        loss = loss ? reel_add(loss, reel_sum_all(y)) : reel_sum_all(y);
    }
    reel_gradients(loss, (reel_tensor *[]){weight, bias}, 2, gradient);
    for (int b = 0; b < 2; b++) {
        float values[2];
        compute(backends[b], gradient, 2, (void *[]){&values[0], &values[1]});
        ck_assert(values[0] == 602 && values[1] == 602);
    }
    close_graph();
}
END_TEST

/* Batch norm of bf16 with its statistics and parameters in f32: mean 2, variance 1, of 602 values. */
START_TEST(statistics_of_bf16_are_not_rounded)
{
    open_graph();
    float one = 1, two = 2, three = 3, zero = 0;
    reel_tensor *scale = reel_constant(graph, REEL_F32, REEL_SHAPE(1), &two), *gradient[2];
    reel_tensor *shift = reel_constant(graph, REEL_F32, REEL_SHAPE(1), &one);
    reel_tensor *none = reel_constant(graph, REEL_F32, REEL_SHAPE(1), &zero);
    reel_tensor *threes =
        reel_mul(ones(), reel_cast(reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &three), REEL_BF16));
    reel_tensor *x = reel_concat((reel_tensor *[]){ones(), threes}, 2, 0);
    reel_batch_norm_training how = {.epsilon = 0, .momentum = 1};
    reel_batch_norm_result r = reel_batch_norm_train(x, scale, shift, none, none, how);
    ck_assert_int_eq(r.y->dtype, REEL_BF16);
    reel_gradients(reel_sum_all(reel_mul(r.y, x)), (reel_tensor *[]){scale, shift}, 2, gradient);
    for (int b = 0; b < 2; b++) {
        float mean, variance, dscale, dshift;
        reel_bf16 y[602];
        compute(backends[b], (reel_tensor *[]){r.mean, r.variance, gradient[0], gradient[1], r.y}, 5,
                (void *[]){&mean, &variance, &dscale, &dshift, y});
        ck_assert(mean == 2 && variance == 1 && dscale == 602 && dshift == 1204);
        ck_assert(reel_bf16_to_float(y[0]) == -1 && reel_bf16_to_float(y[601]) == 3);
    }
    close_graph();
}
END_TEST

/* An optimiser's step on bf16: the kernel gets float copies, and what it leaves alone comes back with the same bits. */
START_TEST(an_update_in_bf16_changes_its_parameter)
{
    static const reel_bf16 start[] = {0x3f80, 0xbf01, 0x0001};
    open_graph();
    for (int b = 0; b < 2; b++)
        for (int finite = 0; finite < 2; finite++) {
            reel_error error = {REEL_OK, ""};
            reel_parameters *set = reel_parameters_new(backends[b], 1);
            reel_graph *g = reel_graph_new();
            reel_init zero = {REEL_INIT_CONSTANT, 0};
            reel_parameter *w = reel_parameter_declare(set, "w", REEL_BF16, REEL_SHAPE(3), zero, true, &error);
            reel_parameter *m = reel_parameter_declare(set, "m", REEL_BF16, REEL_SHAPE(3), zero, false, &error);
            ck_assert(w && m && !reel_parameter_write(w, start, &error));
            double lr = 0.25, scale = finite ? 1 : NAN;
            reel_tensor *step = reel_constant(g, REEL_F64, REEL_SCALAR_SHAPE, &lr);
            reel_tensor *factor = reel_constant(g, REEL_F64, REEL_SCALAR_SHAPE, &scale);
            reel_tensor *gradient = reel_constant(g, REEL_BF16, REEL_SHAPE(3), (reel_bf16[]){0x3f80, 0x3f80, 0});
            reel_tensor *new = reel_sgd(reel_parameter_in(g, w), reel_parameter_in(g, m), gradient, step, factor,
                                        (reel_sgd_attr){.momentum = 0});
            reel_bf16 after[3], stored[3];
            compute(backends[b], &new, 1, (void *[]){after});
            ck_assert(!reel_parameter_read(w, stored, &error) && !memcmp(after, stored, sizeof after));
            ck_assert_uint_eq(stored[0], finite ? 0x3f40 : start[0]); /* 1 - 1/4 */
            ck_assert_uint_eq(stored[1], finite ? 0xbf41 : start[1]); /* -0.50390625 - 1/4 */
            reel_graph_free(g);
            reel_parameters_free(set);
        }
    close_graph();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_value_comes_back,
        rounding_is_to_the_nearest_and_to_the_even,
        infinity_and_nan_stay_what_they_are,
        denormals_are_cast_whole,
        arrays_are_converted_as_their_elements_are,
        the_node_that_overflows_is_named,
        sums_are_not_rounded,
        the_gradient_of_a_copied_weight_is_not_rounded,
        statistics_of_bf16_are_not_rounded,
        an_update_in_bf16_changes_its_parameter,
    };
    return tiny_suite("bf16", tests, sizeof tests / sizeof *tests);
}
