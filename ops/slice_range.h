/* What a slice takes from each axis, once negative positions are counted from the end and everything is clamped: the
   elements first, first + step, …, count of them. Shared by slice, its adjoint and their fast kernels. */
#ifndef REEL_OPS_SLICE_RANGE_H
#define REEL_OPS_SLICE_RANGE_H

#include "ops/layout.h"

typedef struct {
    int64_t first[REEL_MAX_RANK], step[REEL_MAX_RANK], count[REEL_MAX_RANK];
} reel_slice_range;

/* NULL, or why the attributes make no sense for this shape. */
const char *reel_slice_ranges(const reel_slice_attr *attr, const reel_shape *shape, reel_slice_range *range);

/* The axes from `*axis` on are taken whole, so that they are one block of `*run` elements; returns the number of
   blocks' axes before it. Axis *axis itself is the innermost one that is not whole, or that lies before such. */
static inline int reel_slice_run(const reel_slice_range *range, const reel_shape *shape, int64_t *run)
{
    int axis = shape->rank;
    *run = 1;
    while (axis > 0 && range->first[axis - 1] == 0 && range->step[axis - 1] == 1 &&
           range->count[axis - 1] == shape->size[axis - 1])
        *run *= shape->size[--axis];
    if (axis > 0 && range->step[axis - 1] == 1) *run *= range->count[--axis];
    return axis;
}

/* Where block i begins in the sliced tensor, in elements: the axes before `axes` are walked, the rest begins at its
   first element. */
static inline int64_t reel_slice_offset(const reel_slice_range *range, const reel_shape *shape,
                                        const int64_t stride[REEL_MAX_RANK], int axes, int64_t i)
{
    int64_t offset = 0;
    for (int k = shape->rank - 1; k >= 0; k--) {
        int64_t at = 0;
        if (k < axes) {
            at = i % range->count[k];
            i /= range->count[k];
        }
        offset += (range->first[k] + at * range->step[k]) * stride[k];
    }
    return offset;
}

#endif
