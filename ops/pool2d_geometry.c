/* See pool2d_geometry.h. */
#include "ops/pool2d_geometry.h"

#include <limits.h>

static bool check(const reel_rule *r, const reel_max_pool2d_attr *attr)
{
    for (int a = 0; a < 2; a++)
        if (attr->kernel[a] < 1 || attr->stride[a] < 1 || attr->dilation[a] < 1)
            return reel_reject(r, "kernel %d,%d stride %d,%d and dilation %d,%d must be at least 1", attr->kernel[0],
                               attr->kernel[1], attr->stride[0], attr->stride[1], attr->dilation[0], attr->dilation[1]);
    for (int i = 0; i < 4; i++)
        if (attr->pad[i] < 0) return reel_reject(r, "pad %d is negative; crop with reel_slice", attr->pad[i]);
    if ((int64_t)attr->kernel[0] * attr->kernel[1] > INT_MAX)
        return reel_reject(r, "a window of %d by %d has too many positions", attr->kernel[0], attr->kernel[1]);
    return true;
}

static bool window_is_empty(const reel_pool2d_geometry *g, int axis, int64_t o)
{
    int64_t start = o * g->stride[axis] - g->before[axis], d = g->dilation[axis];
    int64_t skip = start < 0 ? (-start + d - 1) / d : 0;
    return skip >= g->kernel[axis] || start + skip * d >= g->size[axis];
}

/* Along one axis; -1 after a rejection. */
static int64_t extent(const reel_rule *r, const reel_max_pool2d_attr *attr, const reel_pool2d_geometry *g, int axis)
{
    int64_t padded = g->size[axis] + g->before[axis] + g->after[axis];
    int64_t reach = g->dilation[axis] * (g->kernel[axis] - 1) + 1, stride = g->stride[axis];
    const char *what = axis ? "columns" : "rows";
    if (reach > padded) {
        reel_reject(r, "the window spans %lld %s, the padded input has %lld; pad more or use a smaller kernel",
                    (long long)reach, what, (long long)padded);
        return -1;
    }
    int64_t count = (padded - reach + (attr->ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (attr->ceil_mode && (count - 1) * stride >= g->size[axis] + g->before[axis]) count--;
    for (int64_t o = 0; o < count; o++)
        if (window_is_empty(g, axis, o)) {
            reel_reject(r, "window %lld of the %s sees nothing but padding; pad less than the window spans",
                        (long long)o, what);
            return -1;
        }
    return count;
}

bool reel_pool2d_shape(const reel_rule *r, const reel_max_pool2d_attr *attr, const reel_shape *x, reel_shape *y)
{
    if (!check(r, attr)) return false;
    if (x->rank != 4) return reel_reject(r, "input has rank %d, expected 4: [N, C, H, W]", x->rank);
    for (int k = 0; k < 4; k++)
        if (x->size[k] < 1 || x->size[k] > INT_MAX)
            return reel_reject(r, "axis %d of the input is empty or longer than %d", k, INT_MAX);
    reel_pool2d_geometry g = reel_pool2d_measure(x, x, attr);
    *y = *x;
    for (int axis = 0; axis < 2; axis++) {
        y->size[2 + axis] = extent(r, attr, &g, axis);
        if (y->size[2 + axis] < 1) return false;
    }
    return true;
}

bool reel_pool2d_adjoint_shape(const reel_rule *r, const reel_max_pool2d_attr *attr, int given, const int size[2],
                               reel_shape *x)
{
    const reel_shape *dy = &r->input[given]->shape;
    if (dy->rank != 4) return reel_reject(r, "input %d has rank %d, expected 4: [N, C, P, Q]", given, dy->rank);
    *x = REEL_SHAPE(dy->size[0], dy->size[1], size[0], size[1]);
    reel_shape y = *x;
    if (!reel_pool2d_shape(r, attr, x, &y)) return false;
    if (!reel_shape_equal(&y, dy))
        return reel_reject(r, "pooling %d,%d gives planes of %lld,%lld, input %d has %lld,%lld", size[0], size[1],
                           (long long)y.size[2], (long long)y.size[3], given, (long long)dy->size[2],
                           (long long)dy->size[3]);
    return true;
}

reel_status reel_pool2d_check_index(const reel_call *call, const reel_array *index, const reel_pool2d_geometry *g)
{
    int64_t count = reel_elements(&index->shape), positions = g->kernel[0] * g->kernel[1];
    for (int64_t i = 0; i < count; i++) {
        int64_t value = reel_pool2d_index(index, i);
        if (value < 0 || value >= positions)
            return reel_fail(call->error, REEL_BAD_DATA,
                             "index %lld at element %lld, expected 0 to %lld: a position in the window",
                             (long long)value, (long long)i, (long long)positions - 1);
    }
    return REEL_OK;
}
