/* Ops that put values into a known range or spread, and dropout. */
#ifndef REEL_OPS_NORMALISE_H
#define REEL_OPS_NORMALISE_H

#include "core/graph.h"

typedef struct {
    int axis;
} reel_softmax_attr;

typedef struct {
    double epsilon; /* added to the variance */
} reel_batch_norm_attr;

typedef struct {
    double p; /* probability of zeroing an element, 0 to 1 */
} reel_dropout_attr;

/* exp(x) over its sum along one axis, and the logarithm of that; both without overflow. */
reel_tensor *reel_softmax(reel_tensor *x, int axis);
reel_tensor *reel_log_softmax(reel_tensor *x, int axis);

/* (x - mean) / sqrt(variance + epsilon) * scale + shift for x [N, C, ...]; the other four are [C]. Differentiable in
   all five, so that evaluation and training are the same op with other statistics. */
reel_tensor *reel_batch_norm(reel_tensor *x, reel_tensor *scale, reel_tensor *shift, reel_tensor *mean,
                             reel_tensor *variance, reel_batch_norm_attr attr);

/* The same with the statistics of the batch. `mean` and `variance` are the running ones; the new ones come back beside
   y:  new = (1 - momentum) * running + momentum * of this batch. The batch is normalised with the variance over n
   elements; `unbiased` takes n - 1 for the running one, as torch does and ONNX does not. */
typedef struct {
    double epsilon, momentum;
    bool unbiased;
} reel_batch_norm_training;

typedef struct {
    reel_tensor *y, *mean, *variance;
} reel_batch_norm_result;

reel_batch_norm_result reel_batch_norm_train(reel_tensor *x, reel_tensor *scale, reel_tensor *shift, reel_tensor *mean,
                                             reel_tensor *variance, reel_batch_norm_training how);

/* Zeroes each element with probability p and divides the others by 1 - p. Another draw at each run. */
reel_tensor *reel_dropout(reel_tensor *x, double p);
/* Elements begin..end-1 of a call of dropout: kernels share the draw. */
void reel_dropout_range(const reel_call *call, int64_t begin, int64_t end);

#endif
