/* See brgemm.h. */
#include "backends/cpu/brgemm.h"

#include "backends/cpu/isa.h"

/* A product added to a sum is one operation with one rounding where the processor has it. */
#ifndef __clang__
#pragma GCC optimize("fp-contract=fast")
#endif

#define UP_TO_6(F, v) F(1, v) F(2, v) F(3, v) F(4, v) F(5, v) F(6, v)
#define UP_TO_9(F, v) UP_TO_6(F, v) F(7, v) F(8, v) F(9, v)
#define UP_TO_14(F, v) UP_TO_9(F, v) F(10, v) F(11, v) F(12, v) F(13, v) F(14, v)

#ifdef __x86_64__
/* AVX-512 has 32 registers, the others 16. */
#define VECTORS 4
#define TILES(F) UP_TO_14(F, 1) UP_TO_14(F, 2) UP_TO_9(F, 3) UP_TO_6(F, 4)
#define MOST                                                                                                           \
    {                                                                                                                  \
        14, 14, 9, 6                                                                                                   \
    }

#define REAL float
#define LANES 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define NAME(x) wide_f32_##x
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define NAME(x) wide_f64_##x
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "backends/cpu/brgemm_tile.h"

#undef VECTORS
#undef TILES
#undef MOST
#endif

#define VECTORS 2
#define TILES(F) UP_TO_6(F, 1) UP_TO_6(F, 2)
#define MOST                                                                                                           \
    {                                                                                                                  \
        6, 6                                                                                                           \
    }

#ifdef __x86_64__
#define REAL float
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define NAME(x) middle_f32_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define NAME(x) middle_f64_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/brgemm_tile.h"
#endif

#define REAL float
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define NAME(x) plain_f32_##x
#define TARGET
#include "backends/cpu/brgemm_tile.h"

#define REAL double
#define LANES 2
#define LOW 0, 2
#define HIGH 1, 3
#define NAME(x) plain_f64_##x
#define TARGET
#include "backends/cpu/brgemm_tile.h"

const cpu_brgemm *cpu_brgemm_choose(reel_dtype dtype)
{
    bool single = dtype == REEL_F32;
#ifdef __x86_64__
    if (cpu_isa_current() >= CPU_ISA_AVX512) return single ? &wide_f32_kernel : &wide_f64_kernel;
    if (cpu_isa_current() >= CPU_ISA_AVX2) return single ? &middle_f32_kernel : &middle_f64_kernel;
#endif
    return single ? &plain_f32_kernel : &plain_f64_kernel;
}
