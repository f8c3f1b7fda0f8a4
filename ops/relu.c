/* relu: y = max(x, 0). NaN stays NaN.
   Gradient: dy where y > 0, else 0, at the kink too; from the output alone, so that x need not be kept. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_relu(reel_tensor *x)
{
    return reel_apply1(&reel_op_relu, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_relu_gradient(g->dy[0], g->y[0]);
}

ELEMENTWISE1(relu, x, x <= 0 ? 0 : x)

const reel_op reel_op_relu = {.name = "relu",
                              .summary = "max(x, 0)",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .flags = REEL_ELEMENTWISE,
                              .shape = reel_elementwise_floats,
                              .gradient = gradient,
                              .reference = {relu_reference, NULL}};
