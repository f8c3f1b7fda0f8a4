/* mul: y = a * b, element by element, broadcasting; integers wrap.
   Gradient: dy * b and dy * a. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_mul(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_mul, NULL, a, b);
}

reel_tensor *reel_square(reel_tensor *x)
{
    return reel_mul(x, x);
}

static void gradient(reel_gradient *g)
{
    if (g->wanted[0]) g->dx[0] = reel_mul(g->dy[0], g->x[1]);
    if (g->wanted[1]) g->dx[1] = reel_mul(g->dy[0], g->x[0]);
}

ELEMENTWISE2_NUMBERS(mul, a, b, a *b, (int64_t)a *b)

const reel_op reel_op_mul = {.name = "mul",
                             .summary = "a * b",
                             .least_inputs = 2,
                             .most_inputs = 2,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_numbers,
                             .gradient = gradient,
                             .reference = {mul_reference, NULL}};
