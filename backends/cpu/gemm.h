/* Matrix products of either float type through one door: C = beta C + op(A) op(B), row-major. OpenBLAS runs on the
   calling thread alone; kernels share work out in fixed tiles around it. */
#ifndef REEL_BACKENDS_CPU_GEMM_H
#define REEL_BACKENDS_CPU_GEMM_H

#include "core/shape.h"

typedef struct {
    const void *at;
    int64_t row; /* elements from one row to the next, as stored */
    bool transposed;
} cpu_matrix;

/* Bytes of working memory, aligned to 64, that every product needs. */
enum { CPU_GEMM_ROOM = 64 };

/* C (m x n, `row` elements from one row to the next) = A B, or C + A B when `add`. */
void cpu_gemm(reel_dtype dtype, int64_t m, int64_t n, int64_t k, cpu_matrix a, cpu_matrix b, bool add, void *c,
              int64_t row, void *room);

#endif
