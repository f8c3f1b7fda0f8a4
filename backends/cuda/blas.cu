/* See blas.cuh. cuBLASLt counts columns first: a matrix that lies row by row is its own turned one there. So
   y = a b is asked for as y' = b' a', which lies in memory the same way. */
#include "backends/cuda/blas.cuh"
#include "backends/cuda/cublas.cuh"

#include <dlfcn.h>

#if !defined REEL_CUDA_EMULATED && __has_include(<cublasLt.h>)
#include <cublasLt.h>
#define SAME(theirs, ours) static_assert((long)(theirs) == (long)(ours))
SAME(CUBLAS_STATUS_SUCCESS, LT_SUCCESS);
SAME(CUDA_R_32F, LT_F32);
SAME(CUDA_R_16BF, LT_BF16);
SAME(CUBLAS_COMPUTE_32F, LT_COMPUTE_F32);
SAME(CUBLAS_COMPUTE_32F_FAST_TF32, LT_COMPUTE_TF32);
SAME(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, LT_LAYOUT_BATCHES);
SAME(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, LT_LAYOUT_STEP);
SAME(CUBLASLT_MATMUL_DESC_TRANSA, LT_PRODUCT_TURN_A);
SAME(CUBLASLT_MATMUL_DESC_TRANSB, LT_PRODUCT_TURN_B);
SAME(CUBLASLT_MATMUL_DESC_EPILOGUE, LT_PRODUCT_EPILOGUE);
SAME(CUBLAS_OP_T, true);
SAME(CUBLASLT_EPILOGUE_DEFAULT, LT_EPILOGUE_NONE);
SAME(CUBLASLT_EPILOGUE_RELU, LT_EPILOGUE_RELU);
SAME(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, LT_CHOICE_WORKSPACE);
SAME(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, LT_CHOICE_REDUCTIONS);
SAME(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, LT_REDUCTION_IN_COMPUTE_TYPE);
SAME(sizeof(cublasLtMatmulHeuristicResult_t), sizeof(lt_found));
SAME(sizeof(cublasLtMatmulAlgo_t), sizeof(lt_algorithm));
SAME(offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize), offsetof(lt_found, workspace));
SAME(offsetof(cublasLtMatmulHeuristicResult_t, state), offsetof(lt_found, status));
#undef SAME
#endif

/* --- the library --- */

struct cuda_blas {
    void *library;
    lt_handle handle;
#define MEMBER(name, arguments) int(*name) arguments;
    LT_FUNCTIONS(MEMBER)
#undef MEMBER
};

void blas_close(cuda_blas *blas)
{
    if (!blas) return;
    if (blas->handle) blas->cublasLtDestroy(blas->handle);
    if (blas->library) dlclose(blas->library);
    reel_free(blas);
}

static bool find_functions(cuda_blas *blas)
{
#define FIND(name, arguments)                                                                                          \
    if (!(blas->name = (int(*) arguments)dlsym(blas->library, #name))) return false;
    LT_FUNCTIONS(FIND)
#undef FIND
    return true;
}

static cuda_blas *open_library()
{
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
    cuda_blas *blas = (cuda_blas *)reel_alloc(1, sizeof *blas);
    if (!blas) return NULL;
    for (const char *name : names)
        if (!blas->library) blas->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (blas->library && find_functions(blas) && blas->cublasLtCreate(&blas->handle) == LT_SUCCESS) return blas;
    blas->handle = NULL;
    blas_close(blas);
    return NULL;
}

/* --- a product --- */

bool blas_serves(const reel_call *call)
{
    cuda_device *device = cuda_of(call);
    const reel_dtype type = call->input[0].dtype;
    if (type != REEL_BF16 && (type != REEL_F32 || device->products.tf32 == CUDA_TF32_SPLIT)) return false;
    if (device->products.library && !device->blas_opened) device->blas = open_library();
    device->blas_opened = true;
    return device->blas != NULL;
}

/* What a product is described by to the library. */
struct description {
    const cuda_blas *blas;
    lt_product product;
    lt_layout a, b, y;
    lt_choice choice;
    bool good;

    void check(int status) { good = good && status == LT_SUCCESS; }

    /* A matrix that lies row by row, in the library's order. */
    void layout(lt_layout *made, lt_type type, int64_t rows, int64_t columns, int64_t batches, int64_t step)
    {
        int32_t count = (int32_t)batches;
        check(blas->cublasLtMatrixLayoutCreate(made, type, (uint64_t)columns, (uint64_t)rows, columns));
        if (good) check(blas->cublasLtMatrixLayoutSetAttribute(*made, LT_LAYOUT_BATCHES, &count, sizeof count));
        if (good) check(blas->cublasLtMatrixLayoutSetAttribute(*made, LT_LAYOUT_STEP, &step, sizeof step));
    }
    template <class V> void set(lt_product_attribute attribute, V value)
    {
        if (good) check(blas->cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof value));
    }
    template <class V> void choose(lt_choice_attribute attribute, V value)
    {
        if (good) check(blas->cublasLtMatmulPreferenceSetAttribute(choice, attribute, &value, sizeof value));
    }

    description(const reel_call *call, const blas_product &p)
        : blas(cuda_of(call)->blas), product(NULL), a(NULL), b(NULL), y(NULL), choice(NULL), good(true)
    {
        lt_type in = call->input[0].dtype == REEL_BF16 ? LT_BF16 : LT_F32;
        lt_type out = call->output[0].dtype == REEL_BF16 ? LT_BF16 : LT_F32;
        bool tf32 = in == LT_F32 && cuda_of(call)->products.tf32 == CUDA_TF32_ON;
        check(blas->cublasLtMatmulDescCreate(&product, tf32 ? LT_COMPUTE_TF32 : LT_COMPUTE_F32, LT_F32));
        set(LT_PRODUCT_TURN_A, (int32_t)p.turn_b); /* the library's left matrix is b */
        set(LT_PRODUCT_TURN_B, (int32_t)p.turn_a);
        set(LT_PRODUCT_EPILOGUE, (int32_t)(p.relu ? LT_EPILOGUE_RELU : LT_EPILOGUE_NONE));
        layout(&a, in, p.turn_a ? p.depth : p.rows, p.turn_a ? p.rows : p.depth, p.batches, p.step_a);
        layout(&b, in, p.turn_b ? p.columns : p.depth, p.turn_b ? p.depth : p.columns, p.batches, p.step_b);
        layout(&y, out, p.rows, p.columns, p.batches, p.step_y);
        check(blas->cublasLtMatmulPreferenceCreate(&choice));
        choose(LT_CHOICE_WORKSPACE, (uint64_t)BLAS_WORKSPACE);
        choose(LT_CHOICE_REDUCTIONS, (uint32_t)LT_REDUCTION_IN_COMPUTE_TYPE);
    }
    ~description()
    {
        if (product) blas->cublasLtMatmulDescDestroy(product);
        for (lt_layout made : {a, b, y})
            if (made) blas->cublasLtMatrixLayoutDestroy(made);
        if (choice) blas->cublasLtMatmulPreferenceDestroy(choice);
    }
};

reel_status blas_run(const reel_call *call, const blas_product &p, bool *done)
{
    cuda_device *device = cuda_of(call);
    const cuda_blas *blas = device->blas;
    const float one = 1, add = p.add ? 1 : 0;
    description d(call, p);
    lt_found found = {};
    int count = 0;
    *done = d.good &&
            blas->cublasLtMatmulAlgoGetHeuristic(blas->handle, d.product, d.b, d.a, d.y, d.y, d.choice, 1, &found,
                                                 &count) == LT_SUCCESS &&
            count == 1 && found.status == LT_SUCCESS && found.workspace <= BLAS_WORKSPACE;
    reel_status waiting = *done ? cuda_start_waiting(device, call->error) : REEL_OK;
    if (!*done || waiting) return waiting;
    int status = blas->cublasLtMatmul(blas->handle, d.product, &one, p.b, d.b, p.a, d.a, &add, p.y, d.y, p.y, d.y,
                                      &found.algorithm, call->scratch, found.workspace, device->stream);
    if (status == LT_SUCCESS) return REEL_OK;
    return reel_fail(call->error, REEL_ENVIRONMENT, "cuda:%d: %s: cublasLtMatmul fails with status %d", device->number,
                     call->op->name, status);
}
