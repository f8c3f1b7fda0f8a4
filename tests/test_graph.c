/* Defining graphs and deriving gradients: errors that stick and say where, shapes that cannot be, depth, recomputation,
   and every allocation refused in turn. */
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const float ramp[] = {-1.5f, -0.5f, 0.25f, 0.75f, 1.25f, 2};

static reel_tensor *input(reel_graph *graph, reel_shape shape)
{
    return reel_input(graph, "x", REEL_F32, shape);
}

static const char *message(const reel_graph *graph)
{
    return reel_graph_error(graph)->text;
}

static void expect_word(const reel_graph *graph, const char *word)
{
    ck_assert_msg(strstr(message(graph), word) != NULL, "'%s' is not in: %s", word, message(graph));
}

/* --- errors --- */

START_TEST(the_first_error_stays_and_says_where)
{
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_reference_backend();
    reel_scope_push(graph, "decoder");
    reel_scope_push(graph, "merge");
    reel_set_time(graph, 4);
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(1, 5, 8, 8));
    reel_tensor *w = reel_input(graph, "w", REEL_F32, REEL_SHAPE(4, 3, 3, 3));
    reel_tensor *y = reel_conv2d(x, w, NULL, reel_conv2d_same(3));
    ck_assert(reel_poisoned(y));
    static const char *const words[] = {"conv2d", "decoder.merge", "frame 4", "[1,5,8,8]", "[4,3,3,3]", "5", "3"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) expect_word(graph, words[i]);
    ck_assert_ptr_eq(strchr(message(graph), '\n'), NULL);
    char first[1024];
    snprintf(first, sizeof first, "%s", message(graph));
    ck_assert(reel_poisoned(reel_relu(y)));
    ck_assert(reel_poisoned(reel_matmul(x, w, true, false)));
    ck_assert(reel_poisoned(reel_gradient_of(y, x)));
    ck_assert_str_eq(message(graph), first);
    ck_assert_int_eq(reel_graph_error(graph)->status, REEL_USAGE);
    ck_assert_ptr_eq(reel_plan_new(graph, backend, &x, 1, &error), NULL);
    ck_assert_str_eq(error.text, first);
    backend->close(backend);
    reel_graph_free(graph);
}
END_TEST

START_TEST(poison_spreads_through_every_builder_argument)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = input(graph, REEL_SHAPE(6)), *bad = reel_poison(graph, "planted");
    ck_assert(reel_poisoned(reel_add(x, bad)) && reel_poisoned(reel_add(bad, x)));
    reel_tensor *list[] = {x, bad};
    ck_assert(reel_poisoned(reel_concat(list, 2, 0)));
    ck_assert(reel_poisoned(reel_reshape(bad, REEL_SHAPE(2, 3))));
    ck_assert(reel_poisoned(reel_output(bad, 1)));
    ck_assert(reel_poisoned(reel_scalar_like(bad, 1)));
    ck_assert(reel_poisoned(reel_name(bad, "y")));
    ck_assert_str_eq(message(graph), "planted");
    reel_graph_free(graph);
}
END_TEST

START_TEST(graphs_do_not_mix)
{
    reel_graph *a = reel_graph_new(), *b = reel_graph_new();
    reel_tensor *x = input(a, REEL_SHAPE(6)), *y = input(b, REEL_SHAPE(6));
    ck_assert(reel_poisoned(reel_add(x, y)));
    expect_word(a, "another graph");
    ck_assert(!reel_failed(reel_graph_error(b)));
    reel_graph_free(a);
    reel_graph_free(b);
}
END_TEST

START_TEST(impossible_shapes_are_refused)
{
    static const reel_shape bad[] = {{2, {(int64_t)1 << 40, (int64_t)1 << 40}},
                                     {1, {-1}},
                                     {3, {(int64_t)1 << 32, (int64_t)1 << 32, 0}},
                                     {1, {INT64_MAX}},
                                     {9, {1, 1, 1, 1, 1, 1, 1, 1}},
                                     {-1, {0}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reel_graph *graph = reel_graph_new();
        bool zero = i == 2; /* nothing, in an absurd shape: may be taken or refused, not measured wrongly */
        reel_tensor *x = input(graph, bad[i]);
        ck_assert_msg(zero || reel_poisoned(x), "shape %zu was taken", i);
        reel_graph_free(graph);
    }
    reel_graph *graph = reel_graph_new();
    reel_tensor *column = input(graph, REEL_SHAPE((int64_t)1 << 31, 1)),
                *row = input(graph, REEL_SHAPE((int64_t)1 << 31));
    ck_assert(!reel_poisoned(column) && !reel_poisoned(row));
    ck_assert(reel_poisoned(reel_add(column, row)));
    expect_word(graph, "too large");
    reel_graph_free(graph);
}
END_TEST

START_TEST(nothing_is_an_amount)
{
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = input(graph, REEL_SHAPE(2, 0, 3));
    reel_tensor *sum = reel_sum_all(reel_relu(x)), *along = reel_sum(x, REEL_INTS(1), false);
    reel_tensor *product =
        reel_matmul(reel_reshape(x, REEL_SHAPE(2, 0)), reel_reshape(x, REEL_SHAPE(0, 2)), false, false);
    reel_tensor *dx = reel_gradient_of(reel_sum_all(product), x);
    ck_assert_msg(!reel_failed(reel_graph_error(graph)), "%s", message(graph));
    float total = 1, rows[6] = {1}, matrix[4] = {1};
    reel_tensor *wanted[] = {sum, along, product, dx};
    void *value[] = {&total, rows, matrix, rows};
    ck_assert_int_eq(tiny_run(graph, NULL, &(tiny_input){x, ""}, 1, wanted, value, 4, &error), REEL_OK);
    ck_assert(total == 0 && rows[0] == 0 && rows[5] == 0 && matrix[0] == 0 && matrix[3] == 0);
    reel_graph_free(graph);
}
END_TEST

START_TEST(scopes_too_deep_are_an_error)
{
    reel_graph *graph = reel_graph_new();
    for (int i = 0; i < 100; i++) reel_scope_push(graph, "deeper");
    expect_word(graph, "nested");
    for (int i = 0; i < 200; i++) reel_scope_pop(graph);
    ck_assert_str_eq(reel_scope(graph), "");
    reel_graph_free(graph);
}
END_TEST

/* --- gradients --- */

START_TEST(a_chain_of_ten_thousand)
{
    enum { DEEP = 10000 };
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = input(graph, REEL_SHAPE(6)), *y = x;
    for (int i = 0; i < DEEP; i++) y = i % 2 ? reel_neg(y) : reel_tanh(y);
    reel_tensor *dx = reel_gradient_of(reel_sum_all(y), x);
    float value[6], slope[6];
    reel_tensor *wanted[] = {y, dx};
    void *to[] = {value, slope};
    reel_status status = tiny_run(graph, NULL, &(tiny_input){x, ramp}, 1, wanted, to, 2, &error);
    ck_assert_msg(status == REEL_OK, "%s", error.text);
    for (int i = 0; i < 6; i++) {
        float v = ramp[i];
        double s = 1;
        for (int k = 0; k < DEEP; k++) {
            if (k % 2 == 0) s *= 1 - (double)tanhf(v) * (double)tanhf(v);
            v = k % 2 ? -v : tanhf(v);
            if (k % 2) s = -s;
        }
        ck_assert_msg(fabsf(value[i] - v) < 1e-5f && fabs((double)slope[i] - s) <= 1e-3 * fabs(s) + 1e-12,
                      "%g, slope %g; expected %g, %g", (double)value[i], (double)slope[i], (double)v, s);
    }
    reel_graph_free(graph);
}
END_TEST

START_TEST(the_second_backward_pass)
{
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = input(graph, REEL_SHAPE(6));
    reel_tensor *first = reel_gradient_of(reel_sum_all(reel_mul(x, reel_mul(x, x))), x);
    reel_tensor *second = reel_gradient_of(reel_sum_all(first), x), *third = reel_gradient_of(second, x);
    float d1[6], d2[6], d3[6];
    reel_tensor *wanted[] = {first, second, third};
    void *to[] = {d1, d2, d3};
    ck_assert_int_eq(tiny_run(graph, NULL, &(tiny_input){x, ramp}, 1, wanted, to, 3, &error), REEL_OK);
    for (int i = 0; i < 6; i++)
        ck_assert(fabsf(d1[i] - 3 * ramp[i] * ramp[i]) < 1e-5f && fabsf(d2[i] - 6 * ramp[i]) < 1e-5f && d3[i] == 6);
    reel_graph_free(graph);
}
END_TEST

START_TEST(where_gradients_stop)
{
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = input(graph, REEL_SHAPE(6)), *unused = input(graph, REEL_SHAPE(6));
    reel_tensor *loss = reel_sum_all(reel_mul(x, reel_detach(reel_square(x))));
    reel_tensor *wrt[] = {x, unused, loss}, *dx[3];
    reel_gradients(loss, wrt, 3, dx);
    ck_assert_msg(!reel_failed(reel_graph_error(graph)), "%s", message(graph));
    float d[6], none[6], self;
    void *to[] = {d, none, &self};
    ck_assert_int_eq(tiny_run(graph, NULL, (tiny_input[]){{x, ramp}, {unused, ramp}}, 2, dx, to, 3, &error), REEL_OK);
    for (int i = 0; i < 6; i++) ck_assert(d[i] == ramp[i] * ramp[i] && none[i] == 0);
    ck_assert(self == 1);
    reel_graph_free(graph);
}
END_TEST

START_TEST(gradients_of_what_has_none_are_errors)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = input(graph, REEL_SHAPE(6)), *index = reel_argmax(x, 0, false);
    ck_assert(reel_poisoned(reel_gradient_of(index, x)));
    ck_assert(*message(graph));
    reel_graph_free(graph);
    graph = reel_graph_new();
    x = input(graph, REEL_SHAPE(6));
    reel_tensor *dx, *cotangent = input(graph, REEL_SHAPE(5));
    reel_gradients_along(reel_neg(x), cotangent, &x, 1, &dx);
    ck_assert(reel_poisoned(dx));
    expect_word(graph, "cotangent");
    reel_graph_free(graph);
}
END_TEST

/* --- recomputation --- */

enum { STEPS = 8, WIDE = 64 };

/* A recurrent net of STEPS steps; its loss's gradient by the weight, and the arena it needs. */
static size_t recurrent(bool recompute, bool dropout, float gradient[WIDE])
{
    reel_graph *graph = reel_graph_new();
    reel_backend *backend = reel_reference_backend();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = input(graph, REEL_SHAPE(WIDE)), *w = input(graph, REEL_SHAPE(WIDE)), *state = x;
    for (int t = 0; t < STEPS; t++) {
        if (recompute) reel_segment_begin(graph);
        reel_tensor *h = reel_tanh(reel_mul(state, w));
        for (int i = 0; i < 6; i++) h = reel_sigmoid(reel_add(h, w));
        if (dropout) h = reel_dropout(h, 0.3);
        state = reel_tanh(h);
        if (recompute) reel_segment_end(graph);
    }
    reel_tensor *dw = reel_gradient_of(reel_sum_all(reel_square(state)), w);
    reel_plan *plan = reel_plan_new(graph, backend, &dw, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    float values[WIDE];
    for (int i = 0; i < WIDE; i++) values[i] = 0.02f * (float)(i - 20);
    reel_plan_random(plan, 5, 6);
    ck_assert(!reel_plan_write(plan, x, values, &error) && !reel_plan_write(plan, w, values, &error));
    ck_assert(!reel_plan_run(plan, &error) && !reel_plan_read(plan, dw, gradient, &error));
    size_t arena = reel_plan_cost(plan).arena;
    reel_plan_free(plan);
    reel_graph_free(graph);
    backend->close(backend);
    return arena;
}

START_TEST(recomputation_saves_memory_and_changes_no_bit)
{
    for (int dropout = 0; dropout < 2; dropout++) {
        float kept[WIDE], again[WIDE];
        size_t all = recurrent(false, dropout, kept), some = recurrent(true, dropout, again);
        ck_assert_msg(!memcmp(kept, again, sizeof kept), "recomputation changes the gradient");
        ck_assert_msg(some < all * 2 / 3, "%zu bytes with recomputation, %zu without", some, all);
        ck_assert(kept[40] != 0);
    }
}
END_TEST

/* --- memory refused --- */

/* Defines, differentiates, plans and runs something of everything. */
static reel_status everything(float slope[6])
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_parameters *set = backend ? reel_parameters_new(backend, 1) : NULL;
    reel_plan *plan = NULL;
    reel_status status = REEL_ENVIRONMENT;
    if (!backend || !graph || !set) goto done;
    reel_scope_push(graph, "all");
    reel_init init = {REEL_INIT_CONSTANT, 0.5};
    reel_parameter *w = reel_parameter_declare(set, "w", REEL_F32, REEL_SHAPE(6), init, true, &error);
    if (!w) goto done;
    reel_tensor *x = input(graph, REEL_SHAPE(6)), *v = reel_parameter_in(graph, w);
    reel_segment_begin(graph);
    reel_tensor *y = reel_tanh(reel_reshape(reel_mul(x, v), REEL_SHAPE(2, 3)));
    reel_segment_end(graph);
    reel_tensor *dx = reel_gradient_of(reel_sum_all(reel_square(y)), x);
    plan = reel_plan_new(graph, backend, &dx, 1, &error);
    if (!plan) goto done;
    status = reel_plan_write(plan, x, ramp, &error);
    if (!status) status = reel_plan_run(plan, &error);
    if (!status) status = reel_plan_read(plan, dx, slope, &error);
done:
    if (status) ck_assert_msg(!error.status || (error.status == REEL_ENVIRONMENT && *error.text), "%s", error.text);
    reel_plan_free(plan);
    reel_parameters_free(set);
    reel_graph_free(graph);
    if (backend) backend->close(backend);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    float expected[6], slope[6];
    ck_assert_int_eq(everything(expected), REEL_OK);
    for (int after = 0; after < 2; after++) {
        reel_status status = REEL_ENVIRONMENT;
        uint64_t n = 0;
        while (status && n < 1000) {
            reel_alloc_fail(++n, after);
            status = everything(slope);
            reel_alloc_fail(0, false);
        }
        ck_assert_msg(n > 20 && n < 1000, "%d allocations", (int)n);
        ck_assert(!memcmp(slope, expected, sizeof slope));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_first_error_stays_and_says_where,
                                  poison_spreads_through_every_builder_argument,
                                  graphs_do_not_mix,
                                  impossible_shapes_are_refused,
                                  nothing_is_an_amount,
                                  scopes_too_deep_are_an_error,
                                  a_chain_of_ten_thousand,
                                  the_second_backward_pass,
                                  where_gradients_stop,
                                  gradients_of_what_has_none_are_errors,
                                  recomputation_saves_memory_and_changes_no_bit,
                                  every_allocation_may_fail};
    return tiny_suite("graph", tests, sizeof tests / sizeof *tests);
}
