/* cuBLASLt on the CPU, for tests: what backends/cuda/blas.cu finds when it opens the library. A product is worked out
   in plain loops, by what its descriptions say and nothing else, when its stream comes to it. */
#include "backends/cuda/cublas.cuh"
#include "core/bf16.h"
#include "tests/cuda/libraries.h"

#include <stdio.h>

struct described_product {
    lt_compute compute;
    int32_t turn_a, turn_b, epilogue;
};
struct described_layout {
    lt_type type;
    uint64_t rows, columns;
    int64_t between; /* columns */
    int32_t batches;
    int64_t step;
};
struct described_choice {
    uint64_t workspace;
    uint32_t reductions;
};
static int there; /* descriptions */

template <class D, class V> static int create(V *made, D described)
{
    there++;
    *made = new D(described);
    return 0;
}
template <class D> static int destroy(void *made)
{
    there--;
    delete (D *)made;
    return 0;
}
template <class V> static int set(V *value, const void *from, size_t bytes)
{
    if (bytes != sizeof *value) return 7; /* an invalid value */
    memcpy(value, from, bytes);
    return 0;
}

static int emulate_cublasLtCreate(lt_handle *made)
{
    *made = &there;
    return 0;
}
static int emulate_cublasLtDestroy(lt_handle)
{
    if (there) emulate_stop("a description of cuBLASLt was left behind");
    return 0;
}
static int emulate_cublasLtMatmulDescCreate(lt_product *made, lt_compute compute, lt_type scale)
{
    return scale == LT_F32 ? create(made, described_product{compute, 0, 0, LT_EPILOGUE_NONE}) : 7;
}
static int emulate_cublasLtMatmulDescDestroy(lt_product made)
{
    return destroy<described_product>(made);
}
static int emulate_cublasLtMatmulDescSetAttribute(lt_product to, lt_product_attribute attribute, const void *value,
                                                  size_t bytes)
{
    described_product *p = (described_product *)to;
    return set(attribute == LT_PRODUCT_TURN_A   ? &p->turn_a
               : attribute == LT_PRODUCT_TURN_B ? &p->turn_b
                                                : &p->epilogue,
               value, bytes);
}
static int emulate_cublasLtMatrixLayoutCreate(lt_layout *made, lt_type type, uint64_t rows, uint64_t columns,
                                              int64_t between)
{
    return create(made, described_layout{type, rows, columns, between, 1, 0});
}
static int emulate_cublasLtMatrixLayoutDestroy(lt_layout made)
{
    return destroy<described_layout>(made);
}
static int emulate_cublasLtMatrixLayoutSetAttribute(lt_layout to, lt_layout_attribute attribute, const void *value,
                                                    size_t bytes)
{
    described_layout *l = (described_layout *)to;
    return attribute == LT_LAYOUT_BATCHES ? set(&l->batches, value, bytes) : set(&l->step, value, bytes);
}
static int emulate_cublasLtMatmulPreferenceCreate(lt_choice *made)
{
    return create(made, described_choice{0, 7});
}
static int emulate_cublasLtMatmulPreferenceDestroy(lt_choice made)
{
    return destroy<described_choice>(made);
}
static int emulate_cublasLtMatmulPreferenceSetAttribute(lt_choice to, lt_choice_attribute attribute, const void *value,
                                                        size_t bytes)
{
    described_choice *c = (described_choice *)to;
    return attribute == LT_CHOICE_WORKSPACE ? set(&c->workspace, value, bytes) : set(&c->reductions, value, bytes);
}

/* Whether the matrices fit each other: op(a) op(b) = d, and c is like d. */
static bool fits(const described_product &p, const described_layout &a, const described_layout &b,
                 const described_layout &c, const described_layout &d)
{
    uint64_t rows = p.turn_a ? a.columns : a.rows, depth = p.turn_a ? a.rows : a.columns;
    uint64_t columns = p.turn_b ? b.rows : b.columns, also = p.turn_b ? b.columns : b.rows;
    for (const described_layout *l : {&a, &b, &c, &d})
        if (l->between < (int64_t)l->rows || l->batches != d.batches) return false;
    return rows == d.rows && columns == d.columns && depth == also && c.rows == d.rows && c.columns == d.columns &&
           a.type == b.type && c.type == d.type && (d.type == a.type || d.type == LT_F32);
}

static int emulate_cublasLtMatmulAlgoGetHeuristic(lt_handle, lt_product product, lt_layout a, lt_layout b, lt_layout c,
                                                  lt_layout d, lt_choice choice, int most, lt_found *found, int *count)
{
    const described_choice *wanted = (const described_choice *)choice;
    *count = 0;
    if (!fits(*(described_product *)product, *(described_layout *)a, *(described_layout *)b, *(described_layout *)c,
              *(described_layout *)d))
        emulate_stop("the matrices of a product of cuBLASLt do not fit each other");
    if (most < 1 || wanted->reductions & 1 || emulated.products_refused) return 15; /* not supported */
    *found = lt_found{{{1}}, wanted->workspace / 2, 0, 1, {}};
    *count = 1;
    return 0;
}

static float element(const void *at, const described_layout &l, int64_t batch, uint64_t row, uint64_t column)
{
    int64_t i = batch * l.step + (int64_t)column * l.between + (int64_t)row;
    return l.type == LT_BF16 ? reel_bf16_to_float(((const reel_bf16 *)at)[i]) : ((const float *)at)[i];
}

static void put(void *at, const described_layout &l, int64_t batch, uint64_t row, uint64_t column, float value)
{
    int64_t i = batch * l.step + (int64_t)column * l.between + (int64_t)row;
    if (l.type == LT_BF16)
        ((reel_bf16 *)at)[i] = reel_bf16_from_float(value);
    else
        ((float *)at)[i] = value;
}

/* A factor as the library sees it. */
static float factor(const described_product &p, float value)
{
    return p.compute == LT_COMPUTE_TF32 ? __uint_as_float(warp_tf32(value)) : value;
}

static int emulate_cublasLtMatmul(lt_handle, lt_product product, const void *alpha, const void *a, lt_layout a_layout,
                                  const void *b, lt_layout b_layout, const void *beta, const void *c,
                                  lt_layout c_layout, void *d, lt_layout d_layout, const lt_algorithm *algorithm,
                                  void *workspace, size_t bytes, cudaStream_t stream)
{
    const described_product p = *(described_product *)product;
    const described_layout la = *(described_layout *)a_layout, lb = *(described_layout *)b_layout;
    const described_layout lc = *(described_layout *)c_layout, ld = *(described_layout *)d_layout;
    const float by = *(const float *)alpha, add = *(const float *)beta;
    if (algorithm->data[0] != 1 || !fits(p, la, lb, lc, ld)) return 7;
    if (emulated.fail_product) return 13; /* the execution failed */
    emulated.products++;
    cudaLaunchConfig_t config = {};
    config.stream = stream;
    return emulate_launch(&config, [=] {
        memset(workspace, 0xff, bytes);
        for (int64_t n = 0; n < ld.batches; n++)
            for (uint64_t i = 0; i < ld.rows; i++)
                for (uint64_t j = 0; j < ld.columns; j++) {
                    double sum = 0;
                    for (uint64_t k = 0; k < (p.turn_a ? la.rows : la.columns); k++)
                        sum += (double)factor(p, p.turn_a ? element(a, la, n, k, i) : element(a, la, n, i, k)) *
                               (double)factor(p, p.turn_b ? element(b, lb, n, j, k) : element(b, lb, n, k, j));
                    sum = by * sum + (add != 0 ? add * element(c, lc, n, i, j) : 0);
                    put(d, ld, n, i, j, p.epilogue == LT_EPILOGUE_RELU && sum <= 0 ? 0 : (float)sum);
                }
    });
}

void *emulate_cublas(const char *name)
{
#define FUNCTION(called, arguments)                                                                                    \
    if (!strcmp(name, #called)) return (void *)(int(*) arguments)emulate_##called;
    LT_FUNCTIONS(FUNCTION)
#undef FUNCTION
    return nullptr;
}
