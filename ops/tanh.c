/* tanh: y = (e^x - e^-x) / (e^x + e^-x).
   Gradient: dy * (1 - y^2), from the output alone, so that x need not be kept. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_tanh(reel_tensor *x)
{
    return reel_apply1(&reel_op_tanh, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_tanh_gradient(g->dy[0], g->y[0]);
}

ELEMENTWISE1(tanh, x, tanh(x))

const reel_op reel_op_tanh = {.name = "tanh",
                              .summary = "the hyperbolic tangent of x",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .flags = REEL_ELEMENTWISE,
                              .shape = reel_elementwise_floats,
                              .gradient = gradient,
                              .reference = {tanh_reference, NULL}};
