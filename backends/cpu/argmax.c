/* argmax on the CPU: tiles of neighbouring outputs go through the axis together, so that memory is read in order. */
#include "backends/cpu/cpu.h"
#include "ops/reduce.h"

enum { TILE = 1024 };

#define ARGMAX_TILE(name, type)                                                                                        \
    /* `count` columns of x, n rows `inner` apart; a NaN stays the largest once it is. */                              \
    static void name(const void *data, int64_t at, int32_t *y, int64_t n, int64_t inner, int64_t count)                \
    {                                                                                                                  \
        const type *x = (const type *)data + at;                                                                       \
        type largest[TILE];                                                                                            \
        for (int64_t j = 0; j < count; j++) largest[j] = x[j], y[j] = 0;                                               \
        for (int64_t k = 1; k < n; k++)                                                                                \
            for (int64_t j = 0; j < count; j++) {                                                                      \
                type v = x[k * inner + j];                                                                             \
                bool better = (v > largest[j]) | ((v != v) & (largest[j] == largest[j]));                              \
                largest[j] = better ? v : largest[j];                                                                  \
                y[j] = better ? (int32_t)k : y[j];                                                                     \
            }                                                                                                          \
    }
ARGMAX_TILE(tile_f32, float)
ARGMAX_TILE(tile_f64, double)

reel_status cpu_argmax(const reel_call *call)
{
    const reel_array *x = &call->input[0];
    int axis = reel_shape_axis(&x->shape, ((const reel_argmax_attr *)call->attr)->axis);
    int32_t *y = call->output[0].data;
    int64_t n = x->shape.size[axis], inner = 1, outputs = reel_elements(&call->output[0].shape);
    if (!outputs) return REEL_OK;
    for (int i = axis + 1; i < x->shape.rank; i++) inner *= x->shape.size[i];
    int64_t tiles = (inner + TILE - 1) / TILE, tasks = outputs / inner * tiles;
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t begin = task % tiles * TILE, outer = task / tiles, count = inner - begin < TILE ? inner - begin : TILE;
        (x->dtype == REEL_F32 ? tile_f32 : tile_f64)(x->data, outer * n * inner + begin, y + outer * inner + begin, n,
                                                     inner, count);
    }
    return REEL_OK;
}
