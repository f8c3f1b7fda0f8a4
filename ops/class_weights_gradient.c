/* class_weights_gradient: y[k] = sum of dy over the elements whose label is k, without the ignored ones: the adjoint of
   class_weights.

   dy float and t i32 of one shape, y [classes]. The sum runs in the order of the elements, in double.
   Gradient: ddy = class_weights(dy', t). */
#include "ops/label.h"
#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

static const reel_attr attrs[] = {
    {"classes", REEL_ATTR_INT, offsetof(reel_class_count_attr, classes), 1, "2", NULL, "size of the output"},
    {"ignore_index", REEL_ATTR_INT, offsetof(reel_class_count_attr, ignore_index), 1, "-100", NULL,
     "label that counts as absent"},
    {0},
};

reel_tensor *reel_class_weights_gradient(reel_tensor *dy, reel_tensor *target, int classes, int ignore_index)
{
    reel_class_count_attr attr = {classes, ignore_index};
    return reel_apply2(&reel_op_class_weights_gradient, &attr, dy, target);
}

static bool shape_rule(reel_rule *r)
{
    const reel_class_count_attr *a = r->attr;
    if (!reel_dtype_is_float(r->input[0]->dtype) || r->input[1]->dtype != REEL_I32)
        return reel_reject(r, "the first input must be float and the labels i32; reel_cast converts");
    if (!reel_shape_equal(&r->input[0]->shape, &r->input[1]->shape))
        return reel_reject(r, "both inputs must have one shape");
    if (a->classes < 1) return reel_reject(r, "classes is %d, expected at least 1", a->classes);
    r->shape[0] = REEL_SHAPE(a->classes);
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_class_count_attr *a = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_class_weights(g->dy[0], g->x[1], a->ignore_index);
}

static size_t scratch(const reel_call *call)
{
    return (size_t)((const reel_class_count_attr *)call->attr)->classes * sizeof(double);
}

static reel_status reference(const reel_call *call)
{
    const reel_class_count_attr *a = call->attr;
    const int32_t *label = call->input[1].data;
    double *sum = call->scratch;
    int64_t elements = reel_elements(&call->input[1].shape);
    reel_status status = reel_label_check(call, &call->input[1], a->classes, a->ignore_index);
    for (int k = 0; k < a->classes; k++) sum[k] = 0;
    for (int64_t i = 0; !status && i < elements; i++)
        if (label[i] != a->ignore_index) sum[label[i]] += reel_value(&call->input[0], i);
    for (int k = 0; k < a->classes; k++) reel_set_value(&call->output[0], k, sum[k]);
    return status;
}

const reel_op reel_op_class_weights_gradient = {.name = "class_weights_gradient",
                                                .summary = "values summed by label",
                                                .least_inputs = 2,
                                                .most_inputs = 2,
                                                .outputs = 1,
                                                .attr_size = sizeof(reel_class_count_attr),
                                                .attrs = attrs,
                                                .shape = shape_rule,
                                                .gradient = gradient_rule,
                                                .reference = {reference, scratch}};
