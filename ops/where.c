/* where: y = a where condition is not zero, b elsewhere; the three broadcast. The condition is a mask of the dtype of a
   and b, or of u8 or i32; a NaN in it counts as not zero. The side that is not chosen has no influence, NaN or not.

   Gradient: dy to the side that was chosen, 0 to the other; none to the condition. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

reel_tensor *reel_where(reel_tensor *condition, reel_tensor *a, reel_tensor *b)
{
    return reel_apply3(&reel_op_where, NULL, condition, a, b);
}

static bool shape(reel_rule *r)
{
    const reel_tensor *condition = r->input[0], *a = r->input[1], *b = r->input[2];
    if (a->dtype != b->dtype || a->dtype == REEL_U8)
        return reel_reject(r, "the two sides must share one dtype of f32, f64 and i32; reel_cast converts");
    if (condition->dtype != a->dtype && condition->dtype != REEL_U8 && condition->dtype != REEL_I32)
        return reel_reject(r, "the condition is %s, expected u8, i32 or the %s of the sides",
                           reel_dtype_name(condition->dtype), reel_dtype_name(a->dtype));
    r->dtype[0] = a->dtype;
    if (!reel_shape_broadcast(&a->shape, &b->shape, &r->shape[0]) ||
        !reel_shape_broadcast(&r->shape[0], &condition->shape, &r->shape[0]))
        return reel_reject(r, "shapes do not broadcast: counted from the last axis, sizes must agree or be 1");
    return true;
}

static void gradient(reel_gradient *g)
{
    reel_tensor *zero = reel_scalar_like(g->dy[0], 0);
    if (g->wanted[1]) g->dx[1] = reel_where(g->x[0], g->dy[0], zero);
    if (g->wanted[2]) g->dx[2] = reel_where(g->x[0], zero, g->dy[0]);
}

#define WHERE_ROW(value, condition)                                                                                    \
    static void where_##value##_##condition(const reel_call *call, int64_t n, void *out, const void *const *in,        \
                                            const int64_t *step)                                                       \
    {                                                                                                                  \
        const condition *c = in[0];                                                                                    \
        const value *a = in[1], *b = in[2];                                                                            \
        value *y = out;                                                                                                \
        int64_t sc = step[0], sa = step[1], sb = step[2];                                                              \
        (void)call;                                                                                                    \
        for (int64_t i = 0; i < n; i++) y[i] = c[i * sc] != 0 ? a[i * sa] : b[i * sb];                                 \
    }
#define WHERE_ROWS(value) WHERE_ROW(value, value) WHERE_ROW(value, uint8_t) WHERE_ROW(value, int32_t)

WHERE_ROWS(float)
WHERE_ROWS(double)
WHERE_ROW(int32_t, uint8_t)
WHERE_ROW(int32_t, int32_t)

static reel_status where_reference(const reel_call *call)
{
    switch (call->input[0].dtype) {
    case REEL_U8:
        return reel_elementwise_run(call, where_float_uint8_t, where_double_uint8_t, where_int32_t_uint8_t);
    case REEL_I32:
        return reel_elementwise_run(call, where_float_int32_t, where_double_int32_t, where_int32_t_int32_t);
    default:
        return reel_elementwise_run(call, where_float_float, where_double_double, NULL);
    }
}

const reel_op reel_op_where = {.name = "where",
                               .summary = "a where condition is not zero, else b",
                               .least_inputs = 3,
                               .most_inputs = 3,
                               .outputs = 1,
                               .flags = REEL_ELEMENTWISE,
                               .shape = shape,
                               .gradient = gradient,
                               .reference = {where_reference, NULL}};
