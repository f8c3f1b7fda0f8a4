/* Convolutions by panels of pixels. With a term t = (input channel, kernel position) they are products of matrices,

       y[k, m] = bias[k] + sum over t of w[k, t] x[t, m],        dw[k, t] = sum over m of dy[k, m] x[t, m],

   where x[t, m] is what term t of output pixel m reads. Rows of y and dy lie side by side in NCHW, a row of pixels m
   for each channel, and those of w are its kernels.

   Two kinds go this way. A pointwise kernel has one position: its x[t, m] is x itself. It does with a number that it
   reads a ninth of what a kernel of 3 x 3 does, so that turning pictures to put channels innermost, and back, would
   cost a fifth of the time. Kernels of few terms, such as those of a network's first layer, do little with a number
   that they write; their x[t, m], the columns, is small and made panel by panel.

   So roles change in the tiles of brgemm.h: points are output channels and lanes are pixels. y and dy stay as they lie,
   and what is turned, if anything, are the weights, once a call. Where there are few pixels, the weights weigh more,
   and conv2d.c does it in the usual way. */
#ifndef REEL_BACKENDS_CPU_PANELS_H
#define REEL_BACKENDS_CPU_PANELS_H

#include "backends/cpu/conv2d.h"

/* Whether a convolution is pointwise. */
static inline bool cpu_pointwise(const reel_conv2d_geometry *g)
{
    return g->kh * g->kw == 1 && g->stride[0] == 1 && g->stride[1] == 1 && !g->top && !g->left && g->p == g->h &&
           g->q == g->w;
}

static inline int64_t cpu_panels_terms(const reel_conv2d_geometry *g)
{
    return g->cg * g->kh * g->kw;
}

/* Whether it goes this way. */
bool cpu_panels_serve(const reel_conv2d_geometry *g, reel_dtype dtype);

size_t cpu_panels_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_panels_convolve(const cpu_convolution *c);

/* The gradient, where x and dy are of the dtype that tiles read. */
bool cpu_panels_serve_gradient(const reel_conv2d_geometry *g, reel_dtype dtype);
size_t cpu_panels_weight_gradient_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_panels_weight_gradient(const cpu_convolution *c);

#endif
