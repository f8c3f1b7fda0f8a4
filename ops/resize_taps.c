/* See resize_taps.h. Coordinates are computed as one division of whole numbers where the ratio of the sizes is the
   scale, so that a coordinate that is whole is exactly whole: flooring it cannot fall one short, as it can when o is
   multiplied by a rounded n/m. */
#include "ops/resize_taps.h"

#include <limits.h>
#include <math.h>

static double coordinate(const reel_resize2d_attr *attr, double scale, int64_t n, int64_t m, int64_t o)
{
    if (attr->align == REEL_ALIGN_CORNERS) return m > 1 ? (double)(o * (n - 1)) / (double)(m - 1) : 0;
    if (attr->align == REEL_PYTORCH_HALF_PIXEL && m == 1) return 0;
    if (attr->align == REEL_ASYMMETRIC) return scale > 0 ? (double)o / scale : (double)(o * n) / (double)m;
    double edge = scale > 0 ? ((double)o + 0.5) / scale : (double)((2 * o + 1) * n) / (double)(2 * m);
    return edge - 0.5;
}

static double rounded(int rounding, double c)
{
    switch (rounding) {
    case REEL_ROUND_PREFER_FLOOR:
        return ceil(c - 0.5);
    case REEL_ROUND_PREFER_CEIL:
        return floor(c + 0.5);
    case REEL_CEIL:
        return ceil(c);
    default:
        return floor(c);
    }
}

static reel_resize_tap tap_at(const reel_resize2d_attr *attr, double scale, int64_t n, int64_t m, int64_t o)
{
    double c = coordinate(attr, scale, n, m, o);
    if (attr->mode == REEL_NEAREST) c = rounded(attr->rounding, c);
    c = fmin(fmax(c, 0), (double)(n - 1));
    int32_t low = (int32_t)c;
    double weight = c - low;
    return (reel_resize_tap){low, weight > 0 ? low + 1 : low, weight};
}

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
            t.tap[axis][o] = tap_at(attr, scale[axis], t.in[axis], t.out[axis], o);
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
