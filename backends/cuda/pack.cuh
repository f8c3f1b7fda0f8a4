/* Loads and stores of up to 16 bytes at once: a warp that asks for four times as much with one instruction comes nearer
   to what the memory can give, most of all with types of one or two bytes. Where arrays lie one element beside the
   other and begin where a pack may, a thread makes a pack; the elements behind the last whole pack are a thread each.
 */
#ifndef REEL_BACKENDS_CUDA_PACK_CUH
#define REEL_BACKENDS_CUDA_PACK_CUH

#include "backends/cuda/device.cuh"

template <class T, int N> struct alignas(N * sizeof(T)) cuda_pack {
    T at[N];
};

/* As cuda_over for n elements in packs of N: the kernel asks cuda_share_of. */
template <int N, class... P, class... A>
reel_status cuda_over_packs(cuda_site site, unsigned n, void (*kernel)(P...), A... arguments)
{
    return cuda_over(site, n / N + n % N, kernel, arguments...);
}

/* What a thread makes: pack number `at`, or element number `at`, or nothing. */
struct cuda_share {
    unsigned at;
    bool pack, element;
};

template <int N> __device__ __forceinline__ cuda_share cuda_share_of(unsigned n)
{
    unsigned i = cuda_element(), packs = n / N;
    if (i < packs) return {i, true, false};
    return {packs * N + (i - packs), false, packs * N + (i - packs) < n};
}

template <int N, class T> __device__ __forceinline__ cuda_pack<T, N> cuda_pack_at(const T *array, unsigned pack)
{
    return ((const cuda_pack<T, N> *)array)[pack];
}
template <int N, class T> __device__ __forceinline__ void cuda_put_pack(T *array, unsigned pack, cuda_pack<T, N> value)
{
    ((cuda_pack<T, N> *)array)[pack] = value;
}

#endif
