/* Matrix products. */
#ifndef REEL_OPS_LINEAR_H
#define REEL_OPS_LINEAR_H

#include "core/graph.h"

typedef struct {
    bool transpose_a, transpose_b; /* the last two axes change places before the product */
} reel_matmul_attr;

/* [..., M, K] x [..., K, N] -> [..., M, N]; the axes before the last two broadcast. */
reel_tensor *reel_matmul(reel_tensor *a, reel_tensor *b, bool transpose_a, bool transpose_b);

/* What its kernels share: sizes, and the matrix of an input that a batch of the output uses. */
typedef struct {
    int64_t batches, m, n, k;
} reel_matmul_sizes;

reel_matmul_sizes reel_matmul_sizes_of(const reel_call *call);
int64_t reel_matmul_matrix(const reel_call *call, int input, int64_t batch);

#endif
