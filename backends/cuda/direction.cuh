/* A convolution and its two gradients are sums over the same three arrays, x, w and y: which of them is computed, and
   the sizes of all three. */
#ifndef REEL_BACKENDS_CUDA_DIRECTION_CUH
#define REEL_BACKENDS_CUDA_DIRECTION_CUH

#include "backends/cuda/device.cuh"

extern "C" {
#include "ops/conv2d_geometry.h"
}

enum cuda_direction { CUDA_FORWARD, CUDA_INPUT_GRADIENT, CUDA_WEIGHT_GRADIENT };

/* Every direction's attributes begin with the convolution's. */
static_assert(offsetof(reel_conv2d_adjoint_attr, conv) == 0 && offsetof(reel_conv_transpose2d_attr, conv) == 0);

inline reel_conv2d_geometry cuda_geometry(const reel_call *call, cuda_direction direction)
{
    const reel_shape *a = &call->input[0].shape, *b = &call->input[1].shape, *made = &call->output[0].shape;
    const reel_conv2d_attr *attr = (const reel_conv2d_attr *)call->attr;
    if (direction == CUDA_FORWARD) return reel_conv2d_measure(a, b, made, attr);
    if (direction == CUDA_INPUT_GRADIENT) return reel_conv2d_measure(made, b, a, attr);
    return reel_conv2d_measure(a, made, b, attr);
}

inline bool cuda_relu(const reel_call *call, cuda_direction direction)
{
    return direction == CUDA_FORWARD && ((const reel_conv2d_attr *)call->attr)->relu;
}

#endif
