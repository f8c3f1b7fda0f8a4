/* lstm_cell and its backward pass on the CPU: tiles of neighbouring elements, in parallel. Channels and positions are
   one run of elements a sample, since nothing but a peephole weight [H] asks which channel an element is of. */
#include "core/clones.h"
#include "backends/cpu/cpu.h"
#include "backends/cpu/exponential.h"
#include "ops/lstm_cell.h"

enum { TILE = 512 };

typedef struct {
    int64_t sample, first, n;
    int64_t run;   /* elements of a sample of the state */
    int64_t plane; /* elements of a channel */
} tile;

#define REAL float
#define EXP cpu_expf
#define NAME(x) x##_f32
#include "backends/cpu/lstm_tile.h"
#undef REAL
#undef EXP
#undef NAME

#define REAL double
#define EXP exp
#define NAME(x) x##_f64
#include "backends/cpu/lstm_tile.h"

static reel_status over_tiles(const reel_call *call, void (*work)(const reel_call *call, const tile *t))
{
    const reel_shape *state = &call->input[1].shape;
    int64_t plane = 1;
    for (int k = 2; k < state->rank; k++) plane *= state->size[k];
    int64_t run = plane * state->size[1], each = (run + TILE - 1) / TILE, tiles = each * state->size[0];
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t i = 0; i < tiles; i++) {
        tile t = {.sample = i / each, .first = i % each * TILE, .run = run, .plane = plane};
        t.n = run - t.first < TILE ? run - t.first : TILE;
        work(call, &t);
    }
    return REEL_OK;
}

reel_status cpu_lstm_cell(const reel_call *call)
{
    return over_tiles(call, call->input[0].dtype == REEL_F32 ? forward_f32 : forward_f64);
}

reel_status cpu_lstm_cell_gradient(const reel_call *call)
{
    return over_tiles(call, call->input[0].dtype == REEL_F32 ? backward_f32 : backward_f64);
}
