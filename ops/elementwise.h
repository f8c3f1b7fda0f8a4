/* Element-by-element ops. Those of two or three arguments broadcast as NumPy does: shapes are aligned at the last axis
   and a size of 1 stretches. Inputs of one call share their dtype. NaN in, NaN out, save where a choice or comparison
   does not look at the element. */
#ifndef REEL_OPS_ELEMENTWISE_H
#define REEL_OPS_ELEMENTWISE_H

#include "core/graph.h"

typedef struct {
    double factor;
} reel_scale_attr;

typedef struct {
    double slope;
} reel_leaky_relu_attr;

typedef struct {
    double alpha;
} reel_elu_attr;

typedef struct {
    double low, high;
} reel_clamp_attr;

/* --- arithmetic --- */

reel_tensor *reel_add(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_sub(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_mul(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_div(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_pow(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_maximum(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_minimum(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_neg(reel_tensor *x);
reel_tensor *reel_scale(reel_tensor *x, double factor);
reel_tensor *reel_square(reel_tensor *x); /* x * x */
reel_tensor *reel_exp(reel_tensor *x);
reel_tensor *reel_log(reel_tensor *x);
reel_tensor *reel_sqrt(reel_tensor *x);
reel_tensor *reel_abs(reel_tensor *x);
reel_tensor *reel_sign(reel_tensor *x);
reel_tensor *reel_clamp(reel_tensor *x, double low, double high); /* -INFINITY, INFINITY: no bound */

/* --- choices: 1 where it holds and 0 elsewhere, in the dtype of the inputs; no gradient --- */

reel_tensor *reel_equal(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_less(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_less_equal(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_greater(reel_tensor *a, reel_tensor *b);
reel_tensor *reel_greater_equal(reel_tensor *a, reel_tensor *b);
/* a where condition is not zero, b elsewhere. The condition has the dtype of a and b, or is u8 or i32. */
reel_tensor *reel_where(reel_tensor *condition, reel_tensor *a, reel_tensor *b);

/* --- activations --- */

reel_tensor *reel_relu(reel_tensor *x);
reel_tensor *reel_leaky_relu(reel_tensor *x, double slope);
reel_tensor *reel_elu(reel_tensor *x, double alpha);
reel_tensor *reel_sigmoid(reel_tensor *x);
reel_tensor *reel_tanh(reel_tensor *x);
reel_tensor *reel_softplus(reel_tensor *x);

/* --- what backward passes are made of --- */

reel_tensor *reel_relu_gradient(reel_tensor *dy, reel_tensor *y);                     /* dy where y > 0 */
reel_tensor *reel_leaky_relu_gradient(reel_tensor *dy, reel_tensor *x, double slope); /* slope * dy where x <= 0 */
reel_tensor *reel_sigmoid_gradient(reel_tensor *dy, reel_tensor *y);                  /* dy * y * (1 - y) */
reel_tensor *reel_tanh_gradient(reel_tensor *dy, reel_tensor *y);                     /* dy * (1 - y^2) */

#endif
