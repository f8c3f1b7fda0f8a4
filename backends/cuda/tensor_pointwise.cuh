/* Convolutions of one place on tensor cores (tensor_pointwise.cu). */
#ifndef REEL_BACKENDS_CUDA_TENSOR_POINTWISE_CUH
#define REEL_BACKENDS_CUDA_TENSOR_POINTWISE_CUH

#include "backends/cuda/device.cuh"

extern "C" {
#include "ops/conv2d_geometry.h"
}

/* Of a convolution that tensor cores take, whether its picture need not be turned for it. */
bool tensor_points(const reel_call *call, const reel_conv2d_geometry &g);

/* The convolution and its gradient with respect to x; scratch memory of the two. */
reel_status tensor_pointwise_conv2d(const reel_call *call, const reel_conv2d_geometry &g);
reel_status tensor_pointwise_adjoint(const reel_call *call, const reel_conv2d_geometry &g);
size_t tensor_pointwise_conv2d_scratch(const reel_call *call, const reel_conv2d_geometry &g);
size_t tensor_pointwise_adjoint_scratch(const reel_call *call, const reel_conv2d_geometry &g);

#endif
