/* lstm_cell: what a long short-term memory does once its gates are summed up (Hochreiter and Schmidhuber 1997; with
   peepholes Gers and Schmidhuber 2000; with convolutional gates Shi et al. 2015).

       i  = s(z_i + w_i . c)            z [N, 4H, ...] holds z_i, z_f, z_o, z_g in this order, H channels each
       f  = s(z_f + w_f . c + b)        c [N, H, ...] is the cell state that comes in; b is the forget_bias
       g  = a(z_g)                      a: tanh, sigmoid or relu
       c' = f . c + i . g
       o  = s(z_o + w_o . c')           s: the logistic function; . is element by element
       h  = o . p(c')                   p: tanh or relu

   w_i, w_f, w_o: peepholes, left out or [H] or [H, ...], each on its own. Outputs: h and c', [N, H, ...], and the
   activated gates i, f, o, g, [N, 4H, ...], which is all that the backward pass needs: z itself may die.

   Why fused: from element-wise ops a step reads and writes some fifteen tensors and keeps ten for the backward pass;
   fused it reads two, writes three and keeps three. lstm_cell_composed below is the same thing spelled out, and a test
   holds the two equal. NaN in, NaN out, at the places that depend on it.

   Gradient: lstm_cell_gradient. */
#include "ops/lstm_cell.h"

#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

#define FIELD(name) offsetof(reel_lstm_cell_attr, name)
const reel_attr reel_lstm_cell_attrs[] = {
    {"candidate", REEL_ATTR_CHOICE, FIELD(candidate), 0, "tanh", "tanh|sigmoid|relu", "activation of the candidate"},
    {"output", REEL_ATTR_CHOICE, FIELD(output), 0, "tanh", "tanh|sigmoid|relu", "tanh or relu, of the state in h"},
    {"forget_bias", REEL_ATTR_FLOAT, FIELD(forget_bias), 0, "0", NULL, "added to the forget gate"},
    {0},
};

reel_tensor *reel_lstm_cell(reel_tensor *z, reel_tensor *c, reel_tensor *const peepholes[3], reel_lstm_cell_attr attr,
                            reel_tensor **c_out)
{
    reel_tensor *input[5] = {z, c};
    for (int k = 0; peepholes && k < 3; k++) input[2 + k] = peepholes[k];
    reel_tensor *h = reel_apply(z->graph, &reel_op_lstm_cell, input, peepholes ? 5 : 2, &attr);
    *c_out = reel_output(h, 1);
    return h;
}

/* --- shape --- */

const char *reel_lstm_peephole_wrong(const reel_tensor *weight, const reel_tensor *c)
{
    if (!weight) return NULL;
    bool fits = weight->dtype == c->dtype && (weight->shape.rank == 1 || weight->shape.rank == c->shape.rank - 1);
    for (int k = 0; fits && k < weight->shape.rank; k++) fits = weight->shape.size[k] == c->shape.size[k + 1];
    return fits ? NULL : "a peephole weight has one value a channel, [H], or one a channel and position, [H, ...]";
}

static bool shape_rule(reel_rule *r)
{
    const reel_lstm_cell_attr *a = r->attr;
    const reel_tensor *z = r->input[0], *c = r->input[1];
    if (!reel_dtype_is_float(z->dtype) || c->dtype != z->dtype)
        return reel_reject(r, "gates and state must be of one float dtype; reel_cast converts");
    if (z->shape.rank < 2 || c->shape.rank != z->shape.rank)
        return reel_reject(r, "gates are [N, 4H, ...] and the state [N, H, ...]");
    for (int k = 0; k < z->shape.rank; k++)
        if (z->shape.size[k] / (k == 1 ? 4 : 1) != c->shape.size[k] || (k == 1 && z->shape.size[k] % 4))
            return reel_reject(r,
                               "axis %d has %lld in the gates and %lld in the state; gates have 4 channels for one"
                               " of the state, and all else alike",
                               k, (long long)z->shape.size[k], (long long)c->shape.size[k]);
    for (int k = 2; k < r->inputs; k++) {
        const char *wrong = reel_lstm_peephole_wrong(r->input[k], c);
        if (wrong) return reel_reject(r, "%s", wrong);
    }
    if (a->candidate < REEL_LSTM_TANH || a->candidate > REEL_LSTM_RELU)
        return reel_reject(r, "the candidate's activation is tanh, sigmoid or relu");
    if (a->output != REEL_LSTM_TANH && a->output != REEL_LSTM_RELU)
        return reel_reject(r, "the output's activation is tanh or relu");
    r->shape[0] = r->shape[1] = c->shape;
    r->shape[2] = z->shape;
    r->dtype[0] = r->dtype[1] = r->dtype[2] = z->dtype;
    return true;
}

reel_tensor *reel_lstm_peephole_aligned(reel_tensor *weight, const reel_tensor *c)
{
    if (!weight || weight->shape.rank != 1 || c->shape.rank == 2) return weight;
    reel_shape shape = {.rank = c->shape.rank - 1, .size = {weight->shape.size[0]}};
    for (int k = 1; k < shape.rank; k++) shape.size[k] = 1;
    return reel_reshape(weight, shape);
}

/* --- gradient --- */

reel_tensor *reel_lstm_peephole_sum(reel_tensor *dw, const reel_tensor *weight)
{
    if (!dw || weight->shape.rank != 1) return dw; /* the walker sums over the batch, as for any broadcast */
    reel_ints axes = {.count = 1, .at = {0}};
    for (int k = 2; k < dw->shape.rank; k++) axes.at[axes.count++] = k;
    return reel_sum(dw, axes, false);
}

static void gradient_rule(reel_gradient *g)
{
    const reel_lstm_cell_attr *a = g->attr;
    reel_tensor *c_in = g->x[1], *dc_in, *peepholes[3] = {NULL};
    for (int k = 2; k < g->inputs; k++) peepholes[k - 2] = g->x[k];
    reel_tensor *dz = reel_lstm_cell_gradient(g->y[2], c_in, g->y[1], g->dy, peepholes, *a, &dc_in);
    g->dx[0] = dz;
    g->dx[1] = dc_in;
    int64_t channels = c_in->shape.size[1];
    for (int k = 0; k < g->inputs - 2; k++)
        if (g->wanted[2 + k])
            g->dx[2 + k] = reel_lstm_peephole_sum(
                reel_mul(reel_slice1(dz, 1, k * channels, (k + 1) * channels), k == 2 ? g->y[1] : c_in), peepholes[k]);
}

/* --- reference --- */

static void cell(const reel_call *call, int64_t n, int64_t k, int64_t s, int64_t channels, int64_t plane)
{
    const reel_lstm_cell_attr *a = call->attr;
    const reel_array *z = &call->input[0], *gates = &call->output[2];
    int64_t at = (n * channels + k) * plane + s, gate[4];
    double w[3] = {0}, c_in = reel_value(&call->input[1], at);
    for (int q = 0; q < 4; q++) gate[q] = ((n * 4 + q) * channels + k) * plane + s;
    for (int q = 0; q < 3 && 2 + q < call->inputs; q++)
        if (call->input[2 + q].data)
            w[q] = reel_value(&call->input[2 + q], reel_lstm_peephole_at(&call->input[2 + q], k, s, plane));
    double i = reel_lstm_activate(REEL_LSTM_SIGMOID, reel_value(z, gate[0]) + w[0] * c_in);
    double f = reel_lstm_activate(REEL_LSTM_SIGMOID, reel_value(z, gate[1]) + w[1] * c_in + a->forget_bias);
    double g = reel_lstm_activate(a->candidate, reel_value(z, gate[3]));
    double c = f * c_in + i * g;
    double o = reel_lstm_activate(REEL_LSTM_SIGMOID, reel_value(z, gate[2]) + w[2] * c);
    reel_set_value(&call->output[0], at, o * reel_lstm_activate(a->output, c));
    reel_set_value(&call->output[1], at, c);
    reel_set_value(gates, gate[0], i);
    reel_set_value(gates, gate[1], f);
    reel_set_value(gates, gate[2], o);
    reel_set_value(gates, gate[3], g);
}

reel_status reel_lstm_each(const reel_call *call, reel_lstm_element *element)
{
    const reel_shape *c = &call->input[1].shape;
    int64_t plane = 1;
    for (int k = 2; k < c->rank; k++) plane *= c->size[k];
    for (int64_t n = 0; n < c->size[0]; n++)
        for (int64_t k = 0; k < c->size[1]; k++)
            for (int64_t s = 0; s < plane; s++) element(call, n, k, s, c->size[1], plane);
    return REEL_OK;
}

static reel_status reference(const reel_call *call)
{
    return reel_lstm_each(call, cell);
}

static double flops(const reel_node *node)
{
    return 25 * (double)reel_elements(&node->output[0].shape);
}

const reel_op reel_op_lstm_cell = {.name = "lstm_cell",
                                   .summary = "c' = f.c + i.g, h = o.p(c') from gates before activation",
                                   .least_inputs = 2,
                                   .most_inputs = 5,
                                   .outputs = 3,
                                   .attr_size = sizeof(reel_lstm_cell_attr),
                                   .attrs = reel_lstm_cell_attrs,
                                   .shape = shape_rule,
                                   .gradient = gradient_rule,
                                   .reference = {reference, NULL},
                                   .flops = flops};
