/* softplus: y = log(1 + e^x), computed as max(x, 0) + log1p(exp(-|x|)), which neither overflows for large x nor loses
   the small results of very negative ones. Gradient: dy * sigmoid(x). */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_softplus(reel_tensor *x)
{
    return reel_apply1(&reel_op_softplus, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_mul(g->dy[0], reel_sigmoid(g->x[0]));
}

ELEMENTWISE1(softplus, x, (x > 0 ? x : 0) + log1p(exp(-fabs(x))))

const reel_op reel_op_softplus = {.name = "softplus",
                                  .summary = "log(1 + e^x)",
                                  .least_inputs = 1,
                                  .most_inputs = 1,
                                  .outputs = 1,
                                  .flags = REEL_ELEMENTWISE,
                                  .shape = reel_elementwise_floats,
                                  .gradient = gradient,
                                  .reference = {softplus_reference, NULL}};
