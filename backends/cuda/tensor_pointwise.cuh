/* Convolutions of one place on tensor cores (tensor_pointwise.cu). */
#ifndef REEL_BACKENDS_CUDA_TENSOR_POINTWISE_CUH
#define REEL_BACKENDS_CUDA_TENSOR_POINTWISE_CUH

#include "backends/cuda/direction.cuh"

/* Of a convolution that tensor cores take, whether its picture need not be turned for it. */
bool tensor_points(const reel_call *call, const reel_conv2d_geometry &g);

/* The convolution or its gradient with respect to x; scratch memory of that. */
reel_status tensor_pointwise(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g);
size_t tensor_pointwise_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g);

#endif
