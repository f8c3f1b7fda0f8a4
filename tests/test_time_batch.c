/* Batching over time: the numbers stay, and what was defined once a time step is defined once. */
#include "autograd/alike.h"
#include "autograd/time_batch.h"
#include "backends/registry.h"
#include "core/rng.h"
#include "models/s2s.h"
#include "tests/support/op_run.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 3, MOST = 512 };
static const size_t NO_LIMIT = (size_t)1 << 62;
static reel_backend *cpu;
static reel_error error;

/* --- a graph, its inputs and what is wanted of it --- */

typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_tensor *wanted[MOST];
    int count;
} problem;

static void problem_begin(problem *p)
{
    *p = (problem){.graph = reel_graph_new(), .set = reel_parameters_new(cpu, 7)};
}

static void problem_end(problem *p)
{
    reel_graph_free(p->graph);
    reel_parameters_free(p->set);
}

/* Adds the loss and its gradients by all trained parameters to what is wanted. */
static void want_gradients(problem *p, reel_tensor *loss)
{
    reel_tensor *w[MOST];
    int count = 0;
    for (int i = 0; i < reel_parameters_count(p->set); i++)
        w[count++] = reel_parameter_in(p->graph, reel_parameter_at(p->set, i));
    p->wanted[p->count++] = loss;
    reel_gradients(loss, w, count, p->wanted + p->count);
    p->count += count;
    ck_assert_msg(!reel_failed(reel_graph_error(p->graph)), "%s", reel_graph_error(p->graph)->text);
}

static void write_noise(reel_plan *plan, reel_tensor *input)
{
    size_t n = (size_t)reel_elements(&input->shape);
    bool mask = !strncmp(input->name, "mask", 4);
    double *values = reel_alloc(n, sizeof *values);
    float *floats = (float *)values;
    uint64_t key = reel_key(11, (uint64_t)input->id);
    for (size_t i = 0; i < n; i++) {
        double x = mask ? reel_uniform(key, i / 8) < 0.5 : reel_normal(key, i);
        if (input->dtype == REEL_F32)
            floats[i] = (float)x;
        else
            values[i] = x;
    }
    ck_assert_int_eq(reel_plan_write(plan, input, values, &error), REEL_OK);
    reel_free(values);
}

/* The values of all that is wanted, one after the other, as doubles; *count of them. To be freed. */
static double *values_of(const problem *p, reel_tensor *const *wanted, size_t *count)
{
    reel_plan *plan = reel_plan_new(p->graph, cpu, wanted, p->count, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    for (int i = 0; i < reel_graph_nodes(p->graph); i++)
        if (reel_graph_node(p->graph, i)->op == &reel_op_input)
            write_noise(plan, &reel_graph_node(p->graph, i)->output[0]);
    ck_assert_msg(reel_plan_run(plan, &error) == REEL_OK, "%s", error.text);
    *count = 0;
    for (int i = 0; i < p->count; i++) *count += (size_t)reel_elements(&wanted[i]->shape);
    double *all = reel_alloc(*count, sizeof *all), *at = all;
    for (int i = 0; i < p->count; i++) {
        int64_t n = reel_elements(&wanted[i]->shape);
        reel_plan_read(plan, wanted[i], at, &error);
        for (int64_t k = n - 1; wanted[i]->dtype == REEL_F32 && k >= 0; k--) at[k] = (double)((float *)at)[k];
        at += n;
    }
    reel_plan_free(plan);
    return all;
}

static double distance(const double *a, const double *b, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

/* The relative distance between the values of the graph as it is and batched over time. */
static double batched_distance(const problem *p, reel_tensor **batched)
{
    size_t n, same;
    memcpy(batched, p->wanted, sizeof p->wanted);
    reel_batch_over_time(p->graph, batched, p->count, NO_LIMIT);
    ck_assert_msg(!reel_failed(reel_graph_error(p->graph)), "%s", reel_graph_error(p->graph)->text);
    double *before = values_of(p, p->wanted, &n), *after = values_of(p, batched, &same);
    ck_assert_uint_eq(n, same);
    double result = distance(after, before, n);
    reel_free(before);
    reel_free(after);
    return result;
}

/* Nodes of an op in the plan of what is wanted. */
static int nodes_of(const problem *p, reel_tensor *const *wanted, const reel_op *op)
{
    int count = 0;
    reel_plan *plan = reel_plan_new(p->graph, cpu, wanted, p->count, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    for (int i = 0; i < reel_plan_nodes(plan); i++) count += reel_plan_node(plan, i)->op == op;
    reel_plan_free(plan);
    return count;
}

/* --- S2S and S2S++ --- */

static void s2s(problem *p, const char *model, reel_s2s_top top, double width, int batch, reel_dtype dtype, int steps)
{
    bool bf16 = dtype == REEL_BF16;
    if (bf16) dtype = REEL_F32;
    problem_begin(p);
    reel_s2s_config config = REEL_S2S_DEFAULTS;
    reel_tensor *frame[STEPS + 1], *mask[STEPS + 1];
    reel_net net = {.graph = p->graph, .set = p->set, .dtype = dtype, .bf16 = bf16};
    ck_assert(reel_s2s_named(&config, model));
    config.top = top;
    config.width = width;
    for (int t = 0; t <= steps; t++) {
        frame[t] = reel_input(p->graph, "frame", dtype, REEL_SHAPE(batch, 3, 32, 64));
        mask[t] = reel_input(p->graph, "mask", dtype, REEL_SHAPE(batch, 1, 32, 64));
    }
    reel_tensor *weight = reel_input(p->graph, "mask of frames", dtype, REEL_SHAPE(steps + 1));
    want_gradients(p, reel_s2s_clip_loss(&net, &config, frame, mask, NULL, weight, steps + 1, false).total);
}

START_TEST(losses_and_gradients_of_s2s_stay)
{
    static const char *const models[] = {"s2s", "s2s++"};
    for (int m = 0; m < 2; m++)
        for (int top = REEL_TOP_COMPACT; top <= REEL_TOP_AUTHORS; top++)
            for (int batch = 1; batch <= 2; batch++)
                for (int dtype = top ? REEL_F64 : REEL_F32; dtype <= REEL_F64; dtype++) {
                    problem p;
                    reel_tensor *batched[MOST];
                    s2s(&p, models[m], (reel_s2s_top)top, 1.0 / 64, batch, (reel_dtype)dtype, STEPS);
                    double off = batched_distance(&p, batched);
                    ck_assert_msg(off <= (dtype == REEL_F64 ? 1e-12 : 1e-5), "%s, top %d, batch %d, %s: %g", models[m],
                                  top, batch, reel_dtype_name((reel_dtype)dtype), off);
                    problem_end(&p);
                }
}
END_TEST

/* Where activations are rounded to eight bits, a sum in another order may come out one of them off. */
START_TEST(mixed_precision_is_batched_too)
{
    problem p;
    reel_tensor *batched[MOST];
    s2s(&p, "s2s++", REEL_TOP_COMPACT, 1.0 / 16, 1, REEL_BF16, STEPS);
    double off = batched_distance(&p, batched);
    ck_assert_msg(off <= 0.02, "%g", off);
    problem_end(&p);
}
END_TEST

/* A step has C convolutions, R of them recurrent, and the first frame I. Of I + T C there remain I + C, R for the
   halves of those that were taken apart, and R (T - 1) for the time steps; of the weight gradients I + C. */
START_TEST(what_is_not_recurrent_runs_once)
{
    enum { R = 3 };
    problem shorter, p;
    reel_tensor *batched[MOST];
    s2s(&shorter, "s2s++", REEL_TOP_COMPACT, 1.0 / 16, 1, REEL_F32, STEPS - 1);
    s2s(&p, "s2s++", REEL_TOP_COMPACT, 1.0 / 16, 1, REEL_F32, STEPS);
    memcpy(batched, p.wanted, sizeof batched);
    reel_batch_over_time(p.graph, batched, p.count, NO_LIMIT);
    int before = nodes_of(&p, p.wanted, &reel_op_conv2d);
    int step = before - nodes_of(&shorter, shorter.wanted, &reel_op_conv2d), start = before - STEPS * step;
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d), start + step + R * STEPS);
    ck_assert_int_eq(nodes_of(&p, p.wanted, &reel_op_conv2d_weight_gradient), start + STEPS * step);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d_weight_gradient), start + step);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_max_pool2d), 5 + 5);
    problem_end(&shorter);
    problem_end(&p);
}
END_TEST

START_TEST(what_would_be_too_large_stays_apart)
{
    problem p;
    reel_tensor *batched[MOST];
    s2s(&p, "s2s++", REEL_TOP_COMPACT, 1.0 / 16, 1, REEL_F32, STEPS);
    int nodes[3], before = nodes_of(&p, p.wanted, &reel_op_conv2d);
    static const size_t most[] = {0, 8192, 65536};
    for (int i = 0; i < 3; i++) {
        memcpy(batched, p.wanted, sizeof batched);
        reel_batch_over_time(p.graph, batched, p.count, most[i]);
        nodes[i] = nodes_of(&p, batched, &reel_op_conv2d);
    }
    ck_assert_int_eq(nodes[0], before);
    ck_assert(nodes[0] > nodes[1] && nodes[1] > nodes[2]);
    problem_end(&p);
}
END_TEST

/* Attributes that differ in the bytes that pad their struct are the same. */
START_TEST(padding_keeps_nothing_apart)
{
    problem p;
    reel_tensor *batched[MOST], *sum = NULL;
    problem_begin(&p);
    reel_tensor *w = reel_input(p.graph, "w", REEL_F64, REEL_SHAPE(4, 3, 3, 3));
    for (int t = 0; t < STEPS; t++) {
        reel_conv2d_attr attr;
        memset(&attr, 85 * t, sizeof attr);
        for (int i = 0; i < 4; i++) attr.pad[i] = attr.stride[i % 2] = attr.dilation[i % 2] = 1;
        attr.groups = 1, attr.wide = attr.relu = false;
        reel_set_time(p.graph, t);
        reel_tensor *x = reel_input(p.graph, "x", REEL_F64, REEL_SHAPE(1, 3, 8, 8));
        reel_tensor *y = reel_sum_all(reel_apply2(&reel_op_conv2d, &attr, x, w));
        sum = sum ? reel_add(sum, y) : y;
    }
    p.wanted[p.count++] = sum;
    double off = batched_distance(&p, batched);
    ck_assert_msg(off <= 1e-12, "%g", off);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d), 1);
    problem_end(&p);
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    static const int threads[] = {2, 3, 4, 8};
    problem p;
    size_t n;
    s2s(&p, "s2s++", REEL_TOP_COMPACT, 1.0 / 64, 2, REEL_F32, STEPS);
    reel_batch_over_time(p.graph, p.wanted, p.count, NO_LIMIT);
    double serial_below = cpu->serial_below;
    cpu->serial_below = 0;
    cpu->threads = 1;
    double *one = values_of(&p, p.wanted, &n);
    for (int i = 0; i < 4; i++) {
        cpu->threads = threads[i];
        double *many = values_of(&p, p.wanted, &n);
        ck_assert_msg(!memcmp(one, many, n * sizeof *one), "%d threads give other bits than 1", threads[i]);
        reel_free(many);
    }
    cpu->threads = 2;
    cpu->serial_below = serial_below;
    reel_free(one);
    problem_end(&p);
}
END_TEST

/* --- other recurrent networks --- */

static reel_tensor *weight(const problem *p, const char *name, reel_shape shape)
{
    reel_parameter *w =
        reel_parameter_declare(p->set, name, REEL_F64, shape, (reel_init){REEL_INIT_UNIFORM, 0.2}, true, &error);
    ck_assert_msg(w != NULL, "%s", error.text);
    return reel_parameter_in(p->graph, w);
}

static reel_tensor *frame(const problem *p, int t, reel_shape shape)
{
    char name[16];
    snprintf(name, sizeof name, "x.%d", t);
    return reel_input(p->graph, name, REEL_F64, shape);
}

/* h = tanh(e w + h u + b) with e = relu(x a) and a readout h v, whose square is the loss: the network of Elman (1990).
   Every second step reads the state twice, so that time steps differ. */
static reel_tensor *elman(const problem *p, int steps, int batch)
{
    reel_tensor *a = weight(p, "a", REEL_SHAPE(64, 48)), *w = weight(p, "w", REEL_SHAPE(48, 32));
    reel_tensor *u = weight(p, "u", REEL_SHAPE(32, 32)), *b = weight(p, "b", REEL_SHAPE(32));
    reel_tensor *v = weight(p, "v", REEL_SHAPE(32, 64)), *loss = NULL;
    reel_tensor *h = reel_input(p->graph, "h", REEL_F64, REEL_SHAPE(batch, 32));
    for (int t = 0; t < steps; t++) {
        reel_set_time(p->graph, t);
        reel_tensor *e = reel_relu(reel_matmul(frame(p, t, REEL_SHAPE(batch, 64)), a, false, false));
        reel_tensor *z = reel_add(reel_matmul(e, w, false, false), reel_matmul(h, u, false, false));
        h = reel_tanh(reel_add(z, b));
        reel_tensor *y = reel_sum_all(reel_square(reel_matmul(h, v, false, false)));
        if (t % 2) y = reel_add(y, reel_sum_all(reel_exp(h)));
        loss = loss ? reel_add(loss, y) : y;
    }
    reel_set_time(p->graph, -1);
    return loss;
}

START_TEST(a_network_of_matrices_is_batched_too)
{
    for (int batch = 1; batch <= 3; batch++) {
        problem p;
        reel_tensor *batched[MOST];
        problem_begin(&p);
        want_gradients(&p, elman(&p, 7, batch));
        double off = batched_distance(&p, batched);
        ck_assert_msg(off <= 1e-12, "batch %d: %g", batch, off);
        /* forward x a, e w, h v and 7 of h u; backward dy v^T, dz w^T, 6 of dz u^T and 4 for the weights */
        ck_assert_int_eq(nodes_of(&p, batched, &reel_op_matmul), 3 + 7 + 2 + 6 + 4);
        problem_end(&p);
    }
}
END_TEST

START_TEST(a_long_clip_is_batched)
{
    enum { LONG = 300 };
    problem p;
    reel_tensor *batched[MOST];
    problem_begin(&p);
    want_gradients(&p, elman(&p, LONG, 1));
    ck_assert(batched_distance(&p, batched) <= 1e-12);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_matmul), 3 + LONG + 2 + LONG - 1 + 4);
    problem_end(&p);
}
END_TEST

/* The frames of one half of a recurrent convolution come as two tensors, those of another in between. */
START_TEST(channels_are_split_where_recurrence_begins)
{
    problem p;
    reel_tensor *batched[MOST], *h, *loss = NULL;
    problem_begin(&p);
    reel_tensor *w = weight(&p, "w", REEL_SHAPE(3, 9, 3, 3)), *b = weight(&p, "b", REEL_SHAPE(3));
    h = reel_input(p.graph, "h", REEL_F64, REEL_SHAPE(2, 3, 6, 5));
    for (int t = 0; t < 4; t++) {
        reel_set_time(p.graph, t);
        reel_tensor *x = frame(&p, t, REEL_SHAPE(2, 2, 6, 5));
        reel_tensor *part[] = {x, reel_neg(x), h, x};
        h = reel_tanh(reel_conv2d(reel_concat(part, 4, 1), w, b, reel_conv2d_same(3)));
        reel_tensor *y = reel_sum_all(reel_square(h));
        loss = loss ? reel_add(loss, y) : y;
    }
    reel_set_time(p.graph, -1);
    want_gradients(&p, loss);
    ck_assert(batched_distance(&p, batched) <= 1e-12);
    ck_assert_int_eq(nodes_of(&p, p.wanted, &reel_op_conv2d), 4);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d), 2 + 4);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d_input_gradient), 3);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d_weight_gradient), 1);
    problem_end(&p);
}
END_TEST

/* A convolution that ends in a ReLU is not a sum of convolutions of its channels. */
START_TEST(a_relu_keeps_channels_together)
{
    problem p;
    reel_tensor *batched[MOST], *h, *loss = NULL;
    problem_begin(&p);
    reel_conv2d_attr attr = reel_conv2d_same(3);
    attr.relu = true;
    reel_tensor *w = weight(&p, "w", REEL_SHAPE(3, 5, 3, 3)), *b = weight(&p, "b", REEL_SHAPE(3));
    h = reel_input(p.graph, "h", REEL_F64, REEL_SHAPE(1, 3, 6, 5));
    for (int t = 0; t < STEPS; t++) {
        reel_set_time(p.graph, t);
        reel_tensor *part[] = {frame(&p, t, REEL_SHAPE(1, 2, 6, 5)), h};
        h = reel_conv2d(reel_concat(part, 2, 1), w, b, attr);
        reel_tensor *y = reel_sum_all(reel_square(h));
        loss = loss ? reel_add(loss, y) : y;
    }
    reel_set_time(p.graph, -1);
    want_gradients(&p, loss);
    ck_assert(batched_distance(&p, batched) <= 1e-12);
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d), STEPS);
    problem_end(&p);
}
END_TEST

/* --- what must not be merged --- */

/* Statistics over the batch, random numbers, a maximum over all samples and what is the same at all time steps: as many
   nodes as before, and the same bits. */
START_TEST(what_looks_at_all_samples_stays_apart)
{
    problem p;
    reel_tensor *batched[MOST];
    problem_begin(&p);
    reel_tensor *one = weight(&p, "one", REEL_SHAPE(4)), *zero = weight(&p, "zero", REEL_SHAPE(4));
    reel_tensor *w = weight(&p, "w", REEL_SHAPE(4, 3, 3, 3)), *row = weight(&p, "row", REEL_SHAPE(1, 4));
    for (int t = 0; t < 3; t++) {
        reel_set_time(p.graph, t);
        reel_tensor *x = reel_conv2d(frame(&p, t, REEL_SHAPE(2, 3, 8, 8)), w, NULL, reel_conv2d_same(3));
        reel_batch_norm_training how = {.epsilon = 1e-5, .momentum = 0.1};
        x = reel_batch_norm_train(x, one, zero, zero, one, how).y;
        p.wanted[p.count++] = reel_dropout(reel_softmax(x, 0), 0.5);
        p.wanted[p.count++] = reel_max(x, REEL_INTS(0), true);
        p.wanted[p.count++] = reel_exp(row);
    }
    ck_assert(batched_distance(&p, batched) == 0);
    static const reel_op *const same[] = {&reel_op_batch_norm, &reel_op_dropout, &reel_op_softmax, &reel_op_max,
                                          &reel_op_exp};
    for (int i = 0; i < 5; i++) ck_assert_int_eq(nodes_of(&p, batched, same[i]), nodes_of(&p, p.wanted, same[i]));
    ck_assert_int_eq(nodes_of(&p, batched, &reel_op_conv2d), 1);
    problem_end(&p);
}
END_TEST

/* Steps 0 and 1 read the weight as it was, 2 and 3 as the update in between has left it. */
static double *values_around_update(bool batched, size_t *n)
{
    problem p;
    problem_begin(&p);
    reel_tensor *w = weight(&p, "w", REEL_SHAPE(64, 48)), *buffer = weight(&p, "buffer", REEL_SHAPE(64, 48));
    reel_tensor *lr = reel_input(p.graph, "lr", REEL_F64, REEL_SCALAR_SHAPE);
    for (int t = 0; t < 4; t++) {
        if (t == 2) {
            reel_set_time(p.graph, -1);
            p.wanted[p.count++] = reel_sgd(w, buffer, reel_square(w), lr, NULL, (reel_sgd_attr){.momentum = 0.9});
        }
        reel_set_time(p.graph, t);
        p.wanted[p.count++] = reel_matmul(frame(&p, t, REEL_SHAPE(2, 64)), w, false, false);
    }
    if (batched) reel_batch_over_time(p.graph, p.wanted, p.count, NO_LIMIT);
    double *values = values_of(&p, p.wanted, n);
    ck_assert_int_eq(nodes_of(&p, p.wanted, &reel_op_matmul), 4);
    problem_end(&p);
    return values;
}

START_TEST(updates_stay_where_they_are)
{
    size_t n;
    double *before = values_around_update(false, &n), *after = values_around_update(true, &n);
    ck_assert(!memcmp(after, before, n * sizeof *after));
    reel_free(before);
    reel_free(after);
}
END_TEST

START_TEST(a_graph_with_segments_is_left_alone)
{
    problem p;
    reel_tensor *batched[MOST];
    problem_begin(&p);
    reel_segment_begin(p.graph);
    want_gradients(&p, elman(&p, 3, 1));
    reel_segment_end(p.graph);
    memcpy(batched, p.wanted, sizeof batched);
    reel_batch_over_time(p.graph, batched, p.count, NO_LIMIT);
    ck_assert(!memcmp(batched, p.wanted, sizeof batched));
    problem_end(&p);
}
END_TEST

/* --- what ops say of their samples --- */

/* An op case on its inputs, on the same reversed in all axes, and on both joined: the joined results must be the
   results joined, or their sum. True for ops that say nothing. */
static bool says_the_truth(const op_case *row)
{
    op_problem p;
    op_graph g;
    if (!op_problem_read(&p, row) || !op_graph_build(&g, &p, REEL_F64, cpu)) return false;
    const reel_node *node = g.output[0]->node;
    reel_samples samples = reel_samples_of(node);
    reel_tensor *other[CASE_INPUTS], *both[CASE_INPUTS], *wanted[2 * REEL_MAX_OUTPUTS];
    int outputs = samples.summed ? 1 : p.op->outputs, inputs = 0;
    tiny_input written[CASE_INPUTS];
    for (int k = 0; k < p.inputs; k++) {
        other[k] = both[k] = g.input[k];
        if (g.input[k]) written[inputs++] = (tiny_input){g.input[k], g.value[k]};
        if (!g.input[k] || !reel_has_samples(samples, k)) continue;
        reel_slice_attr reversed = {.starts = {.count = g.input[k]->shape.rank}};
        reversed.stops = reversed.steps = reversed.starts;
        for (int a = 0; a < g.input[k]->shape.rank; a++) {
            reversed.starts.at[a] = reversed.steps.at[a] = -1;
            reversed.stops.at[a] = INT64_MIN / 2;
        }
        other[k] = reel_slice(g.input[k], reversed.starts, reversed.stops, (reel_ints){0}, reversed.steps);
        both[k] = reel_concat((reel_tensor *[]){g.input[k], other[k]}, 2, 0);
    }
    reel_tensor *second = reel_apply(g.graph, p.op, other, p.inputs, node->attr);
    reel_tensor *joined = reel_apply(g.graph, p.op, both, p.inputs, node->attr);
    for (int k = 0; k < outputs; k++) {
        reel_tensor *pair[] = {g.output[k], reel_output(second, k)};
        reel_tensor *apart = samples.summed ? reel_add(pair[0], pair[1]) : reel_concat(pair, 2, 0);
        wanted[2 * k] = reel_cast(reel_output(joined, k), REEL_F64);
        wanted[2 * k + 1] = reel_cast(apart, REEL_F64);
    }
    bool same = true;
    for (int k = 0; samples.inputs && k < outputs && same; k++) {
        size_t n = (size_t)reel_elements(&wanted[2 * k]->shape);
        double *a = reel_alloc(n, sizeof *a), *b = reel_alloc(n, sizeof *b);
        reel_status status = tiny_run(g.graph, cpu, written, inputs, &wanted[2 * k], (void *[]){a, b}, 2, &error);
        same = status == REEL_OK && (!n || !memcmp(a, b, n * sizeof *a) || distance(a, b, n) <= 1e-13);
        reel_free(a);
        reel_free(b);
    }
    op_graph_free(&g);
    return same;
}

START_TEST(ops_treat_samples_as_they_say)
{
    int said = 0;
    for (const op_case *const *group = case_groups; *group; group++)
        for (const op_case *row = *group; row->op; row++)
            ck_assert_msg(++said && says_the_truth(row), "%s {%s} %s: %s", row->op, row->attrs ? row->attrs : "",
                          row->inputs, error.text);
}
END_TEST

int main(void)
{
    cpu = reel_backend_open("cpu", 2, &error);
    if (!cpu) return 2;
    const TTest *const tests[] = {losses_and_gradients_of_s2s_stay,
                                  mixed_precision_is_batched_too,
                                  what_is_not_recurrent_runs_once,
                                  padding_keeps_nothing_apart,
                                  what_would_be_too_large_stays_apart,
                                  threads_do_not_change_bits,
                                  a_network_of_matrices_is_batched_too,
                                  a_long_clip_is_batched,
                                  channels_are_split_where_recurrence_begins,
                                  a_relu_keeps_channels_together,
                                  what_looks_at_all_samples_stays_apart,
                                  updates_stay_where_they_are,
                                  a_graph_with_segments_is_left_alone,
                                  ops_treat_samples_as_they_say};
    int code = tiny_suite("time_batch", tests, (int)(sizeof tests / sizeof *tests));
    cpu->close(cpu);
    return code;
}
