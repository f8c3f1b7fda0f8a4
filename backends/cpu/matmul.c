/* matmul on the CPU: OpenBLAS on tiles of the output, one thread a tile.

   Tiles are as large as leaves about TASKS of them in all, since BLAS packs its operands anew for each; their size
   comes from the shape alone. */
#include "backends/cpu/cpu.h"
#include "ops/linear.h"

#include <cblas.h>
#include <string.h>

enum { TASKS = 16, LEAST_ROWS = 64, LEAST_COLUMNS = 256 };

typedef struct {
    const reel_call *call;
    reel_matmul_sizes size;
    int64_t rows, columns;           /* of a tile */
    int64_t row_tiles, column_tiles; /* of a matrix */
} work;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Splits `size` in at most `parts`, but not below `least`. */
static int64_t tile_size(int64_t size, int64_t parts, int64_t least)
{
    int64_t tile = (size + parts - 1) / parts;
    return smaller(size, tile < least ? least : tile);
}

static work work_of(const reel_call *call)
{
    work w = {.call = call, .size = reel_matmul_sizes_of(call)};
    const reel_matmul_sizes *s = &w.size;
    int64_t parts = s->batches < TASKS ? (TASKS + s->batches - 1) / s->batches : 1;
    bool wide = s->n >= s->m;
    w.columns = tile_size(s->n, wide ? parts : 1, LEAST_COLUMNS);
    w.column_tiles = (s->n + w.columns - 1) / w.columns;
    w.rows = tile_size(s->m, (parts + w.column_tiles - 1) / w.column_tiles, LEAST_ROWS);
    w.row_tiles = (s->m + w.rows - 1) / w.rows;
    return w;
}

static void run_tile(const work *w, int64_t task)
{
    const reel_matmul_attr *attr = w->call->attr;
    const reel_matmul_sizes *s = &w->size;
    int64_t batch = task / (w->row_tiles * w->column_tiles), j = task % w->column_tiles * w->columns;
    int64_t i = task / w->column_tiles % w->row_tiles * w->rows;
    blasint m = (blasint)smaller(w->rows, s->m - i), n = (blasint)smaller(w->columns, s->n - j), k = (blasint)s->k;
    int64_t a = reel_matmul_matrix(w->call, 0, batch) * s->m * s->k + (attr->transpose_a ? i : i * s->k);
    int64_t b = reel_matmul_matrix(w->call, 1, batch) * s->k * s->n + (attr->transpose_b ? j * s->k : j);
    int64_t y = (batch * s->m + i) * s->n + j;
    enum CBLAS_TRANSPOSE turn_a = attr->transpose_a ? CblasTrans : CblasNoTrans;
    enum CBLAS_TRANSPOSE turn_b = attr->transpose_b ? CblasTrans : CblasNoTrans;
    blasint step_a = (blasint)(attr->transpose_a ? s->m : s->k), step_b = (blasint)(attr->transpose_b ? s->k : s->n);
    const void *da = w->call->input[0].data, *db = w->call->input[1].data;
    void *dy = w->call->output[0].data;
    if (w->call->output[0].dtype == REEL_F32)
        cblas_sgemm(CblasRowMajor, turn_a, turn_b, m, n, k, 1, (const float *)da + a, step_a, (const float *)db + b,
                    step_b, 0, (float *)dy + y, (blasint)s->n);
    else
        cblas_dgemm(CblasRowMajor, turn_a, turn_b, m, n, k, 1, (const double *)da + a, step_a, (const double *)db + b,
                    step_b, 0, (double *)dy + y, (blasint)s->n);
}

reel_status cpu_matmul(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    size_t elements = (size_t)reel_elements(&y->shape);
    reel_matmul_sizes s = reel_matmul_sizes_of(call);
    if (!elements) return REEL_OK;
    if (!s.k) {
        memset(y->data, 0, elements * reel_dtype_size(y->dtype));
        return REEL_OK;
    }
    if (s.m > INT32_MAX || s.n > INT32_MAX || s.k > INT32_MAX) return call->op->reference.run(call);
    work w = work_of(call);
    int64_t tasks = s.batches * w.row_tiles * w.column_tiles;
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < tasks; task++) run_tile(&w, task);
    return REEL_OK;
}
