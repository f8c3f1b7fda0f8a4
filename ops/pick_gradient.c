/* pick_gradient: y[n, k, ...] = dy[n, ...] where k = t[n, ...] is not the ignored label, else 0: the adjoint of pick.

   dy [N, ...] float, t i32 [N, ...], y [N, classes, ...]. Gradient: ddy = pick(dy', t). */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

static const reel_attr attrs[] = {
    {"classes", REEL_ATTR_INT, offsetof(reel_class_count_attr, classes), 1, "2", NULL, "size of the axis of classes"},
    {"ignore_index", REEL_ATTR_INT, offsetof(reel_class_count_attr, ignore_index), 1, "-100", NULL,
     "label that counts as absent"},
    {0},
};

reel_tensor *reel_pick_gradient(reel_tensor *dy, reel_tensor *target, int classes, int ignore_index)
{
    reel_class_count_attr attr = {classes, ignore_index};
    return reel_apply2(&reel_op_pick_gradient, &attr, dy, target);
}

static bool shape_rule(reel_rule *r)
{
    const reel_class_count_attr *a = r->attr;
    const reel_tensor *dy = r->input[0], *t = r->input[1];
    if (!reel_dtype_is_float(dy->dtype) || t->dtype != REEL_I32)
        return reel_reject(r, "the first input must be float and the labels i32; reel_cast converts");
    if (!reel_shape_equal(&dy->shape, &t->shape) || t->shape.rank < 1 || t->shape.rank >= REEL_MAX_RANK)
        return reel_reject(r, "both inputs must be [N, ...], of one shape, with %d axes at most", REEL_MAX_RANK - 1);
    if (a->classes < 1) return reel_reject(r, "classes is %d, expected at least 1", a->classes);
    r->shape[0] = reel_label_scores(&t->shape, a->classes);
    r->dtype[0] = dy->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_class_count_attr *a = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_pick(g->dy[0], g->x[1], a->ignore_index);
}

static reel_status reference(const reel_call *call)
{
    const reel_class_count_attr *a = call->attr;
    const reel_array *y = &call->output[0];
    const int32_t *t = call->input[1].data;
    reel_label_extent e = reel_label_extent_of(&y->shape);
    reel_status status = reel_label_check(call, &call->input[1], e.classes, a->ignore_index);
    for (int64_t n = 0; !status && n < e.samples; n++)
        for (int64_t k = 0; k < e.classes; k++)
            for (int64_t p = 0; p < e.positions; p++) {
                int64_t at = n * e.positions + p;
                bool here = t[at] == k && k != a->ignore_index;
                reel_set_value(y, (n * e.classes + k) * e.positions + p, here ? reel_value(&call->input[0], at) : 0);
            }
    return status;
}

const reel_op reel_op_pick_gradient = {.name = "pick_gradient",
                                       .summary = "values put at their labels, zero elsewhere",
                                       .least_inputs = 2,
                                       .most_inputs = 2,
                                       .outputs = 1,
                                       .attr_size = sizeof(reel_class_count_attr),
                                       .attrs = attrs,
                                       .shape = shape_rule,
                                       .gradient = gradient_rule,
                                       .reference = {reference, NULL}};
