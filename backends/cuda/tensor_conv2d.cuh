/* The convolutions on tensor cores (tensor_conv2d.cu): which ones they take, and running those. The geometry is that of
   the convolution, whichever of its three arrays is computed. */
#ifndef REEL_BACKENDS_CUDA_TENSOR_CONV2D_CUH
#define REEL_BACKENDS_CUDA_TENSOR_CONV2D_CUH

#include "backends/cuda/direction.cuh"

bool tensor_convolves(const reel_call *call, const reel_conv2d_geometry &g);

reel_status tensor_conv2d(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g);
size_t tensor_conv2d_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g);

#endif
