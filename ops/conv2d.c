/* conv2d: y[n,k,p,q] = bias[k] + sum over c, i, j of w[k,c,i,j] x[n, c', p*s + i*d - top, q*s + j*d - left]

   x [N, C, H, W], w [K, C/groups, kh, kw], bias [K] or left out, y [N, K, P, Q]; x counts as zero outside its borders,
   c' is the c-th channel of the group that output channel k belongs to, and
       P = (H + top + bottom - d (kh-1) - 1) / s + 1, rounded down (Q alike).
   It is the correlation of signal processing: the kernel is not flipped. Rows and columns of x that the last window
   does not reach have no influence.

   With `relu`, what is below zero becomes zero, as the op relu would make it.

   Cost: 2 N K P Q C/groups kh kw operations. NaN in a window gives NaN. Gradients: see convolution.h; that of the bias
   is dy summed over images and positions. With `relu` they are taken of dy where y > 0. */
#include "ops/conv2d_geometry.h"
#include "ops/ops.h"
#include "ops/samples.h"
#include "ops/value.h"

#include <limits.h>
#include <stddef.h>

static const reel_attr attributes[] = {
    {"stride", REEL_ATTR_INT, offsetof(reel_conv2d_attr, stride), 2, "1", NULL, "step of the window, down and across"},
    {"dilation", REEL_ATTR_INT, offsetof(reel_conv2d_attr, dilation), 2, "1", NULL, "step between kernel elements"},
    {"pad", REEL_ATTR_INT, offsetof(reel_conv2d_attr, pad), 4, "0", NULL, "zeros: top, left, bottom, right"},
    {"groups", REEL_ATTR_INT, offsetof(reel_conv2d_attr, groups), 1, "1", NULL, "independent sets of channels"},
    {"wide", REEL_ATTR_BOOL, offsetof(reel_conv2d_attr, wide), 1, "0", NULL, "y is f32 where x is bf16"},
    {"relu", REEL_ATTR_BOOL, offsetof(reel_conv2d_attr, relu), 1, "0", NULL, "y is max(y, 0)"},
    {0}};

reel_tensor *reel_conv2d(reel_tensor *x, reel_tensor *w, reel_tensor *bias, reel_conv2d_attr attr)
{
    return reel_apply(x->graph, &reel_op_conv2d, (reel_tensor *[]){x, w, bias}, bias ? 3 : 2, &attr);
}

/* --- shape --- */

bool reel_conv2d_check(const reel_rule *r, const reel_conv2d_attr *attr)
{
    const reel_tensor *a = r->input[0];
    if (!reel_dtype_is_float(a->dtype)) return reel_reject(r, "convolves floats; reel_cast makes them of integers");
    const reel_tensor *bias = r->inputs > 2 ? r->input[2] : NULL;
    if (r->input[1]->dtype != a->dtype ||
        (bias && bias->dtype != a->dtype && bias->dtype != reel_dtype_of_sum(a->dtype)))
        return reel_reject(r, "inputs must share one dtype, but for an f32 bias beside bf16; reel_cast converts");
    for (int i = 0; i < 2; i++) {
        const reel_shape *s = &r->input[i]->shape;
        if (s->rank != 4) return reel_reject(r, "input %d has rank %d, expected 4, such as [N, C, H, W]", i, s->rank);
        for (int k = 0; k < 4; k++)
            if (s->size[k] < 1 || s->size[k] > INT_MAX)
                return reel_reject(r, "axis %d of input %d is empty or longer than %d", k, i, INT_MAX);
        if (attr->stride[i] < 1 || attr->dilation[i] < 1)
            return reel_reject(r, "stride %d,%d and dilation %d,%d must be at least 1", attr->stride[0],
                               attr->stride[1], attr->dilation[0], attr->dilation[1]);
    }
    for (int i = 0; i < 4; i++)
        if (attr->pad[i] < 0) return reel_reject(r, "pad %d is negative; crop with reel_slice", attr->pad[i]);
    if (attr->groups < 1) return reel_reject(r, "groups is %d, expected at least 1", attr->groups);
    return true;
}

int64_t reel_conv2d_extent(const reel_rule *r, const reel_conv2d_attr *attr, int axis, int64_t size, int64_t kernel)
{
    int64_t padded = size + attr->pad[axis] + attr->pad[axis + 2], reach = attr->dilation[axis] * (kernel - 1) + 1;
    if (reach > padded) {
        reel_reject(r, "the kernel spans %lld %s, the padded input has %lld; pad more or use a smaller kernel",
                    (long long)reach, axis ? "columns" : "rows", (long long)padded);
        return 0;
    }
    return (padded - reach) / attr->stride[axis] + 1;
}

static bool shape(reel_rule *r)
{
    const reel_conv2d_attr *attr = r->attr;
    if (!reel_conv2d_check(r, attr)) return false;
    const reel_tensor *bias = r->inputs > 2 ? r->input[2] : NULL;
    const int64_t *x = r->input[0]->shape.size, *w = r->input[1]->shape.size;
    if (x[1] % attr->groups || w[0] % attr->groups)
        return reel_reject(r, "%d groups must divide the %lld input and %lld output channels", attr->groups,
                           (long long)x[1], (long long)w[0]);
    if (x[1] / attr->groups != w[1])
        return reel_reject(r, "input has %lld channels, the weight expects %lld (%lld in each of %d groups)",
                           (long long)x[1], (long long)w[1] * attr->groups, (long long)w[1], attr->groups);
    if (bias && (bias->shape.rank != 1 || bias->shape.size[0] != w[0]))
        return reel_reject(r, "bias should have the shape [%lld], one value an output channel", (long long)w[0]);
    int64_t p = reel_conv2d_extent(r, attr, 0, x[2], w[2]), q = p ? reel_conv2d_extent(r, attr, 1, x[3], w[3]) : 0;
    r->dtype[0] = attr->wide ? reel_dtype_of_sum(r->input[0]->dtype) : r->input[0]->dtype;
    r->shape[0] = REEL_SHAPE(x[0], w[0], p, q);
    return p && q;
}

/* --- gradient --- */

static void gradient(reel_gradient *g)
{
    reel_conv2d_attr attr = *(const reel_conv2d_attr *)g->attr;
    reel_tensor *passed = attr.relu ? reel_relu_gradient(g->dy[0], g->y[0]) : g->dy[0];
    reel_tensor *x = g->x[0], *w = g->x[1], *dy = reel_cast(passed, x->dtype);
    attr.relu = false;
    const int64_t *in = x->shape.size, *kernel = w->shape.size;
    if (g->wanted[0]) g->dx[0] = reel_conv2d_input_gradient(dy, w, attr, (int)in[2], (int)in[3]);
    if (g->wanted[1]) g->dx[1] = reel_conv2d_weight_gradient(x, dy, attr, (int)kernel[2], (int)kernel[3]);
    if (g->inputs > 2 && g->wanted[2]) g->dx[2] = reel_sum(passed, REEL_INTS(0, 2, 3), false);
}

/* --- reference --- */

/* One output element without its bias. */
static double window_sum(const reel_conv2d_geometry *g, const reel_array *x, const reel_array *w, int64_t n, int64_t k,
                         int64_t p, int64_t q)
{
    double sum = 0;
    for (int64_t c = 0; c < g->cg; c++)
        for (int64_t i = 0; i < g->kh; i++)
            for (int64_t j = 0; j < g->kw; j++) {
                int64_t row = p * g->stride[0] + i * g->dilation[0] - g->top;
                int64_t column = q * g->stride[1] + j * g->dilation[1] - g->left;
                if (row < 0 || row >= g->h || column < 0 || column >= g->w) continue;
                int64_t channel = k / g->kg * g->cg + c;
                sum += reel_value(x, ((n * g->c + channel) * g->h + row) * g->w + column) *
                       reel_value(w, ((k * g->cg + c) * g->kh + i) * g->kw + j);
            }
    return sum;
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *w = &call->input[1], *y = &call->output[0];
    const reel_array *bias = call->inputs > 2 && call->input[2].data ? &call->input[2] : NULL;
    const reel_conv2d_attr *attr = call->attr;
    reel_conv2d_geometry g = reel_conv2d_measure(&x->shape, &w->shape, &y->shape, attr);
    int64_t at = 0;
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t k = 0; k < g.k; k++)
            for (int64_t p = 0; p < g.p; p++)
                for (int64_t q = 0; q < g.q; q++) {
                    double sum = window_sum(&g, x, w, n, k, p, q) + (bias ? reel_value(bias, k) : 0);
                    reel_set_value(y, at++, attr->relu && sum <= 0 ? 0 : sum);
                }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    reel_conv2d_geometry g =
        reel_conv2d_measure(&node->input[0]->shape, &node->input[1]->shape, &node->output[0].shape, node->attr);
    return reel_conv2d_work(&g);
}

const reel_op reel_op_conv2d = {.name = "conv2d",
                                .summary = "y = x * w + bias: correlation of planes, summed over input channels",
                                .least_inputs = 2,
                                .most_inputs = 3,
                                .outputs = 1,
                                .attr_size = sizeof(reel_conv2d_attr),
                                .attrs = attributes,
                                .shape = shape,
                                .gradient = gradient,
                                .reference = {run, NULL},
                                .samples = reel_samples_of_first,
                                .flops = flops};
