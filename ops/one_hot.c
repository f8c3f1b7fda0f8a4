/* one_hot: y is 1 where the new axis has the value of the index, else 0.

   index: i32 of any rank up to 7, values 0..classes-1; y: the shape of the index with an axis of `classes` inserted, of
   the dtype asked for. A value out of range is refused with its position. Constant almost everywhere: no gradient. */
#include "core/element.h"
#include "ops/ops.h"

#include <stddef.h>
#include <string.h>

static const reel_attr attrs[] = {
    {"classes", REEL_ATTR_INT, offsetof(reel_one_hot_attr, classes), 1, "2", NULL, "size of the new axis"},
    {"axis", REEL_ATTR_INT, offsetof(reel_one_hot_attr, axis), 1, "-1", NULL, "where it stands in the output"},
    {"dtype", REEL_ATTR_CHOICE, offsetof(reel_one_hot_attr, dtype), 0, "f32", "f32|f64|i32|u8|bf16", "of the output"},
    {0},
};

reel_tensor *reel_one_hot(reel_tensor *index, int classes, int axis, reel_dtype dtype)
{
    reel_one_hot_attr attr = {classes, axis, (int)dtype};
    return reel_apply1(&reel_op_one_hot, &attr, index);
}

static bool shape_rule(reel_rule *r)
{
    const reel_one_hot_attr *a = r->attr;
    const reel_shape *index = &r->input[0]->shape;
    reel_shape *y = &r->shape[0];
    if (r->input[0]->dtype != REEL_I32) return reel_reject(r, "class numbers must be i32; reel_cast converts");
    if (a->classes < 1) return reel_reject(r, "classes is %d, expected at least 1", a->classes);
    if (a->dtype < 0 || a->dtype >= REEL_DTYPES) return reel_reject(r, "there is no dtype %d", a->dtype);
    if (index->rank == REEL_MAX_RANK) return reel_reject(r, "a new axis would make more than %d", REEL_MAX_RANK);
    y->rank = index->rank + 1;
    int axis = reel_shape_axis(y, a->axis);
    if (axis < 0) return reel_reject(r, "axis %d is outside the %d axes of the result", a->axis, y->rank);
    for (int k = 0; k < y->rank; k++)
        y->size[k] = k < axis ? index->size[k] : k > axis ? index->size[k - 1] : a->classes;
    r->dtype[0] = (reel_dtype)a->dtype;
    return true;
}

static reel_status reference(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    const int32_t *index = call->input[0].data;
    const reel_one_hot_attr *a = call->attr;
    int64_t inner = 1, elements = reel_elements(&call->input[0].shape);
    for (int k = reel_shape_axis(&y->shape, a->axis) + 1; k < y->shape.rank; k++) inner *= y->shape.size[k];
    memset(y->data, 0, (size_t)reel_elements(&y->shape) * reel_dtype_size(y->dtype));
    for (int64_t i = 0; i < elements; i++) {
        if (index[i] < 0 || index[i] >= a->classes)
            return reel_fail(call->error, REEL_BAD_DATA, "one_hot: class %d at element %lld is outside 0..%d", index[i],
                             (long long)i, a->classes - 1);
        reel_set_element(y->data, y->dtype, (i / inner * a->classes + index[i]) * inner + i % inner, 1);
    }
    return REEL_OK;
}

const reel_op reel_op_one_hot = {.name = "one_hot",
                                 .summary = "1 at the class, 0 elsewhere",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .flags = REEL_OP_NO_GRADIENT,
                                 .attr_size = sizeof(reel_one_hot_attr),
                                 .attrs = attrs,
                                 .shape = shape_rule,
                                 .reference = {reference, .bf16 = true}};
