/* conv2d_input_gradient: dx[n,c',h,w] = sum over k, i, j of w[k,c,i,j] dy[n,k,p,q],
   over the k of the group of c' and the p, q with p*s + i*d - top = h and q*s + j*d - left = w

   dy [N, K, P, Q], w [K, C/groups, kh, kw], dx [N, C, H, W] with H and W given by the attribute `size`, because a
   convolution of stride s has up to s input sizes for one output size.

   Every dx is the sum of the dy whose windows held it, so that nothing is scattered. Rows and columns that no window
   reached are zero. Cost: as the convolution. */
#include "ops/conv2d_adjoint.h"
#include "ops/ops.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <stddef.h>

#define CONV(field) offsetof(reel_conv2d_adjoint_attr, conv.field)
const reel_attr reel_conv2d_adjoint_attributes[] = {
    {"stride", REEL_ATTR_INT, CONV(stride), 2, "1", NULL, "of the convolution: step of the window, down and across"},
    {"dilation", REEL_ATTR_INT, CONV(dilation), 2, "1", NULL, "of the convolution: step between kernel elements"},
    {"pad", REEL_ATTR_INT, CONV(pad), 4, "0", NULL, "of the convolution: top, left, bottom, right"},
    {"groups", REEL_ATTR_INT, CONV(groups), 1, "1", NULL, "independent sets of channels"},
    {"size", REEL_ATTR_INT, offsetof(reel_conv2d_adjoint_attr, size), 2, "1", NULL, "height and width of the result"},
    {0}};

reel_tensor *reel_conv2d_input_gradient(reel_tensor *dy, reel_tensor *w, reel_conv2d_attr attr, int height, int width)
{
    reel_conv2d_adjoint_attr adjoint = {attr, {height, width}};
    return reel_apply2(&reel_op_conv2d_input_gradient, &adjoint, dy, w);
}

static bool shape(reel_rule *r)
{
    const reel_conv2d_adjoint_attr *attr = r->attr;
    const reel_conv2d_attr *conv = &attr->conv;
    if (!reel_conv2d_check(r, conv)) return false;
    const int64_t *dy = r->input[0]->shape.size, *w = r->input[1]->shape.size;
    if (dy[1] != w[0] || w[0] % conv->groups)
        return reel_reject(r, "dy has %lld channels, the weight makes %lld in %d groups", (long long)dy[1],
                           (long long)w[0], conv->groups);
    for (int axis = 0; axis < 2; axis++) {
        if (attr->size[axis] < 1) return reel_reject(r, "size %d,%d must be at least 1", attr->size[0], attr->size[1]);
        int64_t made = reel_conv2d_extent(r, conv, axis, attr->size[axis], w[2 + axis]);
        if (!made) return false;
        if (made != dy[2 + axis])
            return reel_reject(r, "the convolution of size %d,%d makes %lld %s, dy has %lld", attr->size[0],
                               attr->size[1], (long long)made, axis ? "columns" : "rows", (long long)dy[2 + axis]);
    }
    r->dtype[0] = r->input[0]->dtype;
    r->shape[0] = REEL_SHAPE(dy[0], w[1] * conv->groups, attr->size[0], attr->size[1]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const reel_conv2d_adjoint_attr *attr = g->attr;
    reel_tensor *dy = g->x[0], *w = g->x[1], *u = g->dy[0];
    const int64_t *kernel = w->shape.size;
    if (g->wanted[0]) g->dx[0] = reel_conv2d(u, w, NULL, attr->conv);
    if (g->wanted[1]) g->dx[1] = reel_conv2d_weight_gradient(u, dy, attr->conv, (int)kernel[2], (int)kernel[3]);
}

/* --- reference --- */

/* The index o with o * stride + offset = at, or -1 when there is none below `count`. */
static int64_t window_at(int64_t at, int64_t offset, int64_t stride, int64_t count)
{
    int64_t distance = at - offset;
    if (distance < 0 || distance % stride || distance / stride >= count) return -1;
    return distance / stride;
}

static double gathered(const reel_conv2d_geometry *g, const reel_array *dy, const reel_array *w, int64_t n, int64_t c,
                       int64_t row, int64_t column)
{
    double sum = 0;
    int64_t group = c / g->cg;
    for (int64_t k = group * g->kg; k < (group + 1) * g->kg; k++)
        for (int64_t i = 0; i < g->kh; i++) {
            int64_t p = window_at(row, i * g->dilation[0] - g->top, g->stride[0], g->p);
            for (int64_t j = 0; p >= 0 && j < g->kw; j++) {
                int64_t q = window_at(column, j * g->dilation[1] - g->left, g->stride[1], g->q);
                if (q < 0) continue;
                sum += reel_value(dy, ((n * g->k + k) * g->p + p) * g->q + q) *
                       reel_value(w, ((k * g->cg + c % g->cg) * g->kh + i) * g->kw + j);
            }
        }
    return sum;
}

_Static_assert(!offsetof(reel_conv2d_adjoint_attr, conv) && !offsetof(reel_conv_transpose2d_attr, conv),
               "attributes begin with the convolution's");

reel_status reel_conv2d_adjoint(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *w = &call->input[1], *x = &call->output[0];
    const reel_array *bias = call->inputs > 2 && call->input[2].data ? &call->input[2] : NULL;
    reel_conv2d_geometry g = reel_conv2d_measure(&x->shape, &w->shape, &dy->shape, call->attr);
    int64_t at = 0;
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t c = 0; c < g.c; c++)
            for (int64_t row = 0; row < g.h; row++)
                for (int64_t column = 0; column < g.w; column++)
                    reel_set_value(x, at++, gathered(&g, dy, w, n, c, row, column) + (bias ? reel_value(bias, c) : 0));
    return REEL_OK;
}

double reel_conv2d_adjoint_flops(const reel_node *node)
{
    reel_conv2d_geometry g =
        reel_conv2d_measure(&node->output[0].shape, &node->input[1]->shape, &node->input[0]->shape, node->attr);
    return reel_conv2d_work(&g);
}

const reel_op reel_op_conv2d_input_gradient = {.name = "conv2d_input_gradient",
                                               .summary = "the gradient of conv2d with respect to x, from dy and w",
                                               .least_inputs = 2,
                                               .most_inputs = 2,
                                               .outputs = 1,
                                               .attr_size = sizeof(reel_conv2d_adjoint_attr),
                                               .attrs = reel_conv2d_adjoint_attributes,
                                               .shape = shape,
                                               .gradient = gradient,
                                               .reference = {reel_conv2d_adjoint, NULL},
                                               .samples = reel_samples_of_first,
                                               .flops = reel_conv2d_adjoint_flops};
