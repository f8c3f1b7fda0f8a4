/* One axis of a resize as a table: which two inputs an output lies between and how far, and which outputs an input
   takes part in. The two axes are independent, so that a plane needs H + W table entries and not H W. */
#ifndef REEL_OPS_RESIZE_TAPS_H
#define REEL_OPS_RESIZE_TAPS_H

#include "core/inline.h"
#include "core/op.h"
#include "ops/resize.h"

#include <math.h>

typedef struct {
    int32_t low, high; /* equal when one input gives the whole value */
    double weight;     /* of high; low has 1 - weight */
} reel_resize_tap;

typedef struct {
    int32_t first, last; /* outputs whose low or high is this input; none when last < first */
} reel_resize_range;

/* The coordinate of output o, of m, in an input of n. One division of whole numbers where the ratio of the sizes is the
   scale, so that a coordinate that is whole is exactly whole: flooring it cannot fall one short, as it can when o is
   multiplied by a rounded n/m. */
REEL_INLINE double reel_resize_coordinate(const reel_resize2d_attr *attr, double scale, int64_t n, int64_t m, int64_t o)
{
    if (attr->align == REEL_ALIGN_CORNERS) return m > 1 ? (double)(o * (n - 1)) / (double)(m - 1) : 0;
    if (attr->align == REEL_PYTORCH_HALF_PIXEL && m == 1) return 0;
    if (attr->align == REEL_ASYMMETRIC) return scale > 0 ? (double)o / scale : (double)(o * n) / (double)m;
    double edge = scale > 0 ? ((double)o + 0.5) / scale : (double)((2 * o + 1) * n) / (double)(2 * m);
    return edge - 0.5;
}

REEL_INLINE double reel_resize_rounded(int rounding, double c)
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

REEL_INLINE reel_resize_tap reel_resize_tap_at(const reel_resize2d_attr *attr, double scale, int64_t n, int64_t m,
                                               int64_t o)
{
    double c = reel_resize_coordinate(attr, scale, n, m, o);
    if (attr->mode == REEL_NEAREST) c = reel_resize_rounded(attr->rounding, c);
    c = fmin(fmax(c, 0.0), (double)(n - 1));
    int32_t low = (int32_t)c;
    double weight = c - low;
    return (reel_resize_tap){low, weight > 0 ? low + 1 : low, weight};
}

/* The tables of both axes. For the adjoint too, `in` are the sizes of the resize's input, `out` of its output. */
typedef struct {
    int64_t planes;
    int64_t in[2], out[2];
    reel_resize_tap *tap[2];
    reel_resize_range *range[2];
} reel_resize_tables;

size_t reel_resize_tables_bytes(const int64_t in[2], const int64_t out[2]);
/* Lays the tables out in `memory` of that size, and fills them. */
reel_resize_tables reel_resize_tables_fill(const reel_resize2d_attr *attr, const reel_shape *x, const reel_shape *y,
                                           void *memory);

/* The adjoint's weight: how much of input i output o takes. */
REEL_INLINE double reel_resize_share(const reel_resize_tap *tap, int64_t i)
{
    return (tap->low == i ? 1 - tap->weight : 0) + (tap->high == i ? tap->weight : 0);
}

/* Attributes are meaningful and x is a picture of floats. */
bool reel_resize_check(const reel_rule *r, const reel_resize2d_attr *attr, const reel_tensor *x);

/* The attribute rows that resize2d and its adjoint share; `type` holds a reel_resize2d_attr at `member`. */
#define REEL_RESIZE_ATTRIBUTES(type, member)                                                                           \
    {"mode", REEL_ATTR_CHOICE, offsetof(type, member mode), 1, "bilinear", "nearest|bilinear", "interpolation"},       \
        {"align",                                                                                                      \
         REEL_ATTR_CHOICE,                                                                                             \
         offsetof(type, member align),                                                                                 \
         1,                                                                                                            \
         "half_pixel",                                                                                                 \
         "half_pixel|align_corners|asymmetric|pytorch_half_pixel",                                                     \
         "which input coordinate an output samples"},                                                                  \
        {"rounding",                                                                                                   \
         REEL_ATTR_CHOICE,                                                                                             \
         offsetof(type, member rounding),                                                                              \
         1,                                                                                                            \
         "floor",                                                                                                      \
         "floor|round_prefer_floor|round_prefer_ceil|ceil",                                                            \
         "of the coordinate, for nearest"},                                                                            \
        {"scale_height",                                                                                               \
         REEL_ATTR_FLOAT,                                                                                              \
         offsetof(type, member scale_height),                                                                          \
         1,                                                                                                            \
         "0",                                                                                                          \
         NULL,                                                                                                         \
         "output rows over input rows where not the ratio of sizes; 0: the ratio"},                                    \
    {                                                                                                                  \
        "scale_width", REEL_ATTR_FLOAT, offsetof(type, member scale_width), 1, "0", NULL, "the same across"            \
    }

#endif
