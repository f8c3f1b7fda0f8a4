/* detach: y is x, and no gradient passes.

   x: any shape, any dtype. It costs nothing: y is the memory of x. Used where a value is to be taken as given, such as
   a state carried over from an earlier clip. */
#include "ops/ops.h"

reel_tensor *reel_detach(reel_tensor *x)
{
    return reel_apply1(&reel_op_detach, NULL, x);
}

static bool shape_rule(reel_rule *r)
{
    r->shape[0] = r->input[0]->shape;
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

const reel_op reel_op_detach = {.name = "detach",
                                .summary = "the same values, without a gradient",
                                .least_inputs = 1,
                                .most_inputs = 1,
                                .outputs = 1,
                                .flags = REEL_OP_VIEW | REEL_OP_NO_GRADIENT,
                                .shape = shape_rule};
