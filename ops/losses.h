/* Losses. Logits are raw scores; targets are class numbers (i32) or values in 0..1 of the logits' dtype. */
#ifndef REEL_OPS_LOSSES_H
#define REEL_OPS_LOSSES_H

#include "core/graph.h"

typedef enum { REEL_REDUCE_MEAN, REEL_REDUCE_SUM, REEL_REDUCE_NONE } reel_reduction;

/* A label that no data set uses. */
enum { REEL_IGNORE_NOTHING = -100 };

typedef struct {
    int ignore_index; /* elements with this label count as absent */
    reel_reduction reduction;
} reel_cross_entropy_attr;

/* logits [N, K, ...], target i32 [N, ...], weight NULL or [K]. The mean divides by the sum of the elements' weights,
   so that without any element it is NaN. */
reel_tensor *reel_cross_entropy(reel_tensor *logits, reel_tensor *target, reel_tensor *weight,
                                reel_cross_entropy_attr attr);
/* The same from log-probabilities. */
reel_tensor *reel_nll_loss(reel_tensor *log_probability, reel_tensor *target, reel_tensor *weight,
                           reel_cross_entropy_attr attr);

/* Binary cross-entropy; pos_weight, NULL or broadcast against the target, multiplies the positive term. */
reel_tensor *reel_bce_with_logits(reel_tensor *logits, reel_tensor *target, reel_tensor *pos_weight,
                                  reel_reduction reduction);
/* Binary cross-entropy in which positives and negatives weigh alike, counted over the whole tensor. */
reel_tensor *reel_balanced_bce(reel_tensor *logits, reel_tensor *target);
/* -log of the soft intersection over union of the whole tensor. */
reel_tensor *reel_soft_iou_loss(reel_tensor *logits, reel_tensor *target);

/* --- the ops they are made of --- */

typedef struct {
    int ignore_index;
} reel_label_attr;

typedef struct {
    int classes;
    int ignore_index;
} reel_class_count_attr;

/* x [N, K, ...] at the label of each element: [N, ...], 0 where ignored. */
reel_tensor *reel_pick(reel_tensor *x, reel_tensor *target, int ignore_index);
/* Its adjoint: dy [N, ...] put at the label, [N, classes, ...]. */
reel_tensor *reel_pick_gradient(reel_tensor *dy, reel_tensor *target, int classes, int ignore_index);
/* weight [K] at the label of each element, 0 where ignored. */
reel_tensor *reel_class_weights(reel_tensor *weight, reel_tensor *target, int ignore_index);
/* Its adjoint: [classes]. */
reel_tensor *reel_class_weights_gradient(reel_tensor *dy, reel_tensor *target, int classes, int ignore_index);

#endif
