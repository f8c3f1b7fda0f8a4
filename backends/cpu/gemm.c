/* See gemm.h. */
#include "backends/cpu/gemm.h"

#include <string.h>

/* A product added to a sum is one operation with one rounding where the processor has it. */
#ifndef __clang__
#pragma GCC optimize("fp-contract=fast")
#endif

#ifdef __x86_64__
#define REAL float
#define LANES 16
#define ROWS 8
#define NAME(x) wide_f32_##x
#define TARGET __attribute__((target("avx512f")))
#include "backends/cpu/gemm_tile.h"

#define REAL double
#define LANES 8
#define ROWS 8
#define NAME(x) wide_f64_##x
#define TARGET __attribute__((target("avx512f")))
#include "backends/cpu/gemm_tile.h"

#define REAL float
#define LANES 8
#define ROWS 4
#define NAME(x) middle_f32_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/gemm_tile.h"

#define REAL double
#define LANES 4
#define ROWS 4
#define NAME(x) middle_f64_##x
#define TARGET __attribute__((target("avx2,fma")))
#include "backends/cpu/gemm_tile.h"
#endif

#define REAL float
#define LANES 4
#define ROWS 4
#define NAME(x) plain_f32_##x
#define TARGET
#include "backends/cpu/gemm_tile.h"

#define REAL double
#define LANES 2
#define ROWS 4
#define NAME(x) plain_f64_##x
#define TARGET
#include "backends/cpu/gemm_tile.h"

const cpu_gemm_kernel *cpu_gemm_kernel_of(reel_dtype dtype, cpu_isa isa)
{
    bool single = dtype == REEL_F32;
#ifdef __x86_64__
    if (isa >= CPU_ISA_AVX512) return single ? &wide_f32_kernel : &wide_f64_kernel;
    if (isa >= CPU_ISA_AVX2) return single ? &middle_f32_kernel : &middle_f64_kernel;
#endif
    (void)isa;
    return single ? &plain_f32_kernel : &plain_f64_kernel;
}

const cpu_gemm_kernel *cpu_gemm_choose(reel_dtype dtype)
{
    return cpu_gemm_kernel_of(dtype, cpu_isa_current());
}

/* --- packing --- */

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four rows of four, turned. */
static inline void turn(const float *from, int64_t row, float *to, int64_t step)
{
    four a = *(const four *)from, b = *(const four *)(from + row), c = *(const four *)(from + 2 * row),
         d = *(const four *)(from + 3 * row);
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7), gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(four *)(to + step) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(four *)(to + 2 * step) = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
    *(four *)(to + 3 * step) = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
}

static void turn_all(const float *from, int64_t row, int64_t rows, int64_t columns, float *to, int64_t step)
{
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        int64_t k = 0;
        for (; k + 4 <= columns; k += 4) turn(from + i * row + k, row, to + k * step + i, step);
        for (; k < columns; k++)
            for (int64_t r = i; r < i + 4; r++) to[k * step + r] = from[r * row + k];
    }
    for (; i < rows; i++)
        for (int64_t k = 0; k < columns; k++) to[k * step + i] = from[i * row + k];
}

/* One strip: `count` lines of the matrix, each `depth` long, side by side, `step` of them a row; the rest is zero.
   Lines are rows of the storage, to be turned, when `turned`, and its columns otherwise. */
static void pack_strip(const cpu_gemm_kernel *kernel, const char *from, int64_t row, bool turned, int64_t count,
                       int64_t depth, int64_t step, char *to)
{
    int64_t e = (int64_t)kernel->element;
    if (count < step) memset(to, 0, (size_t)(step * depth * e));
    if (!turned) {
        for (int64_t k = 0; k < depth; k++) memcpy(to + k * step * e, from + k * row * e, (size_t)(count * e));
    } else if (e == 4) {
        turn_all((const float *)(const void *)from, row, count, depth, (float *)(void *)to, step);
    } else {
        for (int64_t i = 0; i < count; i++)
            for (int64_t k = 0; k < depth; k++)
                ((double *)(void *)to)[k * step + i] = ((const double *)(const void *)from)[i * row + k];
    }
}

void cpu_gemm_pack(const cpu_gemm_kernel *kernel, int64_t n, int64_t k, cpu_matrix b, void *to)
{
    int64_t strip = cpu_gemm_strip(kernel), e = (int64_t)kernel->element;
    for (int64_t j = 0; j < n; j += strip) {
        int64_t count = n - j < strip ? n - j : strip;
        const char *from = (const char *)b.at + (b.transposed ? j * b.row : j) * e;
        pack_strip(kernel, from, b.row, b.transposed, count, k, cpu_gemm_width(kernel, count), (char *)to + j * k * e);
    }
}

/* --- products --- */

/* A tile that C does not hold whole: made aside, then copied as far as it goes. */
static void edge_tile(const cpu_gemm_kernel *kernel, int vectors, int64_t depth, const char *a, const char *b, bool add,
                      int64_t rows, int64_t columns, char *c, int64_t row, char *aside)
{
    int64_t width = vectors * kernel->lanes, e = (int64_t)kernel->element;
    size_t bytes = (size_t)(columns * e);
    for (int64_t i = 0; add && i < rows; i++) memcpy(aside + i * width * e, c + i * row * e, bytes);
    kernel->tile[vectors - 1](depth, a, b, add, aside, width);
    for (int64_t i = 0; i < rows; i++) memcpy(c + i * row * e, aside + i * width * e, bytes);
}

void cpu_gemm_packed(const cpu_gemm_kernel *kernel, int64_t m, int64_t n, int64_t k, cpu_matrix a, const void *b,
                     bool add, void *c, int64_t row, void *room)
{
    int64_t strip = cpu_gemm_strip(kernel), e = (int64_t)kernel->element;
    char *packed = room, *aside = packed + (size_t)CPU_GEMM_DEPTH * 8 * 8;
    for (int64_t i = 0; i < m; i += kernel->rows) {
        int64_t rows = m - i < kernel->rows ? m - i : kernel->rows;
        const char *from = (const char *)a.at + (a.transposed ? i : i * a.row) * e;
        pack_strip(kernel, from, a.row, !a.transposed, rows, k, kernel->rows, packed);
        for (int64_t j = 0; j < n; j += strip) {
            int64_t columns = n - j < strip ? n - j : strip, vectors = (columns + kernel->lanes - 1) / kernel->lanes;
            char *to = (char *)c + (i * row + j) * e;
            const char *right = (const char *)b + j * k * e;
            if (rows == kernel->rows && columns == vectors * kernel->lanes)
                kernel->tile[vectors - 1](k, packed, right, add, to, row);
            else
                edge_tile(kernel, (int)vectors, k, packed, right, add, rows, columns, to, row, aside);
        }
    }
}

void cpu_gemm(const cpu_gemm_kernel *kernel, int64_t m, int64_t n, int64_t k, cpu_matrix a, cpu_matrix b, bool add,
              void *c, int64_t row, void *room)
{
    int64_t e = (int64_t)kernel->element;
    char *packed = (char *)room + CPU_GEMM_STRIP;
    for (int64_t j = 0; j < n; j += CPU_GEMM_COLUMNS)
        for (int64_t r = 0; r < k; r += CPU_GEMM_DEPTH) {
            int64_t columns = n - j < CPU_GEMM_COLUMNS ? n - j : CPU_GEMM_COLUMNS;
            int64_t depth = k - r < CPU_GEMM_DEPTH ? k - r : CPU_GEMM_DEPTH;
            cpu_matrix left = {(const char *)a.at + (a.transposed ? r * a.row : r) * e, a.row, a.transposed};
            cpu_matrix right = {(const char *)b.at + (b.transposed ? j * b.row + r : r * b.row + j) * e, b.row,
                                b.transposed};
            cpu_gemm_pack(kernel, columns, depth, right, packed);
            cpu_gemm_packed(kernel, m, columns, depth, left, packed, add || r, (char *)c + j * e, row, room);
        }
}
