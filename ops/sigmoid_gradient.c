/* sigmoid_gradient: dx = dy * y * (1 - y); y is the output of sigmoid. One pass instead of three.
   Gradient: the same op for dy; g * dy * (1 - 2 y) for y. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_sigmoid_gradient(reel_tensor *dy, reel_tensor *y)
{
    return reel_apply2(&reel_op_sigmoid_gradient, NULL, dy, y);
}

static void gradient(reel_gradient *g)
{
    reel_tensor *dy = g->x[0], *y = g->x[1];
    if (g->wanted[0]) g->dx[0] = reel_sigmoid_gradient(g->dy[0], y);
    if (g->wanted[1]) {
        reel_tensor *slope = reel_sub(reel_scalar_like(y, 1), reel_scale(y, 2));
        g->dx[1] = reel_mul(reel_mul(g->dy[0], dy), slope);
    }
}

ELEMENTWISE2(sigmoid_gradient, dy, y, dy *y *(1 - y))

const reel_op reel_op_sigmoid_gradient = {.name = "sigmoid_gradient",
                                          .summary = "dy * y * (1 - y)",
                                          .least_inputs = 2,
                                          .most_inputs = 2,
                                          .outputs = 1,
                                          .flags = REEL_ELEMENTWISE,
                                          .shape = reel_elementwise_floats,
                                          .gradient = gradient,
                                          .reference = {sigmoid_gradient_reference, NULL}};
