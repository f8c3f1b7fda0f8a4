/* What sum, mean, max, min and sum_to share: which elements of x make which element of y.

   Axes of size 1 are dropped and neighbours that are treated alike merged, so that what is left alternates between kept
   and reduced. Element o of y is made from x[kept offset of o + reduced offset of r] for r = 0..each-1. */
#ifndef REEL_OPS_FOLD_H
#define REEL_OPS_FOLD_H

#include "ops/reduce.h"

#include <stddef.h>

typedef struct {
    int count; /* merged axes of one kind, outermost first */
    int64_t size[REEL_MAX_RANK], stride[REEL_MAX_RANK];
} reel_fold_axes;

typedef struct {
    reel_fold_axes kept, reduced;
    int64_t outputs, each;
} reel_fold;

void reel_fold_of(const reel_call *call, reel_fold *fold);

/* Where element `index` of the product of these axes is in x. */
static inline int64_t reel_fold_offset(const reel_fold_axes *axes, int64_t index)
{
    int64_t offset = 0;
    for (int i = axes->count - 1; i > 0; index /= axes->size[i], i--) offset += index % axes->size[i] * axes->stride[i];
    return axes->count ? offset + index * axes->stride[0] : 0;
}

/* Attributes, shape rule (floats) and the kept shape of ops with a reel_reduce_attr. */
extern const reel_attr reel_fold_attrs[];
bool reel_fold_shape(reel_rule *rule);
bool reel_fold_shape_nonempty(reel_rule *rule); /* refuses to make an element from none */
bool reel_fold_sums(reel_rule *rule);           /* after either: y is a sum, which for bf16 is f32; returns true */
reel_shape reel_fold_kept_shape(const reel_shape *x, const reel_reduce_attr *attr);

/* The reference loop: every element combined with `initial`, in order and in double; divided by `each` for a mean. */
reel_status reel_fold_run(const reel_call *call, double initial, double (*combine)(double, double), bool mean);

double reel_fold_plus(double a, double b); /* of a sum */
double reel_fold_flops(const reel_node *node);

/* The gradient of max and min: dy shared evenly among the elements that equal y. */
void reel_fold_extreme_gradient(reel_gradient *g);

#endif
