/* The CUDA backend: one NVIDIA GPU, float32 and float64, every op. The rest of this folder is compiled by nvcc when it
   is there; else absent.c stands for it. */
#ifndef REEL_BACKENDS_CUDA_CUDA_H
#define REEL_BACKENDS_CUDA_CUDA_H

#include "core/backend.h"

/* The GPU of this number, from 0. NULL, and one line in `error`, when there is no driver, no such GPU, one that the
   kernels were not compiled for, or no CUDA in this build. Close with backend->close(backend). */
reel_backend *reel_cuda_backend(int device, reel_error *error);

/* The kernel for an op, without a device; its `run` is NULL when there is none. */
reel_kernel cuda_find_kernel(const reel_op *op);

#endif
