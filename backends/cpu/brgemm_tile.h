/* The kernels of brgemm.h, included once for every float type and vector width. The including file sets REAL and its
   DTYPE, LANES, NAME(x) and TARGET; EACH_TILE(F) and EACH_SWEEP(F), which apply F to all triples of points, vectors and
   run; KINDS, which lists what cpu_tiles says of each run; and LOW and HIGH, the places of a perfect shuffle's halves.
 */

typedef REAL NAME(vector) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

/* Counts are constants in each of the functions made below, and loops over them vanish.

   One step: `run` rows of B meet the elements of A that each of the points has for them. */
static inline __attribute__((always_inline)) TARGET void NAME(step)(const int points, const int vectors, const int run,
                                                                    const int64_t point, const REAL *a, const REAL *b,
                                                                    NAME(vector) sum[CPU_POINTS][CPU_VECTORS])
{
    NAME(vector) lanes[5][CPU_VECTORS];
#pragma GCC unroll 5
    for (int j = 0; j < run; j++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) lanes[j][v] = *(const NAME(vector) *)(b + (j * vectors + v) * LANES);
#pragma GCC unroll 18
    for (int m = 0; m < points + run - 1; m++)
#pragma GCC unroll 5
        for (int j = 0; j < run; j++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                if (m >= j && m - j < points) sum[m - j][v] += a[m * point] * lanes[j][v];
#pragma GCC unroll 16
    for (int p = 0; p < points; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) STAY(sum[p][v]);
}

static inline __attribute__((always_inline)) TARGET void NAME(any)(const int points, const int vectors, const int run,
                                                                   const bool apart, const cpu_walk *walk,
                                                                   const REAL *a, const REAL *b, const REAL *from,
                                                                   int64_t from_row, REAL *c, int64_t row)
{
    NAME(vector) sum[CPU_POINTS][CPU_VECTORS];
    const int64_t outer = walk->outer, inner = walk->inner, step = walk->step, point = walk->point;
    const int64_t *offset = walk->offset;
#pragma GCC unroll 16
    for (int p = 0; p < points; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[p][v] = *(const NAME(vector) *)(from + p * from_row + v * LANES);
    if (apart)
        for (int64_t o = 0; o < outer; o++, a += step, b += vectors * LANES)
            NAME(step)(points, vectors, 1, point, a, b, sum);
    else
        for (int64_t o = 0; o < outer; o++, a += step)
            for (int64_t i = 0; i < inner; i++, b += run * vectors * LANES)
                NAME(step)(points, vectors, run, 1, a + offset[i], b, sum);
#pragma GCC unroll 16
    for (int p = 0; p < points; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) *(NAME(vector) *)(c + p * row + v * LANES) = sum[p][v];
}

#define TILE(points, vectors, run)                                                                                     \
    static TARGET void NAME(tile_##points##_##vectors##_##run)(                                                        \
        const cpu_walk *walk, const void *a, const void *b, const void *from, int64_t from_row, void *c, int64_t row)  \
    {                                                                                                                  \
        NAME(any)(points, vectors, run, false, walk, a, b, from, from_row, c, row);                                    \
    }
EACH_TILE(TILE)
#undef TILE

#define APART(points, vectors, run)                                                                                    \
    static TARGET void NAME(apart_##points##_##vectors)(const cpu_walk *walk, const void *a, const void *b,            \
                                                        const void *from, int64_t from_row, void *c, int64_t row)      \
    {                                                                                                                  \
        NAME(any)(points, vectors, run, true, walk, a, b, from, from_row, c, row);                                     \
    }
EACH_APART(APART)
#undef APART

#include "backends/cpu/brgemm_sweep.h"
#include "backends/cpu/brgemm_turn.h"

#define ENTRY(points, vectors, run)                                                                                    \
    .tiles[run / 2].tile[vectors - 1][points - 1] = NAME(tile_##points##_##vectors##_##run),
#define SET_APART(points, vectors, run) .apart.tile[vectors - 1][points - 1] = NAME(apart_##points##_##vectors),
#define SWEPT(points, vectors, run)                                                                                    \
    .tiles[run / 2].sweep[vectors - 1][points - 1] = NAME(sweep_##points##_##vectors##_##run),
static const cpu_brgemm NAME(kernel) = {.packed = DTYPE,
                                        .lanes = LANES,
                                        .terms = 1,
                                        .grain = 1,
                                        KINDS,
                                        EACH_TILE(ENTRY) EACH_APART(SET_APART) EACH_SWEEP(SWEPT).turn = {
                                            {NAME(turn_00), NAME(turn_01)}, {NAME(turn_10), NAME(turn_11)}}};
#undef SWEPT
#undef SET_APART
#undef ENTRY

#undef REAL
#undef DTYPE
#undef LANES
#undef LOW
#undef HIGH
#undef NAME
#undef TARGET
