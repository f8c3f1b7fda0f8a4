/* resize2d_gradient: dx[n,c,i,j] = sum over p, q of a_p(i) b_q(j) dy[n,c,p,q],
   with a_p(i) the weight that output row p of the resize gives to input row i, b_q(j) that of columns

   dy [N, C, P, Q], dx [N, C, H, W]: H, W are the attribute `input`, P, Q the attribute `size`, as for the resize whose
   adjoint this is. Each dx gathers from the rectangle of outputs that it took part in, found by table.
   Cost: about 8 operations an element of dy for bilinear. */
#include "ops/ops.h"
#include "ops/resize_taps.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"size", REEL_ATTR_INT, offsetof(reel_resize2d_gradient_attr, resize.size), 2, "1", NULL, "height and width of dy"},
    REEL_RESIZE_ATTRIBUTES(reel_resize2d_gradient_attr, resize.),
    {"input", REEL_ATTR_INT, offsetof(reel_resize2d_gradient_attr, size), 2, "1", NULL, "height and width of dx"},
    {0}};

reel_tensor *reel_resize2d_gradient(reel_tensor *dy, reel_resize2d_gradient_attr attr)
{
    return reel_apply1(&reel_op_resize2d_gradient, &attr, dy);
}

static bool shape(reel_rule *r)
{
    const reel_resize2d_gradient_attr *attr = r->attr;
    const reel_tensor *dy = r->input[0];
    if (!reel_resize_check(r, &attr->resize, dy)) return false;
    const int64_t *size = dy->shape.size;
    if (size[2] != attr->resize.size[0] || size[3] != attr->resize.size[1])
        return reel_reject(r, "the resize makes planes of %d,%d, dy has %lld,%lld", attr->resize.size[0],
                           attr->resize.size[1], (long long)size[2], (long long)size[3]);
    if (attr->size[0] < 1 || attr->size[1] < 1)
        return reel_reject(r, "input %d,%d must be at least 1", attr->size[0], attr->size[1]);
    r->dtype[0] = dy->dtype;
    r->shape[0] = REEL_SHAPE(size[0], size[1], attr->size[0], attr->size[1]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const reel_resize2d_gradient_attr *attr = g->attr;
    if (g->wanted[0]) g->dx[0] = reel_resize2d(g->dy[0], attr->resize.size[0], attr->resize.size[1], attr->resize);
}

static size_t scratch(const reel_call *call)
{
    return reel_resize_tables_bytes(&call->output[0].shape.size[2], &call->input[0].shape.size[2]);
}

static double gathered(const reel_resize_tables *t, const reel_array *dy, int64_t plane, int64_t i, int64_t j)
{
    double sum = 0;
    reel_resize_range rows = t->range[0][i], columns = t->range[1][j];
    for (int64_t p = rows.first; p <= rows.last; p++)
        for (int64_t q = columns.first; q <= columns.last; q++)
            sum += reel_resize_share(&t->tap[0][p], i) * reel_resize_share(&t->tap[1][q], j) *
                   reel_value(dy, (plane * t->out[0] + p) * t->out[1] + q);
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    const reel_resize2d_gradient_attr *attr = call->attr;
    reel_resize_tables t = reel_resize_tables_fill(&attr->resize, &dx->shape, &dy->shape, call->scratch);
    int64_t at = 0;
    for (int64_t plane = 0; plane < t.planes; plane++)
        for (int64_t i = 0; i < t.in[0]; i++)
            for (int64_t j = 0; j < t.in[1]; j++) reel_set_value(dx, at++, gathered(&t, dy, plane, i, j));
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_resize2d_gradient_attr *attr = node->attr;
    return (double)reel_elements(&node->input[0]->shape) * (attr->resize.mode == REEL_BILINEAR ? 8 : 1);
}

const reel_op reel_op_resize2d_gradient = {.name = "resize2d_gradient",
                                           .summary = "the adjoint of resize2d",
                                           .least_inputs = 1,
                                           .most_inputs = 1,
                                           .outputs = 1,
                                           .attr_size = sizeof(reel_resize2d_gradient_attr),
                                           .attrs = attributes,
                                           .shape = shape,
                                           .gradient = gradient,
                                           .reference = {run, scratch},
                                           .samples = reel_samples_of_first,
                                           .flops = flops};
