/* Convolutions. Three ops are the three derivatives of one trilinear form

       S(x, w, y) = sum over n, k, c, p, q, i, j of  y[n,k,p,q] w[k,c,i,j] x[n, c', p*s + i*d - top, q*s + j*d - left]

   with respect to y (conv2d), x (conv2d_input_gradient) and w (conv2d_weight_gradient), so each one's gradients are
   the other two, to any order. conv_transpose2d is the second of them under the arguments a model would use.

   Shapes: x [N, C, H, W]; w [K, C/groups, kh, kw]; y [N, K, P, Q]; s is the stride, d the dilation, c' the c-th
   channel of the group that k belongs to.

   In bf16 the products are added up in float. The gradient of the weights, a sum over all pixels that others are added
   to, comes out in f32; a bias may be f32, and y too if asked for, where what follows should not see it rounded. */
#ifndef REEL_OPS_CONVOLUTION_H
#define REEL_OPS_CONVOLUTION_H

#include "core/graph.h"

typedef struct {
    int stride[2], dilation[2]; /* down, across */
    int pad[4];                 /* top, left, bottom, right */
    int groups;
    bool wide; /* y is f32 where x is bf16 */
    bool relu; /* y = max(x * w + bias, 0) in one go, to spare a pass over y; of conv2d alone */
} reel_conv2d_attr;

typedef struct {
    reel_conv2d_attr conv; /* of the convolution this is a derivative of */
    int size[2];           /* what cannot be told from the shapes: input_gradient: H, W; weight_gradient: kh, kw */
} reel_conv2d_adjoint_attr;

typedef struct {
    reel_conv2d_attr conv;
    int output_pad[2]; /* rows below and columns right of the smallest output; less than the stride */
} reel_conv_transpose2d_attr;

/* Stride 1, no dilation, one group, and padding that keeps the size for an odd kernel. */
static inline reel_conv2d_attr reel_conv2d_same(int kernel)
{
    int p = kernel / 2;
    return (reel_conv2d_attr){.stride = {1, 1}, .dilation = {1, 1}, .pad = {p, p, p, p}, .groups = 1};
}

/* y = x * w + bias; bias [K] or NULL. */
reel_tensor *reel_conv2d(reel_tensor *x, reel_tensor *w, reel_tensor *bias, reel_conv2d_attr attr);
/* The gradient with respect to x [N, C, height, width]. */
reel_tensor *reel_conv2d_input_gradient(reel_tensor *dy, reel_tensor *w, reel_conv2d_attr attr, int height, int width);
/* The gradient with respect to w [K, C/groups, height, width]. */
reel_tensor *reel_conv2d_weight_gradient(reel_tensor *x, reel_tensor *dy, reel_conv2d_attr attr, int height, int width);
/* x [N, C, H, W], w [C, K/groups, kh, kw], bias [K] or NULL; y [N, K, (H-1) s - top - bottom + d (kh-1) + 1 +
 * output_pad, …]. */
reel_tensor *reel_conv_transpose2d(reel_tensor *x, reel_tensor *w, reel_tensor *bias, reel_conv_transpose2d_attr attr);

#endif
