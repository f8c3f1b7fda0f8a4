/* tanh_gradient: dx = dy * (1 - y^2); y is the output of tanh. One pass instead of three.
   Gradient: the same op for dy; -2 g * dy * y for y. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_tanh_gradient(reel_tensor *dy, reel_tensor *y)
{
    return reel_apply2(&reel_op_tanh_gradient, NULL, dy, y);
}

static void gradient(reel_gradient *g)
{
    reel_tensor *dy = g->x[0], *y = g->x[1];
    if (g->wanted[0]) g->dx[0] = reel_tanh_gradient(g->dy[0], y);
    if (g->wanted[1]) g->dx[1] = reel_scale(reel_mul(reel_mul(g->dy[0], dy), y), -2);
}

ELEMENTWISE2(tanh_gradient, dy, y, dy *(1 - y * y))

const reel_op reel_op_tanh_gradient = {.name = "tanh_gradient",
                                       .summary = "dy * (1 - y^2)",
                                       .least_inputs = 2,
                                       .most_inputs = 2,
                                       .outputs = 1,
                                       .flags = REEL_ELEMENTWISE,
                                       .shape = reel_elementwise_floats,
                                       .gradient = gradient,
                                       .reference = {tanh_gradient_reference, NULL}};
