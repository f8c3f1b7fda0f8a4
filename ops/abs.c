/* abs: y = |x|.
   Gradient: dy * sign(x), 0 at the kink x = 0. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_abs(reel_tensor *x)
{
    return reel_apply1(&reel_op_abs, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_mul(g->dy[0], reel_sign(g->x[0]));
}

ELEMENTWISE1(abs, x, fabs(x))

const reel_op reel_op_abs = {.name = "abs",
                             .summary = "|x|",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {abs_reference, NULL}};
