/* Stands for the CUDA backend in a build without it: asked for, it says so; it has no kernels. */
#include "backends/cuda/cuda.h"

reel_backend *reel_cuda_backend(int device, reel_error *error)
{
    reel_fail(error, REEL_ENVIRONMENT,
              "device 'cuda:%d': this build of reel has no CUDA; put nvcc on the PATH and build with make CUDA=1",
              device);
    return NULL;
}

reel_kernel cuda_find_kernel(const reel_op *op)
{
    (void)op;
    return (reel_kernel){0};
}
