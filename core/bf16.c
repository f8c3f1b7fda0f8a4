/* See bf16.h. */
#include "core/bf16.h"
#include "core/clones.h"

enum { PIECE = 1 << 14 };

CLONES static void widen(const reel_bf16 *restrict from, float *restrict to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = reel_bf16_to_float(from[i]);
}

CLONES static void narrow(const float *restrict from, reel_bf16 *restrict to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = reel_bf16_from_float(from[i]);
}

static int64_t piece_at(int64_t first, int64_t n)
{
    return n - first < PIECE ? n - first : PIECE;
}

/* One thread goes without OpenMP: a team of one still costs what a thousand elements do. */

void reel_bf16_widen(const reel_bf16 *from, float *to, int64_t n, int threads)
{
    if (threads == 1 || n <= PIECE) {
        widen(from, to, n);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t first = 0; first < n; first += PIECE) widen(from + first, to + first, piece_at(first, n));
}

void reel_bf16_narrow(const float *from, reel_bf16 *to, int64_t n, int threads)
{
    if (threads == 1 || n <= PIECE) {
        narrow(from, to, n);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t first = 0; first < n; first += PIECE) narrow(from + first, to + first, piece_at(first, n));
}
