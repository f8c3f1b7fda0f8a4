/* Which way a convolution goes: by own kernels, or by cuDNN where REEL_CUDNN asks for it (convolve.cu). */
#ifndef REEL_BACKENDS_CUDA_CONVOLVE_CUH
#define REEL_BACKENDS_CUDA_CONVOLVE_CUH

#include "backends/cuda/dnn.cuh"

/* `own` computes it by the kernels of this folder. */
typedef reel_status convolve_own(const reel_call *call);

reel_status convolve(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g, convolve_own *own);

/* Bytes of scratch memory that cuDNN takes for it; 0 for none. */
size_t convolve_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g);

void convolve_close(struct cuda_convolutions *convolutions); /* NULL: nothing to do */

#endif
