/* conv2d_weight_gradient: dw[k,c,i,j] = sum over n, p, q of dy[n,k,p,q] x[n, c', p*s + i*d - top, q*s + j*d - left]

   x [N, C, H, W], dy [N, K, P, Q], dw [K, C/groups, kh, kw] with kh and kw given by the attribute `size`; x counts as
   zero outside its borders. A sum over N P Q products, up to 10^5 for a picture: in double here, and f32 for bf16.
   Cost: as the convolution. */
#include "ops/conv2d_adjoint.h"
#include "ops/ops.h"
#include "ops/value.h"

reel_tensor *reel_conv2d_weight_gradient(reel_tensor *x, reel_tensor *dy, reel_conv2d_attr attr, int height, int width)
{
    reel_conv2d_adjoint_attr adjoint = {attr, {height, width}};
    return reel_apply2(&reel_op_conv2d_weight_gradient, &adjoint, x, dy);
}

static bool shape(reel_rule *r)
{
    const reel_conv2d_adjoint_attr *attr = r->attr;
    const reel_conv2d_attr *conv = &attr->conv;
    if (!reel_conv2d_check(r, conv)) return false;
    const int64_t *x = r->input[0]->shape.size, *dy = r->input[1]->shape.size;
    if (x[0] != dy[0]) return reel_reject(r, "x has %lld images, dy has %lld", (long long)x[0], (long long)dy[0]);
    if (x[1] % conv->groups || dy[1] % conv->groups)
        return reel_reject(r, "%d groups must divide the %lld input and %lld output channels", conv->groups,
                           (long long)x[1], (long long)dy[1]);
    for (int axis = 0; axis < 2; axis++) {
        if (attr->size[axis] < 1) return reel_reject(r, "size %d,%d must be at least 1", attr->size[0], attr->size[1]);
        int64_t made = reel_conv2d_extent(r, conv, axis, x[2 + axis], attr->size[axis]);
        if (!made) return false;
        if (made != dy[2 + axis])
            return reel_reject(r, "a kernel of size %d,%d makes %lld %s, dy has %lld", attr->size[0], attr->size[1],
                               (long long)made, axis ? "columns" : "rows", (long long)dy[2 + axis]);
    }
    r->dtype[0] = reel_dtype_of_sum(r->input[0]->dtype);
    r->shape[0] = REEL_SHAPE(dy[1], x[1] / conv->groups, attr->size[0], attr->size[1]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const reel_conv2d_adjoint_attr *attr = g->attr;
    reel_tensor *x = g->x[0], *dy = g->x[1], *u = reel_cast(g->dy[0], g->x[0]->dtype);
    const int64_t *in = x->shape.size;
    if (g->wanted[0]) g->dx[0] = reel_conv2d_input_gradient(dy, u, attr->conv, (int)in[2], (int)in[3]);
    if (g->wanted[1]) g->dx[1] = reel_conv2d(x, u, NULL, attr->conv);
}

/* --- reference --- */

static double correlation(const reel_conv2d_geometry *g, const reel_array *x, const reel_array *dy, int64_t k,
                          int64_t c, int64_t i, int64_t j)
{
    double sum = 0;
    int64_t channel = k / g->kg * g->cg + c;
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t p = 0; p < g->p; p++)
            for (int64_t q = 0; q < g->q; q++) {
                int64_t row = p * g->stride[0] + i * g->dilation[0] - g->top;
                int64_t column = q * g->stride[1] + j * g->dilation[1] - g->left;
                if (row < 0 || row >= g->h || column < 0 || column >= g->w) continue;
                sum += reel_value(x, ((n * g->c + channel) * g->h + row) * g->w + column) *
                       reel_value(dy, ((n * g->k + k) * g->p + p) * g->q + q);
            }
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *dy = &call->input[1], *dw = &call->output[0];
    const reel_conv2d_adjoint_attr *attr = call->attr;
    reel_conv2d_geometry g = reel_conv2d_measure(&x->shape, &dw->shape, &dy->shape, &attr->conv);
    int64_t at = 0;
    for (int64_t k = 0; k < g.k; k++)
        for (int64_t c = 0; c < g.cg; c++)
            for (int64_t i = 0; i < g.kh; i++)
                for (int64_t j = 0; j < g.kw; j++) reel_set_value(dw, at++, correlation(&g, x, dy, k, c, i, j));
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_conv2d_adjoint_attr *attr = node->attr;
    reel_conv2d_geometry g =
        reel_conv2d_measure(&node->input[0]->shape, &node->output[0].shape, &node->input[1]->shape, &attr->conv);
    return reel_conv2d_work(&g);
}

static reel_samples samples(const reel_node *node)
{
    (void)node;
    return (reel_samples){.inputs = 3, .summed = true};
}

const reel_op reel_op_conv2d_weight_gradient = {.name = "conv2d_weight_gradient",
                                                .summary = "the gradient of conv2d with respect to w, from x and dy",
                                                .least_inputs = 2,
                                                .most_inputs = 2,
                                                .outputs = 1,
                                                .attr_size = sizeof(reel_conv2d_adjoint_attr),
                                                .attrs = reel_conv2d_adjoint_attributes,
                                                .shape = shape,
                                                .gradient = gradient,
                                                .reference = {run, NULL},
                                                .samples = samples,
                                                .flops = flops};
