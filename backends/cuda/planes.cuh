/* Results that are planes of channels, NCHW: rows of a product are channels, its columns pixels of one image after the
   other. A bias and a ReLU are done on the way; sums are float, and stored as floats or bf16. */
#ifndef REEL_BACKENDS_CUDA_PLANES_CUH
#define REEL_BACKENDS_CUDA_PLANES_CUH

#include "backends/cuda/device.cuh"

struct planes {
    typedef size_t Column;
    unsigned rows;
    cuda_divider by_area;
    void *y;
    const void *bias;
    bool float_y, float_bias, relu;

    __device__ Column column(unsigned i) const
    {
        unsigned position = cuda_split(&i, by_area);
        return (size_t)i * rows * by_area.size + position;
    }
    __device__ void store(unsigned row, Column at, float value) const
    {
        if (bias) value += float_bias ? ((const float *)bias)[row] : (float)((const cuda_bf16 *)bias)[row];
        if (relu && value <= 0) value = 0;
        at += (size_t)row * by_area.size;
        if (float_y)
            ((float *)y)[at] = value;
        else
            ((cuda_bf16 *)y)[at] = cuda_bf16(value);
    }
    __device__ void skip(size_t elements) { y = (char *)y + elements * (float_y ? sizeof(float) : sizeof(cuda_bf16)); }
};

/* The output of a call, and its third input, the bias, if it has one. */
inline planes planes_of(const reel_call *call, int64_t rows, int64_t area, bool relu)
{
    planes out = {(unsigned)rows, cuda_divider_of(area), call->output[0].data};
    out.float_y = call->output[0].dtype == REEL_F32;
    out.bias = call->inputs > 2 ? call->input[2].data : NULL;
    out.float_bias = out.bias && call->input[2].dtype == REEL_F32;
    out.relu = relu;
    return out;
}

#endif
