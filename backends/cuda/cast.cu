/* cast on the GPU, and the copies between bf16 and float that other kernels are given (bf16.cu). Memory limits it, so
   that elements are read and written in packs. */
#include "backends/cuda/bf16.cuh"
#include "backends/cuda/pack.cuh"

template <class From, class To> __device__ static void convert(From x, To *y)
{
    cuda_convert((double)x, y);
}
__device__ static void convert(float x, cuda_bf16 *y)
{
    *y = cuda_bf16(x);
}
__device__ static void convert(cuda_bf16 x, float *y)
{
    *y = (float)x;
}

template <int N, class From, class To> __global__ static void cast(const From *x, To *y, unsigned n)
{
    cuda_share share = cuda_share_of<N>(n);
    if (share.element) convert(x[share.at], &y[share.at]);
    if (!share.pack) return;
    cuda_pack<From, N> in = cuda_pack_at<N>(x, share.at);
    cuda_pack<To, N> out;
    for (int k = 0; k < N; k++) convert(in.at[k], &out.at[k]);
    cuda_put_pack(y, share.at, out);
}

template <class From, class To> static reel_status run_cast(const reel_call *call, const From *x, To *y, unsigned n)
{
    constexpr int N = 16 / (sizeof(From) > sizeof(To) ? sizeof(From) : sizeof(To));
    return cuda_over_packs<N>(call, n, cast<N, From, To>, x, y, n);
}

reel_status cuda_widen(const reel_call *call, const reel_array *from, const reel_array *to)
{
    return run_cast(call, (const cuda_bf16 *)from->data, (float *)to->data, cuda_elements(from));
}

reel_status cuda_narrow(const reel_call *call, const reel_array *from, const reel_array *to)
{
    return run_cast(call, (const float *)from->data, (cuda_bf16 *)to->data, cuda_elements(from));
}

reel_status cuda_cast(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    return cuda_by_dtype(x->dtype, [&](auto from) {
        return cuda_by_dtype(y->dtype, [&](auto to) {
            return run_cast(call, (const decltype(from) *)x->data, (decltype(to) *)y->data, cuda_elements(y));
        });
    });
}
