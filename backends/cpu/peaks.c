/* See peaks.h. */
#include "backends/cpu/peaks.h"

#include "core/clones.h"
#include "core/clock.h"
#include "core/memory.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

enum { REPEATS = 7 };

/* --- arithmetic --- */

/* A product added to a sum is one operation where the processor has it. */
#ifndef __clang__
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#endif

#define LANES 4
#define CHAINS 12
#define NAME portable
#define TARGET
#include "backends/cpu/peaks_tile.h"

#ifdef __x86_64__
#define LANES 8
#define CHAINS 12
#define NAME avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/peaks_tile.h"

#define LANES 16
#define CHAINS 24
#define NAME avx512
#define TARGET __attribute__((target("avx512f")))
#include "backends/cpu/peaks_tile.h"
#endif

#ifndef __clang__
#pragma GCC pop_options
#endif

#ifdef __x86_64__
#include <immintrin.h>

/* Four sums of 16 x 16, each of them a product of 16 x 32 and 32 x 16, out of two tiles of either factor: as many as
   the eight tile registers hold, and as many chains as the unit's latency asks for. */
static __attribute__((target("amx-tile,amx-bf16"))) double amx(int64_t rounds)
{
    struct {
        uint8_t palette, start, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) shape.bytes[i] = 64, shape.rows[i] = 16;
    __asm__ volatile("ldtilecfg %0" : : "m"(shape)); /* GCC 12's own function takes only its first bytes as read */
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (int64_t k = 0; k < rounds; k++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return 0;
}
#endif

/* One round's operations, and rounds for about ten milliseconds on a slow machine. */
static const struct {
    double (*run)(int64_t rounds);
    int64_t rounds;
    double operations;
} loop[CPU_ISAS] = {
    [CPU_ISA_PORTABLE] = {portable, 1000000, 2.0 * 12 * 4},
#ifdef __x86_64__
    [CPU_ISA_AVX2] = {avx2, 1000000, 2.0 * 12 * 8},
    [CPU_ISA_AVX512] = {avx512, 1000000, 2.0 * 24 * 16},
    [CPU_ISA_AMX] = {amx, 250000, 2.0 * 4 * 16 * 16 * 32},
#endif
};

double cpu_peak_multiply_add(cpu_isa isa, int threads)
{
    double best = 0;
    volatile double sink = 0; /* what is computed is used */
    for (int r = 0; r < REPEATS; r++) {
        double start = 0, sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
#pragma omp barrier
#pragma omp master
            start = reel_seconds();
            sum += loop[isa].run(loop[isa].rounds);
        }
        double rate = loop[isa].operations * (double)loop[isa].rounds * threads / (reel_seconds() - start);
        best = rate > best ? rate : best;
        sink = sink + sum;
    }
    return best;
}

/* --- memory --- */

typedef float line __attribute__((vector_size(64), may_alias)); /* of a cache */

CLONES static double read_all(const line *x, size_t lines)
{
    line sum[4] = {0};
    for (size_t i = 0; i + 4 <= lines; i += 4)
        for (int j = 0; j < 4; j++) sum[j] += x[i + (size_t)j];
    line total = sum[0] + sum[1] + sum[2] + sum[3];
    return (double)total[0];
}

CLONES static void triad(line *restrict a, const line *restrict b, const line *restrict c, size_t lines)
{
    for (size_t i = 0; i < lines; i++) a[i] = b[i] + 3 * c[i];
}

static double pass(line *x, size_t lines, bool writes)
{
    size_t third = lines / 3;
    __asm__ volatile("" : : : "memory"); /* equal passes are not to be merged */
    if (!writes) return read_all(x, lines);
    triad(x, x + third, x + 2 * third, third);
    return 0;
}

cpu_bandwidth cpu_peak_bandwidth(size_t bytes, int threads)
{
    enum { WAYS = 2 }; /* read, then triad */
    size_t lines = bytes / sizeof(line);
    int64_t times = (int64_t)((64 << 20) / bytes) + 1;
    double start = 0, sum = 0, seconds[WAYS] = {INFINITY, INFINITY};
    int without = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum, without)
    {
        line *x = reel_alloc(lines, sizeof *x); /* a thread writes its own first, so that they lie near it */
        without += !x;
        for (int r = 0; r < REPEATS * WAYS; r++) {
#pragma omp barrier
#pragma omp master
            start = reel_seconds();
            for (int64_t k = 0; x && k < times; k++) sum += pass(x, lines, r % WAYS);
#pragma omp barrier
#pragma omp master
            seconds[r % WAYS] = fmin(seconds[r % WAYS], reel_seconds() - start);
        }
        reel_free(x);
    }
    volatile double sink = sum; /* what is read is used */
    (void)sink;
    double total = (double)(lines * sizeof(line)) * (double)times * threads;
    return without ? (cpu_bandwidth){0, 0} : (cpu_bandwidth){total / seconds[0], total / seconds[1]};
}

size_t cpu_cache_sized(void)
{
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? (size_t)bytes / 2 : 256 << 10;
}

/* A hypervisor tells the cache of the whole host; what of it is ours is less than this, on all machines that we saw. */
size_t cpu_memory_sized(int threads)
{
    return ((size_t)384 << 20) / (size_t)threads;
}
