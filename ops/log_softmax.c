/* log_softmax: y_k = x_k - log(sum over j of exp(x_j)), along one axis, any shape: the logarithm of softmax, finite
   where softmax itself is too small for a float.

   The largest x is subtracted first, so that no exponential overflows. A NaN or an infinity above makes its whole line
   NaN, as does a line of -infinity alone; a single -infinity gives -infinity.
   Gradient: dy - exp(y) * (sum of dy over the axis), from the output alone, so that x need not be kept. */
#include "ops/softmax.h"

#include "ops/ops.h"

#include <math.h>

reel_tensor *reel_log_softmax(reel_tensor *x, int axis)
{
    return reel_apply1(&reel_op_log_softmax, &(reel_softmax_attr){axis}, x);
}

static void gradient(reel_gradient *g)
{
    reel_ints axis = REEL_INTS(((const reel_softmax_attr *)g->attr)->axis);
    reel_tensor *y = g->y[0], *dy = g->dy[0];
    g->dx[0] = reel_sub(dy, reel_mul(reel_exp(y), reel_cast(reel_sum(dy, axis, true), dy->dtype)));
}

static double logarithm(double shifted, double sum)
{
    return shifted - log(sum);
}

static reel_status log_softmax_reference(const reel_call *call)
{
    return reel_softmax_run(call, logarithm);
}

const reel_op reel_op_log_softmax = {.name = "log_softmax",
                                     .summary = "x - log(the sum of exp(x) along an axis)",
                                     .least_inputs = 1,
                                     .most_inputs = 1,
                                     .outputs = 1,
                                     .flags = REEL_OP_INPLACE,
                                     .attr_size = sizeof(reel_softmax_attr),
                                     .attrs = reel_softmax_attributes,
                                     .shape = reel_softmax_shape,
                                     .gradient = gradient,
                                     .reference = {log_softmax_reference, NULL},
                                     .samples = reel_softmax_samples,
                                     .flops = reel_softmax_flops};
