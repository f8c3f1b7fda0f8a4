/* See bf16.cu. */
#ifndef REEL_BACKENDS_CUDA_BF16_CUH
#define REEL_BACKENDS_CUDA_BF16_CUH

#include "backends/cuda/device.cuh"

extern "C" {
#include "core/kernel.h"
}

/* Copies of all elements (cast.cu). */
reel_status cuda_widen(const reel_call *call, const reel_array *from, const reel_array *to);
reel_status cuda_narrow(const reel_call *call, const reel_array *from, const reel_array *to);

/* A kernel on float copies of the bf16 arrays of a call, and the scratch memory that it takes, copies included. */
reel_status cuda_wide_run(const reel_kernel *kernel, const reel_call *call);
size_t cuda_wide_scratch(const reel_kernel *kernel, const reel_call *call);

/* The same, where the call has bf16; else the kernel itself. */
inline reel_status cuda_plain_run(const reel_kernel *kernel, const reel_call *call)
{
    return reel_call_has_bf16(call) ? cuda_wide_run(kernel, call) : kernel->run(call);
}

inline size_t cuda_plain_scratch(const reel_kernel *kernel, const reel_call *call)
{
    return reel_call_has_bf16(call) ? cuda_wide_scratch(kernel, call) : kernel->scratch(call);
}

#endif
