/* pick: y[n, ...] = x[n, t[n, ...], ...], the score of the right class; 0 where the label is the ignored one.

   x [N, K, ...] float, t i32 [N, ...], y [N, ...]. A label out of range is refused, naming it. It is linear in x.
   Gradient: dx = pick_gradient(dy, t); the two are each other's adjoint. */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

reel_tensor *reel_pick(reel_tensor *x, reel_tensor *target, int ignore_index)
{
    reel_label_attr attr = {ignore_index};
    return reel_apply2(&reel_op_pick, &attr, x, target);
}

static bool shape_rule(reel_rule *r)
{
    if (!reel_label_fit(r, r->input[0], r->input[1])) return false;
    r->shape[0] = r->input[1]->shape;
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_label_attr *a = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_pick_gradient(g->dy[0], g->x[1], (int)g->x[0]->shape.size[1], a->ignore_index);
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
            int32_t k = t[n * e.positions + p];
            double value = k == ignore ? 0 : reel_value(x, (n * e.classes + k) * e.positions + p);
            reel_set_value(&call->output[0], n * e.positions + p, value);
        }
    return status;
}

const reel_op reel_op_pick = {.name = "pick",
                              .summary = "the score at the label",
                              .least_inputs = 2,
                              .most_inputs = 2,
                              .outputs = 1,
                              .attr_size = sizeof(reel_label_attr),
                              .attrs = reel_label_attrs,
                              .shape = shape_rule,
                              .gradient = gradient_rule,
                              .reference = {reference, NULL}};
