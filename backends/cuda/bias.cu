/* See bias.cuh. The libraries add a bias along neighbours in memory only, which are pixels here. So y begins as the
   bias, and what is computed is added to it: then y is rounded once. */
#include "backends/cuda/bias.cuh"

bool bias_fits(const reel_call *call)
{
    return !bias_there(call) || call->output[0].dtype == REEL_F32 || call->input[2].dtype == REEL_BF16;
}

template <class Y, class B>
__global__ static void fill_rows(Y *y, const B *bias, unsigned n, cuda_divider area, cuda_divider rows)
{
    unsigned at = cuda_element(), i = at;
    if (at >= n) return;
    cuda_split(&i, area);
    y[at] = Y((float)bias[cuda_split(&i, rows)]);
}

reel_status bias_begin(const reel_call *call, int64_t rows, int64_t area)
{
    const unsigned n = cuda_elements(&call->output[0]);
    const cuda_divider by_area = cuda_divider_of(area), by_rows = cuda_divider_of(rows);
    void *y = call->output[0].data;
    const void *bias = call->input[2].data;
    if (call->output[0].dtype == REEL_BF16)
        return cuda_over(call, n, fill_rows<cuda_bf16, cuda_bf16>, (cuda_bf16 *)y, (const cuda_bf16 *)bias, n, by_area,
                         by_rows);
    if (call->input[2].dtype == REEL_BF16)
        return cuda_over(call, n, fill_rows<float, cuda_bf16>, (float *)y, (const cuda_bf16 *)bias, n, by_area,
                         by_rows);
    return cuda_over(call, n, fill_rows<float, float>, (float *)y, (const float *)bias, n, by_area, by_rows);
}

template <class Y> __global__ static void above_zero(Y *y, unsigned n)
{
    unsigned i = cuda_element();
    if (i < n && (float)y[i] <= 0) y[i] = Y(0.0f);
}

reel_status bias_relu(const reel_call *call)
{
    const unsigned n = cuda_elements(&call->output[0]);
    void *y = call->output[0].data;
    if (call->output[0].dtype == REEL_BF16) return cuda_over(call, n, above_zero<cuda_bf16>, (cuda_bf16 *)y, n);
    return cuda_over(call, n, above_zero<float>, (float *)y, n);
}
