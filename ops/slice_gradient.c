/* slice_gradient: y is zero, then y[start + i * step, …] = dy[i, …]: the adjoint of slice.

   dy: any dtype, the shape that slice gives for a tensor of `size` with the same starts, stops, axes and steps;
   y: shape `size`. A slice takes no element twice, so nothing is added up. Cost: one write an element of y.

   Gradient: slice, with the same attributes. */
#include "ops/ops.h"
#include "ops/slice_range.h"

#include <stddef.h>
#include <string.h>

#define FIELD(name) offsetof(reel_slice_gradient_attr, name)
static const reel_attr attrs[] = {
    {"starts", REEL_ATTR_INTS, FIELD(starts), 0, "", NULL, "as in slice"},
    {"stops", REEL_ATTR_INTS, FIELD(stops), 0, "", NULL, "as in slice"},
    {"axes", REEL_ATTR_INTS, FIELD(axes), 0, "", NULL, "as in slice"},
    {"steps", REEL_ATTR_INTS, FIELD(steps), 0, "", NULL, "as in slice"},
    {"size", REEL_ATTR_INTS, FIELD(size), 0, "", NULL, "shape of the tensor that was sliced"},
    {0},
};

reel_tensor *reel_slice_gradient(reel_tensor *dy, reel_slice_gradient_attr attr)
{
    return reel_apply1(&reel_op_slice_gradient, &attr, dy);
}

static bool shape_rule(reel_rule *r)
{
    const reel_slice_gradient_attr *a = r->attr;
    const reel_slice_attr slice = {a->starts, a->stops, a->axes, a->steps};
    reel_slice_range range = {.step = {0}};
    reel_shape y = {.rank = a->size.count}, dy = {.rank = a->size.count};
    int64_t elements;
    size_t bytes;
    memcpy(y.size, a->size.at, sizeof y.size);
    if (!reel_shape_measure(&y, r->input[0]->dtype, &elements, &bytes))
        return reel_reject(r, "size must be a shape: up to %d sizes of 0 or more", REEL_MAX_RANK);
    const char *wrong = reel_slice_ranges(&slice, &y, &range);
    if (wrong) return reel_reject(r, "%s", wrong);
    memcpy(dy.size, range.count, sizeof dy.size);
    r->shape[0] = y;
    r->dtype[0] = r->input[0]->dtype;
    if (reel_shape_equal(&dy, &r->input[0]->shape)) return true;
    char text[REEL_SHAPE_TEXT];
    return reel_reject(r, "these attributes slice a tensor to %s; the input must have that shape",
                       reel_shape_text(&dy, text));
}

static void gradient_rule(reel_gradient *g)
{
    const reel_slice_gradient_attr *a = g->attr;
    g->dx[0] = reel_slice(g->dy[0], a->starts, a->stops, a->axes, a->steps);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *y = &call->output[0];
    const reel_slice_gradient_attr *a = call->attr;
    const reel_slice_attr slice = {a->starts, a->stops, a->axes, a->steps};
    const size_t size = reel_dtype_size(y->dtype);
    int64_t stride[REEL_MAX_RANK] = {0}, elements = reel_elements(&dy->shape);
    reel_slice_range range = {.step = {0}};
    reel_slice_ranges(&slice, &y->shape, &range);
    reel_shape_strides(&y->shape, stride);
    memset(y->data, 0, (size_t)reel_elements(&y->shape) * size);
    for (int64_t i = 0; i < elements; i++) {
        int64_t to = reel_slice_offset(&range, &y->shape, stride, y->shape.rank, i);
        memcpy((char *)y->data + (size_t)to * size, (const char *)dy->data + (size_t)i * size, size);
    }
    return REEL_OK;
}

const reel_op reel_op_slice_gradient = {.name = "slice_gradient",
                                        .summary = "zero, and dy where the slice was taken",
                                        .least_inputs = 1,
                                        .most_inputs = 1,
                                        .outputs = 1,
                                        .attr_size = sizeof(reel_slice_gradient_attr),
                                        .attrs = attrs,
                                        .shape = shape_rule,
                                        .gradient = gradient_rule,
                                        .reference = {reference, .bf16 = true}};
