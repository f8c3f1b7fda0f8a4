/* min: y = the smallest element of x over some axes, of all of them when none is named; that of no elements is refused.
   NaN when any of them is NaN. Gradient: dy shared evenly among the elements that equal y, as torch's amin does; it
   does not depend on their order. */
#include "ops/ops.h"
#include "ops/fold.h"

#include <math.h>

reel_tensor *reel_min(reel_tensor *x, reel_ints axes, bool keep)
{
    return reel_apply1(&reel_op_min, (&(reel_reduce_attr){axes, keep}), x);
}

static double smallest(double a, double b)
{
    return b < a || b != b ? b : a;
}

static reel_status min_reference(const reel_call *call)
{
    return reel_fold_run(call, INFINITY, smallest, false);
}

const reel_op reel_op_min = {.name = "min",
                             .summary = "the smallest element of x over some axes",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .attr_size = sizeof(reel_reduce_attr),
                             .attrs = reel_fold_attrs,
                             .shape = reel_fold_shape_nonempty,
                             .gradient = reel_fold_extreme_gradient,
                             .reference = {min_reference, NULL},
                             .flops = reel_fold_flops};
