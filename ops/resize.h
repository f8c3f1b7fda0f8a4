/* Resizing the planes of [N, C, H, W] by interpolation, and its adjoint. */
#ifndef REEL_OPS_RESIZE_H
#define REEL_OPS_RESIZE_H

#include "core/graph.h"

typedef enum { REEL_NEAREST, REEL_BILINEAR } reel_resize_mode;

/* Which input coordinate output position o samples; n is the input's size, m the output's. */
typedef enum {
    REEL_HALF_PIXEL,         /* (o + 1/2) n/m - 1/2: pixels are squares; torch's align_corners=False */
    REEL_ALIGN_CORNERS,      /* o (n - 1)/(m - 1): the outermost centres meet */
    REEL_ASYMMETRIC,         /* o n/m: the upper left corners meet; torch's nearest, with REEL_FLOOR */
    REEL_PYTORCH_HALF_PIXEL, /* as half_pixel, and 0 when m is 1 */
} reel_resize_align;

typedef enum { REEL_FLOOR, REEL_ROUND_PREFER_FLOOR, REEL_ROUND_PREFER_CEIL, REEL_CEIL } reel_resize_rounding;

typedef struct {
    int size[2]; /* of the output: height, width */
    int mode, align, rounding;
    double scale_height, scale_width; /* output over input where it is not m/n (ONNX, torch's scale_factor); 0: m/n */
} reel_resize2d_attr;

typedef struct {
    reel_resize2d_attr resize;
    int size[2]; /* of the input of the resize: height, width */
} reel_resize2d_gradient_attr;

/* attr.size is taken from height and width. */
reel_tensor *reel_resize2d(reel_tensor *x, int height, int width, reel_resize2d_attr attr);
reel_tensor *reel_resize2d_gradient(reel_tensor *dy, reel_resize2d_gradient_attr attr);
/* A whole factor, as torch's Upsample does it; align_corners matters to REEL_BILINEAR only. */
reel_tensor *reel_upsample2d(reel_tensor *x, int factor, reel_resize_mode mode, bool align_corners);

#endif
