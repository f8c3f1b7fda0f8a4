/* max_pool2d: y[n,c,p,q] = max over i, j of x[n, c, p*s + i*d - top, q*s + j*d - left]; padding never wins

   x [N, C, H, W]; y and the index [N, C, P, Q] with P = (H + top + bottom - d (kh-1) - 1) / s + 1, rounded down, or up
   under ceil_mode, where a last window that would start beyond the input and its top padding is dropped. A window
   that sees padding alone is refused.

   The second output is where the maximum was: i * kw + j, one byte when the window has at most 255 positions, else i32.
   The backward pass needs it and not x, which for a 2x2 window is a sixteenth of the memory in float32.
   The first maximum in reading order wins; the first NaN beats every number.

   Gradient: dy goes where the maximum was (max_pool2d_gradient). Cost: N C P Q kh kw comparisons. */
#include "ops/ops.h"
#include "ops/pool2d_geometry.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <math.h>

static const reel_attr attributes[] = {REEL_POOL2D_ATTRIBUTES(reel_max_pool2d_attr, ), {0}};

reel_tensor *reel_max_pool2d(reel_tensor *x, reel_max_pool2d_attr attr)
{
    return reel_apply1(&reel_op_max_pool2d, &attr, x);
}

static bool shape(reel_rule *r)
{
    const reel_max_pool2d_attr *attr = r->attr;
    const reel_tensor *x = r->input[0];
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "pools floats; reel_cast makes them of integers");
    r->dtype[0] = x->dtype;
    if (!reel_pool2d_shape(r, attr, &x->shape, &r->shape[0])) return false;
    r->dtype[1] = (int64_t)attr->kernel[0] * attr->kernel[1] <= 255 ? REEL_U8 : REEL_I32;
    r->shape[1] = r->shape[0];
    return true;
}

static void gradient(reel_gradient *g)
{
    const int64_t *size = g->x[0]->shape.size;
    if (g->dy[0] && g->wanted[0])
        g->dx[0] = reel_max_pool2d_gradient(g->dy[0], g->y[1], *(const reel_max_pool2d_attr *)g->attr, (int)size[2],
                                            (int)size[3]);
}

/* Position of the maximum of one window of a plane that begins at element `plane`. */
static int64_t largest(const reel_pool2d_geometry *g, const reel_array *x, int64_t plane, int64_t p, int64_t q,
                       double *value)
{
    int64_t best = -1;
    for (int64_t i = 0; i < g->kernel[0]; i++)
        for (int64_t j = 0; j < g->kernel[1]; j++) {
            int64_t row = reel_pool2d_at(g, 0, p, i), column = reel_pool2d_at(g, 1, q, j);
            if (row < 0 || row >= g->size[0] || column < 0 || column >= g->size[1]) continue;
            double candidate = reel_value(x, plane + row * g->size[1] + column);
            if (best >= 0 && (isnan(*value) || candidate <= *value)) continue;
            *value = candidate;
            best = i * g->kernel[1] + j;
        }
    return best;
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0], *index = &call->output[1];
    reel_pool2d_geometry g = reel_pool2d_measure(&x->shape, &y->shape, call->attr);
    int64_t at = 0;
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t p = 0; p < g.out[0]; p++)
            for (int64_t q = 0; q < g.out[1]; q++, at++) {
                double value = 0;
                int64_t position = largest(&g, x, plane * g.size[0] * g.size[1], p, q, &value);
                reel_set_value(y, at, value);
                if (index->dtype == REEL_U8)
                    ((uint8_t *)index->data)[at] = (uint8_t)position;
                else
                    ((int32_t *)index->data)[at] = (int32_t)position;
            }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_max_pool2d_attr *attr = node->attr;
    return (double)reel_elements(&node->output[0].shape) * attr->kernel[0] * attr->kernel[1];
}

const reel_op reel_op_max_pool2d = {.name = "max_pool2d",
                                    .summary = "y = the largest value of each window, and its position there",
                                    .least_inputs = 1,
                                    .most_inputs = 1,
                                    .outputs = 2,
                                    .attr_size = sizeof(reel_max_pool2d_attr),
                                    .attrs = attributes,
                                    .shape = shape,
                                    .gradient = gradient,
                                    .reference = {run, NULL},
                                    .samples = reel_samples_of_first,
                                    .flops = flops};
