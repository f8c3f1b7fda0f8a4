/* Distances to the border of a mask, and the classification task made from them. */
#ifndef REEL_OPS_DISTANCE_H
#define REEL_OPS_DISTANCE_H

#include "core/graph.h"

typedef struct {
    int border; /* distances up to here are told apart, in pixels */
    int bin;    /* pixels a class */
} reel_distance_classes_attr;

/* [..., H, W] of any dtype: the Euclidean distance of each non-zero pixel to the nearest zero one of its plane. */
reel_tensor *reel_distance_transform(reel_tensor *x);

/* mask [N, 1, H, W] -> i32 [N, H, W], 2 * (border / bin) + 2 classes, background first. */
reel_tensor *reel_distance_classes(reel_tensor *mask, reel_distance_classes_attr attr);

/* Mean cross-entropy of logits [N, 2 * (border / bin) + 2, H, W] against the classes of mask [N, 1, H, W]. */
reel_tensor *reel_distance_loss(reel_tensor *logits, reel_tensor *mask, int border, int bin);

#endif
