/* Where the elements of several arrays are that make one element of a result: core/broadcast.h's visit, as a kernel
   takes it, one step an input and axis, 0 where the input is stretched. */
#ifndef REEL_BACKENDS_CUDA_WALK_CUH
#define REEL_BACKENDS_CUDA_WALK_CUH

#include "backends/cuda/device.cuh"

extern "C" {
#include "core/broadcast.h"
}

struct cuda_walk {
    int rank;
    cuda_divider size[REEL_MAX_RANK];
    int step[REEL_BROADCAST_INPUTS][REEL_MAX_RANK];
};

inline cuda_walk cuda_walk_of(const reel_call *call)
{
    reel_broadcast visit;
    cuda_walk walk = {};
    reel_broadcast_of(call, &visit);
    walk.rank = visit.rank;
    for (int i = 0; i < visit.rank; i++) {
        walk.size[i] = cuda_divider_of(visit.size[i]);
        for (int k = 0; k < call->inputs; k++) walk.step[k][i] = (int)visit.step[k][i];
    }
    return walk;
}

/* Elements of inputs 0..N-1 for element i of the output. */
template <int N> __device__ __forceinline__ void cuda_walk_at(const cuda_walk &walk, unsigned i, int at[N])
{
    for (int k = 0; k < N; k++) at[k] = 0;
    for (int axis = walk.rank - 1; axis > 0; axis--) {
        int place = (int)cuda_split(&i, walk.size[axis]);
        for (int k = 0; k < N; k++) at[k] += place * walk.step[k][axis];
    }
    for (int k = 0; k < N; k++) at[k] += (int)i * walk.step[k][0];
}

#endif
