/* lstm_cell_gradient: the backward pass of lstm_cell, from the activated gates.

   Inputs: gates i, f, o, g [N, 4H, ...]; c [N, H, ...], the state that came in; c' [N, H, ...], the one that went out;
   then, each of which may be left out but keeps its place: dh, dc' [N, H, ...] and e [N, 4H, ...], the gradients that
   reach h, c' and the gates; w_i, w_f, w_o, the peepholes. With A(s) = s (1 - s), the slope of the logistic function, G
   that of the candidate from its value, and p the activation of the output:

       u    = dh . p(c') + e_o                     dz_o = u . A(o)
       d    = dc' + dh . o . p'(c') + w_o . dz_o   what reaches c' in all
       dz_i = (d . g + e_i) . A(i)                 dz_f = (d . c + e_f) . A(f)
       dz_g = (d . i + e_g) . G(g)                 dc = d . f + w_i . dz_i + w_f . dz_f

   Outputs: dz [N, 4H, ...] and dc [N, H, ...]. Its own gradient is the derivative of these lines, from element-wise
   ops; e is what reaches the gates from there when gradients of gradients are taken. */
#include "ops/lstm_cell.h"

#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

enum { GATES, C_IN, C_OUT, DH, DC, DGATES, PEEPHOLES, INPUTS = PEEPHOLES + 3 };
enum { I, F, O, G };

reel_tensor *reel_lstm_cell_gradient(reel_tensor *gates, reel_tensor *c_in, reel_tensor *c, reel_tensor *const dy[3],
                                     reel_tensor *const peepholes[3], reel_lstm_cell_attr attr, reel_tensor **dc_in)
{
    reel_tensor *input[INPUTS] = {gates, c_in, c, dy[0], dy[1], dy[2], peepholes[0], peepholes[1], peepholes[2]};
    attr.forget_bias = 0; /* it is in the gates already */
    reel_tensor *dz = reel_apply(gates->graph, &reel_op_lstm_cell_gradient, input, INPUTS, &attr);
    *dc_in = reel_output(dz, 1);
    return dz;
}

static bool shape_rule(reel_rule *r)
{
    const reel_lstm_cell_attr *a = r->attr;
    const reel_tensor *gates = r->input[GATES], *c = r->input[C_IN];
    if (r->inputs != INPUTS) return reel_reject(r, "takes %d inputs; NULL for those left out", INPUTS);
    bool fits = reel_dtype_is_float(gates->dtype) && gates->shape.rank >= 2 && c->shape.rank == gates->shape.rank;
    for (int k = 0; fits && k < c->shape.rank; k++) fits = gates->shape.size[k] == c->shape.size[k] * (k == 1 ? 4 : 1);
    for (int i = 0; i < PEEPHOLES; i++) {
        const reel_tensor *x = r->input[i], *like = i == GATES || i == DGATES ? gates : c;
        fits = fits && (!x || (x->dtype == gates->dtype && reel_shape_equal(&x->shape, &like->shape)));
    }
    if (!fits)
        return reel_reject(r, "gates and their gradient must be [N, 4H, ...], all other inputs [N, H, ...], and all of"
                              " one float dtype");
    for (int i = PEEPHOLES; i < INPUTS; i++) {
        const char *wrong = reel_lstm_peephole_wrong(r->input[i], c);
        if (wrong) return reel_reject(r, "%s", wrong);
    }
    if (a->candidate < REEL_LSTM_TANH || a->candidate > REEL_LSTM_RELU ||
        (a->output != REEL_LSTM_TANH && a->output != REEL_LSTM_RELU))
        return reel_reject(r, "the candidate's activation is tanh, sigmoid or relu; the output's tanh or relu");
    r->shape[0] = gates->shape;
    r->shape[1] = c->shape;
    r->dtype[0] = r->dtype[1] = gates->dtype;
    return true;
}

/* --- gradient: sums and products in which NULL is zero --- */

static reel_tensor *plus(reel_tensor *a, reel_tensor *b)
{
    return a && b ? reel_add(a, b) : a ? a : b;
}
static reel_tensor *times(reel_tensor *a, reel_tensor *b)
{
    return a && b ? reel_mul(a, b) : NULL;
}
static reel_tensor *times3(reel_tensor *a, reel_tensor *b, reel_tensor *c)
{
    return times(times(a, b), c);
}

/* The derivative A(s) = s (1 - s) has itself the derivative 1 - 2 s. */
static reel_tensor *one_minus(reel_tensor *x)
{
    return reel_sub(reel_scalar_like(x, 1), x);
}
static reel_tensor *logistic_slope(reel_tensor *s)
{
    return reel_mul(s, one_minus(s));
}
static reel_tensor *logistic_bend(reel_tensor *s)
{
    return one_minus(reel_scale(s, 2));
}

static reel_tensor *positive(reel_tensor *x)
{
    return reel_greater(x, reel_scalar_like(x, 0));
}

/* The candidate's slope from its value, and the derivative of that. */
static reel_tensor *candidate_slope(int kind, reel_tensor *g)
{
    if (kind == REEL_LSTM_RELU) return positive(g);
    return kind == REEL_LSTM_TANH ? one_minus(reel_square(g)) : logistic_slope(g);
}

static reel_tensor *candidate_bend(int kind, reel_tensor *g)
{
    if (kind == REEL_LSTM_RELU) return NULL;
    return kind == REEL_LSTM_TANH ? reel_scale(g, -2) : logistic_bend(g);
}

/* What reaches each input of the op, as formulas; NULL is zero. */
typedef struct {
    reel_tensor *gate[4], *c_in, *c, *dh, *dc, *dgate[4], *w[3];
} derivative;

typedef struct {
    int candidate;
    reel_tensor *gate[4], *c_in, *dh, *e[4], *w[3]; /* inputs */
    reel_tensor *p, *p1, *p2;                       /* activation of the output at c', its first two derivatives */
    reel_tensor *dz[4], *d;                         /* the lines of the header again */
    reel_tensor *a[4], *b;                          /* cotangents of dz and dc */
} pieces;

/* From the cotangents of dz_i, dz_f, dz_g and dc to that of d, then through d and dz_o to everything else. */
static derivative differentiate(const pieces *s)
{
    derivative r = {.gate = {NULL}};
    reel_tensor *const *q = s->gate, *slope[4] = {[I] = logistic_slope(q[I]),
                                                  [F] = logistic_slope(q[F]),
                                                  [O] = logistic_slope(q[O]),
                                                  [G] = candidate_slope(s->candidate, q[G])};
    reel_tensor *a[4] = {plus(s->a[I], times(s->b, s->w[I])), plus(s->a[F], times(s->b, s->w[F])), s->a[O], s->a[G]};
    reel_tensor *into[3] = {times(a[I], slope[I]), times(a[F], slope[F]), times(a[G], slope[G])}; /* i, f, g */
    reel_tensor *cd =
        plus(plus(times(s->b, q[F]), times(into[0], q[G])), plus(times(into[1], s->c_in), times(into[2], q[I])));
    a[O] = plus(a[O], times(cd, s->w[O]));
    reel_tensor *into_o = times(a[O], slope[O]), *u = plus(times(s->dh, s->p), s->e[O]);
    r.gate[I] = plus(times3(a[I], plus(times(s->d, q[G]), s->e[I]), logistic_bend(q[I])), times(into[2], s->d));
    r.gate[F] = plus(times3(a[F], plus(times(s->d, s->c_in), s->e[F]), logistic_bend(q[F])), times(s->b, s->d));
    r.gate[O] = plus(times3(a[O], u, logistic_bend(q[O])), times3(cd, s->dh, s->p1));
    r.gate[G] =
        plus(times3(a[G], plus(times(s->d, q[I]), s->e[G]), candidate_bend(s->candidate, q[G])), times(into[0], s->d));
    r.c_in = times(into[1], s->d);
    r.c = plus(times(times3(cd, s->dh, q[O]), s->p2), times3(into_o, s->dh, s->p1));
    r.dh = plus(times3(cd, q[O], s->p1), times(into_o, s->p));
    r.dc = cd;
    r.dgate[I] = into[0];
    r.dgate[F] = into[1];
    r.dgate[O] = into_o;
    r.dgate[G] = into[2];
    r.w[I] = times(s->b, s->dz[I]);
    r.w[F] = times(s->b, s->dz[F]);
    r.w[O] = times(cd, s->dz[O]);
    return r;
}

/* Cuts a [N, 4H, ...] tensor, NULL or not, into its four gates. */
static void cut(reel_tensor *x, reel_tensor *part[4])
{
    if (x) reel_split(x, 1, 4, part);
}

/* Four gates side by side; zero where nothing reaches. */
static reel_tensor *joined(reel_tensor *const part[4], reel_tensor *like)
{
    reel_tensor *whole[4];
    bool any = false;
    for (int k = 0; k < 4; k++) {
        any |= part[k] != NULL;
        whole[k] = part[k] ? part[k] : reel_broadcast_to(reel_scalar_like(like, 0), like->shape);
    }
    return any ? reel_concat(whole, 4, 1) : NULL;
}

static pieces gather_pieces(const reel_gradient *g)
{
    const reel_lstm_cell_attr *a = g->attr;
    reel_tensor *c = g->x[C_OUT], *dc = g->x[DC];
    pieces s = {.candidate = a->candidate, .c_in = g->x[C_IN], .dh = g->x[DH], .b = g->dy[1]};
    cut(g->x[GATES], s.gate);
    cut(g->x[DGATES], s.e);
    cut(g->y[0], s.dz);
    cut(g->dy[0], s.a);
    for (int k = 0; k < 3; k++) s.w[k] = reel_lstm_peephole_aligned(g->x[PEEPHOLES + k], c);
    if (a->output == REEL_LSTM_TANH) {
        s.p = reel_tanh(c);
        s.p1 = one_minus(reel_square(s.p));
        s.p2 = reel_scale(reel_mul(s.p, s.p1), -2);
    } else {
        s.p = reel_relu(c);
        s.p1 = positive(c);
    }
    s.d = plus(plus(dc, times3(s.dh, s.gate[O], s.p1)), times(s.dz[O], s.w[O]));
    return s;
}

static void gradient_rule(reel_gradient *g)
{
    pieces s = gather_pieces(g);
    derivative r = differentiate(&s);
    reel_tensor *c = g->x[C_IN];
    g->dx[GATES] = joined(r.gate, c);
    g->dx[C_IN] = r.c_in;
    g->dx[C_OUT] = r.c;
    g->dx[DH] = r.dh;
    g->dx[DC] = r.dc;
    if (g->wanted[DGATES]) g->dx[DGATES] = joined(r.dgate, c);
    for (int k = 0; k < 3; k++)
        if (g->wanted[PEEPHOLES + k]) g->dx[PEEPHOLES + k] = reel_lstm_peephole_sum(r.w[k], g->x[PEEPHOLES + k]);
}

/* --- reference --- */

static double value_or_zero(const reel_call *call, int input, int64_t at)
{
    return call->input[input].data ? reel_value(&call->input[input], at) : 0;
}

static void cell(const reel_call *call, int64_t n, int64_t k, int64_t s, int64_t channels, int64_t plane)
{
    const reel_lstm_cell_attr *a = call->attr;
    int64_t at = (n * channels + k) * plane + s, gate[4];
    double q[4], e[4], w[3] = {0};
    for (int j = 0; j < 4; j++) {
        gate[j] = ((n * 4 + j) * channels + k) * plane + s;
        q[j] = reel_value(&call->input[GATES], gate[j]);
        e[j] = value_or_zero(call, DGATES, gate[j]);
    }
    for (int j = 0; j < 3; j++)
        if (call->input[PEEPHOLES + j].data)
            w[j] = reel_value(&call->input[PEEPHOLES + j],
                              reel_lstm_peephole_at(&call->input[PEEPHOLES + j], k, s, plane));
    double c_in = reel_value(&call->input[C_IN], at),
           p = reel_lstm_activate(a->output, reel_value(&call->input[C_OUT], at));
    double dh = value_or_zero(call, DH, at), dc = value_or_zero(call, DC, at);
    double dz_o = (dh * p + e[O]) * q[O] * (1 - q[O]);
    double d = dc + dh * q[O] * reel_lstm_slope(a->output, p) + w[O] * dz_o;
    double dz_i = (d * q[G] + e[I]) * q[I] * (1 - q[I]);
    double dz_f = (d * c_in + e[F]) * q[F] * (1 - q[F]);
    reel_set_value(&call->output[0], gate[I], dz_i);
    reel_set_value(&call->output[0], gate[F], dz_f);
    reel_set_value(&call->output[0], gate[O], dz_o);
    reel_set_value(&call->output[0], gate[G], (d * q[I] + e[G]) * reel_lstm_slope(a->candidate, q[G]));
    reel_set_value(&call->output[1], at, d * q[F] + w[I] * dz_i + w[F] * dz_f);
}

static reel_status reference(const reel_call *call)
{
    return reel_lstm_each(call, cell);
}

static double flops(const reel_node *node)
{
    return 30 * (double)reel_elements(&node->output[1].shape);
}

const reel_op reel_op_lstm_cell_gradient = {.name = "lstm_cell_gradient",
                                            .summary = "backward pass of lstm_cell",
                                            .least_inputs = 3,
                                            .most_inputs = INPUTS,
                                            .outputs = 2,
                                            .attr_size = sizeof(reel_lstm_cell_attr),
                                            .attrs = reel_lstm_cell_attrs,
                                            .shape = shape_rule,
                                            .gradient = gradient_rule,
                                            .reference = {reference, NULL},
                                            .flops = flops};
