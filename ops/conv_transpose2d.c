/* conv_transpose2d: y[n,k',r,t] = bias[k'] + sum over c, i, j of w[c,k,i,j] x[n,c,p,q],
   over the c of the group of k' and the p, q with p*s + i*d - top = r and q*s + j*d - left = t

   x [N, C, H, W], w [C, K/groups, kh, kw] (input channels first, as torch and ONNX have it), bias [K] or left out,
   y [N, K, R, T] with R = (H-1) s - top - bottom + d (kh-1) + 1 + output_pad (T alike). Every element of x stamps a
   weighted kernel into y; where stamps overlap they add. It is the adjoint of a convolution from y to x, of the same
   weights: the arithmetic and the gradients are that family's (convolution.h).

   The padding crops y. `output_pad` adds rows below and columns right, which a convolution back to x would not reach
   beyond; it is less than the stride, so that this convolution gives back exactly H and W.
   Cost: 2 N C H W K/groups kh kw operations. */
#include "ops/conv2d_adjoint.h"
#include "ops/ops.h"
#include "ops/samples.h"

#include <limits.h>
#include <stddef.h>

typedef reel_conv_transpose2d_attr attribute;

#define CONV(field) offsetof(attribute, conv.field)
static const reel_attr attributes[] = {
    {"stride", REEL_ATTR_INT, CONV(stride), 2, "1", NULL, "step between stamps in the output, down and across"},
    {"dilation", REEL_ATTR_INT, CONV(dilation), 2, "1", NULL, "step between kernel elements"},
    {"pad", REEL_ATTR_INT, CONV(pad), 4, "0", NULL, "cropped from the output: top, left, bottom, right"},
    {"groups", REEL_ATTR_INT, CONV(groups), 1, "1", NULL, "independent sets of channels"},
    {"output_pad", REEL_ATTR_INT, offsetof(attribute, output_pad), 2, "0", NULL, "added below and right"},
    {0}};

reel_tensor *reel_conv_transpose2d(reel_tensor *x, reel_tensor *w, reel_tensor *bias, reel_conv_transpose2d_attr attr)
{
    return reel_apply(x->graph, &reel_op_conv_transpose2d, (reel_tensor *[]){x, w, bias}, bias ? 3 : 2, &attr);
}

static bool shape(reel_rule *r)
{
    const attribute *attr = r->attr;
    const reel_conv2d_attr *conv = &attr->conv;
    if (!reel_conv2d_check(r, conv)) return false;
    const reel_tensor *bias = r->inputs > 2 ? r->input[2] : NULL;
    const int64_t *x = r->input[0]->shape.size, *w = r->input[1]->shape.size;
    if (x[1] != w[0] || w[0] % conv->groups)
        return reel_reject(r, "input has %lld channels, the weight expects %lld in %d groups", (long long)x[1],
                           (long long)w[0], conv->groups);
    if (bias && (bias->shape.rank != 1 || bias->shape.size[0] != w[1] * conv->groups))
        return reel_reject(r, "bias should have the shape [%lld], one value an output channel",
                           (long long)w[1] * conv->groups);
    int64_t size[2];
    for (int axis = 0; axis < 2; axis++) {
        if (attr->output_pad[axis] < 0 || attr->output_pad[axis] >= conv->stride[axis])
            return reel_reject(r, "output_pad %d,%d must be at least 0 and less than the stride %d,%d",
                               attr->output_pad[0], attr->output_pad[1], conv->stride[0], conv->stride[1]);
        size[axis] = (x[2 + axis] - 1) * conv->stride[axis] + conv->dilation[axis] * (w[2 + axis] - 1) + 1 +
                     attr->output_pad[axis] - conv->pad[axis] - conv->pad[axis + 2];
        if (size[axis] < 1 || size[axis] > INT_MAX)
            return reel_reject(r, "the output would have %lld %s; pad less", (long long)size[axis],
                               axis ? "columns" : "rows");
    }
    r->dtype[0] = r->input[0]->dtype;
    r->shape[0] = REEL_SHAPE(x[0], w[1] * conv->groups, size[0], size[1]);
    return true;
}

static void gradient(reel_gradient *g)
{
    const attribute *attr = g->attr;
    reel_tensor *x = g->x[0], *w = g->x[1], *dy = g->dy[0];
    const int64_t *kernel = w->shape.size;
    if (g->wanted[0]) g->dx[0] = reel_conv2d(dy, w, NULL, attr->conv);
    if (g->wanted[1]) g->dx[1] = reel_conv2d_weight_gradient(dy, x, attr->conv, (int)kernel[2], (int)kernel[3]);
    if (g->inputs > 2 && g->wanted[2]) g->dx[2] = reel_sum(dy, REEL_INTS(0, 2, 3), false);
}

const reel_op reel_op_conv_transpose2d = {.name = "conv_transpose2d",
                                          .summary = "the adjoint of a convolution as a layer: x stamps kernels into y",
                                          .least_inputs = 2,
                                          .most_inputs = 3,
                                          .outputs = 1,
                                          .attr_size = sizeof(reel_conv_transpose2d_attr),
                                          .attrs = attributes,
                                          .shape = shape,
                                          .gradient = gradient,
                                          .reference = {reel_conv2d_adjoint, NULL},
                                          .samples = reel_samples_of_first,
                                          .flops = reel_conv2d_adjoint_flops};
