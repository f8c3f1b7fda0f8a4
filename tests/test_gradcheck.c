/* Does the gradient checker notice? Ops with rules that are wrong in the ways rules are wrong (a sign, a scale, a term,
   one entry, an input forgotten, the second derivative only) must each be caught, and right ones let through. */
#include "autograd/gradcheck.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { N = 8 };

/* --- ops of this test: the forward pass is right, the rules are not --- */

static bool shape_of_first(reel_rule *r)
{
    r->dtype[0] = r->input[0]->dtype;
    r->shape[0] = r->input[0]->shape;
    return true;
}

#define KERNEL(name, expression)                                                                                       \
    static reel_status name(const reel_call *call)                                                                     \
    {                                                                                                                  \
        const double *x = call->input[0].data, *z = call->inputs > 1 ? call->input[1].data : x;                        \
        double *y = call->output[0].data;                                                                              \
        for (int64_t i = 0; i < reel_elements(&call->output[0].shape); i++) {                                          \
            double a = x[i], b = z[i];                                                                                 \
            (void)b;                                                                                                   \
            y[i] = expression;                                                                                         \
        }                                                                                                              \
        return REEL_OK;                                                                                                \
    }
KERNEL(cube_kernel, a *a *a)
KERNEL(sum_of_powers_kernel, a *a + a)
KERNEL(product_kernel, a *b)
KERNEL(cube_slope_kernel, 3 * b * b * a)

/* 3 x^2 dy */
static reel_tensor *cube_slope(const reel_gradient *g)
{
    return reel_scale(reel_mul(g->dy[0], reel_square(g->x[0])), 3);
}

static void right(reel_gradient *g)
{
    g->dx[0] = cube_slope(g);
}
static void flipped_sign(reel_gradient *g)
{
    g->dx[0] = reel_neg(cube_slope(g));
}
static void one_per_cent(reel_gradient *g)
{
    g->dx[0] = reel_scale(cube_slope(g), 1.01);
}
static void forgotten(reel_gradient *g)
{
    (void)g;
}
/* of x^2 + x: 2 x dy, without dy */
static void dropped_term(reel_gradient *g)
{
    g->dx[0] = reel_scale(reel_mul(g->dy[0], g->x[0]), 2);
}
static void one_entry(reel_gradient *g)
{
    static const double factor[] = {1, 1, 1.02, 1, 1, 1, 1, 1};
    g->dx[0] = reel_mul(g->dy[0], g->x[1]);
    g->dx[1] = reel_mul(reel_mul(g->dy[0], g->x[0]), reel_constant(g->graph, REEL_F64, REEL_SHAPE(N), factor));
}
static void second_input_forgotten(reel_gradient *g)
{
    g->dx[0] = reel_mul(g->dy[0], g->x[1]);
}

#define OP(n, inputs, rule, kernel)                                                                                    \
    static const reel_op op_##n = {.name = #n,                                                                         \
                                   .summary = #n,                                                                      \
                                   .least_inputs = inputs,                                                             \
                                   .most_inputs = inputs,                                                              \
                                   .outputs = 1,                                                                       \
                                   .shape = shape_of_first,                                                            \
                                   .gradient = rule,                                                                   \
                                   .reference = {kernel, NULL}}
OP(right, 1, right, cube_kernel);
OP(flipped_sign, 1, flipped_sign, cube_kernel);
OP(one_per_cent, 1, one_per_cent, cube_kernel);
OP(forgotten, 1, forgotten, cube_kernel);
OP(dropped_term, 1, dropped_term, sum_of_powers_kernel);
OP(one_entry, 2, one_entry, product_kernel);
OP(second_input_forgotten, 2, second_input_forgotten, product_kernel);

/* A cube whose slope is an op of its own: right with respect to dy, half of what it should be with respect to x. */
static void slope_of_slope(reel_gradient *g)
{
    g->dx[0] = reel_scale(reel_mul(g->dy[0], reel_square(g->x[1])), 3);
    g->dx[1] = reel_scale(reel_mul(g->dy[0], reel_mul(g->x[0], g->x[1])), 3);
}
OP(cube_slope, 2, slope_of_slope, cube_slope_kernel);
static void wrong_later(reel_gradient *g)
{
    g->dx[0] = reel_apply2(&op_cube_slope, NULL, g->dy[0], g->x[0]);
}
OP(wrong_later, 1, wrong_later, cube_kernel);

/* --- running the checker --- */

static const double first[N] = {0.7, -1.1, 0.4, 1.3, -0.8, 0.6, 1.1, -0.3};
static const double second[N] = {-0.6, 0.9, 1.2, 0.5, 0.8, -1.3, 0.7, 1.4};

static reel_check_result check_op_at(const reel_op *op, const double *a, int order)
{
    double value[2][N];
    reel_error error = {REEL_OK, ""};
    reel_check_result result;
    reel_check_options options = REEL_CHECK_DEFAULTS;
    reel_check_input in[2];
    reel_tensor *x[2];
    options.order = order;
    memcpy(value[0], a, sizeof value[0]);
    memcpy(value[1], second, sizeof value[1]);
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    ck_assert(backend && graph);
    for (int i = 0; i < op->least_inputs; i++) {
        x[i] = reel_input(graph, i ? "b" : "a", REEL_F64, REEL_SHAPE(N));
        in[i] = (reel_check_input){x[i], value[i], true};
    }
    reel_tensor *y = reel_apply(graph, op, x, op->least_inputs, NULL);
    reel_status status = reel_gradcheck(&y, 1, in, op->least_inputs, backend, &options, &result, &error);
    ck_assert_msg(status == REEL_OK, "%s", error.text);
    ck_assert_msg(!memcmp(value[0], a, sizeof value[0]), "the inputs are not as they were");
    reel_graph_free(graph);
    backend->close(backend);
    return result;
}

static reel_check_result check_op(const reel_op *op, int order)
{
    return check_op_at(op, first, order);
}

START_TEST(right_rules_pass)
{
    for (int order = 1; order <= 2; order++) {
        reel_check_result r = check_op(&op_right, order);
        ck_assert_msg(r.passed && !r.failed && !r.skipped && r.checked == N + 4 && r.worst <= 1,
                      "order %d: %d checked, %d failed, %d skipped", order, r.checked, r.failed, r.skipped);
    }
}
END_TEST

START_TEST(wrong_rules_are_caught)
{
    static const reel_op *const wrong[] = {&op_flipped_sign, &op_one_per_cent, &op_forgotten,
                                           &op_dropped_term, &op_one_entry,    &op_second_input_forgotten};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        reel_check_result r = check_op(wrong[i], 1);
        ck_assert_msg(!r.passed && r.failed > 0 && r.worst > 1, "%s was let through", wrong[i]->name);
        ck_assert_msg(r.worst_direction > 1e-4, "%s: no direction sees it", wrong[i]->name);
    }
}
END_TEST

START_TEST(a_wrong_second_gradient_is_caught_at_order_two_only)
{
    ck_assert(check_op(&op_wrong_later, 1).passed);
    reel_check_result r = check_op(&op_wrong_later, 2);
    ck_assert_msg(!r.passed && r.failed > 0, "a wrong second gradient was let through");
}
END_TEST

START_TEST(the_worst_entry_is_named)
{
    reel_check_result r = check_op(&op_one_entry, 1);
    ck_assert_int_eq(r.input, 1);
    ck_assert_int_eq((int)r.entry, 2);
    ck_assert_msg(fabs(r.analytic / r.numeric - 1.02) < 1e-6, "%.12g against %.12g", r.analytic, r.numeric);
    r = check_op(&op_second_input_forgotten, 1);
    ck_assert_int_eq(r.input, 1);
    ck_assert(r.analytic == 0 && r.numeric != 0);
}
END_TEST

START_TEST(kinks_are_skipped_and_too_many_prove_nothing)
{
    static const double some[N] = {0, 0.5, -0.5, 0.25, 0.3, -0.2, 0.7, -0.9}, all[N] = {0, 1e-7, -1e-7};
    reel_check_result r = check_op_at(&reel_op_relu, some, 1);
    ck_assert_msg(r.passed && r.skipped > 0 && r.checked == N - 1, "%d checked, %d skipped", r.checked, r.skipped);
    r = check_op_at(&reel_op_relu, all, 1);
    ck_assert_msg(!r.passed && r.skipped > r.checked, "%d checked, %d skipped", r.checked, r.skipped);
}
END_TEST

/* A kink must not hide a wrong rule next to it. */
static void leaks(reel_gradient *g)
{
    g->dx[0] = reel_add(reel_relu_gradient(g->dy[0], g->y[0]), reel_scale(g->dy[0], 0.01));
}
KERNEL(relu_kernel, a > 0 ? a : 0)
OP(leaks, 1, leaks, relu_kernel);

START_TEST(a_kink_hides_nothing)
{
    static const double some[N] = {0, 0.5, -0.5, 0.25, 0.3, -0.2, 0.7, -0.9};
    reel_check_result r = check_op_at(&op_leaks, some, 1);
    ck_assert(!r.passed && r.failed >= N - 1);
}
END_TEST

START_TEST(only_doubles_and_float_outputs_are_checked)
{
    float value[4] = {1, 2, 3, 4};
    reel_error error = {REEL_OK, ""};
    reel_check_result result;
    reel_check_options options = REEL_CHECK_DEFAULTS;
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(4)), *y = reel_neg(x);
    reel_check_input in = {x, value, true};
    ck_assert_int_eq(reel_gradcheck(&y, 1, &in, 1, backend, &options, &result, &error), REEL_USAGE);
    ck_assert_msg(strstr(error.text, "f32") != NULL, "%s", error.text);
    error = (reel_error){REEL_OK, ""};
    in.check = false;
    ck_assert_int_eq(reel_gradcheck(&y, 1, &in, 1, backend, &options, &result, &error), REEL_USAGE);
    ck_assert(!result.passed && *error.text);
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

/* An error of the graph comes out of the checker as it is. */
START_TEST(errors_of_the_graph_come_out)
{
    double value[4] = {1, 2, 3, 4};
    reel_error error = {REEL_OK, ""};
    reel_check_result result;
    reel_check_options options = REEL_CHECK_DEFAULTS;
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F64, REEL_SHAPE(4));
    reel_tensor *y = reel_add(x, reel_input(graph, "y", REEL_F64, REEL_SHAPE(3)));
    reel_check_input in = {x, value, true};
    ck_assert_int_ne(reel_gradcheck(&y, 1, &in, 1, backend, &options, &result, &error), REEL_OK);
    ck_assert_msg(*error.text, "no message");
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {right_rules_pass,
                                  wrong_rules_are_caught,
                                  a_wrong_second_gradient_is_caught_at_order_two_only,
                                  the_worst_entry_is_named,
                                  kinks_are_skipped_and_too_many_prove_nothing,
                                  a_kink_hides_nothing,
                                  only_doubles_and_float_outputs_are_checked,
                                  errors_of_the_graph_come_out};
    return tiny_suite("gradcheck", tests, sizeof tests / sizeof *tests);
}
