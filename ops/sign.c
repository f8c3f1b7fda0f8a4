/* sign: 1, 0 or -1 as x is above, at or below 0; NaN for NaN. Constant almost everywhere: no gradient. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_sign(reel_tensor *x)
{
    return reel_apply1(&reel_op_sign, NULL, x);
}

ELEMENTWISE1(sign, x, x != x ? x : (T)((x > 0) - (x < 0)))

const reel_op reel_op_sign = {.name = "sign",
                              .summary = "1, 0 or -1: the sign of x",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .flags = REEL_ELEMENTWISE | REEL_OP_NO_GRADIENT,
                              .shape = reel_elementwise_floats,
                              .reference = {sign_reference, NULL}};
