/* matmul on the CPU: gemm.h on tiles of the output, one thread a tile.

   Tiles are as large as leaves about TASKS of them in all, since the operands are packed anew for each; their size
   comes from the shape alone. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/gemm.h"
#include "ops/linear.h"

#include <omp.h>
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
    const reel_call *call = w->call;
    const reel_matmul_attr *attr = call->attr;
    const reel_matmul_sizes *s = &w->size;
    reel_dtype dtype = call->output[0].dtype;
    size_t e = reel_dtype_size(dtype);
    int64_t batch = task / (w->row_tiles * w->column_tiles), j = task % w->column_tiles * w->columns;
    int64_t i = task / w->column_tiles % w->row_tiles * w->rows;
    int64_t from_a = reel_matmul_matrix(call, 0, batch) * s->m * s->k + (attr->transpose_a ? i : i * s->k);
    int64_t from_b = reel_matmul_matrix(call, 1, batch) * s->k * s->n + (attr->transpose_b ? j * s->k : j);
    cpu_matrix a = {(const char *)call->input[0].data + (size_t)from_a * e, attr->transpose_a ? s->m : s->k,
                    attr->transpose_a};
    cpu_matrix b = {(const char *)call->input[1].data + (size_t)from_b * e, attr->transpose_b ? s->k : s->n,
                    attr->transpose_b};
    cpu_gemm(cpu_gemm_choose(dtype), smaller(w->rows, s->m - i), smaller(w->columns, s->n - j), s->k, a, b, false,
             (char *)call->output[0].data + (size_t)((batch * s->m + i) * s->n + j) * e, s->n,
             (char *)call->scratch + (size_t)omp_get_thread_num() * CPU_GEMM_ROOM);
}

size_t cpu_matmul_scratch(const reel_call *call)
{
    return (size_t)call->threads * CPU_GEMM_ROOM;
}

reel_status cpu_matmul(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    size_t elements = (size_t)reel_elements(&y->shape);
    if (!elements) return REEL_OK;
    work w = work_of(call);
    if (!w.size.k) {
        memset(y->data, 0, elements * reel_dtype_size(y->dtype));
        return REEL_OK;
    }
    int64_t tasks = w.size.batches * w.row_tiles * w.column_tiles;
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < tasks; task++) run_tile(&w, task);
    return REEL_OK;
}
