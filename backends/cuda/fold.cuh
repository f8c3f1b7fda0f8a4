/* How a block folds what its threads hold: within warps by shuffles, then over the warps in order. The order depends on
   the number of threads alone, so the bits are the same every time. */
#ifndef REEL_BACKENDS_CUDA_FOLD_CUH
#define REEL_BACKENDS_CUDA_FOLD_CUH

#include "backends/cuda/device.cuh"

struct cuda_sum {
    static constexpr double start = 0;
    __device__ static double combine(double a, double b) { return a + b; }
};

/* For blocks of CUDA_THREADS, all of which call it once; the result is that of thread 0. */
template <class F> __device__ double cuda_block_fold(double value)
{
    __shared__ double of_warp[CUDA_THREADS / 32];
    for (unsigned d = warpSize / 2; d; d /= 2) value = F::combine(value, __shfl_down_sync(0xffffffffu, value, d));
    if (threadIdx.x % warpSize == 0) of_warp[threadIdx.x / warpSize] = value;
    __syncthreads();
    for (int w = 1; threadIdx.x == 0 && w < CUDA_THREADS / 32; w++) value = F::combine(value, of_warp[w]);
    return value;
}

#endif
