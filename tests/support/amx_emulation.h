/* The tile instructions of AMX in plain C, after their description in Intel's Software Developer's Manual, in place of
   the compiler's functions: a source file that is compiled behind this header runs on any x86-64. Registers belong to
   the thread. What a processor would trap on, and tiles that are used before they are set up or still are afterwards,
   is counted in amx_faults. */
#ifndef REEL_TESTS_AMX_EMULATION_H
#define REEL_TESTS_AMX_EMULATION_H

#include "core/bf16.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig amx_loadconfig
#define _tile_release amx_release
#define _tile_zero amx_zero
#define _tile_loadd amx_load
#define _tile_stored amx_store
#define _tile_dpbf16ps amx_multiply

enum { AMX_TILES = 8, AMX_ROWS = 16, AMX_BYTES = 64 };

typedef union {
    uint8_t bytes[AMX_BYTES];
    float singles[AMX_BYTES / 4];
    reel_bf16 halves[AMX_BYTES / 2];
} amx_row;

typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} amx_config;

static _Thread_local amx_config amx_shape;
static _Thread_local amx_row amx_tile[AMX_TILES][AMX_ROWS];
static atomic_long amx_faults, amx_products, amx_held; /* held: threads whose tiles are set up */

static void amx_expect(bool fine)
{
    if (!fine) atomic_fetch_add(&amx_faults, 1);
}

static void amx_loadconfig(const void *memory)
{
    amx_config shape;
    memcpy(&shape, memory, sizeof shape);
    bool fine = shape.palette == 1 && !shape.start;
    for (int i = 0; i < 14; i++) fine = fine && !shape.reserved[i];
    for (int i = 0; i < 16; i++)
        fine = fine && (i < AMX_TILES ? shape.bytes[i] <= AMX_BYTES && shape.rows[i] <= AMX_ROWS &&
                                            !shape.bytes[i] == !shape.rows[i]
                                      : !shape.bytes[i] && !shape.rows[i]);
    amx_expect(fine && !amx_shape.palette);
    amx_shape = shape;
    memset(amx_tile, 0, sizeof amx_tile);
    atomic_fetch_add(&amx_held, 1);
}

static void amx_release(void)
{
    amx_expect(amx_shape.palette == 1);
    atomic_fetch_sub(&amx_held, 1);
    memset(&amx_shape, 0, sizeof amx_shape);
}

static inline void amx_zero(int tile)
{
    amx_expect(amx_shape.rows[tile]);
    memset(amx_tile[tile], 0, sizeof amx_tile[tile]);
}

static void amx_load(int tile, const void *base, long stride)
{
    amx_expect(amx_shape.rows[tile]);
    memset(amx_tile[tile], 0, sizeof amx_tile[tile]);
    for (int r = 0; r < amx_shape.rows[tile]; r++)
        memcpy(amx_tile[tile][r].bytes, (const char *)base + r * stride, amx_shape.bytes[tile]);
}

static void amx_store(int tile, void *base, long stride)
{
    amx_expect(amx_shape.rows[tile]);
    for (int r = 0; r < amx_shape.rows[tile]; r++)
        memcpy((char *)base + r * stride, amx_tile[tile][r].bytes, amx_shape.bytes[tile]);
}

/* Denormals count as zero and become zero. */
static inline float amx_flush(float x)
{
    return fabsf(x) < FLT_MIN ? copysignf(0, x) : x;
}

/* sum + a b, rounded once: the product of two bf16 is exact in double. */
static inline float amx_fma(float sum, reel_bf16 a, reel_bf16 b)
{
    double product = (double)amx_flush(reel_bf16_to_float(a)) * (double)amx_flush(reel_bf16_to_float(b));
    return amx_flush((float)((double)amx_flush(sum) + product));
}

/* The first and the second of all pairs are summed apart, and both then added to what was there. */
static void amx_multiply(int sums, int a, int b)
{
    int n = amx_shape.bytes[sums] / 4, terms = amx_shape.bytes[a] / 4;
    amx_expect(n && terms && amx_shape.rows[a] == amx_shape.rows[sums] && amx_shape.rows[b] == terms &&
               amx_shape.bytes[b] == amx_shape.bytes[sums]);
    for (int m = 0; m < amx_shape.rows[sums]; m++) {
        float first[AMX_ROWS] = {0}, second[AMX_ROWS] = {0}, *to = amx_tile[sums][m].singles;
        const reel_bf16 *row = amx_tile[a][m].halves;
        for (int k = 0; k < terms; k++)
            for (int i = 0; i < n; i++) {
                first[i] = amx_fma(first[i], row[2 * k], amx_tile[b][k].halves[2 * i]);
                second[i] = amx_fma(second[i], row[2 * k + 1], amx_tile[b][k].halves[2 * i + 1]);
            }
        for (int i = 0; i < n; i++) to[i] = amx_flush(amx_flush(to[i]) + amx_flush(first[i] + second[i]));
    }
    atomic_fetch_add(&amx_products, 1);
}

#endif
