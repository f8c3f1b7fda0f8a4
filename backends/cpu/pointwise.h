/* Pointwise convolutions: kernels of one element that visit every pixel. They are products of matrices,

       y[k, m] = bias[k] + sum over c of w[k, c] x[c, m],        dw[k, c] = sum over m of dy[k, m] x[c, m],

   whose rows lie side by side in NCHW, a row of pixels m for each channel.

   A kernel of one element does with a number that it reads a ninth of what one of 3 x 3 does, so that turning pictures
   to put channels innermost, and back, would cost a fifth of the time. So roles change in the tiles of brgemm.h: points
   are output channels and lanes are pixels. x and y stay as they lie, and what is turned are the weights, which are
   few, once a call. Where there are few pixels, the weights weigh more, and conv2d.c does it in the usual way. */
#ifndef REEL_BACKENDS_CPU_POINTWISE_H
#define REEL_BACKENDS_CPU_POINTWISE_H

#include "backends/cpu/conv2d.h"

/* Whether a convolution is pointwise. */
static inline bool cpu_pointwise(const reel_conv2d_geometry *g)
{
    return g->kh * g->kw == 1 && g->stride[0] == 1 && g->stride[1] == 1 && !g->top && !g->left && g->p == g->h &&
           g->q == g->w;
}

/* Whether it goes this way. */
bool cpu_pointwise_serves(const reel_conv2d_geometry *g, reel_dtype dtype);

size_t cpu_pointwise_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_pointwise_convolve(const cpu_convolution *c);

/* The gradient, where x and dy are of the dtype that tiles read. */
bool cpu_pointwise_serves_gradient(const reel_conv2d_geometry *g, reel_dtype dtype);
size_t cpu_pointwise_weight_gradient_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_pointwise_weight_gradient(const cpu_convolution *c);

#endif
