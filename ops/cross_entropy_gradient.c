/* cross_entropy_gradient: y[n, k, ...] = (exp(x[n, k, ...] - L[n, ...]) - [k = t[n, ...]]) d[n, ...], softmax less
   one-hot, times what reaches the loss; 0 where the label is the ignored one.

   x [N, K, ...] float, t i32 [N, ...], L and d [N, ...] (see cross_entropy), y of the shape of x. Cost: one read and
   one write of K numbers an element.

   Gradient, with g what reaches y, p = exp(x - L) and d' = d or 0 where ignored:
       dx = g p d'        dL = -d' sum over k of g p        dd = sum over k of g p, less g at the label; 0 if ignored */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

#include <math.h>
static bool shape_rule(reel_rule *r)
{
    const reel_tensor *x = r->input[0], *t = r->input[1];
    if (!reel_label_fit(r, x, t)) return false;
    for (int i = 2; i < 4; i++)
        if (r->input[i]->dtype != x->dtype || !reel_shape_equal(&r->input[i]->shape, &t->shape))
            return reel_reject(r, "input %d must have the shape of the labels and the dtype of the scores", i);
    r->shape[0] = x->shape;
    r->dtype[0] = x->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_label_attr *a = g->attr;
    reel_tensor *x = g->x[0], *t = g->x[1], *cotangent = g->dy[0];
    reel_shape column = reel_label_scores(&t->shape, 1);
    reel_tensor *ones = reel_broadcast_to(reel_scalar_like(x, 1), REEL_SHAPE(x->shape.size[1]));
    reel_tensor *counts = reel_class_weights(ones, t, a->ignore_index), *d = reel_mul(g->x[3], counts);
    reel_tensor *weighted = reel_mul(cotangent, reel_exp(reel_sub(x, reel_reshape(g->x[2], column))));
    reel_tensor *sum = reel_cast(reel_sum(weighted, REEL_INTS(1), false), x->dtype);
    if (g->wanted[0]) g->dx[0] = reel_mul(weighted, reel_reshape(d, column));
    if (g->wanted[2]) g->dx[2] = reel_neg(reel_mul(d, sum));
    if (g->wanted[3]) g->dx[3] = reel_sub(reel_mul(sum, counts), reel_pick(cotangent, t, a->ignore_index));
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0];
    const int32_t *t = call->input[1].data;
    int ignore = ((const reel_label_attr *)call->attr)->ignore_index;
    reel_label_extent e = reel_label_extent_of(&x->shape);
    reel_status status = reel_label_check(call, &call->input[1], e.classes, ignore);
    for (int64_t n = 0; !status && n < e.samples; n++)
        for (int64_t k = 0; k < e.classes; k++)
            for (int64_t p = 0; p < e.positions; p++) {
                int64_t to = (n * e.classes + k) * e.positions + p, at = n * e.positions + p;
                double softmax = exp(reel_value(x, to) - reel_value(&call->input[2], at));
                double y = (softmax - (t[at] == k)) * reel_value(&call->input[3], at);
                reel_set_value(&call->output[0], to, t[at] == ignore ? 0 : y);
            }
    return status;
}

static double flops(const reel_node *node)
{
    return 4 * (double)reel_elements(&node->output[0].shape);
}

const reel_op reel_op_cross_entropy_gradient = {.name = "cross_entropy_gradient",
                                                .summary = "(softmax(x) - one_hot(label)) d",
                                                .least_inputs = 4,
                                                .most_inputs = 4,
                                                .outputs = 1,
                                                .attr_size = sizeof(reel_label_attr),
                                                .attrs = reel_label_attrs,
                                                .shape = shape_rule,
                                                .gradient = gradient_rule,
                                                .reference = {reference, NULL},
                                                .flops = flops};
