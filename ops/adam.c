/* adam: one step of Adam (Kingma and Ba 2015), or of AdamW (Loshchilov and Hutter 2019), in place.

       g = scale * gradient + l2 * w            w = (1 - lr * weight_decay) * w
       m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g^2
       w = w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)

   Inputs: w, m, v, gradient, of one shape and float dtype; t, lr and, if not left out, scale: float scalars. t is 1 at
   the first step; t = 0 leaves the two corrections out, as ONNX wants. Outputs are w, m and v themselves.

   A scale that is NaN or infinite means that the gradient is useless: nothing is changed. A NaN in the gradient alone
   spoils what it touches. Cost: four reads and three writes an element, which is all there is to it. */
#include "ops/ops.h"
#include "ops/update.h"

#include <stddef.h>

#define FIELD(name) offsetof(reel_adam_attr, name)
static const reel_attr attrs[] = {
    {"beta1", REEL_ATTR_FLOAT, FIELD(beta1), 0, "0.9", NULL, "decay of the mean of the gradient"},
    {"beta2", REEL_ATTR_FLOAT, FIELD(beta2), 0, "0.999", NULL, "decay of the mean of its square"},
    {"epsilon", REEL_ATTR_FLOAT, FIELD(epsilon), 0, "1e-8", NULL, "added to the root"},
    {"weight_decay", REEL_ATTR_FLOAT, FIELD(weight_decay), 0, "0", NULL, "decoupled: w shrinks by lr * weight_decay"},
    {"l2", REEL_ATTR_FLOAT, FIELD(l2), 0, "0", NULL, "l2 * w is added to the gradient"},
    {0},
};

reel_tensor *reel_adam(reel_tensor *w, reel_tensor *m, reel_tensor *v, reel_tensor *gradient, reel_tensor *step,
                       reel_tensor *lr, reel_tensor *scale, reel_adam_attr attr)
{
    reel_tensor *input[] = {w, m, v, gradient, step, lr, scale};
    return reel_apply(w->graph, &reel_op_adam, input, scale ? 7 : 6, &attr);
}

static bool shape_rule(reel_rule *r)
{
    const reel_adam_attr *a = r->attr;
    if (!(a->beta1 >= 0 && a->beta1 < 1 && a->beta2 >= 0 && a->beta2 < 1))
        return reel_reject(r, "beta1 %g and beta2 %g must be at least 0 and below 1", a->beta1, a->beta2);
    if (!(a->epsilon >= 0 && a->weight_decay >= 0 && a->l2 >= 0))
        return reel_reject(r, "epsilon %g, weight_decay %g and l2 %g must not be negative", a->epsilon, a->weight_decay,
                           a->l2);
    return reel_update_fit(r, REEL_ADAM_GRADIENT + 1, 3);
}

reel_adam_step reel_adam_step_of(const reel_call *call)
{
    return reel_adam_step_at(call->attr, reel_value(&call->input[REEL_ADAM_STEP], 0),
                             reel_value(&call->input[REEL_ADAM_LR], 0), reel_update_scale(call, REEL_ADAM_SCALE));
}

static reel_status reference(const reel_call *call)
{
    const reel_array *w = &call->output[0], *m = &call->output[1], *v = &call->output[2];
    reel_adam_step s = reel_adam_step_of(call);
    int64_t elements = isfinite(s.scale) ? reel_elements(&w->shape) : 0;
    for (int64_t i = 0; i < elements; i++) {
        double old = reel_value(w, i), g = s.scale * reel_value(&call->input[REEL_ADAM_GRADIENT], i) + s.l2 * old;
        double mean = s.beta1 * reel_value(m, i) + (1 - s.beta1) * g;
        double square = s.beta2 * reel_value(v, i) + (1 - s.beta2) * g * g;
        reel_set_value(m, i, mean);
        reel_set_value(v, i, square);
        reel_set_value(w, i, s.keep * old - s.rate * mean / (sqrt(square) / s.root + s.epsilon));
    }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    return 14 * (double)reel_elements(&node->output[0].shape);
}

const reel_op reel_op_adam = {.name = "adam",
                              .summary = "one step of Adam or AdamW on w, m, v",
                              .least_inputs = 6,
                              .most_inputs = 7,
                              .outputs = 3,
                              .flags = REEL_OP_UPDATES | REEL_OP_NO_GRADIENT,
                              .attr_size = sizeof(reel_adam_attr),
                              .attrs = attrs,
                              .shape = shape_rule,
                              .reference = {reference, NULL},
                              .flops = flops};
