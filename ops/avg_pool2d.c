/* avg_pool2d: y[n,c,p,q] = sum over i, j of x[n, c, p*s + i*d - top, q*s + j*d - left] / count(p, q)

   x [N, C, H, W], zero outside; y [N, C, P, Q], sized as by max_pool2d. count(p, q) is the number of the window's
   positions within the input; with count_include_pad, within the input and its padding: a window that ceil_mode lets
   reach even further is not divided by what lies there.

   Linear; the adjoint is avg_pool2d_gradient. Sums in double. Cost: N C P Q kh kw additions. */
#include "ops/ops.h"
#include "ops/pool2d_geometry.h"
#include "ops/samples.h"
#include "ops/value.h"

static const reel_attr attributes[] = {REEL_POOL2D_ATTRIBUTES(reel_avg_pool2d_attr, window.),
                                       {"count_include_pad", REEL_ATTR_BOOL,
                                        offsetof(reel_avg_pool2d_attr, count_include_pad), 1, "0", NULL,
                                        "padding counts in the average"},
                                       {0}};

reel_tensor *reel_avg_pool2d(reel_tensor *x, reel_avg_pool2d_attr attr)
{
    return reel_apply1(&reel_op_avg_pool2d, &attr, x);
}

static bool shape(reel_rule *r)
{
    const reel_avg_pool2d_attr *attr = r->attr;
    const reel_tensor *x = r->input[0];
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "pools floats; reel_cast makes them of integers");
    r->dtype[0] = x->dtype;
    return reel_pool2d_shape(r, &attr->window, &x->shape, &r->shape[0]);
}

static void gradient(reel_gradient *g)
{
    const int64_t *size = g->x[0]->shape.size;
    if (g->wanted[0])
        g->dx[0] =
            reel_avg_pool2d_gradient(g->dy[0], *(const reel_avg_pool2d_attr *)g->attr, (int)size[2], (int)size[3]);
}

static double window_sum(const reel_pool2d_geometry *g, const reel_array *x, int64_t plane, int64_t p, int64_t q)
{
    double sum = 0;
    for (int64_t i = 0; i < g->kernel[0]; i++)
        for (int64_t j = 0; j < g->kernel[1]; j++) {
            int64_t row = reel_pool2d_at(g, 0, p, i), column = reel_pool2d_at(g, 1, q, j);
            if (row < 0 || row >= g->size[0] || column < 0 || column >= g->size[1]) continue;
            sum += reel_value(x, (plane * g->size[0] + row) * g->size[1] + column);
        }
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const reel_avg_pool2d_attr *attr = call->attr;
    reel_pool2d_geometry g = reel_pool2d_measure(&x->shape, &y->shape, &attr->window);
    int64_t at = 0;
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t p = 0; p < g.out[0]; p++) {
            int64_t rows = reel_pool2d_counted(&g, 0, p, attr->count_include_pad);
            for (int64_t q = 0; q < g.out[1]; q++) {
                int64_t count = rows * reel_pool2d_counted(&g, 1, q, attr->count_include_pad);
                reel_set_value(y, at++, window_sum(&g, x, plane, p, q) / (double)count);
            }
        }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_avg_pool2d_attr *attr = node->attr;
    return (double)reel_elements(&node->output[0].shape) * attr->window.kernel[0] * attr->window.kernel[1];
}

const reel_op reel_op_avg_pool2d = {.name = "avg_pool2d",
                                    .summary = "y = the mean of each window",
                                    .least_inputs = 1,
                                    .most_inputs = 1,
                                    .outputs = 1,
                                    .attr_size = sizeof(reel_avg_pool2d_attr),
                                    .attrs = attributes,
                                    .shape = shape,
                                    .gradient = gradient,
                                    .reference = {run, NULL},
                                    .samples = reel_samples_of_first,
                                    .flops = flops};
