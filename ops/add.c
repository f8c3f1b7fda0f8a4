/* add: y = a + b, element by element, broadcasting; integers wrap.
   Gradient: dy to both. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_add(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_add, NULL, a, b);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = g->dx[1] = g->dy[0];
}

ELEMENTWISE2_NUMBERS(add, a, b, a + b, (int64_t)a + b)

const reel_op reel_op_add = {.name = "add",
                             .summary = "a + b",
                             .least_inputs = 2,
                             .most_inputs = 2,
                             .outputs = 1,
                             .flags = REEL_ELEMENTWISE,
                             .shape = reel_elementwise_numbers,
                             .gradient = gradient,
                             .reference = {add_reference, NULL}};
