/* Memory within a budget: values that are computed again have the same bits, a budget that is met is kept, one that
   cannot be met is refused in words, and memory that is refused on the way is an error and nothing else. */
#include "backends/registry.h"
#include "core/rng.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <string.h>

/* --- random networks and their gradients --- */

enum { LAYERS = 14, SIDE = 8, CHANNELS = 4, VALUES = CHANNELS * SIDE * SIDE, WEIGHTS = CHANNELS * CHANNELS * 9 };

typedef struct {
    reel_graph *graph;
    reel_tensor *x, *w, *wanted[4];
    int count;
} network;

/* A layer of the newest map and an older one: convolutions, copies, views, several outputs, random numbers. */
static reel_tensor *layer(const network *n, reel_tensor *x, reel_tensor *older, uint64_t kind)
{
    switch (kind) {
    case 0:
    case 1:
        return reel_relu(reel_conv2d(x, n->w, NULL, reel_conv2d_same(3)));
    case 2:
        return reel_upsample2d(reel_max_pool2d(x, reel_pool2d_blocks(2)), 2, REEL_BILINEAR, true);
    case 3:
        return reel_slice1(reel_concat((reel_tensor *[]){x, older}, 2, 1), 1, 2, 2 + CHANNELS);
    case 4:
        return reel_dropout(reel_sigmoid(x), 0.25);
    case 5:
        return reel_reshape(reel_tanh(reel_reshape(x, REEL_SHAPE(VALUES))), REEL_SHAPE(1, CHANNELS, SIDE, SIDE));
    case 6:
        return reel_mul(x, older);
    default:
        return reel_add(reel_softmax(x, 1), reel_square(older));
    }
}

static void draw_network(network *n, uint64_t key)
{
    *n = (network){.graph = reel_graph_new()};
    n->x = reel_input(n->graph, "x", REEL_F32, REEL_SHAPE(1, CHANNELS, SIDE, SIDE));
    n->w = reel_input(n->graph, "w", REEL_F32, REEL_SHAPE(CHANNELS, CHANNELS, 3, 3));
    reel_tensor *map[LAYERS + 1] = {n->x};
    for (int i = 0; i < LAYERS; i++)
        map[i + 1] = layer(n, map[i], map[reel_below(key, 2 * (uint64_t)i, (uint64_t)i + 1)],
                           reel_below(key, 2 * (uint64_t)i + 1, 8));
    n->wanted[0] = map[LAYERS / 2];
    n->wanted[1] = reel_mean_all(reel_square(map[LAYERS]));
    reel_gradients(n->wanted[1], (reel_tensor *[]){n->x, n->w}, 2, n->wanted + 2);
    n->count = 4;
}

/* Runs a plan of the network twice, for it must not live on what the first run left behind. */
static void run_network(const network *n, reel_plan *plan, float value[4][VALUES])
{
    float x[VALUES], w[WEIGHTS];
    reel_error error = {REEL_OK, ""};
    for (uint64_t i = 0; i < VALUES; i++) x[i] = (float)reel_uniform(1, i) - 0.5f;
    for (uint64_t i = 0; i < WEIGHTS; i++) w[i] = (float)reel_uniform(2, i) - 0.5f;
    for (uint64_t run = 0; run < 2; run++) {
        reel_plan_random(plan, 3, run);
        reel_plan_write(plan, n->x, x, &error);
        reel_plan_write(plan, n->w, w, &error);
        ck_assert_msg(reel_plan_run(plan, &error) == REEL_OK, "%s", error.text);
    }
    for (int i = 0; i < n->count; i++) ck_assert_int_eq(reel_plan_read(plan, n->wanted[i], value[i], &error), REEL_OK);
}

/* Budgets from what is needed without one downwards, until one is refused. */
START_TEST(any_budget_gives_the_same_bits)
{
    reel_backend *backend = reel_reference_backend();
    int met = 0, again = 0;
    for (uint64_t key = 1; key <= 40; key++) {
        network n;
        reel_error error = {REEL_OK, ""};
        static float whole[4][VALUES], part[4][VALUES];
        draw_network(&n, key);
        reel_plan *plan = reel_plan_new(n.graph, backend, n.wanted, n.count, &error);
        ck_assert_msg(plan != NULL, "%s", error.text);
        reel_cost cost = reel_plan_cost(plan);
        run_network(&n, plan, whole);
        reel_plan_free(plan);
        for (size_t budget = cost.total; budget; budget -= 1024) {
            plan = reel_plan_new_within(n.graph, backend, n.wanted, n.count, (reel_budget){.bytes = budget}, &error);
            if (!plan) break;
            ck_assert_uint_le(reel_plan_cost(plan).total, budget);
            again += reel_plan_cost(plan).flops > cost.flops;
            run_network(&n, plan, part);
            ck_assert_msg(!memcmp(whole, part, sizeof whole), "network %d within %zu bytes", (int)key, budget);
            reel_plan_free(plan);
            met++;
        }
        ck_assert_int_eq(error.status, REEL_USAGE);
        ck_assert_msg(strstr(error.text, "needed") != NULL, "%s", error.text);
        reel_graph_free(n.graph);
    }
    ck_assert_int_gt(met, 200);
    ck_assert_int_gt(again, 100);
    backend->close(backend);
}
END_TEST

START_TEST(memory_refused_while_choosing_is_an_error)
{
    reel_backend *backend = reel_reference_backend();
    network n;
    draw_network(&n, 5);
    reel_error error = {REEL_OK, ""};
    reel_plan *plan = reel_plan_new(n.graph, backend, n.wanted, n.count, &error);
    reel_budget budget = {.bytes = reel_plan_cost(plan).total * 7 / 8};
    reel_plan_free(plan);
    reel_alloc_fail(0, false);
    plan = reel_plan_new_within(n.graph, backend, n.wanted, n.count, budget, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    reel_plan_free(plan);
    uint64_t all = reel_alloc_count();
    for (uint64_t i = 1; i <= all; i++) {
        error = (reel_error){REEL_OK, ""};
        reel_alloc_fail(i, false);
        plan = reel_plan_new_within(n.graph, backend, n.wanted, n.count, budget, &error);
        reel_alloc_fail(0, false);
        ck_assert_msg(!plan && error.status == REEL_ENVIRONMENT, "allocation %d of %d: %s", (int)i, (int)all,
                      error.text);
    }
    reel_graph_free(n.graph);
    backend->close(backend);
}
END_TEST

/* --- what is chosen --- */

static int runs_of(const reel_plan *plan, const reel_tensor *t)
{
    int runs = 0;
    for (int i = 0; i < reel_plan_nodes(plan); i++) runs += reel_plan_node(plan, i) == t->node;
    return runs;
}

/* Two maps wait from the beginning of the graph to its end, a copy and a product, while others are made between. */
START_TEST(copies_go_before_products_and_nothing_goes_without_need)
{
    enum { N = 64, ROOM = 1024 };
    static float zeros[N * N];
    reel_backend *backend = reel_reference_backend();
    reel_graph *graph = reel_graph_new();
    reel_error error = {REEL_OK, ""};
    reel_tensor *x = reel_constant(graph, REEL_F32, REEL_SHAPE(N, N), zeros);
    reel_tensor *copy = reel_permute(x, REEL_INTS(1, 0)), *product = reel_matmul(x, x, false, false);
    reel_tensor *early = reel_add(reel_sum_all(copy), reel_sum_all(product));
    reel_tensor *middle = reel_exp(reel_matmul(x, x, true, false)), *other = reel_matmul(middle, x, false, false);
    reel_tensor *late = reel_mul(reel_mul(reel_matmul(middle, other, false, false), copy), product);
    reel_tensor *end = reel_add(reel_sum_all(late), early);
    reel_plan *plan = reel_plan_new(graph, backend, &end, 1, &error);
    size_t total = reel_plan_cost(plan).total;
    reel_plan_free(plan);
    for (int i = 0; i < 3; i++) {
        reel_budget budget = {.bytes = total + ROOM - (size_t)i * sizeof zeros};
        plan = reel_plan_new_within(graph, backend, &end, 1, budget, &error);
        ck_assert_msg(plan != NULL, "%s", error.text);
        ck_assert_int_eq(runs_of(plan, copy), i > 0 ? 2 : 1);
        ck_assert_int_eq(runs_of(plan, product), i > 1 ? 2 : 1);
        ck_assert_int_eq(runs_of(plan, other), 1);
        reel_plan_free(plan);
    }
    reel_graph_free(graph);
    backend->close(backend);
}
END_TEST

/* --- a training step --- */

static const reel_training training = {
    .model = {.memory = true, .distance = true, .top = REEL_TOP_COMPACT, .width = 0.01, .border = 20, .bin = 5},
    .height = 32,
    .width = 64,
    .frames = 3,
    .batch = 1,
    .dtype = REEL_F32,
    .seed = 5};

static void make_clip(reel_clip *clip)
{
    size_t plane = (size_t)training.height * (size_t)training.width, frames = (size_t)training.frames + 1;
    *clip = (reel_clip){.frames = (int)frames, .height = training.height, .width = training.width};
    clip->rgb = reel_alloc(frames * 3 * plane, sizeof *clip->rgb);
    clip->mask = reel_alloc(frames * plane, sizeof *clip->mask);
    clip->valid = reel_alloc(frames, sizeof *clip->valid);
    for (size_t i = 0; i < frames * 3 * plane; i++) clip->rgb[i] = (float)reel_uniform(4, i);
    for (size_t i = 0; i < frames * plane; i++) clip->mask[i] = (float)(i / 16 % 2);
    for (size_t i = 0; i < frames; i++) clip->valid[i] = true;
}

/* The bits of all parameters and moments after two steps, as a checksum, and what the plan costs. */
static uint64_t train(size_t memory, bool recompute, int threads, reel_cost *cost)
{
    reel_error error = {REEL_OK, ""};
    reel_training with = training;
    with.memory = memory;
    with.recompute = recompute;
    reel_backend *backend = reel_backend_open("cpu", threads, &error);
    reel_trainer *t = reel_trainer_new(&with, backend, &error);
    ck_assert_msg(t != NULL, "%s", error.text);
    *cost = reel_plan_cost(reel_trainer_plan(t));
    cost->total += reel_trainer_host(t);
    reel_clip clip;
    make_clip(&clip);
    reel_trainer_set_clip(t, 0, &clip, &error);
    reel_clip_free(&clip);
    for (uint64_t step = 1; step <= 2; step++) {
        reel_step_report report;
        ck_assert_msg(reel_trainer_step(t, step, 1e-3, &report, &error) == REEL_OK, "%s", error.text);
    }
    uint64_t sum = 0;
    for (int i = 0; i < reel_parameters_count(reel_trainer_parameters(t)); i++) {
        reel_parameter *p = reel_parameter_at(reel_trainer_parameters(t), i);
        uint32_t *bits = reel_alloc(1, p->bytes);
        ck_assert_int_eq(reel_parameter_read(p, bits, &error), REEL_OK);
        for (size_t k = 0; k < p->bytes / sizeof *bits; k++) sum = reel_key(sum, bits[k]);
        reel_free(bits);
    }
    reel_trainer_free(t);
    backend->close(backend);
    return sum;
}

START_TEST(a_step_within_a_budget_is_the_same_step)
{
    reel_cost whole, free, part;
    uint64_t bits = train((size_t)1 << 40, false, 1, &whole);
    ck_assert_uint_eq(train(0, false, 1, &free), bits);
    ck_assert_uint_lt(free.arena, whole.arena);
    ck_assert(free.flops < whole.flops * 1.02);
    for (int threads = 1; threads <= 8; threads++) {
        ck_assert_uint_eq(train((size_t)1 << 40, false, threads, &whole), bits);
        size_t budget = whole.total - whole.arena / 20 * (size_t)(threads + 1);
        ck_assert_uint_eq(train(budget, threads % 2, threads, &part), bits);
        ck_assert_uint_le(part.total, budget);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {any_budget_gives_the_same_bits, memory_refused_while_choosing_is_an_error,
                                  copies_go_before_products_and_nothing_goes_without_need,
                                  a_step_within_a_budget_is_the_same_step};
    return tiny_suite("memory", tests, sizeof tests / sizeof *tests);
}
