/* global_norm on the GPU: the squares of a piece a block, of all tensors one behind the other in as few launches as
   lists of tensors take (several.cuh); then all pieces in order. Which piece is which follows from shapes, so that bits
   do not depend on the lists. Memory limits it: each tensor is read once. */
#include "backends/cuda/fold.cuh"
#include "backends/cuda/several.cuh"

enum { PIECE = 1 << 14 };

static unsigned pieces_of(const reel_array *x)
{
    return (cuda_elements(x) + PIECE - 1) / PIECE;
}

size_t cuda_global_norm_scratch(const reel_call *call)
{
    size_t all = 0;
    for (int k = 0; k < call->inputs; k++) all += pieces_of(&call->input[k]);
    return all * sizeof(double);
}

template <class T> __global__ static void square_pieces(cuda_several<1> all, double *sums)
{
    cuda_piece p = cuda_piece_of(all, PIECE);
    const T *x = (const T *)all.at[p.entry][0];
    double sum = 0;
    for (unsigned i = p.begin + threadIdx.x; i < p.end; i += blockDim.x) sum += (double)x[i] * (double)x[i];
    sum = cuda_block_fold<cuda_sum>(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class T> __global__ static void root_of_sum(const double *sums, unsigned n, T *y)
{
    double sum = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) sum += sums[i];
    sum = cuda_block_fold<cuda_sum>(sum);
    if (threadIdx.x == 0) *y = (T)sqrt(sum);
}

template <class T> static reel_status norm(const reel_call *call, T)
{
    double *sums = (double *)call->scratch;
    unsigned done = 0;
    reel_status status = REEL_OK;
    for (int k = 0; !status && k < call->inputs;) {
        cuda_several<1> all = {};
        for (; k < call->inputs && all.count < CUDA_SEVERAL; k++)
            cuda_append(&all, cuda_elements(&call->input[k]), PIECE, &call->input[k].data);
        status = cuda_launch(call, all.pieces, CUDA_THREADS, square_pieces<T>, all, sums + done);
        done += all.pieces;
    }
    if (status) return status;
    return cuda_launch(call, 1, CUDA_THREADS, root_of_sum<T>, (const double *)sums, done, (T *)call->output[0].data);
}

reel_status cuda_global_norm(const reel_call *call)
{
    return cuda_by_float(call->output[0].dtype, [&](auto zero) { return norm(call, zero); });
}
