/* Parameter updates as ops of the graph. An update changes its first inputs in place: nodes defined before it see the
   old values, nodes after it the new ones. step, lr and scale are scalars given at every run, so that a schedule does
   not rebuild anything. */
#ifndef REEL_OPS_OPTIMISE_H
#define REEL_OPS_OPTIMISE_H

#include "core/graph.h"

typedef struct {
    double beta1, beta2, epsilon;
    double weight_decay; /* decoupled: w shrinks by lr * weight_decay (AdamW) */
    double l2;           /* added to the gradient as l2 * w (Adam of 2015) */
} reel_adam_attr;

typedef struct {
    double momentum;
    double weight_decay; /* added to the gradient as weight_decay * w */
    bool nesterov;
} reel_sgd_attr;

#define REEL_ADAM_DEFAULTS ((reel_adam_attr){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8})

/* w, m, v and gradient: one shape and dtype. step (f64): 1 at the first update. lr (f64). scale: NULL, or a scalar that
   multiplies the gradient; where it is NaN or infinite, nothing is changed. Returns w. */
reel_tensor *reel_adam(reel_tensor *w, reel_tensor *m, reel_tensor *v, reel_tensor *gradient, reel_tensor *step,
                       reel_tensor *lr, reel_tensor *scale, reel_adam_attr attr);

/* w, buffer and gradient: one shape and dtype; lr and scale as above. */
reel_tensor *reel_sgd(reel_tensor *w, reel_tensor *buffer, reel_tensor *gradient, reel_tensor *lr, reel_tensor *scale,
                      reel_sgd_attr attr);

/* Square root of the sum of all squares of all tensors: a scalar of their dtype. */
reel_tensor *reel_global_norm(reel_tensor *const *list, int count);

/* min(1, max_norm / (norm + 1e-6)), the scale that clips to max_norm; NaN for a norm that is NaN or infinite, which
   makes the updates leave everything as it is. An infinite max_norm only watches. */
reel_tensor *reel_clip_scale(reel_tensor *norm, double max_norm);

#endif
