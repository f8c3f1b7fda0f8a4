/* sqrt: y = the square root of x; NaN below 0.
   Gradient: dy / (2 y), infinite at 0. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_sqrt(reel_tensor *x)
{
    return reel_apply1(&reel_op_sqrt, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_div(g->dy[0], reel_scale(g->y[0], 2));
}

ELEMENTWISE1(sqrt, x, sqrt(x))

const reel_op reel_op_sqrt = {.name = "sqrt",
                              .summary = "the square root of x",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .flags = REEL_ELEMENTWISE,
                              .shape = reel_elementwise_floats,
                              .gradient = gradient,
                              .reference = {sqrt_reference, NULL}};
