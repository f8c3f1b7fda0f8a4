/* Matrix products by cuBLASLt, NVIDIA's library, where it is installed. It is opened at run time: without it, or where
   it has no way for a product, the kernels of this folder do the work.

   It takes products of large matrices that lie in memory: bf16, and float32 as one TF32 product or as plain float32
   (REEL_TF32=on and off; it has nothing like the split). Only ways of adding up that give the same bits from run to run
   are asked for. */
#ifndef REEL_BACKENDS_CUDA_BLAS_CUH
#define REEL_BACKENDS_CUDA_BLAS_CUH

#include "backends/cuda/device.cuh"

static constexpr size_t BLAS_WORKSPACE = 4 << 20; /* bytes of scratch memory of a call */

/* y[rows][columns] = a[rows][depth] b[depth][columns] + y or nothing, and what is below zero becomes zero with relu.
   All lie row by row; `turn` says that one lies turned. The steps are from one batch to the next, in elements. */
struct blas_product {
    int64_t rows, columns, depth, batches;
    bool turn_a, turn_b, add, relu;
    const void *a, *b;
    void *y;
    int64_t step_a, step_b, step_y;
};

/* Whether products of these types can be asked for; the first time that it matters, the library is opened. */
bool blas_serves(const reel_call *call);

/* Runs one, with the first BLAS_WORKSPACE bytes of the call's scratch memory. *done is false, and nothing has happened,
   where the library has no way for it. */
reel_status blas_run(const reel_call *call, const blas_product &p, bool *done);

void blas_close(struct cuda_blas *blas); /* NULL: nothing to do */

#endif
