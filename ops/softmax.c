/* softmax: y_k = exp(x_k) / sum over j of exp(x_j), along one axis, any shape.

   The largest x is subtracted first, so that no exponential overflows. A NaN or an infinity above makes its whole line
   NaN, as does a line of -infinity alone; a single -infinity gives 0.
   Gradient: y * (dy - sum of dy * y over the axis), from the output alone, so that x need not be kept. */
#include "ops/softmax.h"

#include "ops/axis.h"
#include "ops/ops.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <math.h>
#include <stddef.h>

const reel_attr reel_softmax_attributes[] = {
    {"axis", REEL_ATTR_INT, offsetof(reel_softmax_attr, axis), 1, "1", NULL, "axis of the classes"}, {0}};

reel_tensor *reel_softmax(reel_tensor *x, int axis)
{
    return reel_apply1(&reel_op_softmax, &(reel_softmax_attr){axis}, x);
}

bool reel_softmax_shape(reel_rule *r)
{
    const reel_tensor *x = r->input[0];
    int axis = ((const reel_softmax_attr *)r->attr)->axis;
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "takes floats; reel_cast converts");
    if (reel_shape_axis(&x->shape, axis) < 0)
        return reel_reject(r, "axis %d is out of range for rank %d", axis, x->shape.rank);
    r->dtype[0] = x->dtype;
    r->shape[0] = x->shape;
    return true;
}

static void gradient(reel_gradient *g)
{
    reel_ints axis = REEL_INTS(((const reel_softmax_attr *)g->attr)->axis);
    reel_tensor *y = g->y[0], *dy = g->dy[0];
    g->dx[0] = reel_mul(y, reel_sub(dy, reel_cast(reel_sum(reel_mul(dy, y), axis, true), y->dtype)));
}

reel_status reel_softmax_run(const reel_call *call, double (*finish)(double shifted, double sum))
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    reel_axis_view v = reel_axis_view_of(&x->shape, ((const reel_softmax_attr *)call->attr)->axis);
    for (int64_t line = 0; line < v.outer * v.inner; line++) {
        int64_t at = line / v.inner * v.n * v.inner + line % v.inner;
        double largest = -INFINITY, sum = 0;
        for (int64_t k = 0; k < v.n; k++) {
            double value = reel_value(x, at + k * v.inner);
            largest = value > largest ? value : largest;
        }
        for (int64_t k = 0; k < v.n; k++) sum += exp(reel_value(x, at + k * v.inner) - largest);
        for (int64_t k = 0; k < v.n; k++) {
            double shifted = reel_value(x, at + k * v.inner) - largest;
            reel_set_value(y, at + k * v.inner, finish(shifted, sum));
        }
    }
    return REEL_OK;
}

static double share(double shifted, double sum)
{
    return exp(shifted) / sum;
}

static reel_status softmax_reference(const reel_call *call)
{
    return reel_softmax_run(call, share);
}

double reel_softmax_flops(const reel_node *node)
{
    return 5.0 * (double)reel_elements(&node->output[0].shape);
}

reel_samples reel_softmax_samples(const reel_node *node)
{
    return reel_samples_beside(node, ((const reel_softmax_attr *)node->attr)->axis);
}

const reel_op reel_op_softmax = {.name = "softmax",
                                 .summary = "exp(x) divided by its sum along an axis",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .flags = REEL_OP_INPLACE,
                                 .attr_size = sizeof(reel_softmax_attr),
                                 .attrs = reel_softmax_attributes,
                                 .shape = reel_softmax_shape,
                                 .gradient = gradient,
                                 .reference = {softmax_reference, NULL},
                                 .samples = reel_softmax_samples,
                                 .flops = reel_softmax_flops};
