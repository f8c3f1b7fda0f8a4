/* Convolutions of one place, stride 1 and no padding, by cuBLASLt (pointwise.cu): they are products of matrices as they
   lie. *done is false where it does not take one. */
#ifndef REEL_BACKENDS_CUDA_POINTWISE_CUH
#define REEL_BACKENDS_CUDA_POINTWISE_CUH

#include "backends/cuda/blas.cuh"
#include "backends/cuda/direction.cuh"

inline bool pointwise(const reel_conv2d_geometry &g)
{
    return g.kh == 1 && g.kw == 1 && g.stride[0] == 1 && g.stride[1] == 1 && g.top == 0 && g.left == 0 && g.p == g.h &&
           g.q == g.w && g.groups == 1;
}

reel_status pointwise_run(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g, bool *done);

/* Bytes of scratch memory, in any direction; 0 where it is not taken. */
size_t pointwise_scratch(const reel_call *call, const reel_conv2d_geometry &g);

#endif
