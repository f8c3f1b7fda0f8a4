/* max_pool2d_gradient: dx[n,c,h,w] = sum over the windows (p, q) whose index names (h, w) of dy[n,c,p,q]

   dy and index (u8 or i32) [N, C, P, Q]; dx [N, C, H, W] with H and W given by the attribute `size`, because several
   input sizes pool to one output size. An index beyond the window is bad data.

   Gather form: an input asks each window that covers it whether it was the maximum there, at most kh kw of them, so
   that overlapping windows need no scattering and threads cannot change the sum. Linear in dy; the adjoint of
   max_pool2d_select. Cost: N C H W times the windows an input lies in. */
#include "ops/ops.h"
#include "ops/pool2d_geometry.h"
#include "ops/samples.h"
#include "ops/value.h"

static const reel_attr attributes[] = {
    REEL_POOL2D_ATTRIBUTES(reel_max_pool2d_gradient_attr, window.),
    {"size", REEL_ATTR_INT, offsetof(reel_max_pool2d_gradient_attr, size), 2, "1", NULL, "height and width of dx"},
    {0}};

reel_tensor *reel_max_pool2d_gradient(reel_tensor *dy, reel_tensor *index, reel_max_pool2d_attr attr, int height,
                                      int width)
{
    reel_max_pool2d_gradient_attr adjoint = {attr, {height, width}};
    return reel_apply2(&reel_op_max_pool2d_gradient, &adjoint, dy, index);
}

static bool shape(reel_rule *r)
{
    const reel_max_pool2d_gradient_attr *attr = r->attr;
    const reel_tensor *dy = r->input[0], *index = r->input[1];
    if (!reel_dtype_is_float(dy->dtype)) return reel_reject(r, "dy should be float");
    if (index->dtype != REEL_U8 && index->dtype != REEL_I32)
        return reel_reject(r, "index should be the second output of max_pool2d, u8 or i32");
    if (!reel_shape_equal(&dy->shape, &index->shape)) return reel_reject(r, "dy and index should have one shape");
    r->dtype[0] = dy->dtype;
    return reel_pool2d_adjoint_shape(r, &attr->window, 0, attr->size, &r->shape[0]);
}

static void gradient(reel_gradient *g)
{
    const reel_max_pool2d_gradient_attr *attr = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_max_pool2d_select(g->dy[0], g->x[1], attr->window);
}

static double gathered(const reel_pool2d_geometry *g, const reel_array *dy, const reel_array *index, int64_t plane,
                       int64_t row, int64_t column)
{
    double sum = 0;
    for (int64_t i = 0; i < g->kernel[0]; i++) {
        int64_t p = reel_pool2d_window(g, 0, row, i);
        for (int64_t j = 0; p >= 0 && j < g->kernel[1]; j++) {
            int64_t q = reel_pool2d_window(g, 1, column, j);
            int64_t at = (plane * g->out[0] + p) * g->out[1] + q;
            if (q >= 0 && reel_pool2d_index(index, at) == i * g->kernel[1] + j) sum += reel_value(dy, at);
        }
    }
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *index = &call->input[1], *dx = &call->output[0];
    const reel_max_pool2d_gradient_attr *attr = call->attr;
    reel_pool2d_geometry g = reel_pool2d_measure(&dx->shape, &dy->shape, &attr->window);
    if (reel_pool2d_check_index(call, index, &g)) return REEL_BAD_DATA;
    int64_t at = 0;
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t row = 0; row < g.size[0]; row++)
            for (int64_t column = 0; column < g.size[1]; column++)
                reel_set_value(dx, at++, gathered(&g, dy, index, plane, row, column));
    return REEL_OK;
}

const reel_op reel_op_max_pool2d_gradient = {.name = "max_pool2d_gradient",
                                             .summary = "dx = dy put where the maximum of each window was",
                                             .least_inputs = 2,
                                             .most_inputs = 2,
                                             .outputs = 1,
                                             .attr_size = sizeof(reel_max_pool2d_gradient_attr),
                                             .attrs = attributes,
                                             .shape = shape,
                                             .gradient = gradient,
                                             .reference = {run, NULL},
                                             .samples = reel_samples_of_all};
