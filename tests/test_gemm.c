/* backends/cpu/gemm.h against OpenBLAS: every kernel that this machine can run, both float types, every transposition,
   sizes on both sides of every tile and block boundary.

   Numbers are small odd integers: their products and sums are exact in either type and no product is a zero with a
   sign, so that results must be equal to the last bit. Rows are longer than the matrix, with NaN behind: nobody may
   read there, or write in the result. */
#include "backends/cpu/gemm.h"
#include "core/memory.h"
#include "core/rng.h"
#include "tests/support/tiny.h"

#include <cblas.h>
#include <check.h>
#include <math.h>
#include <string.h>

enum { BEHIND = 3 };

typedef struct {
    reel_dtype dtype;
    int64_t rows, columns, row;
    size_t bytes;
    void *at;
} stored;

static stored new_matrix(reel_dtype dtype, int64_t rows, int64_t columns, uint64_t key)
{
    stored m = {.dtype = dtype, .rows = rows, .columns = columns, .row = columns + BEHIND};
    m.bytes = (size_t)(rows * m.row) * reel_dtype_size(dtype);
    m.at = reel_alloc(m.bytes, 1);
    ck_assert_ptr_nonnull(m.at);
    for (int64_t i = 0; i < rows * m.row; i++) {
        double value = i % m.row < columns ? 2 * (double)reel_below(key, (uint64_t)i, 8) - 7 : (double)NAN;
        if (dtype == REEL_F32)
            ((float *)m.at)[i] = (float)value;
        else
            ((double *)m.at)[i] = value;
    }
    return m;
}

static cpu_matrix operand(const stored *m, bool transposed)
{
    return (cpu_matrix){m->at, m->row, transposed};
}

static void blas(const stored *a, bool ta, const stored *b, bool tb, bool add, stored *c)
{
    int m = (int)c->rows, n = (int)c->columns, k = (int)(ta ? a->rows : a->columns);
    CBLAS_TRANSPOSE of_a = ta ? CblasTrans : CblasNoTrans, of_b = tb ? CblasTrans : CblasNoTrans;
    if (c->dtype == REEL_F32)
        cblas_sgemm(CblasRowMajor, of_a, of_b, m, n, k, 1, a->at, (int)a->row, b->at, (int)b->row, add, c->at,
                    (int)c->row);
    else
        cblas_dgemm(CblasRowMajor, of_a, of_b, m, n, k, 1, a->at, (int)a->row, b->at, (int)b->row, add, c->at,
                    (int)c->row);
}

/* One product by every kernel; `variant` is which operands are transposed and whether the result is added to. */
static void compare(reel_dtype dtype, int64_t m, int64_t n, int64_t k, int variant)
{
    bool ta = variant & 1, tb = variant & 2, add = variant & 4;
    stored a = new_matrix(dtype, ta ? k : m, ta ? m : k, 1), b = new_matrix(dtype, tb ? n : k, tb ? k : n, 2);
    stored wanted = new_matrix(dtype, m, n, 3);
    void *room = reel_alloc(CPU_GEMM_ROOM, 1);
    ck_assert_ptr_nonnull(room);
    blas(&a, ta, &b, tb, add, &wanted);
    for (cpu_isa isa = CPU_ISA_PORTABLE; isa <= cpu_this_machine().widest; isa++) {
        stored c = new_matrix(dtype, m, n, 3);
        cpu_gemm(cpu_gemm_kernel_of(dtype, isa), m, n, k, operand(&a, ta), operand(&b, tb), add, c.at, c.row, room);
        ck_assert_msg(memcmp(c.at, wanted.at, c.bytes) == 0, "%s, %s: %d x %d x %d, variant %d, differs",
                      reel_dtype_name(dtype), cpu_isa_name(isa), (int)m, (int)n, (int)k, variant);
        reel_free(c.at);
    }
    reel_free(room);
    reel_free(wanted.at);
    reel_free(b.at);
    reel_free(a.at);
}

static void compare_all(const int64_t *m, const int64_t *n, const int64_t *k) /* each ends with 0 */
{
    for (; *m; m++)
        for (const int64_t *columns = n; *columns; columns++)
            for (const int64_t *depth = k; *depth; depth++)
                for (int variant = 0; variant < 8; variant++) {
                    compare(REEL_F32, *m, *columns, *depth, variant);
                    compare(REEL_F64, *m, *columns, *depth, variant);
                }
}

START_TEST(tiles_and_their_edges)
{
    compare_all((const int64_t[]){1, 3, 4, 5, 8, 9, 0},
                (const int64_t[]){1, 2, 5, 8, 12, 16, 17, 24, 31, 48, 49, 96, 101, 0},
                (const int64_t[]){1, 2, 5, 16, 0});
}
END_TEST

START_TEST(blocks_and_their_edges)
{
    compare_all((const int64_t[]){1, 13, 0},
                (const int64_t[]){CPU_GEMM_COLUMNS - 1, CPU_GEMM_COLUMNS, 2 * CPU_GEMM_COLUMNS + 1, 0},
                (const int64_t[]){CPU_GEMM_DEPTH - 1, CPU_GEMM_DEPTH, CPU_GEMM_DEPTH + 1, 2 * CPU_GEMM_DEPTH + 3, 0});
}
END_TEST

int main(void)
{
    openblas_set_num_threads(1);
    const TTest *const tests[] = {tiles_and_their_edges, blocks_and_their_edges};
    return tiny_suite("gemm", tests, 2);
}
