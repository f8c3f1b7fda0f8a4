/* gather: y[before, index[j…], after] taken from x along an axis: y[b, j…, a] = x[b, index[j…], a], NumPy's take.

   x: any shape with at least one axis, any dtype; index: i32 of any rank, whose shape replaces the axis, so that a
   scalar removes it. An index below zero counts from the end; one out of range is refused when it is seen, with its
   position. Cost: a copy of what is taken.

   Gradient: dx = scatter_add(dy, index); the two are each other's adjoint. */
#include "ops/ops.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

static const reel_attr attrs[] = {
    {"axis", REEL_ATTR_INT, offsetof(reel_gather_attr, axis), 1, "0", NULL, "along which to take"},
    {0},
};

reel_tensor *reel_gather(reel_tensor *x, reel_tensor *index, int axis)
{
    reel_gather_attr attr = {axis};
    return reel_apply2(&reel_op_gather, &attr, x, index);
}

static bool shape_rule(reel_rule *r)
{
    const reel_gather_attr *a = r->attr;
    const reel_shape *x = &r->input[0]->shape, *index = &r->input[1]->shape;
    int axis = reel_shape_axis(x, a->axis), rank = x->rank - 1 + index->rank;
    if (axis < 0) return reel_reject(r, "axis %d is outside the %d axes of the first input", a->axis, x->rank);
    if (r->input[1]->dtype != REEL_I32) return reel_reject(r, "the index must be i32; reel_cast converts");
    if (rank > REEL_MAX_RANK)
        return reel_reject(r, "the result would have %d axes; %d is the most", rank, REEL_MAX_RANK);
    if (x->size[axis] > INT_MAX) return reel_reject(r, "axis %d is longer than an i32 can point at", axis);
    reel_shape *y = &r->shape[0];
    y->rank = rank;
    for (int k = 0; k < axis; k++) y->size[k] = x->size[k];
    for (int k = 0; k < index->rank; k++) y->size[axis + k] = index->size[k];
    for (int k = axis + 1; k < x->rank; k++) y->size[k - 1 + index->rank] = x->size[k];
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_gather_attr *a = g->attr;
    int axis = reel_shape_axis(&g->x[0]->shape, a->axis);
    if (g->wanted[0]) g->dx[0] = reel_scatter_add(g->dy[0], g->x[1], axis, (int)g->x[0]->shape.size[axis]);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *index = &call->input[1], *y = &call->output[0];
    const int32_t *at = index->data;
    int axis = reel_shape_axis(&x->shape, ((const reel_gather_attr *)call->attr)->axis);
    int64_t outer = 1, size = x->shape.size[axis], taken = reel_elements(&index->shape);
    size_t inner = reel_dtype_size(x->dtype); /* bytes of one entry along the axis */
    for (int k = 0; k < axis; k++) outer *= x->shape.size[k];
    for (int k = axis + 1; k < x->shape.rank; k++) inner *= (size_t)x->shape.size[k];
    for (int64_t j = 0; j < taken; j++) {
        int64_t i = at[j] < 0 ? at[j] + size : at[j];
        if (i < 0 || i >= size)
            return reel_fail(call->error, REEL_BAD_DATA, "gather: index %d at element %lld is outside -%lld..%lld",
                             at[j], (long long)j, (long long)size, (long long)size - 1);
        for (int64_t o = 0; inner && o < outer; o++)
            memcpy((char *)y->data + (size_t)(o * taken + j) * inner,
                   (const char *)x->data + (size_t)(o * size + i) * inner, inner);
    }
    return REEL_OK;
}

const reel_op reel_op_gather = {.name = "gather",
                                .summary = "entries along an axis, by index",
                                .least_inputs = 2,
                                .most_inputs = 2,
                                .outputs = 1,
                                .attr_size = sizeof(reel_gather_attr),
                                .attrs = attrs,
                                .shape = shape_rule,
                                .gradient = gradient_rule,
                                .reference = {reference, .bf16 = true}};
