/* cast: the values of x in another dtype.

   x: any shape, any dtype. Float to integer drops the fraction; what does not fit becomes the nearest value that does,
   and NaN becomes 0, because C leaves both undefined. f64 to f32 rounds to nearest. Cost: one read and one write.

   Gradient: between floats, dx = dy cast back; integers have none. */
#include "ops/ops.h"

#include <limits.h>
#include <stddef.h>

static const reel_attr attrs[] = {
    {"dtype", REEL_ATTR_CHOICE, offsetof(reel_cast_attr, dtype), 0, "f32", "f32|f64|i32|u8", "of the output"},
    {0},
};

reel_tensor *reel_cast(reel_tensor *x, reel_dtype dtype)
{
    reel_cast_attr attr = {(int)dtype};
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

/* A double holds every value of the other three dtypes exactly. */
static double read(const reel_array *x, int64_t i)
{
    switch (x->dtype) {
    case REEL_F32:
        return ((const float *)x->data)[i];
    case REEL_F64:
        return ((const double *)x->data)[i];
    case REEL_I32:
        return ((const int32_t *)x->data)[i];
    default:
        return ((const uint8_t *)x->data)[i];
    }
}

static double fit(double value, double low, double high)
{
    return value != value ? 0 : value < low ? low : value > high ? high : value;
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int64_t elements = reel_elements(&x->shape);
    for (int64_t i = 0; i < elements; i++) {
        double value = read(x, i);
        switch (y->dtype) {
        case REEL_F32:
            ((float *)y->data)[i] = (float)value;
            break;
        case REEL_F64:
            ((double *)y->data)[i] = value;
            break;
        case REEL_I32:
            ((int32_t *)y->data)[i] = (int32_t)fit(value, INT_MIN, INT_MAX);
            break;
        default:
            ((uint8_t *)y->data)[i] = (uint8_t)fit(value, 0, UINT8_MAX);
        }
    }
    return REEL_OK;
}

const reel_op reel_op_cast = {.name = "cast",
                              .summary = "the same values in another dtype",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .attr_size = sizeof(reel_cast_attr),
                              .attrs = attrs,
                              .shape = shape_rule,
                              .gradient = gradient_rule,
                              .reference = {reference, NULL}};
