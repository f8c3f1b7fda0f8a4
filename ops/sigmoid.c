/* sigmoid: y = 1 / (1 + exp(-x)), element by element, any shape. Far below 0 exp(-x) is infinite and y is 0.
   Gradient: dy * y * (1 - y), from the output alone, so that x need not be kept. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_sigmoid(reel_tensor *x)
{
    return reel_apply1(&reel_op_sigmoid, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_sigmoid_gradient(g->dy[0], g->y[0]);
}

ELEMENTWISE1(sigmoid, x, 1 / (1 + exp(-x)))

const reel_op reel_op_sigmoid = {.name = "sigmoid",
                                 .summary = "1 / (1 + e^-x)",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .flags = REEL_ELEMENTWISE,
                                 .shape = reel_elementwise_floats,
                                 .gradient = gradient,
                                 .reference = {sigmoid_reference, NULL}};
