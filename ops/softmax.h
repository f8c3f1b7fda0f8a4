/* What softmax and log_softmax share: attributes, shape rule, cost, and the loops. */
#ifndef REEL_OPS_SOFTMAX_H
#define REEL_OPS_SOFTMAX_H

#include "ops/normalise.h"

extern const reel_attr reel_softmax_attributes[];
bool reel_softmax_shape(reel_rule *r);
reel_samples reel_softmax_samples(const reel_node *node);
double reel_softmax_flops(const reel_node *node);

/* y = finish(x - the largest x, the sum of exp(that) over the axis). */
reel_status reel_softmax_run(const reel_call *call, double (*finish)(double shifted, double sum));

#endif
