/* The sweep of brgemm.h, a part of brgemm_tile.h for one float type and vector width. */

/* B[m - j] is in window[(m - j) % run]. */
static inline __attribute__((always_inline)) TARGET void NAME(sweep)(const int points, const int vectors, const int run,
                                                                     int64_t count, const REAL *a, int64_t pitch,
                                                                     const REAL *b, const REAL *from, int64_t from_row,
                                                                     REAL *c, int64_t row)
{
    NAME(vector) sum[5][CPU_SWEEPS][CPU_VECTORS], window[5][CPU_VECTORS];
#pragma GCC unroll 5
    for (int j = 0; j < run; j++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            window[j][v] = (NAME(vector)){0};
#pragma GCC unroll 8
            for (int p = 0; p < points; p++)
                sum[j][p][v] = *(const NAME(vector) *)(from + p * from_row + (j * vectors + v) * LANES);
        }
    for (int64_t m = 0; m < count; m += run)
#pragma GCC unroll 5
        for (int u = 0; u < run; u++, a += pitch, b += vectors * LANES) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) window[u][v] = *(const NAME(vector) *)(b + v * LANES);
#pragma GCC unroll 8
            for (int p = 0; p < points; p++)
#pragma GCC unroll 5
                for (int j = 0; j < run; j++)
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; v++) sum[j][p][v] += a[p] * window[(u - j + run) % run][v];
        }
#pragma GCC unroll 5
    for (int j = 0; j < run; j++)
#pragma GCC unroll 8
        for (int p = 0; p < points; p++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) *(NAME(vector) *)(c + p * row + (j * vectors + v) * LANES) = sum[j][p][v];
}

#define SWEEP(points, vectors, run)                                                                                    \
    static TARGET void NAME(sweep_##points##_##vectors##_##run)(int64_t count, const void *a, int64_t pitch,           \
                                                                const void *b, const void *from, int64_t from_row,     \
                                                                void *c, int64_t row)                                  \
    {                                                                                                                  \
        NAME(sweep)(points, vectors, run, count, a, pitch, b, from, from_row, c, row);                                 \
    }
EACH_SWEEP(SWEEP)
#undef SWEEP
