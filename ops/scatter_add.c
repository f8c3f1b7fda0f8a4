/* scatter_add: y = 0, then y[b, index[j…], a] += x[b, j…, a] along an axis: the adjoint of gather.

   x: float, the axes of `index` standing at `axis`; index: i32 of any rank, below zero counted from the end, out of
   range refused with its position; y: those axes replaced by one of `size`. Several entries may land on one place; they
   are added in the order of the index, always. Cost: one addition an element of x.

   Gradient: dx = gather(dy, index). */
#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

static const reel_attr attrs[] = {
    {"axis", REEL_ATTR_INT, offsetof(reel_scatter_add_attr, axis), 1, "0", NULL,
     "of the output; where index stands in x"},
    {"size", REEL_ATTR_INT, offsetof(reel_scatter_add_attr, size), 1, "1", NULL, "of the output along the axis"},
    {0},
};

reel_tensor *reel_scatter_add(reel_tensor *x, reel_tensor *index, int axis, int size)
{
    reel_scatter_add_attr attr = {axis, size};
    return reel_apply2(&reel_op_scatter_add, &attr, x, index);
}

static bool shape_rule(reel_rule *r)
{
    const reel_scatter_add_attr *a = r->attr;
    const reel_shape *x = &r->input[0]->shape, *index = &r->input[1]->shape;
    reel_shape *y = &r->shape[0];
    y->rank = x->rank - index->rank + 1;
    if (!reel_dtype_is_float(r->input[0]->dtype)) return reel_reject(r, "adds floats; reel_cast converts");
    if (r->input[1]->dtype != REEL_I32) return reel_reject(r, "the index must be i32; reel_cast converts");
    if (y->rank < 1 || y->rank > REEL_MAX_RANK)
        return reel_reject(r, "the axes of the index must be among those of the input, and the result have at most %d",
                           REEL_MAX_RANK);
    int axis = reel_shape_axis(y, a->axis);
    if (axis < 0) return reel_reject(r, "axis %d is outside the %d axes of the result", a->axis, y->rank);
    if (a->size < 0) return reel_reject(r, "size %d is negative", a->size);
    for (int k = 0; k < index->rank; k++)
        if (x->size[axis + k] != index->size[k])
            return reel_reject(r, "axis %d of the input has size %lld, the index has %lld there", axis + k,
                               (long long)x->size[axis + k], (long long)index->size[k]);
    for (int k = 0; k < y->rank; k++)
        y->size[k] = k < axis ? x->size[k] : k > axis ? x->size[k - 1 + index->rank] : a->size;
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_scatter_add_attr *a = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_gather(g->dy[0], g->x[1], a->axis);
}

/* y[o, :, i] for one o and one i. The sums are kept in y itself: for float the rounding of each addition is that of a
   float, which the header's order makes reproducible. */
static void add_column(const reel_call *call, int64_t o, int64_t i, int64_t inner)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const int32_t *at = call->input[1].data;
    const reel_scatter_add_attr *a = call->attr;
    int64_t taken = reel_elements(&call->input[1].shape);
    for (int64_t k = 0; k < a->size; k++) reel_set_value(y, (o * a->size + k) * inner + i, 0);
    for (int64_t j = 0; j < taken; j++) {
        int64_t to = (o * a->size + (at[j] < 0 ? at[j] + a->size : at[j])) * inner + i;
        reel_set_value(y, to, reel_value(y, to) + reel_value(x, (o * taken + j) * inner + i));
    }
}

static reel_status reference(const reel_call *call)
{
    const reel_shape *y = &call->output[0].shape;
    const reel_scatter_add_attr *a = call->attr;
    const int32_t *at = call->input[1].data;
    int axis = reel_shape_axis(y, a->axis);
    int64_t outer = 1, inner = 1, taken = reel_elements(&call->input[1].shape);
    for (int k = 0; k < axis; k++) outer *= y->size[k];
    for (int k = axis + 1; k < y->rank; k++) inner *= y->size[k];
    for (int64_t j = 0; j < taken; j++)
        if (at[j] < -a->size || at[j] >= a->size)
            return reel_fail(call->error, REEL_BAD_DATA, "scatter_add: index %d at element %lld is outside -%d..%d",
                             at[j], (long long)j, a->size, a->size - 1);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) add_column(call, o, i, inner);
    return REEL_OK;
}

const reel_op reel_op_scatter_add = {.name = "scatter_add",
                                     .summary = "entries added up along an axis, by index",
                                     .least_inputs = 2,
                                     .most_inputs = 2,
                                     .outputs = 1,
                                     .attr_size = sizeof(reel_scatter_add_attr),
                                     .attrs = attrs,
                                     .shape = shape_rule,
                                     .gradient = gradient_rule,
                                     .reference = {reference, NULL}};
