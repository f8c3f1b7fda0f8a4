/* resize2d: y[n,c,p,q] = the value of plane x[n,c] at the coordinates (u(p), v(q))

   x [N, C, H, W], y [N, C, P, Q] with P, Q given by the attribute `size`, larger or smaller. `align` says what u and v
   are (resize.h). nearest takes the element that `rounding` leads to; bilinear weighs the four around it,
       y = (1-a) ((1-b) x[i,j] + b x[i,j+1]) + a ((1-b) x[i+1,j] + b x[i+1,j+1]),  i + a = u, j + b = v;
   coordinates beyond the outermost elements are moved onto them. Shrinking does not blur: where P < H/2, elements are
   passed over.

   torch: upsample(bilinear, align_corners=False) is half_pixel, align_corners=True is align_corners, nearest is
   asymmetric with floor. Coordinates are exact here where torch rounds them in float32. Explicit scales serve ONNX and
   torch's scale_factor, whose output size is the rounded-down product; align_corners does not read them.

   Linear; the adjoint is resize2d_gradient. Cost: about 8 operations an output element for bilinear. */
#include "ops/ops.h"
#include "ops/resize_taps.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <limits.h>
#include <stddef.h>

static const reel_attr attributes[] = {
    {"size", REEL_ATTR_INT, offsetof(reel_resize2d_attr, size), 2, "1", NULL, "height and width of the output"},
    REEL_RESIZE_ATTRIBUTES(reel_resize2d_attr, ),
    {0}};

reel_tensor *reel_resize2d(reel_tensor *x, int height, int width, reel_resize2d_attr attr)
{
    attr.size[0] = height;
    attr.size[1] = width;
    return reel_apply1(&reel_op_resize2d, &attr, x);
}

reel_tensor *reel_upsample2d(reel_tensor *x, int factor, reel_resize_mode mode, bool align_corners)
{
    if (reel_poisoned(x)) return x;
    if (x->shape.rank != 4) return reel_poison(x->graph, "upsample2d: input has rank %d, expected 4", x->shape.rank);
    int64_t height = x->shape.size[2] * factor, width = x->shape.size[3] * factor;
    if (factor < 1 || height > INT_MAX || width > INT_MAX)
        return reel_poison(x->graph, "upsample2d: a factor of %d makes %lld rows and %lld columns", factor,
                           (long long)height, (long long)width);
    reel_resize2d_attr attr = {.mode = (int)mode, .align = align_corners ? REEL_ALIGN_CORNERS : REEL_HALF_PIXEL};
    if (mode == REEL_NEAREST) attr.align = REEL_ASYMMETRIC;
    return reel_resize2d(x, (int)height, (int)width, attr);
}

static bool shape(reel_rule *r)
{
    const reel_resize2d_attr *attr = r->attr;
    const reel_tensor *x = r->input[0];
    if (!reel_resize_check(r, attr, x)) return false;
    r->dtype[0] = x->dtype;
    r->shape[0] = REEL_SHAPE(x->shape.size[0], x->shape.size[1], attr->size[0], attr->size[1]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const int64_t *size = g->x[0]->shape.size;
    reel_resize2d_gradient_attr adjoint = {*(const reel_resize2d_attr *)g->attr, {(int)size[2], (int)size[3]}};
    if (g->wanted[0]) g->dx[0] = reel_resize2d_gradient(g->dy[0], adjoint);
}

static size_t scratch(const reel_call *call)
{
    return reel_resize_tables_bytes(&call->input[0].shape.size[2], &call->output[0].shape.size[2]);
}

static double between(double low, double high, double weight)
{
    return weight > 0 ? (1 - weight) * low + weight * high : low;
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    reel_resize_tables t = reel_resize_tables_fill(call->attr, &x->shape, &y->shape, call->scratch);
    int64_t at = 0;
    for (int64_t plane = 0; plane < t.planes; plane++)
        for (int64_t p = 0; p < t.out[0]; p++)
            for (int64_t q = 0; q < t.out[1]; q++) {
                reel_resize_tap row = t.tap[0][p], column = t.tap[1][q];
                int64_t low = (plane * t.in[0] + row.low) * t.in[1], high = (plane * t.in[0] + row.high) * t.in[1];
                double above =
                    between(reel_value(x, low + column.low), reel_value(x, low + column.high), column.weight);
                double below =
                    between(reel_value(x, high + column.low), reel_value(x, high + column.high), column.weight);
                reel_set_value(y, at++, between(above, below, row.weight));
            }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_resize2d_attr *attr = node->attr;
    return (double)reel_elements(&node->output[0].shape) * (attr->mode == REEL_BILINEAR ? 8 : 1);
}

const reel_op reel_op_resize2d = {.name = "resize2d",
                                  .summary = "y = planes of x sampled at other positions, nearest or bilinear",
                                  .least_inputs = 1,
                                  .most_inputs = 1,
                                  .outputs = 1,
                                  .attr_size = sizeof(reel_resize2d_attr),
                                  .attrs = attributes,
                                  .shape = shape,
                                  .gradient = gradient,
                                  .reference = {run, scratch},
                                  .samples = reel_samples_of_first,
                                  .flops = flops};
