/* log: y = ln(x); -infinity at 0, NaN below.
   Gradient: dy / x. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_log(reel_tensor *x)
{
    return reel_apply1(&reel_op_log, NULL, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_div(g->dy[0], g->x[0]);
}

ELEMENTWISE1(log, x, log(x))

const reel_op reel_op_log = {.name = "log",
                             .summary = "ln x",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {log_reference, NULL}};
