/* Matrix products. */
#ifndef REEL_OPS_LINEAR_H
#define REEL_OPS_LINEAR_H

#include "core/graph.h"

typedef struct {
    bool transpose_a, transpose_b; /* the last two axes change places before the product */
} reel_matmul_attr;

/* [..., M, K] x [..., K, N] -> [..., M, N]; the axes before the last two broadcast. */
reel_tensor *reel_matmul(reel_tensor *a, reel_tensor *b, bool transpose_a, bool transpose_b);

#endif
