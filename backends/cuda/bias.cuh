/* What a library's product or convolution leaves to be done before it and after it (bias.cu). */
#ifndef REEL_BACKENDS_CUDA_BIAS_CUH
#define REEL_BACKENDS_CUDA_BIAS_CUH

#include "backends/cuda/device.cuh"

inline bool bias_there(const reel_call *call)
{
    return call->inputs > 2 && call->input[2].data;
}

/* Whether there is no bias, or one that y's type holds without rounding it. */
bool bias_fits(const reel_call *call);
/* y[image][row][position] = bias[row], for a result to be added to. */
reel_status bias_begin(const reel_call *call, int64_t rows, int64_t area);
/* y = max(y, 0) */
reel_status bias_relu(const reel_call *call);

#endif
