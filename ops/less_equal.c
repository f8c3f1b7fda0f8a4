/* less_equal: y = 1 where a <= b and 0 elsewhere, in the dtype of a and b, broadcasting. Comparisons with NaN do not
   hold: y = 0. Constant almost everywhere: no gradient. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_less_equal(reel_tensor *a, reel_tensor *b)
{
    return reel_apply2(&reel_op_less_equal, NULL, a, b);
}

ELEMENTWISE2_NUMBERS(less_equal, a, b, a <= b, a <= b)

const reel_op reel_op_less_equal = {.name = "less_equal",
                                    .summary = "1 where a <= b, else 0",
                                    .least_inputs = 2,
                                    .most_inputs = 2,
                                    .outputs = 1,
                                    .flags = REEL_ELEMENTWISE | REEL_OP_NO_GRADIENT,
                                    .shape = reel_elementwise_numbers,
                                    .reference = {less_equal_reference, NULL}};
