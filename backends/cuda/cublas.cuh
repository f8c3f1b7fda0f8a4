/* What of cuBLASLt is used: its functions, found by name at run time, and its numbers, which hold for CUDA 12 and 13.
   They are written down here so that neither building nor running needs the library; where its header is at hand, the
   compiler compares (blas.cu). */
#ifndef REEL_BACKENDS_CUDA_CUBLAS_CUH
#define REEL_BACKENDS_CUDA_CUBLAS_CUH

#include <cuda_runtime.h>
#include <stdint.h>

enum { LT_SUCCESS = 0 };
enum lt_type { LT_F32 = 0, LT_BF16 = 14 };
enum lt_compute { LT_COMPUTE_F32 = 68, LT_COMPUTE_TF32 = 77 };
enum lt_layout_attribute { LT_LAYOUT_BATCHES = 5, LT_LAYOUT_STEP = 6 };
enum lt_product_attribute { LT_PRODUCT_TURN_A = 3, LT_PRODUCT_TURN_B = 4, LT_PRODUCT_EPILOGUE = 7 };
enum lt_choice_attribute { LT_CHOICE_WORKSPACE = 1, LT_CHOICE_REDUCTIONS = 3 };
enum { LT_EPILOGUE_NONE = 1, LT_EPILOGUE_RELU = 2 };
enum { LT_REDUCTION_IN_COMPUTE_TYPE = 2 }; /* of the parts of a depth, from the workspace, in order */

struct lt_algorithm {
    uint64_t data[8];
};
struct lt_found {
    lt_algorithm algorithm;
    size_t workspace;
    int status;
    float waves;
    int reserved[4];
};

typedef void *lt_handle, *lt_product, *lt_layout, *lt_choice;

/* Name, and type of a call; all return a status. */
#define LT_FUNCTIONS(F)                                                                                                \
    F(cublasLtCreate, (lt_handle *))                                                                                   \
    F(cublasLtDestroy, (lt_handle))                                                                                    \
    F(cublasLtMatmulDescCreate, (lt_product *, lt_compute, lt_type))                                                   \
    F(cublasLtMatmulDescDestroy, (lt_product))                                                                         \
    F(cublasLtMatmulDescSetAttribute, (lt_product, lt_product_attribute, const void *, size_t))                        \
    F(cublasLtMatrixLayoutCreate, (lt_layout *, lt_type, uint64_t rows, uint64_t columns, int64_t step))               \
    F(cublasLtMatrixLayoutDestroy, (lt_layout))                                                                        \
    F(cublasLtMatrixLayoutSetAttribute, (lt_layout, lt_layout_attribute, const void *, size_t))                        \
    F(cublasLtMatmulPreferenceCreate, (lt_choice *))                                                                   \
    F(cublasLtMatmulPreferenceDestroy, (lt_choice))                                                                    \
    F(cublasLtMatmulPreferenceSetAttribute, (lt_choice, lt_choice_attribute, const void *, size_t))                    \
    F(cublasLtMatmulAlgoGetHeuristic, (lt_handle, lt_product, lt_layout a, lt_layout b, lt_layout c, lt_layout d,      \
                                       lt_choice, int most, lt_found *, int *count))                                   \
    F(cublasLtMatmul, (lt_handle, lt_product, const void *alpha, const void *a, lt_layout, const void *b, lt_layout,   \
                       const void *beta, const void *c, lt_layout, void *d, lt_layout, const lt_algorithm *,           \
                       void *workspace, size_t bytes, cudaStream_t))

#endif
