/* The kernels of brgemm.h, included once for every float type and vector width. The including file sets REAL,
   LANES, NAME(x) and TARGET; EACH_TILE(F), which applies F to all triples of points, vectors and run; KINDS, which
   lists what cpu_tiles says of each run; and LOW and HIGH, the places of a perfect shuffle's halves. */

typedef REAL NAME(vector) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

/* Counts are constants in each of the functions made below, and loops over them vanish. */
static inline __attribute__((always_inline)) TARGET void NAME(any)(const int points, const int vectors, const int run,
                                                                   const cpu_walk *walk, const REAL *a, const REAL *b,
                                                                   const REAL *from, int64_t from_row, REAL *c,
                                                                   int64_t row)
{
    NAME(vector) sum[CPU_POINTS][CPU_VECTORS];
#pragma GCC unroll 16
    for (int p = 0; p < points; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[p][v] = *(const NAME(vector) *)(from + p * from_row + v * LANES);
    for (int64_t o = 0; o < walk->outer; o++, a += walk->step)
        for (int64_t i = 0; i < walk->inner; i++, b += run * vectors * LANES) {
            const REAL *at = a + walk->offset[i];
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
                        if (m >= j && m - j < points) sum[m - j][v] += at[m] * lanes[j][v];
        }
#pragma GCC unroll 16
    for (int p = 0; p < points; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) *(NAME(vector) *)(c + p * row + v * LANES) = sum[p][v];
}

#define TILE(points, vectors, run)                                                                                     \
    static TARGET void NAME(tile_##points##_##vectors##_##run)(                                                        \
        const cpu_walk *walk, const void *a, const void *b, const void *from, int64_t from_row, void *c, int64_t row)  \
    {                                                                                                                  \
        NAME(any)(points, vectors, run, walk, a, b, from, from_row, c, row);                                           \
    }
EACH_TILE(TILE)
#undef TILE

/* log2(LANES) rounds, each of which shuffles the first half of the vectors with the second like a pack of cards, turn a
   square block. */
static TARGET void NAME(turn)(const void *from, int64_t row, int64_t rows, int64_t columns, const void *end, void *to,
                              int64_t to_row)
{
    static const REAL nothing[LANES] = {0};
    REAL aside[LANES * LANES];
    const REAL *first = from;
    if (first + (rows - 1) * row + LANES > (const REAL *)end) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t j = 0; j < columns; j++) aside[r * LANES + j] = first[r * row + j];
        first = aside;
        row = LANES;
    }
    NAME(vector) a[LANES], b[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) a[r] = *(const NAME(vector) *)(r < rows ? first + r * row : nothing);
#pragma GCC unroll 4
    for (int round = 1; round < LANES; round *= 2) {
#pragma GCC unroll 16
        for (int r = 0; r < LANES / 2; r++) {
            b[2 * r] = __builtin_shufflevector(a[r], a[r + LANES / 2], LOW);
            b[2 * r + 1] = __builtin_shufflevector(a[r], a[r + LANES / 2], HIGH);
        }
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) a[r] = b[r];
    }
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++)
        if (j < columns) *(NAME(vector) *)((REAL *)to + j * to_row) = a[j];
}

#define ENTRY(points, vectors, run)                                                                                    \
    .tiles[run / 2].tile[vectors - 1][points - 1] = NAME(tile_##points##_##vectors##_##run),
static const cpu_brgemm NAME(kernel) = {.lanes = LANES, KINDS, EACH_TILE(ENTRY).turn = NAME(turn)};
#undef ENTRY

#undef REAL
#undef LANES
#undef LOW
#undef HIGH
#undef NAME
#undef TARGET
