/* The sizes of one pooling, and what its ops share: attributes, checks and the two walks. Forward, output (p, q) looks
   at input (p*s + i*d - top, q*s + j*d - left); backward, an input looks for the windows that held it at (i, j). */
#ifndef REEL_OPS_POOL2D_GEOMETRY_H
#define REEL_OPS_POOL2D_GEOMETRY_H

#include "ops/pooling.h"

#include <stddef.h>

typedef struct {
    int64_t planes;  /* images times channels */
    int64_t size[2]; /* rows and columns of a plane of the input */
    int64_t out[2];  /* of the output */
    int64_t kernel[2], stride[2], dilation[2];
    int64_t before[2], after[2]; /* padding */
} reel_pool2d_geometry;

static inline reel_pool2d_geometry reel_pool2d_measure(const reel_shape *x, const reel_shape *y,
                                                       const reel_max_pool2d_attr *attr)
{
    reel_pool2d_geometry g = {.planes = x->size[0] * x->size[1]};
    for (int a = 0; a < 2; a++) {
        g.size[a] = x->size[2 + a];
        g.out[a] = y->size[2 + a];
        g.kernel[a] = attr->kernel[a];
        g.stride[a] = attr->stride[a];
        g.dilation[a] = attr->dilation[a];
        g.before[a] = attr->pad[a];
        g.after[a] = attr->pad[a + 2];
    }
    return g;
}

/* Row (axis 0) or column (axis 1) that window o sees at kernel position i; outside 0..size-1 it is padding. */
static inline int64_t reel_pool2d_at(const reel_pool2d_geometry *g, int axis, int64_t o, int64_t i)
{
    return o * g->stride[axis] + i * g->dilation[axis] - g->before[axis];
}

/* The window that sees `at` at kernel position i, or -1 when there is none. */
static inline int64_t reel_pool2d_window(const reel_pool2d_geometry *g, int axis, int64_t at, int64_t i)
{
    int64_t distance = at + g->before[axis] - i * g->dilation[axis];
    if (distance < 0 || distance % g->stride[axis] || distance / g->stride[axis] >= g->out[axis]) return -1;
    return distance / g->stride[axis];
}

/* How many positions of window o an average counts along one axis. */
static inline int64_t reel_pool2d_counted(const reel_pool2d_geometry *g, int axis, int64_t o, bool include_pad)
{
    int64_t low = include_pad ? -g->before[axis] : 0, high = g->size[axis] + (include_pad ? g->after[axis] : 0);
    int64_t count = 0;
    for (int64_t i = 0; i < g->kernel[axis]; i++) {
        int64_t at = reel_pool2d_at(g, axis, o, i);
        count += at >= low && at < high;
    }
    return count;
}

/* The rows of an attribute table; `type` holds a reel_max_pool2d_attr at `member`. */
#define REEL_POOL2D_ATTRIBUTES(type, member)                                                                           \
    {"kernel", REEL_ATTR_INT, offsetof(type, member kernel), 2, "2", NULL, "rows and columns of a window"},            \
        {"stride", REEL_ATTR_INT, offsetof(type, member stride), 2, "2", NULL, "step of the window, down and across"}, \
        {"dilation", REEL_ATTR_INT, offsetof(type, member dilation), 2, "1", NULL, "step within the window"},          \
        {"pad", REEL_ATTR_INT, offsetof(type, member pad), 4, "0", NULL, "padding: top, left, bottom, right"},         \
    {                                                                                                                  \
        "ceil_mode", REEL_ATTR_BOOL, offsetof(type, member ceil_mode), 1, "0", NULL, "round the output size up"        \
    }

/* Checks the attributes and the pooled shape `x`, and gives the output's sizes. */
bool reel_pool2d_shape(const reel_rule *r, const reel_max_pool2d_attr *attr, const reel_shape *x, reel_shape *y);
/* The same for an adjoint: r->input[given] has the output's shape, the plane of the input has the size given. Fills
   the input's shape. */
bool reel_pool2d_adjoint_shape(const reel_rule *r, const reel_max_pool2d_attr *attr, int given, const int size[2],
                               reel_shape *x);
/* Every index names a position of the window; else an error that says where. */
reel_status reel_pool2d_check_index(const reel_call *call, const reel_array *index, const reel_pool2d_geometry *g);

static inline int64_t reel_pool2d_index(const reel_array *index, int64_t i)
{
    return index->dtype == REEL_U8 ? ((const uint8_t *)index->data)[i] : ((const int32_t *)index->data)[i];
}

#endif
