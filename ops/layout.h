/* Ops that move elements and compute nothing. Axes and positions may be negative, counted from the end. */
#ifndef REEL_OPS_LAYOUT_H
#define REEL_OPS_LAYOUT_H

#include "core/graph.h"

typedef struct {
    reel_ints size; /* one entry may be -1: what is left */
} reel_reshape_attr;

typedef struct {
    reel_ints order; /* output axis k is input axis order[k]; empty: reversed */
} reel_permute_attr;

typedef struct {
    int axis;
} reel_concat_attr;

/* NumPy's x[start:stop:step], one entry an axis in `axes`. Empty `axes`: the first ones; empty `steps`: all 1. Starts
   and stops beyond the ends are clamped, so that INT64_MAX means "to the end" and, with a negative step, INT64_MIN
   "down to the first". */
typedef struct {
    reel_ints starts, stops, axes, steps;
} reel_slice_attr;

typedef struct {
    reel_ints starts, stops, axes, steps;
    reel_ints size; /* of the tensor that was sliced */
} reel_slice_gradient_attr;

typedef struct {
    int axis;
} reel_gather_attr;

typedef struct {
    int axis;
    int size; /* of the output along axis */
} reel_scatter_add_attr;

typedef struct {
    int classes;
    int axis;  /* of the output; -1: the last */
    int dtype; /* reel_dtype */
} reel_one_hot_attr;

typedef struct {
    int dtype; /* reel_dtype */
} reel_cast_attr;

enum { REEL_PAD_CONSTANT, REEL_PAD_REFLECT, REEL_PAD_EDGE };

typedef struct {
    reel_ints before, after;
    int mode;
    double value;
} reel_pad_attr;

/* The same memory under another shape; one size may be -1. */
reel_tensor *reel_reshape(reel_tensor *x, reel_shape shape);
/* The same memory; gradients stop here. */
reel_tensor *reel_detach(reel_tensor *x);

reel_tensor *reel_permute(reel_tensor *x, reel_ints order);
reel_tensor *reel_concat(reel_tensor *const *list, int count, int axis);
reel_tensor *reel_pad(reel_tensor *x, reel_pad_attr attr);
/* The adjoint: dy has the padded shape. */
reel_tensor *reel_pad_gradient(reel_tensor *dy, reel_pad_attr attr);

reel_tensor *reel_slice(reel_tensor *x, reel_ints starts, reel_ints stops, reel_ints axes, reel_ints steps);
/* x[start:stop] along one axis. */
reel_tensor *reel_slice1(reel_tensor *x, int axis, int64_t start, int64_t stop);
/* `parts` equal pieces along an axis, into out[0..parts-1]. */
void reel_split(reel_tensor *x, int axis, int parts, reel_tensor **out);
/* dy put back where the slice took it from, zero elsewhere. */
reel_tensor *reel_slice_gradient(reel_tensor *dy, reel_slice_gradient_attr attr);

/* NumPy's take: index is i32 of any rank; its shape replaces the axis. */
reel_tensor *reel_gather(reel_tensor *x, reel_tensor *index, int axis);
/* The adjoint of gather: y is zero, then y[index] += x along the axis, whose size becomes `size`. */
reel_tensor *reel_scatter_add(reel_tensor *x, reel_tensor *index, int axis, int size);

reel_tensor *reel_one_hot(reel_tensor *index, int classes, int axis, reel_dtype dtype);
reel_tensor *reel_cast(reel_tensor *x, reel_dtype dtype); /* x itself where that is its dtype */

#endif
