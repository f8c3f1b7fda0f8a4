/* max: y = the largest element of x over some axes, of all of them when none is named; that of no elements is refused.
   NaN when any of them is NaN. Gradient: dy shared evenly among the elements that equal y, as torch's amax does; it
   does not depend on their order. */
#include "ops/ops.h"
#include "ops/fold.h"

#include <math.h>

reel_tensor *reel_max(reel_tensor *x, reel_ints axes, bool keep)
{
    return reel_apply1(&reel_op_max, (&(reel_reduce_attr){axes, keep}), x);
}

static double largest(double a, double b)
{
    return b > a || b != b ? b : a;
}

static reel_status max_reference(const reel_call *call)
{
    return reel_fold_run(call, -INFINITY, largest, false);
}

const reel_op reel_op_max = {.name = "max",
                             .summary = "the largest element of x over some axes",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .attr_size = sizeof(reel_reduce_attr),
                             .attrs = reel_fold_attrs,
                             .shape = reel_fold_shape_nonempty,
                             .gradient = reel_fold_extreme_gradient,
                             .reference = {max_reference, NULL},
                             .flops = reel_fold_flops};
