/* Pooling over windows of [N, C, H, W], and the adjoints. */
#ifndef REEL_OPS_POOLING_H
#define REEL_OPS_POOLING_H

#include "core/graph.h"

typedef struct {
    int kernel[2], stride[2], dilation[2]; /* down, across */
    int pad[4];                            /* top, left, bottom, right */
    bool ceil_mode; /* round the output size up; a window that would start in the bottom or right padding is dropped */
} reel_max_pool2d_attr;

typedef struct {
    reel_max_pool2d_attr window;
    bool count_include_pad; /* divide by the positions within the padded input, not by those within the input */
} reel_avg_pool2d_attr;

typedef struct {
    reel_max_pool2d_attr window;
    int size[2]; /* H, W of the input */
} reel_max_pool2d_gradient_attr;

typedef struct {
    reel_avg_pool2d_attr pool;
    int size[2];
} reel_avg_pool2d_gradient_attr;

/* Windows of size x size side by side: the pooling of VGG. */
static inline reel_max_pool2d_attr reel_pool2d_blocks(int size)
{
    return (reel_max_pool2d_attr){.kernel = {size, size}, .stride = {size, size}, .dilation = {1, 1}};
}

/* The largest value of each window; reel_output(y, 1) is its position i * kernel_width + j in the window, u8 when the
   window has at most 255 positions, else i32. The first of equals wins; NaN beats every number. */
reel_tensor *reel_max_pool2d(reel_tensor *x, reel_max_pool2d_attr attr);
/* The element of each window of x that `index` names; and its adjoint, which puts dy there. */
reel_tensor *reel_max_pool2d_select(reel_tensor *x, reel_tensor *index, reel_max_pool2d_attr attr);
reel_tensor *reel_max_pool2d_gradient(reel_tensor *dy, reel_tensor *index, reel_max_pool2d_attr attr, int height,
                                      int width);

/* The mean of each window, and its adjoint. */
reel_tensor *reel_avg_pool2d(reel_tensor *x, reel_avg_pool2d_attr attr);
reel_tensor *reel_avg_pool2d_gradient(reel_tensor *dy, reel_avg_pool2d_attr attr, int height, int width);

#endif
