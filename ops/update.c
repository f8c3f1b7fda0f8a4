/* See update.h. */
#include "ops/update.h"

bool reel_update_fit(reel_rule *rule, int tensors, int outputs)
{
    const reel_tensor *w = rule->input[0];
    if (!reel_dtype_is_float(w->dtype)) return reel_reject(rule, "updates floats");
    for (int i = 1; i < tensors; i++)
        if (rule->input[i]->dtype != w->dtype || !reel_shape_equal(&rule->input[i]->shape, &w->shape))
            return reel_reject(rule, "input %d must have the shape and dtype of input 0, the weights", i);
    for (int i = tensors; i < rule->inputs; i++) {
        const reel_tensor *scalar = rule->input[i];
        if (scalar && (scalar->shape.rank != 0 || !reel_dtype_is_float(scalar->dtype)))
            return reel_reject(rule, "input %d must be a float scalar", i);
    }
    for (int k = 0; k < outputs; k++) {
        rule->shape[k] = w->shape;
        rule->dtype[k] = w->dtype;
    }
    return true;
}
