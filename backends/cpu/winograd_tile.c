/* The transforms of winograd.h for every instruction set, and their matrices. */
#include "backends/cpu/isa.h"
#include "backends/cpu/winograd.h"

#ifndef __clang__
#pragma GCC optimize("fp-contract=fast")
#endif

/* With points p and N the product of the differences of p from the other finite points: a row of B^T holds the
   coefficients of the polynomial that is zero at all points but p, a row of G the powers of p over N, and a column of
   A^T the powers of p. */
static const float from_input[WINOGRAD_SIDE][WINOGRAD_SIDE] = {
    {1, -1.5f, -2, 1.5f, 1, 0}, {0, -1, 0.5f, 2.5f, 1, 0},  {0, 1, -2.5f, 0.5f, 1, 0},
    {0, -2, -1, 2, 1, 0},       {0, 0.5f, -1, -0.5f, 1, 0}, {0, 1, -1.5f, -2, 1.5f, 1},
};
#define THIRD (1.0f / 3)
#define OTHER (1.0f / 15)
static const float from_kernel_3[WINOGRAD_SIDE][WINOGRAD_SIDE] = {
    {1, 0, 0},
    {THIRD, THIRD, THIRD},
    {-THIRD, THIRD, -THIRD},
    {-16 * OTHER, -8 * OTHER, -4 * OTHER},
    {OTHER, -2 * OTHER, 4 * OTHER},
    {0, 0, 1},
};
static const float from_kernel_5[WINOGRAD_SIDE][WINOGRAD_SIDE] = {
    {1, 0, 0, 0, 0},
    {THIRD, THIRD, THIRD, THIRD, THIRD},
    {-THIRD, THIRD, -THIRD, THIRD, -THIRD},
    {-16 * OTHER, -8 * OTHER, -4 * OTHER, -2 * OTHER, -1 * OTHER},
    {OTHER, -2 * OTHER, 4 * OTHER, -8 * OTHER, 16 * OTHER},
    {0, 0, 0, 0, 1},
};
/* The last point serves the last output alone, which is the second or the fourth. */
static const float to_output_2[WINOGRAD_SIDE][WINOGRAD_SIDE] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 0.5f, -2, 1}};
static const float to_output_4[WINOGRAD_SIDE][WINOGRAD_SIDE] = {
    {1, 1, 1, 1, 1, 0},
    {0, 1, -1, 0.5f, -2, 0},
    {0, 1, 1, 0.25f, 4, 0},
    {0, 1, -1, 0.125f, -8, 1},
};

#ifdef __x86_64__
#define LANES 16
#define NAME(x) wide_##x
#define TARGET __attribute__((target("avx512f,prefer-vector-width=512")))
#include "backends/cpu/winograd_tile.h"

#define LANES 8
#define NAME(x) middle_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/winograd_tile.h"
#endif

#define LANES 4
#define NAME(x) plain_##x
#define TARGET
#include "backends/cpu/winograd_tile.h"

const cpu_winograd *cpu_winograd_transforms(int64_t kernel)
{
#ifdef __x86_64__
    if (cpu_isa_current() >= CPU_ISA_AVX512) return &wide_transforms[kernel / 4];
    if (cpu_isa_current() >= CPU_ISA_AVX2) return &middle_transforms[kernel / 4];
#endif
    return &plain_transforms[kernel / 4];
}
