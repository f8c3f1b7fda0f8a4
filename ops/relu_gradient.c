/* relu_gradient: dx = dy where y > 0, else 0; y is the output of relu. Where y is NaN, dy passes, as in torch.
   Gradient: the same op for dy, in which it is linear; y only chooses, so that none reaches it. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_relu_gradient(reel_tensor *dy, reel_tensor *y)
{
    return reel_apply2(&reel_op_relu_gradient, NULL, dy, y);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_relu_gradient(g->dy[0], g->x[1]);
}

ELEMENTWISE2(relu_gradient, dy, y, y <= 0 ? 0 : dy)

const reel_op reel_op_relu_gradient = {.name = "relu_gradient",
                                       .summary = "dy where y > 0, else 0",
                                       .least_inputs = 2,
                                       .most_inputs = 2,
                                       .outputs = 1,
                                       .flags = REEL_ELEMENTWISE,
                                       .shape = reel_elementwise_floats,
                                       .gradient = gradient,
                                       .reference = {relu_gradient_reference, NULL}};
