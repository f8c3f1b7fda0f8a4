/* exp: y = e^x. Beyond x = 88.7 (float) or 709.7 (double) it is infinite.
   Gradient: dy * y, so that x need not be kept. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_exp(reel_tensor *x)
{
    return reel_apply1(&reel_op_exp, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_mul(g->dy[0], g->y[0]);
}

ELEMENTWISE1(exp, x, exp(x))

const reel_op reel_op_exp = {.name = "exp",
                             .summary = "e ^ x",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {exp_reference, NULL}};
