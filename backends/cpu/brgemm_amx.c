/* See brgemm_amx.h. AMX has eight registers of 16 rows of 64 bytes, and one instruction that multiplies: for 16 x 16
   sums of float it adds the products of 16 rows of 32 bfloat16 with 32 rows of 16, which lie as 16 rows of pairs. Two
   registers of points and two of lanes make four sums, so that each operand that is loaded serves twice and the
   instruction's latency is hidden.

   Points are rows of A, `walk->point` elements apart, and each has 32 neighbouring terms. B has a row of lanes for each
   pair of terms. Loads do not tell the compiler that they read memory; nothing here writes what they read. */
#include "backends/cpu/brgemm_amx.h"

#ifdef __x86_64__
#include "core/bf16.h"

#include <immintrin.h>

#define TARGET __attribute__((target("amx-tile,amx-bf16")))

#define EIGHT(x)                                                                                                       \
    {                                                                                                                  \
        x, x, x, x, x, x, x, x                                                                                         \
    }
static const struct {
    uint8_t palette, start, unused[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} registers = {.palette = 1, .bytes = EIGHT(64), .rows = EIGHT(16)};

TARGET void cpu_amx_begin(void)
{
    _tile_loadconfig(&registers);
}

TARGET void cpu_amx_end(void)
{
    _tile_release();
}

/* Registers 0 to 3 are sums, 4 and 5 points, 6 and 7 lanes. Counts are constants in the functions made below. */
static inline __attribute__((always_inline)) TARGET void any(const int points, const int vectors, const cpu_walk *walk,
                                                             const reel_bf16 *a, const reel_bf16 *b, const float *from,
                                                             int64_t from_row, float *c, int64_t row)
{
    const bool down = points > 16, right = vectors > 1;
    const int64_t wide = 4, narrow = 2, b_row = vectors > 1 ? 64 : 32, term = 16 * b_row;
    _tile_loadd(0, from, from_row * wide);
    if (right) _tile_loadd(1, from + 16, from_row * wide);
    if (down) _tile_loadd(2, from + 16 * from_row, from_row * wide);
    if (down && right) _tile_loadd(3, from + 16 * from_row + 16, from_row * wide);
    for (int64_t o = 0; o < walk->outer; o++, a += walk->step)
        for (int64_t i = 0; i < walk->inner; i++, b += term) {
            const reel_bf16 *at = a + walk->offset[i];
            _tile_loadd(6, b, b_row * narrow);
            _tile_loadd(4, at, walk->point * narrow);
            _tile_dpbf16ps(0, 4, 6);
            if (right) _tile_loadd(7, b + 32, b_row * narrow);
            if (right) _tile_dpbf16ps(1, 4, 7);
            if (down) _tile_loadd(5, at + 16 * walk->point, walk->point * narrow);
            if (down) _tile_dpbf16ps(2, 5, 6);
            if (down && right) _tile_dpbf16ps(3, 5, 7);
        }
    _tile_stored(0, c, row * wide);
    if (right) _tile_stored(1, c + 16, row * wide);
    if (down) _tile_stored(2, c + 16 * row, row * wide);
    if (down && right) _tile_stored(3, c + 16 * row + 16, row * wide);
}

#define TILE(points, vectors)                                                                                          \
    TARGET void cpu_amx_##points##_##vectors(const cpu_walk *walk, const void *a, const void *b, const void *from,     \
                                             int64_t from_row, void *c, int64_t row)                                   \
    {                                                                                                                  \
        any(points, vectors, walk, a, b, from, from_row, c, row);                                                      \
    }
TILE(16, 1)
TILE(16, 2)
TILE(32, 1)
TILE(32, 2)
#endif
