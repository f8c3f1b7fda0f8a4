/* What the two kinds of matmul share (matmul.cu, tensor_matmul.cu): where a batch begins. */
#ifndef REEL_BACKENDS_CUDA_MATMUL_CUH
#define REEL_BACKENDS_CUDA_MATMUL_CUH

#include "backends/cuda/device.cuh"

/* The axes before the last two, and how far a step along each moves in a and b. */
struct batching {
    int rank;
    cuda_divider size[REEL_MAX_RANK];
    unsigned a[REEL_MAX_RANK], b[REEL_MAX_RANK];

    /* Moves to the matrices of a batch. */
    template <class T> __device__ void enter(unsigned number, const T **left, const T **right) const
    {
        for (int k = rank - 1; k >= 0; k--) {
            unsigned place = cuda_split(&number, size[k]);
            *left += place * a[k];
            *right += place * b[k];
        }
    }
};

inline batching batching_of(const reel_call *call)
{
    const reel_shape *y = &call->output[0].shape;
    batching all = {.rank = y->rank - 2};
    for (int input = 0; input < 2; input++) {
        const reel_shape *x = &call->input[input].shape;
        unsigned *step = input ? all.b : all.a, size = 1;
        int missing = y->rank - x->rank;
        for (int k = x->rank - 1; k >= 0; size *= (unsigned)x->size[k], k--)
            if (k < x->rank - 2 && x->size[k] != 1) step[k + missing] = size;
    }
    for (int k = 0; k < all.rank; k++) all.size[k] = cuda_divider_of(y->size[k]);
    return all;
}

/* On tensor cores: whether they take this one; running it. */
bool tensor_multiplies(const reel_call *call);
reel_status tensor_matmul(const reel_call *call);
size_t tensor_matmul_scratch(const reel_call *call);

#endif
