/* maximum: the larger of a and b, element by element, broadcasting. NaN when either is NaN.
   Gradient: dy to the one that was chosen; where both are equal half of it to each, as torch does, so that the result
   does not depend on their order. Where one is NaN so is y, and neither gets a gradient. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_maximum(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_maximum, NULL, a, b);
}

static void gradient(reel_gradient *g)
{
    for (int i = 0; i < 2; i++) {
        if (!g->wanted[i]) continue;
        reel_tensor *self = g->x[i], *other = g->x[1 - i];
        reel_tensor *twice =
            reel_add(reel_greater(self, other), reel_greater_equal(self, other)); /* 0, 1 at a tie, 2 */
        g->dx[i] = reel_mul(g->dy[0], reel_scale(twice, 0.5));
    }
}

ELEMENTWISE2_NUMBERS(maximum, a, b, a > b || a != a ? a : b, a > b ? a : b)

const reel_op reel_op_maximum = {.name = "maximum",
                                 .summary = "the larger of a and b",
                                 .least_inputs = 2,
                                 .most_inputs = 2,
                                 .outputs = 1,
                                 .flags = REEL_ELEMENTWISE,
                                 .shape = reel_elementwise_numbers,
                                 .gradient = gradient,
                                 .reference = {maximum_reference, NULL}};
