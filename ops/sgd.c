/* sgd: one step of stochastic gradient descent with momentum, in place.

       g = scale * gradient + weight_decay * w
       b = momentum * b + g
       w = w - lr * b                 nesterov: w - lr * (g + momentum * b)

   Inputs: w, b (the buffer, zero at first), gradient, of one shape and float dtype; lr and, if not left out, scale:
   float scalars. Outputs are w and b themselves. Without momentum, b is the last gradient. A scale that is NaN or
   infinite means that the gradient is useless: nothing is changed. Cost: three reads and two writes an element. */
#include "ops/ops.h"
#include "ops/update.h"

#include <stddef.h>

#define FIELD(name) offsetof(reel_sgd_attr, name)
static const reel_attr attrs[] = {
    {"momentum", REEL_ATTR_FLOAT, FIELD(momentum), 0, "0", NULL, "what stays of the buffer"},
    {"weight_decay", REEL_ATTR_FLOAT, FIELD(weight_decay), 0, "0", NULL, "weight_decay * w is added to the gradient"},
    {"nesterov", REEL_ATTR_BOOL, FIELD(nesterov), 0, "0", NULL, "look ahead by one momentum step"},
    {0},
};

reel_tensor *reel_sgd(reel_tensor *w, reel_tensor *buffer, reel_tensor *gradient, reel_tensor *lr, reel_tensor *scale,
                      reel_sgd_attr attr)
{
    reel_tensor *input[] = {w, buffer, gradient, lr, scale};
    return reel_apply(w->graph, &reel_op_sgd, input, scale ? 5 : 4, &attr);
}

static bool shape_rule(reel_rule *r)
{
    const reel_sgd_attr *a = r->attr;
    if (!(a->momentum >= 0 && a->weight_decay >= 0))
        return reel_reject(r, "momentum %g and weight_decay %g must not be negative", a->momentum, a->weight_decay);
    return reel_update_fit(r, REEL_SGD_GRADIENT + 1, 2);
}

static reel_status reference(const reel_call *call)
{
    const reel_sgd_attr *a = call->attr;
    const reel_array *w = &call->output[0], *buffer = &call->output[1];
    double lr = reel_value(&call->input[REEL_SGD_LR], 0), scale = reel_update_scale(call, REEL_SGD_SCALE);
    int64_t elements = isfinite(scale) ? reel_elements(&w->shape) : 0;
    for (int64_t i = 0; i < elements; i++) {
        double old = reel_value(w, i),
               g = scale * reel_value(&call->input[REEL_SGD_GRADIENT], i) + a->weight_decay * old;
        double b = a->momentum * reel_value(buffer, i) + g;
        reel_set_value(buffer, i, b);
        reel_set_value(w, i, old - lr * (a->nesterov ? g + a->momentum * b : b));
    }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    return 7 * (double)reel_elements(&node->output[0].shape);
}

const reel_op reel_op_sgd = {.name = "sgd",
                             .summary = "one step of gradient descent with momentum on w and its buffer",
                             .least_inputs = 4,
                             .most_inputs = 5,
                             .outputs = 2,
                             .flags = REEL_OP_UPDATES | REEL_OP_NO_GRADIENT,
                             .attr_size = sizeof(reel_sgd_attr),
                             .attrs = attrs,
                             .shape = shape_rule,
                             .reference = {reference, NULL},
                             .flops = flops};
