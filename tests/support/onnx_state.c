/* Operators of ONNX that carry something along: batch normalisation, LSTM, Adam. */
#include "tests/support/onnx_build.h"

#include <math.h>
#include <string.h>

static void batch_norm(onnx_build *b)
{
    reel_tensor *in[5];
    double epsilon = onnx_float(b, "epsilon", 1e-5), momentum = onnx_float(b, "momentum", 0.9);
    onnx_ignore(b, "is_test");
    onnx_ignore(b, "spatial");
    for (int i = 0; i < 5; i++) in[i] = onnx_input(b, i);
    if (!onnx_int(b, "training_mode", 0)) {
        b->output[0] = reel_batch_norm(in[0], in[1], in[2], in[3], in[4], (reel_batch_norm_attr){.epsilon = epsilon});
        return;
    }
    reel_batch_norm_training how = {.epsilon = epsilon, .momentum = 1 - momentum, .unbiased = false};
    reel_batch_norm_result r = reel_batch_norm_train(in[0], in[1], in[2], in[3], in[4], how);
    b->output[0] = r.y;
    b->output[1] = r.mean;
    b->output[2] = r.variance;
}

/* --- LSTM --- */

typedef struct {
    reel_tensor *x;                           /* [S, N, I] */
    reel_tensor *w, *r, *bias, *peepholes[3]; /* of one direction, gates in reel's order */
    reel_tensor *h, *c;
    reel_tensor *y[256];
    int steps, hidden;
} lstm;

/* Rows of gates in the order input, output, forget, candidate become input, forget, output, candidate. */
static reel_tensor *reordered(reel_tensor *x, int axis, int hidden)
{
    static const int from[] = {0, 2, 1, 3};
    reel_tensor *gate[4];
    for (int i = 0; i < 4; i++)
        gate[i] = reel_slice1(x, axis, (int64_t)from[i] * hidden, (int64_t)(from[i] + 1) * hidden);
    return reel_concat(gate, 4, axis);
}

/* Entry `direction` of the first axis, which goes. */
static reel_tensor *of_direction(reel_tensor *x, int axis, int direction)
{
    reel_tensor *part = reel_slice1(x, axis, direction, direction + 1);
    if (reel_poisoned(part)) return part;
    reel_shape shape = {.rank = part->shape.rank - 1};
    for (int i = 0, k = 0; i < part->shape.rank; i++)
        if (i != axis) shape.size[k++] = part->shape.size[i];
    return reel_reshape(part, shape);
}

static void set_weights(onnx_build *b, lstm *l, int direction, bool batch_first)
{
    int64_t batch = l->x->shape.size[1];
    l->w = reordered(of_direction(onnx_input(b, 1), 0, direction), 0, l->hidden);
    l->r = reordered(of_direction(onnx_input(b, 2), 0, direction), 0, l->hidden);
    l->bias = NULL;
    if (onnx_has(b, 3)) {
        reel_tensor *both = of_direction(onnx_input(b, 3), 0, direction);
        l->bias = reordered(reel_add(reel_slice1(both, 0, 0, 4 * (int64_t)l->hidden),
                                     reel_slice1(both, 0, 4 * (int64_t)l->hidden, 8 * (int64_t)l->hidden)),
                            0, l->hidden);
    }
    static const int order[] = {0, 2, 1}; /* input, forget, output among input, output, forget */
    for (int i = 0; i < 3; i++)
        l->peepholes[i] = onnx_has(b, 7)
                              ? reel_slice1(of_direction(onnx_input(b, 7), 0, direction), 0,
                                            (int64_t)order[i] * l->hidden, (int64_t)(order[i] + 1) * l->hidden)
                              : NULL;
    reel_tensor *zero = reel_broadcast_to(reel_scalar_like(l->x, 0), REEL_SHAPE(batch, l->hidden));
    l->h = onnx_has(b, 5) ? of_direction(onnx_input(b, 5), batch_first, direction) : zero;
    l->c = onnx_has(b, 6) ? of_direction(onnx_input(b, 6), batch_first, direction) : zero;
}

static void run_lstm(lstm *l, bool backwards)
{
    for (int i = 0; i < l->steps; i++) {
        int t = backwards ? l->steps - 1 - i : i;
        reel_tensor *x = of_direction(l->x, 0, t);
        reel_tensor *z = reel_add(reel_matmul(x, l->w, false, true), reel_matmul(l->h, l->r, false, true));
        if (l->bias) z = reel_add(z, l->bias);
        l->h = reel_lstm_cell(z, l->c, l->peepholes[0] ? l->peepholes : NULL, (reel_lstm_cell_attr){0}, &l->c);
        l->y[t] = l->h;
    }
}

/* [N, H] of each direction side by side under one more axis. */
static reel_tensor *stacked(reel_tensor *const *part, int count, int axis)
{
    reel_tensor *list[256];
    for (int i = 0; i < count; i++) {
        if (reel_poisoned(part[i])) return part[i];
        reel_shape shape = {.rank = part[i]->shape.rank + 1};
        for (int k = 0, from = 0; k < shape.rank; k++) shape.size[k] = k == axis ? 1 : part[i]->shape.size[from++];
        list[i] = reel_reshape(part[i], shape);
    }
    return reel_concat(list, count, axis);
}

/* Sequences of unequal length, clipping and other activations have no words in reel. */
static void refuse_lstm(onnx_build *b, int steps)
{
    double length[REEL_MAX_RANK];
    int lengths = onnx_numbers(b, 4, length);
    for (int i = 0; i < lengths; i++)
        if ((int)length[i] != steps) onnx_absent(b, "LSTM over sequences of unequal length");
    if (onnx_int(b, "input_forget", 0)) onnx_absent(b, "LSTM with coupled gates");
    if (steps < 1 || steps > 256) onnx_absent(b, "LSTM over more than 256 steps");
}

static void build_lstm(onnx_build *b)
{
    const char *direction = onnx_text(b, "direction", "forward");
    bool both = !strcmp(direction, "bidirectional"), batch_first = onnx_int(b, "layout", 0) != 0;
    lstm l = {.x = onnx_input(b, 0), .hidden = (int)onnx_int(b, "hidden_size", 0)};
    reel_tensor *h[2], *c[2], *y[2];
    if (batch_first) l.x = reel_permute(l.x, REEL_INTS(1, 0, 2));
    if (reel_poisoned(l.x)) return;
    l.steps = (int)l.x->shape.size[0];
    refuse_lstm(b, l.steps);
    for (int d = 0; d < 1 + both && !*b->absent; d++) {
        set_weights(b, &l, d, batch_first);
        run_lstm(&l, d == 1 || !strcmp(direction, "reverse"));
        h[d] = l.h;
        c[d] = l.c;
        y[d] = stacked(l.y, l.steps, 0); /* [S, N, H] */
    }
    if (*b->absent) return;
    b->output[0] = stacked(y, 1 + both, 1); /* [S, D, N, H]; batch first [N, S, D, H] */
    if (batch_first) b->output[0] = reel_permute(b->output[0], REEL_INTS(2, 0, 1, 3));
    b->output[1] = stacked(h, 1 + both, batch_first);
    b->output[2] = stacked(c, 1 + both, batch_first);
}

/* --- Adam --- */

/* ONNX adds epsilon before the correction of bias, reel and torch after it, hence its division. At step 0 ONNX corrects
   nothing; so does reel at a step so late that the correction has worn off. */
static void adam(onnx_build *b)
{
    int tensors = (b->from->inputs - 2) / 4;
    double step = onnx_number(b, 1, 0), beta2 = onnx_float(b, "beta", 0.999), post = 1;
    reel_adam_attr attr = {.beta1 = onnx_float(b, "alpha", 0.9),
                           .beta2 = beta2,
                           .epsilon = onnx_float(b, "epsilon", 1e-6),
                           .l2 = onnx_float(b, "norm_coefficient", 0)};
    if (step > 0)
        attr.epsilon /= sqrt(1 - pow(beta2, step));
    else
        step = 1e9;
    post -= onnx_float(b, "norm_coefficient_post", 0);
    double rate = onnx_number(b, 0, 0);
    reel_tensor *at = reel_constant(b->graph, REEL_F64, REEL_SCALAR_SHAPE, &step);
    reel_tensor *lr = reel_constant(b->graph, REEL_F64, REEL_SCALAR_SHAPE, &rate);
    for (int i = 0; i < tensors; i++) {
        reel_tensor *w = onnx_changed_input(b, 2 + i), *gradient = onnx_input(b, 2 + tensors + i);
        reel_tensor *m = onnx_changed_input(b, 2 + 2 * tensors + i), *v = onnx_changed_input(b, 2 + 3 * tensors + i);
        reel_tensor *y = reel_adam(w, m, v, gradient, at, lr, NULL, attr);
        b->output[i] = post == 1 ? y : reel_scale(y, post);
        b->output[tensors + i] = reel_output(y, 1);
        b->output[2 * tensors + i] = reel_output(y, 2);
    }
}

const onnx_rule onnx_state_rules[] = {
    {"BatchNormalization", 5, batch_norm},
    {"LSTM", 3, build_lstm},
    {"Adam", 6, adam},
    {0},
};
