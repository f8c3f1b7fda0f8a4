/* See resize_taps.h. */
#include "ops/resize_taps.h"

#include <limits.h>
#include <math.h>

/* Coordinates never decrease, so that an input's outputs are neighbours. */
static void fill_ranges(reel_resize_range *range, int64_t n, const reel_resize_tap *tap, int64_t m)
{
    for (int64_t i = 0; i < n; i++) range[i] = (reel_resize_range){INT32_MAX, -1};
    for (int32_t o = 0; o < m; o++)
        for (int32_t i = tap[o].low; i <= tap[o].high; i++) {
            if (range[i].first > o) range[i].first = o;
            range[i].last = o;
        }
}

size_t reel_resize_tables_bytes(const int64_t in[2], const int64_t out[2])
{
    return sizeof(reel_resize_tap) * (size_t)(out[0] + out[1]) + sizeof(reel_resize_range) * (size_t)(in[0] + in[1]);
}

reel_resize_tables reel_resize_tables_fill(const reel_resize2d_attr *attr, const reel_shape *x, const reel_shape *y,
                                           void *memory)
{
    reel_resize_tables t = {
        .planes = x->size[0] * x->size[1], .in = {x->size[2], x->size[3]}, .out = {y->size[2], y->size[3]}};
    double scale[2] = {attr->scale_height, attr->scale_width};
    reel_resize_tap *taps = memory;
    reel_resize_range *ranges = (reel_resize_range *)(taps + t.out[0] + t.out[1]);
    for (int axis = 0; axis < 2; axis++) {
        t.tap[axis] = taps + (axis ? t.out[0] : 0);
        t.range[axis] = ranges + (axis ? t.in[0] : 0);
        for (int64_t o = 0; o < t.out[axis]; o++)
            t.tap[axis][o] = reel_resize_tap_at(attr, scale[axis], t.in[axis], t.out[axis], o);
        fill_ranges(t.range[axis], t.in[axis], t.tap[axis], t.out[axis]);
    }
    return t;
}

bool reel_resize_check(const reel_rule *r, const reel_resize2d_attr *attr, const reel_tensor *x)
{
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "resizes floats; reel_cast makes them of integers");
    if (x->shape.rank != 4) return reel_reject(r, "input has rank %d, expected 4: [N, C, H, W]", x->shape.rank);
    for (int k = 0; k < 4; k++)
        if (x->shape.size[k] < 1 || x->shape.size[k] >= INT32_MAX)
            return reel_reject(r, "axis %d of the input is empty or too long", k);
    if (attr->size[0] < 1 || attr->size[1] < 1 || attr->size[0] == INT_MAX || attr->size[1] == INT_MAX)
        return reel_reject(r, "size %d,%d must be at least 1", attr->size[0], attr->size[1]);
    if (!(attr->scale_height >= 0 && attr->scale_height < HUGE_VAL && attr->scale_width >= 0 &&
          attr->scale_width < HUGE_VAL))
        return reel_reject(r, "scales %g,%g must be positive, or 0 for the ratio of the sizes", attr->scale_height,
                           attr->scale_width);
    return true;
}
