/* A tensor seen along one axis: `outer` blocks of `n` rows of `inner` elements, the rows being `inner` apart. */
#ifndef REEL_OPS_AXIS_H
#define REEL_OPS_AXIS_H

#include "core/shape.h"

typedef struct {
    int64_t outer, n, inner;
} reel_axis_view;

static inline reel_axis_view reel_axis_view_of(const reel_shape *shape, int64_t axis)
{
    reel_axis_view view = {1, 1, 1};
    int at = reel_shape_axis(shape, axis);
    for (int i = 0; i < shape->rank; i++) *(i < at ? &view.outer : i == at ? &view.n : &view.inner) *= shape->size[i];
    return view;
}

#endif
