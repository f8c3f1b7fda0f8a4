/* See gemm.h. */
#include "backends/cpu/gemm.h"

#include <cblas.h>

void cpu_gemm(reel_dtype dtype, int64_t m, int64_t n, int64_t k, cpu_matrix a, cpu_matrix b, bool add, void *c,
              int64_t row, void *room)
{
    (void)room;
    CBLAS_TRANSPOSE ta = a.transposed ? CblasTrans : CblasNoTrans, tb = b.transposed ? CblasTrans : CblasNoTrans;
    if (dtype == REEL_F32)
        cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a.at, (blasint)a.row, b.at,
                    (blasint)b.row, add ? 1 : 0, c, (blasint)row);
    else
        cblas_dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a.at, (blasint)a.row, b.at,
                    (blasint)b.row, add ? 1 : 0, c, (blasint)row);
}
