/* cross_entropy: y[n, ...] = L - x[n, t, ...], with L[n, ...] = log sum over k of exp(x[n, k, ...]) and t = t[n, ...];
   0 where the label is the ignored one.

   x [N, K, ...] float, t i32 [N, ...]. Outputs: y and L, [N, ...]. L is taken relative to the largest score, so that
   no score is too large for exp; +inf among the scores, or NaN, gives NaN. A label out of range is refused, naming it.
   Reductions and class weights are losses.c's.

   Why not log_softmax and pick: log_softmax would write and keep K numbers an element for the backward pass, which for
   42 classes at every pixel of every frame is the largest tensor of the loss. Here two are kept; the scores, which
   their maker keeps anyway, are read again.

   Gradient: from y, cross_entropy_gradient; from L, dL times the softmax. */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

#include <math.h>
static bool shape_rule(reel_rule *r)
{
    if (!reel_label_fit(r, r->input[0], r->input[1])) return false;
    r->shape[0] = r->shape[1] = r->input[1]->shape;
    r->dtype[0] = r->dtype[1] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    reel_tensor *x = g->x[0], *dx = NULL;
    reel_shape column = reel_label_scores(&g->x[1]->shape, 1);
    if (!g->wanted[0]) return;
    if (g->dy[0])
        dx = reel_apply(g->graph, &reel_op_cross_entropy_gradient, (reel_tensor *[]){x, g->x[1], g->y[1], g->dy[0]}, 4,
                        g->attr);
    if (g->dy[1]) {
        reel_tensor *softmax = reel_exp(reel_sub(x, reel_reshape(g->y[1], column)));
        reel_tensor *part = reel_mul(softmax, reel_reshape(g->dy[1], column));
        dx = dx ? reel_add(dx, part) : part;
    }
    g->dx[0] = dx;
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0];
    const int32_t *t = call->input[1].data;
    int ignore = ((const reel_label_attr *)call->attr)->ignore_index;
    reel_label_extent e = reel_label_extent_of(&x->shape);
    reel_status status = reel_label_check(call, &call->input[1], e.classes, ignore);
    for (int64_t n = 0; !status && n < e.samples; n++)
        for (int64_t p = 0; p < e.positions; p++) {
            int64_t first = n * e.classes * e.positions + p, at = n * e.positions + p;
            double largest = reel_value(x, first);
            for (int64_t k = 1; k < e.classes; k++) {
                double value = reel_value(x, first + k * e.positions);
                largest = value > largest ? value : largest;
            }
            double sum = exp(reel_value(x, first) - largest);
            for (int64_t k = 1; k < e.classes; k++) sum += exp(reel_value(x, first + k * e.positions) - largest);
            double total = largest + log(sum);
            reel_set_value(&call->output[0], at,
                           t[at] == ignore ? 0 : total - reel_value(x, first + t[at] * e.positions));
            reel_set_value(&call->output[1], at, total);
        }
    return status;
}

static double flops(const reel_node *node)
{
    return 4 * (double)reel_elements(&node->input[0]->shape);
}

const reel_op reel_op_cross_entropy = {.name = "cross_entropy",
                                       .summary = "log sum exp(x) - x[label], and the log of the sum",
                                       .least_inputs = 2,
                                       .most_inputs = 2,
                                       .outputs = 2,
                                       .attr_size = sizeof(reel_label_attr),
                                       .attrs = reel_label_attrs,
                                       .shape = shape_rule,
                                       .gradient = gradient_rule,
                                       .reference = {reference, NULL},
                                       .flops = flops};
