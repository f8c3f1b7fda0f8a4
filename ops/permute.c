/* permute: y has the axes of x in another order, y[i0, i1, …] = x[…] with axis k of y being axis order[k] of x.

   x: any shape, any dtype; order: every axis once, counted from the end when negative; an empty order reverses the
   axes, which for a matrix is the transpose. Cost: one read and one write an element, and one of the two is not
   sequential, which for large planes is what takes the time.

   Gradient: dx = permute(dy, inverse order). */
#include "ops/ops.h"

#include <string.h>

static const reel_attr attrs[] = {
    {"order", REEL_ATTR_INTS, offsetof(reel_permute_attr, order), .initial = "",
     .help = "output axis k is input axis order[k]"},
    {0},
};

reel_tensor *reel_permute(reel_tensor *x, reel_ints order)
{
    reel_permute_attr attr = {order};
    return reel_apply1(&reel_op_permute, &attr, x);
}

/* The axis of x that becomes axis k of y; -1 when there is none. */
static int source_axis(const reel_permute_attr *a, const reel_shape *x, int k)
{
    return a->order.count ? reel_shape_axis(x, a->order.at[k]) : x->rank - 1 - k;
}

static bool shape_rule(reel_rule *r)
{
    const reel_permute_attr *a = r->attr;
    const reel_shape *x = &r->input[0]->shape;
    bool used[REEL_MAX_RANK] = {false};
    if (a->order.count && a->order.count != x->rank)
        return reel_reject(r, "order has %d entries for %d axes; name every axis once", a->order.count, x->rank);
    r->shape[0].rank = x->rank;
    for (int k = 0; k < x->rank; k++) {
        int axis = source_axis(a, x, k);
        if (axis < 0 || used[axis])
            return reel_reject(r, "order[%d] = %lld is %s; name every axis of %d once", k, (long long)a->order.at[k],
                               axis < 0 ? "out of range" : "named twice", x->rank);
        used[axis] = true;
        r->shape[0].size[k] = x->size[axis];
    }
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_shape *x = &g->x[0]->shape;
    reel_ints inverse = {.count = x->rank};
    for (int k = 0; k < x->rank; k++) inverse.at[source_axis(g->attr, x, k)] = k;
    g->dx[0] = reel_permute(g->dy[0], inverse);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const size_t size = reel_dtype_size(x->dtype);
    int64_t x_stride[REEL_MAX_RANK] = {0}, stride[REEL_MAX_RANK] = {0}, at[REEL_MAX_RANK] = {0};
    reel_shape_strides(&x->shape, x_stride);
    for (int k = 0; k < y->shape.rank; k++) stride[k] = x_stride[source_axis(call->attr, &x->shape, k)];
    int64_t elements = reel_elements(&y->shape), from = 0;
    for (int64_t i = 0; i < elements; i++) {
        memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)from * size, size);
        for (int k = y->shape.rank - 1; k >= 0; k--) { /* the next position of y, as an odometer turns */
            from += stride[k];
            if (++at[k] < y->shape.size[k]) break;
            from -= stride[k] * at[k];
            at[k] = 0;
        }
    }
    return REEL_OK;
}

const reel_op reel_op_permute = {.name = "permute",
                                 .summary = "axes in another order",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .attr_size = sizeof(reel_permute_attr),
                                 .attrs = attrs,
                                 .shape = shape_rule,
                                 .gradient = gradient_rule,
                                 .reference = {reference, .bf16 = true}};
