/* max_pool2d_select: y[n,c,p,q] = x[n, c, p*s + i*d - top, q*s + j*d - left] where i * kw + j = index[n,c,p,q]

   x [N, C, H, W]; index (u8 or i32) and y [N, C, P, Q], of the sizes that max_pool2d would give x. A position that
   falls into the padding gives 0; an index beyond the window is bad data.

   It is what max_pool2d does once the maxima are known: linear in x, the adjoint of max_pool2d_gradient, and so the
   second derivative's way through a max pooling. Cost: one read and write an output element. */
#include "ops/ops.h"
#include "ops/pool2d_geometry.h"
#include "ops/samples.h"
#include "ops/value.h"

static const reel_attr attributes[] = {REEL_POOL2D_ATTRIBUTES(reel_max_pool2d_attr, ), {0}};

reel_tensor *reel_max_pool2d_select(reel_tensor *x, reel_tensor *index, reel_max_pool2d_attr attr)
{
    return reel_apply2(&reel_op_max_pool2d_select, &attr, x, index);
}

static bool shape(reel_rule *r)
{
    const reel_tensor *x = r->input[0], *index = r->input[1];
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "x should be float");
    if (index->dtype != REEL_U8 && index->dtype != REEL_I32)
        return reel_reject(r, "index should be the second output of max_pool2d, u8 or i32");
    r->dtype[0] = x->dtype;
    if (!reel_pool2d_shape(r, r->attr, &x->shape, &r->shape[0])) return false;
    if (!reel_shape_equal(&r->shape[0], &index->shape))
        return reel_reject(r, "the index has another shape than the pooled x, whose planes are %lld,%lld",
                           (long long)r->shape[0].size[2], (long long)r->shape[0].size[3]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const int64_t *size = g->x[0]->shape.size;
    if (g->wanted[0])
        g->dx[0] = reel_max_pool2d_gradient(g->dy[0], g->x[1], *(const reel_max_pool2d_attr *)g->attr, (int)size[2],
                                            (int)size[3]);
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *index = &call->input[1], *y = &call->output[0];
    reel_pool2d_geometry g = reel_pool2d_measure(&x->shape, &y->shape, call->attr);
    if (reel_pool2d_check_index(call, index, &g)) return REEL_BAD_DATA;
    int64_t at = 0;
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t p = 0; p < g.out[0]; p++)
            for (int64_t q = 0; q < g.out[1]; q++, at++) {
                int64_t position = reel_pool2d_index(index, at);
                int64_t row = reel_pool2d_at(&g, 0, p, position / g.kernel[1]);
                int64_t column = reel_pool2d_at(&g, 1, q, position % g.kernel[1]);
                bool inside = row >= 0 && row < g.size[0] && column >= 0 && column < g.size[1];
                reel_set_value(y, at, inside ? reel_value(x, (plane * g.size[0] + row) * g.size[1] + column) : 0);
            }
    return REEL_OK;
}

const reel_op reel_op_max_pool2d_select = {.name = "max_pool2d_select",
                                           .summary = "y = the element of each window that the index names",
                                           .least_inputs = 2,
                                           .most_inputs = 2,
                                           .outputs = 1,
                                           .attr_size = sizeof(reel_max_pool2d_attr),
                                           .attrs = attributes,
                                           .shape = shape,
                                           .gradient = gradient,
                                           .reference = {run, NULL},
                                           .samples = reel_samples_of_all};
