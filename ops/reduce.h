/* Ops that shrink axes, and their opposite. Axes count from the end when negative; an empty list means all of them.
   `keep` leaves a size of 1 where an axis was. */
#ifndef REEL_OPS_REDUCE_H
#define REEL_OPS_REDUCE_H

#include "core/graph.h"

typedef struct {
    reel_ints axes;
    bool keep;
} reel_reduce_attr;

typedef struct {
    int axis;
    bool keep;
} reel_argmax_attr;

typedef struct {
    reel_ints shape;
} reel_to_shape_attr;

/* Over these axes (none: all); `keep` leaves them with size 1. */
reel_tensor *reel_sum(reel_tensor *x, reel_ints axes, bool keep);
reel_tensor *reel_mean(reel_tensor *x, reel_ints axes, bool keep);
reel_tensor *reel_max(reel_tensor *x, reel_ints axes, bool keep);
reel_tensor *reel_min(reel_tensor *x, reel_ints axes, bool keep);
reel_tensor *reel_sum_all(reel_tensor *x);  /* a scalar */
reel_tensor *reel_mean_all(reel_tensor *x); /* a scalar */

/* i32 position of the first maximum along one axis; a NaN counts as the largest. */
reel_tensor *reel_argmax(reel_tensor *x, int axis, bool keep);

/* Stretches x to `shape` by the rule of broadcasting; sum_to undoes it by adding up what was stretched. */
reel_tensor *reel_broadcast_to(reel_tensor *x, reel_shape shape);
reel_tensor *reel_sum_to(reel_tensor *x, reel_shape shape);

#endif
