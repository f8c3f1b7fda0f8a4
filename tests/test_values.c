/* Plain ops at the places where differences and random numbers say nothing: kinks, ties, NaN, infinity, overflow,
   wrong arguments. Every value is computed by the reference and by the CPU backend. */
#include "autograd/gradient.h"
#include "backends/cpu/cpu.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static reel_graph *graph;

static void open_graph(void)
{
    graph = reel_graph_new();
    ck_assert_ptr_nonnull(graph);
}

static void close_graph(void)
{
    reel_graph_free(graph);
}

#define VALUES(...) reel_constant(graph, REEL_F64, REEL_SHAPE(REEL_COUNT_DOUBLES(__VA_ARGS__)), (double[]){__VA_ARGS__})
#define REEL_COUNT_DOUBLES(...) ((int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))

static void run_on(reel_backend *backend, reel_tensor *x, void *out)
{
    reel_error error = {REEL_OK, ""};
    ck_assert_ptr_nonnull(backend);
    reel_plan *plan = reel_plan_new(graph, backend, &x, 1, &error);
    ck_assert_msg(plan && !reel_plan_run(plan, &error) && !reel_plan_read(plan, x, out, &error), "%s", error.text);
    reel_plan_free(plan);
    backend->close(backend);
}

static bool close_to(double a, double b)
{
    return a == b || (a != a && b != b) || fabs(a - b) <= 1e-12 * fabs(b);
}

/* x must hold these numbers, on both backends. */
static void expect(reel_tensor *x, const double *wanted, int64_t count)
{
    ck_assert_msg(!reel_poisoned(x), "%s", reel_graph_error(graph)->text);
    ck_assert_int_eq(reel_elements(&x->shape), count);
    ck_assert_int_eq(x->dtype, REEL_F64);
    double got[2][MOST];
    run_on(reel_reference_backend(), x, got[0]);
    run_on(reel_cpu_backend(2, NULL), x, got[1]);
    for (int b = 0; b < 2; b++)
        for (int64_t i = 0; i < count; i++)
            ck_assert_msg(close_to(got[b][i], wanted[i]), "%s %s: element %d is %.17g, expected %.17g",
                          b ? "cpu" : "reference", x->node->op->name, (int)i, got[b][i], wanted[i]);
}
#define EXPECT(x, ...) expect(x, (double[]){__VA_ARGS__}, REEL_COUNT_DOUBLES(__VA_ARGS__))

/* --- values --- */

START_TEST(nan_stays_nan)
{
    reel_tensor *x = VALUES(NAN, 1, -1);
    EXPECT(reel_relu(x), NAN, 1, 0);
    EXPECT(reel_clamp(x, -0.5, 0.5), NAN, 0.5, -0.5);
    EXPECT(reel_leaky_relu(x, 0.5), NAN, 1, -0.5);
    EXPECT(reel_sign(x), NAN, 1, -1);
    EXPECT(reel_maximum(x, VALUES(0, NAN, 0)), NAN, NAN, 0);
    EXPECT(reel_minimum(x, VALUES(0, NAN, 0)), NAN, NAN, -1);
    EXPECT(reel_less(x, VALUES(NAN, NAN, 0)), 0, 0, 1);
    EXPECT(reel_where(VALUES(0, 1, 0), x, VALUES(7, NAN, 8)), 7, 1, 8);
    EXPECT(reel_max(x, (reel_ints){0}, false), NAN);
    EXPECT(reel_min(x, (reel_ints){0}, false), NAN);
    EXPECT(reel_sum_all(x), NAN);
    EXPECT(reel_softmax(x, 0), NAN, NAN, NAN);
    EXPECT(reel_dropout(x, 1), NAN, 0, 0);
}
END_TEST

START_TEST(large_numbers_do_not_overflow)
{
    EXPECT(reel_sigmoid(VALUES(-1000, 0, 1000)), 0, 0.5, 1);
    EXPECT(reel_softplus(VALUES(-50, 1000, -INFINITY)), exp(-50), 1000, 0);
    EXPECT(reel_tanh(VALUES(-1000, 1000)), -1, 1);
    EXPECT(reel_softmax(VALUES(1e4, 1e4, 0), 0), 0.5, 0.5, 0);
    EXPECT(reel_log_softmax(VALUES(1e4, 0), 0), 0, -1e4);
    EXPECT(reel_softmax(VALUES(-INFINITY, 3), 0), 0, 1);
    EXPECT(reel_softmax(VALUES(-INFINITY, -INFINITY), 0), NAN, NAN);
}
END_TEST

START_TEST(sums_of_floats_keep_their_digits)
{
    enum { N = 1 << 20 };
    reel_tensor *tenth = reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &(float){0.1f});
    reel_tensor *sum = reel_sum_all(reel_broadcast_to(tenth, REEL_SHAPE(N)));
    float got[2];
    run_on(reel_reference_backend(), sum, &got[0]);
    run_on(reel_cpu_backend(2, NULL), sum, &got[1]);
    for (int i = 0; i < 2; i++) ck_assert_float_eq(got[i], (float)((double)0.1f * N));
}
END_TEST

START_TEST(integers_wrap_and_compare)
{
    int32_t a[] = {INT_MAX, -3, 5}, b[] = {1, -3, 7}, got[3];
    reel_tensor *x = reel_constant(graph, REEL_I32, REEL_SHAPE(3), a);
    reel_tensor *y = reel_constant(graph, REEL_I32, REEL_SHAPE(3), b);
    run_on(reel_reference_backend(), reel_add(x, y), got);
    ck_assert(got[0] == INT_MIN && got[1] == -6 && got[2] == 12);
    run_on(reel_cpu_backend(1, NULL), reel_equal(x, y), got);
    ck_assert(got[0] == 0 && got[1] == 1 && got[2] == 0);
    run_on(reel_cpu_backend(1, NULL), reel_argmax(VALUES(1, 3, 3), 0, false), got);
    ck_assert_int_eq(got[0], 1);
    run_on(reel_cpu_backend(1, NULL), reel_argmax(VALUES(9, NAN, NAN), 0, false), got);
    ck_assert_int_eq(got[0], 1);
}
END_TEST

/* --- gradients --- */

START_TEST(kinks_and_ties)
{
    reel_tensor *x = VALUES(-1, 0, 2), *same = VALUES(-2, 0, 3), *both[] = {x, same}, *dx[2];
    EXPECT(reel_gradient_of(reel_relu(x), x), 0, 0, 1);
    EXPECT(reel_gradient_of(reel_leaky_relu(x, 0.1), x), 0.1, 0.1, 1);
    EXPECT(reel_gradient_of(reel_abs(x), x), -1, 0, 1);
    EXPECT(reel_gradient_of(reel_clamp(x, 0, 1), x), 0, 1, 0);
    reel_gradients(reel_maximum(x, same), both, 2, dx);
    EXPECT(dx[0], 1, 0.5, 0);
    EXPECT(dx[1], 0, 0.5, 1);
    reel_gradients(reel_minimum(x, same), both, 2, dx);
    EXPECT(dx[0], 0, 0.5, 1);
    reel_tensor *ties = VALUES(2, 1, 2);
    EXPECT(reel_gradient_of(reel_max(ties, (reel_ints){0}, false), ties), 0.5, 0, 0.5);
}
END_TEST

START_TEST(powers_of_zero)
{
    reel_tensor *a = VALUES(0, 0, 2, 0), *b = VALUES(2, 0, 0, 1), *both[] = {a, b}, *d[2];
    reel_gradients(reel_pow(a, b), both, 2, d);
    EXPECT(d[0], 0, 0, 0, 1);
    EXPECT(d[1], 0, 0, log(2), 0);
    EXPECT(reel_gradient_of(d[0], b), 0, 0, 0.5, 1);
}
END_TEST

START_TEST(dropout_draws_its_mask_again)
{
    enum { N = 4096 };
    static double y[N], dx[N];
    reel_tensor *one = reel_scalar_like(VALUES(1), 1), *x = reel_broadcast_to(one, REEL_SHAPE(N));
    reel_tensor *dropped = reel_dropout(x, 0.25), *gradient = reel_gradient_of(dropped, x);
    run_on(reel_cpu_backend(2, NULL), dropped, y);
    run_on(reel_reference_backend(), gradient, dx);
    int zeros = 0;
    for (int i = 0; i < N; i++) {
        ck_assert(y[i] == 0 || close_to(y[i], 1 / 0.75));
        zeros += y[i] == 0;
    }
    ck_assert_mem_eq(y, dx, sizeof y);
    ck_assert_int_gt(zeros, N / 4 - 150); /* 5 standard deviations */
    ck_assert_int_lt(zeros, N / 4 + 150);
}
END_TEST

START_TEST(batch_norm_follows_the_batch)
{
    reel_tensor *x = reel_reshape(VALUES(1, 10, 3, 30), REEL_SHAPE(2, 2)); /* channels {1, 3} and {10, 30} */
    reel_tensor *scale = VALUES(1, 2), *shift = VALUES(0, 1), *mean = VALUES(0, 0), *variance = VALUES(1, 1);
    reel_batch_norm_training how = {.epsilon = 0, .momentum = 0.1, .unbiased = true};
    reel_batch_norm_result r = reel_batch_norm_train(x, scale, shift, mean, variance, how);
    EXPECT(r.y, -1, -1, 1, 3);
    EXPECT(r.mean, 0.2, 2);
    EXPECT(r.variance, 0.9 + 0.2, 0.9 + 20);
    how.unbiased = false;
    EXPECT(reel_batch_norm_train(x, scale, shift, mean, variance, how).variance, 0.9 + 0.1, 0.9 + 10);
    /* The batch is centred whatever x is: what is added to all of a channel has no influence. */
    reel_tensor *dx = reel_gradient_of(reel_mul(r.y, reel_reshape(VALUES(1, 0, 0, 0), REEL_SHAPE(2, 2))), x);
    EXPECT(reel_sum(dx, REEL_INTS(0), false), 0, 0);
}
END_TEST

START_TEST(nothing_adds_up_to_zero)
{
    reel_tensor *none = reel_constant(graph, REEL_F64, REEL_SHAPE(0), &(double){0});
    reel_tensor *rows = reel_constant(graph, REEL_F64, REEL_SHAPE(2, 0), &(double){0});
    EXPECT(reel_sum_all(none), 0);
    EXPECT(reel_sum(rows, REEL_INTS(1), true), 0, 0);
    EXPECT(reel_sum_all(reel_matmul(rows, rows, false, true)), 0);
    EXPECT(reel_sum_all(reel_softmax(rows, 1)), 0);
    EXPECT(reel_sum_all(reel_batch_norm(rows, none, none, none, none, (reel_batch_norm_attr){0})), 0);
}
END_TEST

/* --- wrong arguments --- */

static reel_tensor *wrong(int which, reel_tensor *m, reel_tensor *i)
{
    reel_tensor *v = VALUES(1, 2, 3), *f = reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &(float){1});
    reel_shape cube = REEL_SHAPE(2, 3, 4);
    switch (which) {
    case 0:
        return reel_add(m, VALUES(1, 2));
    case 1:
        return reel_mul(v, f);
    case 2:
        return reel_exp(i);
    case 3:
        return reel_clamp(v, 2, 1);
    case 4:
        return reel_where(f, v, v);
    case 5:
        return reel_sum(v, REEL_INTS(1), false);
    case 6:
        return reel_mean(m, REEL_INTS(0, -2), false);
    case 7:
        return reel_max(reel_constant(graph, REEL_F64, REEL_SHAPE(0), &(double){0}), (reel_ints){0}, false);
    case 8:
        return reel_argmax(v, 2, false);
    case 9:
        return reel_sum_to(v, cube);
    case 10:
        return reel_broadcast_to(m, REEL_SHAPE(2, 4));
    case 11:
        return reel_broadcast_to(v, REEL_SHAPE(-1, 3));
    case 12:
        return reel_matmul(m, m, false, false);
    case 13:
        return reel_matmul(m, v, false, false);
    case 14:
        return reel_softmax(m, 2);
    case 15:
        return reel_batch_norm(m, v, v, v, VALUES(1), (reel_batch_norm_attr){1e-5});
    case 16:
        return reel_batch_norm(v, v, v, v, v, (reel_batch_norm_attr){1e-5});
    case 17:
        return reel_dropout(v, 1.5);
    case 18:
        return reel_dropout(v, NAN);
    default:
        return reel_batch_norm_train(v, v, v, v, v, (reel_batch_norm_training){0}).mean;
    }
}

START_TEST(wrong_arguments_are_refused)
{
    reel_tensor *m = reel_reshape(VALUES(1, 2, 3, 4, 5, 6), REEL_SHAPE(2, 3));
    reel_tensor *y = wrong(_i, m, reel_constant(graph, REEL_I32, REEL_SCALAR_SHAPE, &(int32_t){1}));
    const reel_error *error = reel_graph_error(graph);
    ck_assert_msg(reel_poisoned(y), "case %d was accepted", _i);
    ck_assert_int_eq(error->status, REEL_USAGE);
    ck_assert_msg(strlen(error->text) > 20 && !strchr(error->text, '\n'), "case %d: %s", _i, error->text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("values");
    TCase *tcase = tcase_create("plain ops");
    tcase_add_checked_fixture(tcase, open_graph, close_graph);
    tcase_add_test(tcase, nan_stays_nan);
    tcase_add_test(tcase, large_numbers_do_not_overflow);
    tcase_add_test(tcase, sums_of_floats_keep_their_digits);
    tcase_add_test(tcase, integers_wrap_and_compare);
    tcase_add_test(tcase, kinks_and_ties);
    tcase_add_test(tcase, powers_of_zero);
    tcase_add_test(tcase, dropout_draws_its_mask_again);
    tcase_add_test(tcase, batch_norm_follows_the_batch);
    tcase_add_test(tcase, nothing_adds_up_to_zero);
    tcase_add_loop_test(tcase, wrong_arguments_are_refused, 0, 20);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
