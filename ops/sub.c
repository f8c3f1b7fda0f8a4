/* sub: y = a - b, element by element, broadcasting; integers wrap.
   Gradient: dy and -dy. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_sub(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_sub, NULL, a, b);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = g->dy[0];
    if (g->wanted[1]) g->dx[1] = reel_neg(g->dy[0]);
}

ELEMENTWISE2_NUMBERS(sub, a, b, a - b, (int64_t)a - b)

const reel_op reel_op_sub = {.name = "sub",
                             .summary = "a - b",
                             .least_inputs = 2,
                             .most_inputs = 2,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_numbers,
                             .gradient = gradient,
                             .reference = {sub_reference, NULL}};
