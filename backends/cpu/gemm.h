/* Matrix products of either float type on the calling thread: C = A B or C + A B, row-major. Kernels share work out in
   fixed tiles around it.

   The way of Goto and van de Geijn (2008): B is packed in strips as wide as a register tile and as deep as the cache
   allows, A in strips as high as the tile; then the tile reads both in order. A kernel that makes B as it goes (a
   convolution) writes the strips itself and spares the copy. The vector width is that of the instruction set chosen
   (isa.h). A BLAS library goes by the processor's model number and takes its narrowest kernels where a virtual machine
   hides it, so that none is linked here, and tests alone compare with one. */
#ifndef REEL_BACKENDS_CPU_GEMM_H
#define REEL_BACKENDS_CPU_GEMM_H

#include "backends/cpu/isa.h"
#include "core/shape.h"

typedef void cpu_gemm_tile(int64_t depth, const void *a, const void *b, bool add, void *c, int64_t row);

typedef struct {
    int64_t rows, lanes; /* of a tile; elements of a vector */
    size_t element;
    cpu_gemm_tile *tile[3]; /* for 1, 2 and 3 vectors across */
} cpu_gemm_kernel;

/* The kernel of a float type for an instruction set, or for the nearest before it that has one. */
const cpu_gemm_kernel *cpu_gemm_kernel_of(reel_dtype dtype, cpu_isa isa);
const cpu_gemm_kernel *cpu_gemm_choose(reel_dtype dtype); /* for the current one */

/* Strips are 3 vectors wide; the last one as many as it needs. They lie one after the other, each depth rows. */
static inline int64_t cpu_gemm_strip(const cpu_gemm_kernel *kernel)
{
    return 3 * kernel->lanes;
}
static inline int64_t cpu_gemm_width(const cpu_gemm_kernel *kernel, int64_t columns)
{
    return (columns + kernel->lanes - 1) / kernel->lanes * kernel->lanes;
}

typedef struct {
    const void *at;
    int64_t row; /* elements from one row to the next, as stored */
    bool transposed;
} cpu_matrix;

enum {
    CPU_GEMM_DEPTH = 384,                                                   /* of a packed strip, at most */
    CPU_GEMM_COLUMNS = 480,                                                 /* of a packed block of B, at most */
    CPU_GEMM_STRIP = CPU_GEMM_DEPTH * 8 * 8 + 8 * 48 * 8,                   /* bytes: a strip of A and an edge tile */
    CPU_GEMM_ROOM = CPU_GEMM_STRIP + CPU_GEMM_DEPTH * CPU_GEMM_COLUMNS * 8, /* bytes */
};

/* C (m x n, `row` elements from one row to the next) = A B, or C + A B when `add`. `room`: CPU_GEMM_ROOM bytes of
   working memory, aligned to 64. */
void cpu_gemm(const cpu_gemm_kernel *kernel, int64_t m, int64_t n, int64_t k, cpu_matrix a, cpu_matrix b, bool add,
              void *c, int64_t row, void *room);
/* The same with B packed already; k is at most CPU_GEMM_DEPTH, `room` CPU_GEMM_STRIP bytes. */
void cpu_gemm_packed(const cpu_gemm_kernel *kernel, int64_t m, int64_t n, int64_t k, cpu_matrix a, const void *b,
                     bool add, void *c, int64_t row, void *room);
/* Packs k by n elements of B. */
void cpu_gemm_pack(const cpu_gemm_kernel *kernel, int64_t n, int64_t k, cpu_matrix b, void *to);

#endif
