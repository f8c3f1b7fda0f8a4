/* avg_pool2d_gradient: dx[n,c,h,w] = sum over the windows (p, q) that hold (h, w) of dy[n,c,p,q] / count(p, q)

   dy [N, C, P, Q]; dx [N, C, H, W] with H and W given by the attribute `size`; count as in avg_pool2d, whose adjoint
   this is. Gather form. Cost: N C H W times the windows an input lies in. */
#include "ops/ops.h"
#include "ops/pool2d_geometry.h"
#include "ops/samples.h"
#include "ops/value.h"

static const reel_attr attributes[] = {
    REEL_POOL2D_ATTRIBUTES(reel_avg_pool2d_gradient_attr, pool.window.),
    {"count_include_pad", REEL_ATTR_BOOL, offsetof(reel_avg_pool2d_gradient_attr, pool.count_include_pad), 1, "0", NULL,
     "padding counts in the average"},
    {"size", REEL_ATTR_INT, offsetof(reel_avg_pool2d_gradient_attr, size), 2, "1", NULL, "height and width of dx"},
    {0}};

reel_tensor *reel_avg_pool2d_gradient(reel_tensor *dy, reel_avg_pool2d_attr attr, int height, int width)
{
    reel_avg_pool2d_gradient_attr adjoint = {attr, {height, width}};
    return reel_apply1(&reel_op_avg_pool2d_gradient, &adjoint, dy);
}

static bool shape(reel_rule *r)
{
    const reel_avg_pool2d_gradient_attr *attr = r->attr;
    if (!reel_dtype_is_float(r->input[0]->dtype)) return reel_reject(r, "dy should be float");
    r->dtype[0] = r->input[0]->dtype;
    return reel_pool2d_adjoint_shape(r, &attr->pool.window, 0, attr->size, &r->shape[0]);
}

static void gradient(reel_gradient *g)
{
    const reel_avg_pool2d_gradient_attr *attr = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_avg_pool2d(g->dy[0], attr->pool);
}

static double gathered(const reel_pool2d_geometry *g, bool include_pad, const reel_array *dy, int64_t plane,
                       int64_t row, int64_t column)
{
    double sum = 0;
    for (int64_t i = 0; i < g->kernel[0]; i++) {
        int64_t p = reel_pool2d_window(g, 0, row, i);
        if (p < 0) continue;
        int64_t rows = reel_pool2d_counted(g, 0, p, include_pad);
        for (int64_t j = 0; j < g->kernel[1]; j++) {
            int64_t q = reel_pool2d_window(g, 1, column, j);
            if (q < 0) continue;
            int64_t count = rows * reel_pool2d_counted(g, 1, q, include_pad);
            sum += reel_value(dy, (plane * g->out[0] + p) * g->out[1] + q) / (double)count;
        }
    }
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    const reel_avg_pool2d_gradient_attr *attr = call->attr;
    reel_pool2d_geometry g = reel_pool2d_measure(&dx->shape, &dy->shape, &attr->pool.window);
    int64_t at = 0;
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t row = 0; row < g.size[0]; row++)
            for (int64_t column = 0; column < g.size[1]; column++)
                reel_set_value(dx, at++, gathered(&g, attr->pool.count_include_pad, dy, plane, row, column));
    return REEL_OK;
}

const reel_op reel_op_avg_pool2d_gradient = {.name = "avg_pool2d_gradient",
                                             .summary = "dx = dy spread evenly over each window",
                                             .least_inputs = 1,
                                             .most_inputs = 1,
                                             .outputs = 1,
                                             .attr_size = sizeof(reel_avg_pool2d_gradient_attr),
                                             .attrs = attributes,
                                             .shape = shape,
                                             .gradient = gradient,
                                             .reference = {run, NULL},
                                             .samples = reel_samples_of_first};
