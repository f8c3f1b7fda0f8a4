/* Planning and running: memory that is shared must never show, costs must be what is used, and what goes wrong in a run
   must be named. */
#include "core/arena.h"
#include "core/rng.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float ramp[] = {-1.5f, -0.5f, 0.25f, 0.75f, 1.25f, 2};

/* --- sharing memory --- */

enum { DRAWN = 40, SIDE = 8, CELLS = SIDE * SIDE }; /* two rows are an aligned piece */

typedef struct {
    reel_graph *graph;
    reel_tensor *x, *w, *made[DRAWN + 2];
    int count;
} drawn_graph;

/* Pieces of a join of three: read as they stand, outliving it, aligned and not. */
static reel_tensor *draw_pieces(reel_tensor *a, reel_tensor *b, int64_t start)
{
    reel_tensor *made = reel_tanh(reel_neg(b));
    reel_tensor *all = reel_concat((reel_tensor *[]){reel_relu(a), made, made}, 3, 0);
    reel_tensor *above = reel_slice1(all, 0, start, start + SIDE), *row = reel_slice1(all, 0, start, start + 1);
    reel_tensor *half = reel_scale(all, 0.5), *most = reel_slice1(half, 0, 2, 3 * SIDE);
    reel_tensor *top = reel_exp(reel_neg(reel_exp(reel_slice1(half, 0, 0, SIDE))));
    reel_tensor *late = reel_mul(reel_exp(reel_neg(reel_tanh(top))), reel_slice1(most, 0, SIDE, 2 * SIDE));
    reel_tensor *both[] = {reel_slice1(above, 0, 4, SIDE), reel_slice1(late, 0, 2, 6)};
    return reel_add(reel_concat(both, 2, 0), reel_mul(row, made));
}

/* A join that is written over while one of its inputs, broadcast, is still to be read; the result is joined, too. */
static reel_tensor *draw_joins(reel_tensor *a, reel_tensor *b)
{
    reel_tensor *halves = reel_sub(reel_slice1(a, 0, 2, 4), reel_slice1(b, 0, 0, 2));
    reel_tensor *line = reel_tanh(reel_reshape(halves, REEL_SHAPE(1, 2 * SIDE)));
    reel_tensor *away = reel_sub(reel_concat((reel_tensor *[]){line, reel_neg(line)}, 2, 0), line);
    return reel_reshape(reel_concat((reel_tensor *[]){away, reel_exp(away)}, 2, 0), REEL_SHAPE(SIDE, SIDE));
}

/* One random node from tensors so far: element by element, broadcast, views, several outputs, the same input twice. */
static reel_tensor *draw_node(const drawn_graph *d, uint64_t key, uint64_t n)
{
    reel_tensor *a = d->made[reel_below(key, 3 * n, (uint64_t)d->count)];
    reel_tensor *b = d->made[reel_below(key, 3 * n + 1, (uint64_t)d->count)];
    switch (reel_below(key, 3 * n + 2, 16)) {
    case 0:
        return reel_add(a, b);
    case 1:
        return reel_mul(a, a);
    case 2:
        return reel_sub(a, reel_sum(b, REEL_INTS(0), true));
    case 3:
        return reel_relu(a);
    case 4:
        return reel_neg(b);
    case 5:
        return reel_reshape(reel_tanh(reel_reshape(a, REEL_SHAPE(CELLS))), REEL_SHAPE(SIDE, SIDE));
    case 6: /* a view that outlives what is written over its original */
        return reel_add(reel_reshape(reel_reshape(a, REEL_SHAPE(CELLS)), REEL_SHAPE(SIDE, SIDE)), reel_neg(a));
    case 7:
        return reel_matmul(a, b, true, false);
    case 8:
        return reel_maximum(reel_permute(a, REEL_INTS(1, 0)), b);
    case 9:
        return reel_softmax(a, 1);
    case 10:
        return reel_detach(reel_sigmoid(a));
    case 11:
        return reel_where(reel_greater(a, b), a, reel_scale(b, 0.5));
    case 12:
        return reel_add(reel_slice1(reel_concat((reel_tensor *[]){a, b}, 2, 0), 0, 3, 3 + SIDE), d->w);
    case 13:
        return draw_pieces(a, b, (int64_t)reel_below(key, 3 * n, SIDE));
    case 14:
        return draw_joins(a, b);
    default: {
        reel_tensor *plane = reel_reshape(a, REEL_SHAPE(1, 1, SIDE, SIDE));
        reel_tensor *pool = reel_max_pool2d(plane, reel_pool2d_blocks(2));
        return reel_reshape(reel_upsample2d(pool, 2, REEL_NEAREST, false), REEL_SHAPE(SIDE, SIDE));
    }
    }
}

static drawn_graph draw_graph(uint64_t seed)
{
    drawn_graph d = {.graph = reel_graph_new()};
    d.x = reel_input(d.graph, "x", REEL_F32, REEL_SHAPE(SIDE, SIDE));
    d.w = reel_input(d.graph, "w", REEL_F32, REEL_SHAPE(SIDE, SIDE));
    d.made[d.count++] = d.x;
    d.made[d.count++] = d.w;
    for (int i = 0; i < DRAWN; i++) {
        d.made[d.count] = reel_scale(reel_tanh(draw_node(&d, seed, (uint64_t)i)), 0.9); /* keeps values tame */
        d.count++;
    }
    return d;
}

/* Runs a graph wanting the first `count` of a list, reads the first two. */
static void run_wanted(const drawn_graph *d, reel_tensor *const *wanted, int count, float result[2][CELLS])
{
    reel_error error = {REEL_OK, ""};
    float x[CELLS], w[CELLS];
    void *to[4096] = {result[0], result[1]};
    ck_assert(count <= 4096);
    for (int i = 0; i < CELLS; i++) {
        x[i] = (float)(2 * reel_uniform(1, (uint64_t)i) - 1);
        w[i] = (float)(2 * reel_uniform(2, (uint64_t)i) - 1);
    }
    reel_status status = tiny_run(d->graph, NULL, (tiny_input[]){{d->x, x}, {d->w, w}}, 2, wanted, to, count, &error);
    ck_assert_msg(status == REEL_OK, "%s", error.text);
}

START_TEST(sharing_memory_never_shows)
{
    for (uint64_t seed = 0; seed < 150; seed++) {
        drawn_graph d = draw_graph(seed);
        reel_tensor *wrt[] = {d.x, d.w}, *wanted[4096];
        float shared[2][CELLS], apart[2][CELLS];
        reel_gradients(reel_sum_all(reel_square(d.made[d.count - 1])), wrt, 2, wanted);
        ck_assert_msg(!reel_failed(reel_graph_error(d.graph)), "%s", reel_graph_error(d.graph)->text);
        run_wanted(&d, wanted, 2, shared);
        int count = 2;
        for (int i = 0; i < reel_graph_nodes(d.graph); i++) { /* everything wanted: nothing is ever written over */
            reel_node *node = reel_graph_node(d.graph, i);
            for (int k = 0; k < node->op->outputs; k++) wanted[count++] = &node->output[k];
        }
        run_wanted(&d, wanted, count, apart);
        ck_assert_msg(!memcmp(shared, apart, sizeof shared), "graph %d computes something else in shared memory",
                      (int)seed);
        reel_graph_free(d.graph);
    }
}
END_TEST

START_TEST(a_chain_lives_in_one_piece_and_dead_code_nowhere)
{
    reel_graph *graph = reel_graph_new();
    reel_backend *backend = reel_reference_backend();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(1024)), *y = reel_relu(x);
    reel_tensor *unused = reel_exp(x);
    for (int i = 0; i < 10; i++) y = reel_reshape(reel_tanh(y), REEL_SHAPE(i % 2 ? 1024 : 32, -1 + 2 * (i % 2)));
    (void)reel_exp(unused);
    reel_tensor *last = reel_sum_all(y);
    reel_plan *plan = reel_plan_new(graph, backend, &last, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    ck_assert_int_eq(reel_plan_nodes(plan), 1 + 1 + 20 + 1);
    ck_assert_msg(reel_plan_cost(plan).arena <= 4096 + 64, "%zu bytes", reel_plan_cost(plan).arena);
    reel_plan_free(plan);
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

/* Bytes of the arena of a plan for one tensor. */
static size_t arena_of(reel_graph *graph, reel_tensor *wanted)
{
    reel_backend *backend = reel_reference_backend();
    reel_error error = {REEL_OK, ""};
    reel_plan *plan = reel_plan_new(graph, backend, &wanted, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    size_t bytes = reel_plan_cost(plan).arena;
    reel_plan_free(plan);
    backend->close(backend);
    return bytes;
}

START_TEST(joining_and_cutting_need_no_memory)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(1, 4, 64));
    reel_tensor *part[3] = {reel_relu(x), reel_neg(x), reel_tanh(reel_exp(x))}, *cut[3];
    reel_tensor *all = reel_concat(part, 3, 1);
    for (int i = 0; i < 3; i++) cut[i] = reel_sum_all(reel_slice1(all, 1, 4 * i, 4 * i + 4));
    reel_tensor *sum = reel_add(reel_add(cut[0], cut[1]), cut[2]);
    size_t bytes = arena_of(graph, sum), joined = 3 * 4 * 64 * sizeof(float);
    ck_assert_msg(bytes <= joined + 4 * 64, "%zu bytes for %zu and four scalars", bytes, joined);
    reel_graph_free(graph);
}
END_TEST

/* The second row of ten begins at byte 40, where kernels must not begin: it is copied, and the two rows lie beside the
   copy, at byte 64. */
START_TEST(a_piece_that_begins_unaligned_is_copied)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(2, 10)), *y = reel_relu(x);
    ck_assert_uint_eq(arena_of(graph, reel_sum_all(reel_slice1(y, 0, 1, 2))), 64 + 80);
    reel_graph_free(graph);
}
END_TEST

/* Were `kept` made inside the join, all of that would stay until the end, beside `late`. */
START_TEST(a_piece_that_outlives_the_rest_stays_outside)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(1, 256)), *kept = reel_relu(x);
    reel_tensor *sum = reel_sum_all(reel_concat((reel_tensor *[]){kept, reel_exp(x), reel_neg(x)}, 3, 0));
    reel_tensor *late = reel_concat((reel_tensor *[]){x, x, x, x, x}, 5, 0);
    for (int i = 0; i < 8; i++) late = reel_tanh(late);
    ck_assert_uint_lt(arena_of(graph, reel_add(sum, reel_sum_all(reel_mul(late, kept)))), 7 * 1024);
    reel_graph_free(graph);
}
END_TEST

/* --- costs --- */

typedef struct {
    reel_backend backend;
    size_t bytes;
} counting_backend;

static void *count_allocate(reel_backend *backend, size_t bytes, reel_error *error)
{
    (void)error;
    ((counting_backend *)backend)->bytes += bytes;
    return reel_alloc_raw(bytes, 1);
}

START_TEST(costs_are_what_is_used)
{
    counting_backend counting;
    reel_error error = {REEL_OK, ""};
    reel_host_backend(&counting.backend);
    counting.backend.allocate = count_allocate;
    counting.bytes = 0;
    reel_parameters *set = reel_parameters_new(&counting.backend, 1);
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(2, 3, 9, 9));
    reel_init init = {REEL_INIT_NORMAL, 0.1};
    reel_tensor *w = reel_parameter_in(
        graph, reel_parameter_declare(set, "w", REEL_F32, REEL_SHAPE(4, 3, 3, 3), init, true, &error));
    reel_tensor *v =
        reel_parameter_in(graph, reel_parameter_declare(set, "v", REEL_F32, REEL_SHAPE(4, 1, 1), init, false, &error));
    reel_tensor *y = reel_mul(reel_conv2d(x, w, NULL, reel_conv2d_same(3)), v);
    reel_tensor *wanted[] = {reel_sum_all(reel_square(y)), reel_gradient_of(reel_sum_all(y), w)};
    reel_plan *plan = reel_plan_new(graph, &counting.backend, wanted, 2, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    reel_cost cost = reel_plan_cost(plan);
    ck_assert_msg(counting.bytes == 0, "planning asked for memory");
    float *values = reel_alloc(2 * 3 * 9 * 9, sizeof *values);
    ck_assert(!reel_plan_write(plan, x, values, &error) && !reel_plan_run(plan, &error));
    ck_assert_uint_eq(counting.bytes, cost.total);
    ck_assert_uint_eq(cost.parameters, 4 * 27 * sizeof(float));
    ck_assert_uint_eq(cost.state, 4 * sizeof(float));
    ck_assert(!reel_plan_run(plan, &error));
    ck_assert_msg(counting.bytes == cost.total, "the second run asked for more memory");
    ck_assert(cost.flops >= 2.0 * 2 * 4 * 81 * 27 * 2);
    reel_free(values);
    reel_plan_free(plan);
    reel_graph_free(graph);
    reel_parameters_free(set);
}
END_TEST

/* --- the arena --- */

/* Most bytes alive at one moment: no layout needs less. */
static size_t lower_bound(const reel_piece *p, int count)
{
    size_t most = 0;
    for (int t = 0; t < 400; t++) {
        size_t now = 0;
        for (int i = 0; i < count; i++)
            if (p[i].first <= t && t <= p[i].last) now += (p[i].bytes + 63) & ~(size_t)63;
        if (now > most) most = now;
    }
    return most;
}

START_TEST(the_arena_is_tight_and_nothing_overlaps)
{
    double waste = 0;
    enum { ROUNDS = 60, PIECES = 150 };
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        reel_piece p[PIECES];
        size_t total;
        for (uint64_t i = 0; i < PIECES; i++) {
            int first = (int)reel_below(seed, 3 * i, 300);
            p[i] = (reel_piece){.bytes = (size_t)reel_below(seed, 3 * i + 1, 5000),
                                .first = first,
                                .last = first + (int)reel_below(seed, 3 * i + 2, 90)};
        }
        ck_assert(reel_arena_layout(p, PIECES, &total));
        for (int i = 0; i < PIECES; i++) {
            ck_assert(p[i].offset % 64 == 0 && p[i].offset + p[i].bytes <= total);
            for (int j = 0; j < i; j++) {
                bool together = p[i].first <= p[j].last && p[j].first <= p[i].last;
                bool overlap = p[i].offset < p[j].offset + p[j].bytes && p[j].offset < p[i].offset + p[i].bytes;
                ck_assert_msg(!together || !overlap, "round %d: pieces %d and %d overlap", (int)seed, i, j);
            }
        }
        waste += (double)total / (double)lower_bound(p, PIECES) - 1;
    }
    ck_assert_msg(waste / ROUNDS < 0.1, "%.3g above the lower bound on average", waste / ROUNDS);
}
END_TEST

/* --- parameters --- */

START_TEST(two_graphs_share_a_parameter)
{
    reel_backend *backend = reel_reference_backend();
    reel_parameters *set = reel_parameters_new(backend, 1);
    reel_error error = {REEL_OK, ""};
    reel_parameter *w =
        reel_parameter_declare(set, "w", REEL_F32, REEL_SHAPE(6), (reel_init){REEL_INIT_CONSTANT, 3}, true, &error);
    reel_graph *graph[2] = {reel_graph_new(), reel_graph_new()};
    float value[6] = {0};
    for (int g = 0; g < 2; g++) {
        reel_tensor *v = reel_parameter_in(graph[g], w), *y = reel_scale(v, 2);
        ck_assert_ptr_eq(v, reel_parameter_in(graph[g], w));
        ck_assert_int_eq(tiny_run(graph[g], backend, NULL, 0, &y, (void *[]){value}, 1, &error), REEL_OK);
        ck_assert(value[5] == (g ? 2 * ramp[5] : 6));
        ck_assert_int_eq(reel_parameter_write(w, ramp, &error), REEL_OK);
    }
    for (int g = 0; g < 2; g++) reel_graph_free(graph[g]);
    reel_parameters_free(set);
    backend->close(backend);
}
END_TEST

/* What is defined before an update sees the old value, what comes after it the new one. */
START_TEST(an_update_happens_in_the_order_of_definition)
{
    reel_backend *backend = reel_reference_backend();
    reel_parameters *set = reel_parameters_new(backend, 1);
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_init zero = {REEL_INIT_CONSTANT, 0};
    reel_tensor *w = reel_parameter_in(graph, reel_parameter_declare(set, "w", REEL_F32, REEL_SHAPE(6),
                                                                     (reel_init){REEL_INIT_CONSTANT, 1}, true, &error));
    reel_tensor *buffer =
        reel_parameter_in(graph, reel_parameter_declare(set, "b", REEL_F32, REEL_SHAPE(6), zero, false, &error));
    double rate = 0.5;
    reel_tensor *lr = reel_constant(graph, REEL_F64, REEL_SCALAR_SHAPE, &rate);
    reel_tensor *before = reel_scale(w, 10), *slope = reel_constant(graph, REEL_F32, REEL_SHAPE(6), ramp);
    reel_tensor *updated = reel_sgd(w, buffer, slope, lr, NULL, (reel_sgd_attr){0});
    reel_tensor *after = reel_scale(w, 10), *wanted[] = {after, before, updated};
    float a[6], b[6], u[6];
    void *to[] = {a, b, u};
    reel_status status = tiny_run(graph, backend, NULL, 0, wanted, to, 3, &error);
    ck_assert_msg(status == REEL_OK, "%s", error.text);
    for (int i = 0; i < 6; i++) {
        float now = 1 - 0.5f * ramp[i];
        ck_assert(b[i] == 10 && fabsf(a[i] - 10 * now) < 1e-5f && fabsf(u[i] - now) < 1e-6f);
    }
    reel_graph_free(graph);
    reel_parameters_free(set);
    backend->close(backend);
}
END_TEST

/* --- running --- */

static reel_plan *plan_of(reel_backend *backend, reel_tensor *wanted)
{
    reel_error error = {REEL_OK, ""};
    reel_plan *plan = reel_plan_new(wanted->graph, backend, &wanted, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    return plan;
}

START_TEST(misuse_of_a_plan_is_named)
{
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new(), *other = reel_graph_new();
    reel_tensor *x = reel_input(graph, "the frame", REEL_F32, REEL_SHAPE(6)),
                *z = reel_input(graph, "z", REEL_F32, REEL_SHAPE(6));
    reel_tensor *y = reel_neg(x), *later = reel_neg(reel_neg(y)),
                *strange = reel_input(other, "s", REEL_F32, REEL_SHAPE(6));
    reel_plan *plan = plan_of(backend, y);
    float value[6];
    reel_error error = {REEL_OK, ""};
    ck_assert_int_eq(reel_plan_read(plan, y, value, &error), REEL_USAGE);
    error = (reel_error){REEL_OK, ""};
    ck_assert_int_eq(reel_plan_run(plan, &error), REEL_USAGE);
    ck_assert_msg(strstr(error.text, "the frame") != NULL, "%s", error.text);
    error = (reel_error){REEL_OK, ""};
    ck_assert_int_eq(reel_plan_write(plan, y, ramp, &error), REEL_USAGE);
    error = (reel_error){REEL_OK, ""};
    ck_assert_int_eq(reel_plan_write(plan, z, ramp, &error), REEL_OK); /* nothing depends on it */
    ck_assert_int_eq(reel_plan_write(plan, x, ramp, &error), REEL_OK);
    ck_assert_int_eq(reel_plan_run(plan, &error), REEL_OK);
    ck_assert_int_eq(reel_plan_read(plan, later, value, &error), REEL_USAGE);
    error = (reel_error){REEL_OK, ""};
    ck_assert_int_eq(reel_plan_carry(plan, z, y, &error), REEL_USAGE);
    ck_assert_ptr_eq(reel_plan_new(graph, backend, &strange, 1, &error), NULL);
    reel_plan_free(plan);
    reel_graph_free(graph);
    reel_graph_free(other);
    backend->close(backend);
}
END_TEST

START_TEST(a_state_is_carried_from_run_to_run)
{
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(6)), *y = reel_scale(x, 2);
    reel_plan *plan = plan_of(backend, y);
    float value[6];
    reel_plan_write(plan, x, ramp, &error);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(reel_plan_run(plan, &error), REEL_OK);
        ck_assert_int_eq(reel_plan_carry(plan, x, y, &error), REEL_OK);
    }
    ck_assert_int_eq(reel_plan_read(plan, y, value, &error), REEL_OK);
    for (int i = 0; i < 6; i++) ck_assert(value[i] == 32 * ramp[i]);
    reel_plan_free(plan);
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

START_TEST(the_first_nan_is_named)
{
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(6));
    reel_scope_push(graph, "decoder");
    reel_set_time(graph, 7);
    reel_tensor *y = reel_sum_all(reel_exp(reel_log(reel_neg(x))));
    reel_plan *plan = plan_of(backend, y);
    reel_plan_write(plan, x, ramp, &error);
    ck_assert_int_eq(reel_plan_run(plan, &error), REEL_OK);
    ck_assert_int_eq(reel_plan_run_checked(plan, &error), REEL_NONFINITE);
    static const char *const words[] = {"log", "decoder", "frame 7", "[6]"};
    for (size_t i = 0; i < 4; i++) ck_assert_msg(strstr(error.text, words[i]) != NULL, "%s", error.text);
    ck_assert_msg(!strstr(error.text, "exp"), "%s", error.text);
    error = (reel_error){REEL_OK, ""};
    static const float negative[] = {-1, -2, -3, -4, -5, -6};
    reel_plan_write(plan, x, negative, &error);
    ck_assert_int_eq(reel_plan_run_checked(plan, &error), REEL_OK);
    reel_plan_free(plan);
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

START_TEST(a_kernel_that_refuses_is_named)
{
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    int32_t label[] = {0, 7};
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(2, 3));
    reel_tensor *target = reel_input(graph, "target", REEL_I32, REEL_SHAPE(2));
    reel_scope_push(graph, "loss");
    reel_tensor *y = reel_nll_loss(x, target, NULL, (reel_cross_entropy_attr){.ignore_index = REEL_IGNORE_NOTHING});
    float value;
    tiny_input inputs[] = {{x, ramp}, {target, label}};
    ck_assert_int_eq(tiny_run(graph, NULL, inputs, 2, &y, (void *[]){&value}, 1, &error), REEL_BAD_DATA);
    ck_assert_msg(strstr(error.text, "loss") && strstr(error.text, "7"), "%s", error.text);
    reel_graph_free(graph);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sharing_memory_never_shows,
                                  a_chain_lives_in_one_piece_and_dead_code_nowhere,
                                  joining_and_cutting_need_no_memory,
                                  a_piece_that_begins_unaligned_is_copied,
                                  a_piece_that_outlives_the_rest_stays_outside,
                                  costs_are_what_is_used,
                                  the_arena_is_tight_and_nothing_overlaps,
                                  two_graphs_share_a_parameter,
                                  an_update_happens_in_the_order_of_definition,
                                  misuse_of_a_plan_is_named,
                                  a_state_is_carried_from_run_to_run,
                                  the_first_nan_is_named,
                                  a_kernel_that_refuses_is_named};
    return tiny_suite("plan", tests, sizeof tests / sizeof *tests);
}
