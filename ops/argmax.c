/* argmax: y = the position of the largest element along one axis, as i32; of several the first. A NaN counts as larger
   than any number, as in NumPy and torch. Constant almost everywhere: no gradient. */
#include "ops/ops.h"
#include "ops/value.h"

#include <limits.h>
#include <stddef.h>

static const reel_attr attributes[] = {
    {"axis", REEL_ATTR_INT, offsetof(reel_argmax_attr, axis), 1, "0", NULL, "axis that is searched"},
    {"keep", REEL_ATTR_BOOL, offsetof(reel_argmax_attr, keep), 1, "0", NULL, "leave a size of 1 where the axis was"},
    {0}};

reel_tensor *reel_argmax(reel_tensor *x, int axis, bool keep)
{
    return reel_apply1(&reel_op_argmax, (&(reel_argmax_attr){axis, keep}), x);
}

static bool shape(reel_rule *r)
{
    const reel_argmax_attr *attr = r->attr;
    const reel_tensor *x = r->input[0];
    int axis = reel_shape_axis(&x->shape, attr->axis);
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "searches floats; reel_cast converts");
    if (axis < 0) return reel_reject(r, "axis %d is out of range for rank %d", attr->axis, x->shape.rank);
    if (x->shape.size[axis] < 1 || x->shape.size[axis] > INT_MAX)
        return reel_reject(r, "axis %d has size %lld, expected 1 to %d", axis, (long long)x->shape.size[axis], INT_MAX);
    r->dtype[0] = REEL_I32;
    for (int i = 0; i < x->shape.rank; i++)
        if (i != axis || attr->keep) r->shape[0].size[r->shape[0].rank++] = i == axis ? 1 : x->shape.size[i];
    return true;
}

static reel_status argmax_reference(const reel_call *call)
{
    const reel_shape *x = &call->input[0].shape;
    int axis = reel_shape_axis(x, ((const reel_argmax_attr *)call->attr)->axis);
    int32_t *y = call->output[0].data;
    int64_t n = x->size[axis], inner = 1, outputs = reel_elements(&call->output[0].shape);
    for (int i = axis + 1; i < x->rank; i++) inner *= x->size[i];
    for (int64_t o = 0; o < outputs; o++) {
        int64_t base = o / inner * n * inner + o % inner, best = 0;
        double largest = reel_value(&call->input[0], base);
        for (int64_t k = 1; k < n && largest == largest; k++) {
            double v = reel_value(&call->input[0], base + k * inner);
            if (v <= largest) continue;
            largest = v;
            best = k;
        }
        y[o] = (int32_t)best;
    }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    return (double)reel_elements(&node->input[0]->shape);
}

const reel_op reel_op_argmax = {.name = "argmax",
                                .summary = "the position of the largest element along an axis",
                                .least_inputs = 1,
                                .most_inputs = 1,
                                .outputs = 1,
                                .flags = REEL_OP_NO_GRADIENT,
                                .attr_size = sizeof(reel_argmax_attr),
                                .attrs = attributes,
                                .shape = shape,
                                .reference = {argmax_reference, NULL},
                                .flops = flops};
