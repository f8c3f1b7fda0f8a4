/* neg: y = -x.
   Gradient: -dy. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_neg(reel_tensor *x)
{
    return reel_apply1(&reel_op_neg, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_neg(g->dy[0]);
}

ELEMENTWISE1(neg, x, -x)

const reel_op reel_op_neg = {.name = "neg",
                             .summary = "-x",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {neg_reference, NULL}};
