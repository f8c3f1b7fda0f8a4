/* cast: the values of x in another dtype.

   x: any shape, any dtype. Float to integer drops the fraction; what does not fit becomes the nearest value that does,
   and NaN becomes 0, because C leaves both undefined. To a narrower float it rounds to the nearest, and to the even one
   of two; f64 gets to bf16 by way of f32. Cost: one read and one write.

   Gradient: between floats, dx = dy cast back; integers have none. Where y is bf16 and dy comes in f32, as the gradient
   of a convolution's weights does, it goes on as it is: the f32 master of a bf16 copy is updated by an f32 gradient. */
#include "core/element.h"
#include "ops/ops.h"

#include <limits.h>
#include <stddef.h>

static const reel_attr attrs[] = {
    {"dtype", REEL_ATTR_CHOICE, offsetof(reel_cast_attr, dtype), 0, "f32", "f32|f64|i32|u8|bf16", "of the output"},
    {0},
};

reel_tensor *reel_cast(reel_tensor *x, reel_dtype dtype)
{
    reel_cast_attr attr = {(int)dtype};
    if (x->dtype == dtype) return x;
    return reel_apply1(&reel_op_cast, &attr, x);
}

static bool shape_rule(reel_rule *r)
{
    const reel_cast_attr *a = r->attr;
    if (a->dtype < 0 || a->dtype >= REEL_DTYPES) return reel_reject(r, "there is no dtype %d", a->dtype);
    r->shape[0] = r->input[0]->shape;
    r->dtype[0] = (reel_dtype)a->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    if (reel_dtype_is_float(g->x[0]->dtype) && g->dy[0]) g->dx[0] = reel_cast(g->dy[0], g->x[0]->dtype);
}

static double fit(double value, double low, double high)
{
    return value != value ? 0 : value < low ? low : value > high ? high : value;
}

static double fit_dtype(double value, reel_dtype dtype)
{
    return dtype == REEL_I32 ? fit(value, INT_MIN, INT_MAX) : dtype == REEL_U8 ? fit(value, 0, UINT8_MAX) : value;
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int64_t elements = reel_elements(&x->shape);
    if (x->dtype == REEL_BF16 && y->dtype == REEL_F32)
        reel_bf16_widen(x->data, y->data, elements, 1);
    else if (x->dtype == REEL_F32 && y->dtype == REEL_BF16)
        reel_bf16_narrow(x->data, y->data, elements, 1);
    else
        for (int64_t i = 0; i < elements; i++)
            reel_set_element(y->data, y->dtype, i, fit_dtype(reel_element(x->data, x->dtype, i), y->dtype));
    return REEL_OK;
}

const reel_op reel_op_cast = {.name = "cast",
                              .summary = "the same values in another dtype",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .flags = REEL_OP_ELEMENTWISE | REEL_OP_ANY_COTANGENT,
                              .attr_size = sizeof(reel_cast_attr),
                              .attrs = attrs,
                              .shape = shape_rule,
                              .gradient = gradient_rule,
                              .reference = {reference, .bf16 = true}};
