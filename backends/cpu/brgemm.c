/* See brgemm.h. */
#include "backends/cpu/brgemm.h"

#include "backends/cpu/brgemm_amx.h"
#include "backends/cpu/isa.h"

#include <string.h>

/* A product added to a sum is one operation with one rounding where the processor has it. */
#ifndef __clang__
#pragma GCC optimize("fp-contract=fast")
#endif

/* Keeps a sum in its register from one step to the next. GCC moves some of them to others and back, which is free only
   as long as no neighbour shares the core and its instructions. */
#if defined(__x86_64__) && !defined(__clang__)
#define STAY(sum) __asm__("" : "+v"(sum))
#else
#define STAY(sum) (void)(sum)
#endif

#define UP_TO_4(F, v, r) F(1, v, r) F(2, v, r) F(3, v, r) F(4, v, r)
#define UP_TO_6(F, v, r) UP_TO_4(F, v, r) F(5, v, r) F(6, v, r)
#define UP_TO_8(F, v, r) UP_TO_6(F, v, r) F(7, v, r) F(8, v, r)
#define UP_TO_9(F, v, r) UP_TO_8(F, v, r) F(9, v, r)
#define UP_TO_10(F, v, r) UP_TO_9(F, v, r) F(10, v, r)
#define UP_TO_12(F, v, r) UP_TO_10(F, v, r) F(11, v, r) F(12, v, r)
#define UP_TO_14(F, v, r) UP_TO_12(F, v, r) F(13, v, r) F(14, v, r)
#define KIND(r, v, ...) .tiles[r / 2].run = r, .tiles[r / 2].vectors = v, .tiles[r / 2].points = {__VA_ARGS__}

#ifdef __x86_64__
/* AVX-512 has 32 registers, the others 16. */
#define EACH_TILE(F)                                                                                                   \
    UP_TO_14(F, 1, 1)                                                                                                  \
    UP_TO_14(F, 2, 1)                                                                                                  \
    UP_TO_9(F, 3, 1) UP_TO_6(F, 4, 1) UP_TO_14(F, 1, 3) UP_TO_12(F, 2, 3) UP_TO_14(F, 1, 5) UP_TO_10(F, 2, 5)
#define EACH_SWEEP(F) UP_TO_8(F, 1, 3) UP_TO_4(F, 2, 3) UP_TO_4(F, 1, 5) F(5, 1, 5) F(1, 2, 5) F(2, 2, 5)
#define EACH_APART(F) UP_TO_6(F, 1, 1) UP_TO_6(F, 2, 1) UP_TO_6(F, 3, 1) UP_TO_6(F, 4, 1)
#define KINDS                                                                                                          \
    .apart = {.run = 1, .vectors = 4, .points = {6, 6, 6, 6}}, KIND(1, 4, 14, 14, 9, 6), KIND(3, 2, 14, 12),           \
    KIND(5, 2, 14, 10), .tiles[1].swept = {8, 4}, .tiles[2].swept = {5, 2}

#define REAL float
#define DTYPE REEL_F32
#define LANES 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define NAME(x) wide_f32_##x
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define DTYPE REEL_F64
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define NAME(x) wide_f64_##x
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "backends/cpu/brgemm_tile.h"

static const cpu_brgemm amx_kernel = {
    .packed = REEL_BF16,
    .lanes = 16,
    .terms = 32,
    .grain = 16,
    .tiles[0] = {1, 2, {32, 32}, .tile = {{cpu_amx_16_1, cpu_amx_32_1}, {cpu_amx_16_2, cpu_amx_32_2}}},
    .turn = {{wide_f32_turn_00, wide_f32_turn_01}, {wide_f32_turn_10, wide_f32_turn_11}},
    .begin = cpu_amx_begin,
    .end = cpu_amx_end};

#undef EACH_TILE
#undef EACH_SWEEP
#undef EACH_APART
#undef KINDS
#endif

#define EACH_TILE(F) UP_TO_6(F, 1, 1) UP_TO_6(F, 2, 1)
#define EACH_SWEEP(F)
#define EACH_APART EACH_TILE
#define KINDS .apart = {.run = 1, .vectors = 2, .points = {6, 6}}, KIND(1, 2, 6, 6)

#ifdef __x86_64__
#define REAL float
#define DTYPE REEL_F32
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define NAME(x) middle_f32_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define DTYPE REEL_F64
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define NAME(x) middle_f64_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/brgemm_tile.h"
#endif

#define REAL float
#define DTYPE REEL_F32
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define NAME(x) plain_f32_##x
#define TARGET
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define DTYPE REEL_F64
#define LANES 2
#define LOW 0, 2
#define HIGH 1, 3
#define NAME(x) plain_f64_##x
#define TARGET
#include "backends/cpu/brgemm_tile.h"

const cpu_brgemm *cpu_brgemm_choose(reel_dtype dtype)
{
    bool single = dtype != REEL_F64;
#ifdef __x86_64__
    if (cpu_isa_current() >= CPU_ISA_AMX && dtype == REEL_BF16) return &amx_kernel;
    if (cpu_isa_current() >= CPU_ISA_AVX512) return single ? &wide_f32_kernel : &wide_f64_kernel;
    if (cpu_isa_current() >= CPU_ISA_AVX2) return single ? &middle_f32_kernel : &middle_f64_kernel;
#endif
    return single ? &plain_f32_kernel : &plain_f64_kernel;
}

const cpu_tiles *cpu_brgemm_tiles(const cpu_brgemm *kernel, int64_t run)
{
    int found = 0;
    for (int i = 1; i < CPU_RUNS; i++)
        if (kernel->tiles[i].vectors && kernel->tiles[i].run == run) found = i;
    return &kernel->tiles[found];
}
