/* global_norm: y = sqrt(sum of x^2 over every element of every input), a scalar.

   Inputs: any number of tensors of one float dtype; y: a scalar of it, f32 for bf16. The squares are added in double.
   NaN or infinity anywhere shows in y, which makes it the one number to look at before an update.

   Gradient: dx_i = dy * x_i / y. It has none at y = 0 and is NaN there. */
#include "ops/ops.h"
#include "ops/value.h"

#include <math.h>

reel_tensor *reel_global_norm(reel_tensor *const *list, int count)
{
    return reel_apply(list[0]->graph, &reel_op_global_norm, list, count, NULL);
}

/* The multiple of zero is zero unless the norm is NaN or infinite, and then it is NaN. */
reel_tensor *reel_clip_scale(reel_tensor *norm, double max_norm)
{
    reel_tensor *ratio = reel_div(reel_scalar_like(norm, max_norm), reel_add(norm, reel_scalar_like(norm, 1e-6)));
    return reel_add(reel_minimum(ratio, reel_scalar_like(norm, 1)), reel_scale(norm, 0));
}

static bool shape_rule(reel_rule *r)
{
    for (int i = 0; i < r->inputs; i++) {
        if (!r->input[i]) return reel_reject(r, "input %d is missing; leave it out of the list", i);
        if (!reel_dtype_is_float(r->input[i]->dtype) || r->input[i]->dtype != r->input[0]->dtype)
            return reel_reject(r, "input %d must be float and of the dtype of input 0", i);
    }
    r->shape[0] = REEL_SCALAR_SHAPE;
    r->dtype[0] = reel_dtype_of_sum(r->input[0]->dtype);
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    reel_tensor *factor = reel_div(g->dy[0], g->y[0]);
    for (int i = 0; i < g->inputs; i++)
        if (g->wanted[i]) g->dx[i] = reel_mul(g->x[i], reel_cast(factor, g->x[i]->dtype));
}

static reel_status reference(const reel_call *call)
{
    double sum = 0;
    for (int i = 0; i < call->inputs; i++)
        for (int64_t j = 0; j < reel_elements(&call->input[i].shape); j++) {
            double x = reel_value(&call->input[i], j);
            sum += x * x;
        }
    reel_set_value(&call->output[0], 0, sqrt(sum));
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    double sum = 0;
    for (int i = 0; i < node->inputs; i++) sum += 2 * (double)reel_elements(&node->input[i]->shape);
    return sum;
}

const reel_op reel_op_global_norm = {.name = "global_norm",
                                     .summary = "root of the sum of all squares of all inputs",
                                     .least_inputs = 1,
                                     .outputs = 1,
                                     .shape = shape_rule,
                                     .gradient = gradient_rule,
                                     .reference = {reference, NULL},
                                     .flops = flops};
