/* div: y = a / b, element by element, broadcasting. Division by zero gives infinity or NaN, as IEEE 754 says.
   Gradient: dy / b, and -dy * y / b. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_div(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_div, NULL, a, b);
}

static void gradient(reel_gradient *g)
{
    reel_tensor *quotient = reel_div(g->dy[0], g->x[1]);
    g->dx[0] = quotient;
    if (g->wanted[1]) g->dx[1] = reel_neg(reel_mul(quotient, g->y[0]));
}

ELEMENTWISE2(div, a, b, a / b)

const reel_op reel_op_div = {.name = "div",
                             .summary = "a / b",
                             .least_inputs = 2,
                             .most_inputs = 2,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_floats,
                             .gradient = gradient,
                             .reference = {div_reference, NULL}};
