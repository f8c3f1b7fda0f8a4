/* distance_transform: y = distance of the pixel to the nearest zero pixel of its plane, 0 at a zero pixel.

   x [..., H, W], any dtype; what is not zero counts as inside, NaN too. y: the same shape, of the dtype of x when that
   is a float, else f32. Distances are Euclidean between pixel centres and exact: the square root of an integer. A plane
   without any zero pixel is infinitely far from one, and y is infinity there. (scipy, asked the same, answers with the
   distance to a point outside the corner.)

   Cost: O(H W) a plane, see squared_distance.h. Constant almost everywhere: no gradient. */
#include "ops/ops.h"
#include "ops/squared_distance.h"
#include "ops/value.h"

#include <math.h>

reel_tensor *reel_distance_transform(reel_tensor *x)
{
    return reel_apply1(&reel_op_distance_transform, NULL, x);
}

static bool shape_rule(reel_rule *r)
{
    const reel_tensor *x = r->input[0];
    if (x->shape.rank < 2) return reel_reject(r, "needs planes, [..., H, W]");
    for (int k = x->shape.rank - 2; k < x->shape.rank; k++)
        if (x->shape.size[k] > INT16_MAX)
            return reel_reject(r, "a plane may be %d pixels high and wide at most", INT16_MAX);
    r->shape[0] = x->shape;
    r->dtype[0] = reel_dtype_is_float(x->dtype) ? x->dtype : REEL_F32;
    return true;
}

static bool is_zero(const reel_array *x, int64_t i)
{
    switch (x->dtype) {
    case REEL_F32:
    case REEL_F64:
        return reel_value(x, i) == 0;
    case REEL_I32:
        return ((const int32_t *)x->data)[i] == 0;
    default:
        return ((const uint8_t *)x->data)[i] == 0;
    }
}

static size_t scratch(const reel_call *call)
{
    const reel_shape *s = &call->input[0].shape;
    size_t width = (size_t)s->size[s->rank - 1], plane = width * (size_t)s->size[s->rank - 2];
    return (plane + 3 * width) * sizeof(int64_t) + plane;
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int64_t height = x->shape.size[x->shape.rank - 2], width = x->shape.size[x->shape.rank - 1], planes = 1;
    int64_t *column = call->scratch, *squared = column + height * width, *work = squared + width;
    uint8_t *zero = (uint8_t *)(work + 2 * width);
    for (int k = 0; k < x->shape.rank - 2; k++) planes *= x->shape.size[k];
    for (int64_t p = 0; p < planes; p++) {
        for (int64_t i = 0; i < height * width; i++) zero[i] = is_zero(x, p * height * width + i);
        reel_column_distances(zero, height, width, 0, width, column);
        for (int64_t row = 0; row < height; row++) {
            reel_squared_distance_row(column + row * width, squared, width, work);
            for (int64_t i = 0; i < width; i++)
                reel_set_value(y, (p * height + row) * width + i,
                               squared[i] == REEL_INFINITELY_FAR ? INFINITY : sqrt((double)squared[i]));
        }
    }
    return REEL_OK;
}

const reel_op reel_op_distance_transform = {.name = "distance_transform",
                                            .summary = "distance to the nearest zero pixel",
                                            .least_inputs = 1,
                                            .most_inputs = 1,
                                            .outputs = 1,
                                            .flags = REEL_OP_NO_GRADIENT,
                                            .shape = shape_rule,
                                            .reference = {reference, scratch}};
