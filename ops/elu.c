/* elu: y = x where x > 0, alpha * (e^x - 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016). NaN stays NaN.
   Gradient: dy where x > 0; elsewhere dy * (y + alpha), as alpha * e^x is y + alpha, which spares a second exponential.
 */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"alpha", REEL_ATTR_FLOAT, offsetof(reel_elu_attr, alpha), 1, "1", NULL, "the limit far below 0, negated"}, {0}};

reel_tensor *reel_elu(reel_tensor *x, double alpha)
{
    return reel_apply1(&reel_op_elu, &(reel_elu_attr){alpha}, x);
}

static void gradient(reel_gradient *g)
{
    double alpha = ((const reel_elu_attr *)g->attr)->alpha;
    reel_tensor *dy = g->dy[0], *x = g->x[0];
    reel_tensor *slope = reel_add(g->y[0], reel_scalar_like(x, alpha));
    g->dx[0] = reel_where(reel_greater(x, reel_scalar_like(x, 0)), dy, reel_mul(dy, slope));
}

ELEMENTWISE1_WITH(elu, const T alpha = (T)ATTR(reel_elu_attr)->alpha, x, x > 0 ? x : alpha * expm1(x))

const reel_op reel_op_elu = {.name = "elu",
                             .summary = "x where x > 0, else alpha * (e^x - 1)",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .attr_size = sizeof(reel_elu_attr),
                             .attrs = attributes,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {elu_reference, NULL}};
