/* One launch over many arrays: blocks take pieces of the first array, then of the second, and so on. A list of arrays
   is an argument of the kernel, so it holds as many as the 4 KiB allow that all of a kernel's arguments may take. */
#ifndef REEL_BACKENDS_CUDA_SEVERAL_CUH
#define REEL_BACKENDS_CUDA_SEVERAL_CUH

#include "backends/cuda/device.cuh"

enum { CUDA_SEVERAL = 88 };

/* Entries of N arrays of one size each. */
template <int N> struct cuda_several {
    unsigned count, pieces;
    unsigned first[CUDA_SEVERAL], elements[CUDA_SEVERAL]; /* of an entry: its first piece, its size */
    void *at[CUDA_SEVERAL][N];
};

/* Appends an entry in pieces of `piece` elements. The caller sees to it that there is room. */
template <int N> void cuda_append(cuda_several<N> *all, unsigned elements, unsigned piece, void *const at[N])
{
    unsigned entry = all->count++;
    all->first[entry] = all->pieces;
    all->elements[entry] = elements;
    all->pieces += (elements + piece - 1) / piece;
    for (int k = 0; k < N; k++) all->at[entry][k] = at[k];
}

/* A block's part of an entry. */
struct cuda_piece {
    unsigned entry, begin, end;
};

template <int N> __device__ cuda_piece cuda_piece_of(const cuda_several<N> &all, unsigned piece)
{
    unsigned entry = 0, beyond = all.count; /* the last that begins at this block or before; empty ones begin early */
    while (beyond - entry > 1) {
        unsigned middle = (entry + beyond) / 2;
        *(all.first[middle] <= blockIdx.x ? &entry : &beyond) = middle;
    }
    unsigned begin = (blockIdx.x - all.first[entry]) * piece, end = begin + piece;
    return {entry, begin, end < all.elements[entry] ? end : all.elements[entry]};
}

#endif
