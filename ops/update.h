/* What the optimisers' rules and kernels share. */
#ifndef REEL_OPS_UPDATE_H
#define REEL_OPS_UPDATE_H

#include "core/inline.h"
#include "ops/optimise.h"
#include "ops/value.h"

#include <math.h>

/* Refuses tensors 0..tensors-1 that are not of one float dtype and one shape, and inputs after them that are not float
   scalars. Fills in the outputs, the first `outputs` tensors. */
bool reel_update_fit(reel_rule *rule, int tensors, int outputs);

/* The factor of the gradient: input `at` of the call, 1 where it is left out. */
static inline double reel_update_scale(const reel_call *call, int at)
{
    return at < call->inputs && call->input[at].data ? reel_value(&call->input[at], 0) : 1;
}

/* One step of Adam, as numbers that hold for every element. */
typedef struct {
    double beta1, beta2, epsilon, l2;
    double keep;  /* what weight decay leaves of w */
    double rate;  /* lr / (1 - beta1^t) */
    double root;  /* sqrt(1 - beta2^t) */
    double scale; /* of the gradient */
} reel_adam_step;

REEL_INLINE reel_adam_step reel_adam_step_at(const reel_adam_attr *a, double t, double lr, double scale)
{
    reel_adam_step s = {a->beta1, a->beta2, a->epsilon, a->l2, 1 - lr * a->weight_decay, lr, 1, scale};
    if (t > 0) {
        s.rate = lr / (1 - pow(a->beta1, t));
        s.root = sqrt(1 - pow(a->beta2, t));
    }
    return s;
}

reel_adam_step reel_adam_step_of(const reel_call *call);

enum { REEL_ADAM_W, REEL_ADAM_M, REEL_ADAM_V, REEL_ADAM_GRADIENT, REEL_ADAM_STEP, REEL_ADAM_LR, REEL_ADAM_SCALE };
enum { REEL_SGD_W, REEL_SGD_BUFFER, REEL_SGD_GRADIENT, REEL_SGD_LR, REEL_SGD_SCALE };

#endif
