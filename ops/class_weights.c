/* class_weights: y[...] = w[t[...]], the weight of each element's class; 0 where the label is the ignored one.

   w [K] float, t i32 of any shape, y of the shape of t. A label out of range is refused, naming it. With all weights 1
   it says which elements count. It is linear in w.
   Gradient: dw = class_weights_gradient(dy, t); the two are each other's adjoint. */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

reel_tensor *reel_class_weights(reel_tensor *weight, reel_tensor *target, int ignore_index)
{
    reel_label_attr attr = {ignore_index};
    return reel_apply2(&reel_op_class_weights, &attr, weight, target);
}

static bool shape_rule(reel_rule *r)
{
    if (!reel_dtype_is_float(r->input[0]->dtype) || r->input[1]->dtype != REEL_I32)
        return reel_reject(r, "weights must be float and labels i32; reel_cast converts");
    if (r->input[0]->shape.rank != 1 || r->input[0]->shape.size[0] < 1)
        return reel_reject(r, "weights must be [K], one a class");
    r->shape[0] = r->input[1]->shape;
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_label_attr *a = g->attr;
    if (g->wanted[0])
        g->dx[0] = reel_class_weights_gradient(g->dy[0], g->x[1], (int)g->x[0]->shape.size[0], a->ignore_index);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *w = &call->input[0], *t = &call->input[1];
    const int32_t *label = t->data;
    int ignore = ((const reel_label_attr *)call->attr)->ignore_index;
    int64_t elements = reel_elements(&t->shape);
    reel_status status = reel_label_check(call, t, w->shape.size[0], ignore);
    for (int64_t i = 0; !status && i < elements; i++)
        reel_set_value(&call->output[0], i, label[i] == ignore ? 0 : reel_value(w, label[i]));
    return status;
}

const reel_op reel_op_class_weights = {.name = "class_weights",
                                       .summary = "the weight of each label",
                                       .least_inputs = 2,
                                       .most_inputs = 2,
                                       .outputs = 1,
                                       .attr_size = sizeof(reel_label_attr),
                                       .attrs = reel_label_attrs,
                                       .shape = shape_rule,
                                       .gradient = gradient_rule,
                                       .reference = {reference, NULL}};
