/* The innermost product of the convolutions, for one instruction set: a batch-reduced matrix product on a tile that
   stays in registers,

       C[p, l] = from[p, l] + sum over o < outer, i < inner, j < run of
                              A[o * step + offset[i] + p + j] * B[((o * inner + i) * run + j), l],

   for a few neighbouring elements p of A, the points, and one to four vectors of lanes l. A is read where it lies, by a
   table of offsets instead of a copy for each kernel position; B is packed and read in order (Georganas et al. 2019,
   arXiv 1906.06440, show that this one kernel serves convolutions forward and backward). Forward, p is a pixel, l an
   output channel, and the sum runs over input channels and kernel positions; for the weights' gradient, p is an input
   channel and the sum runs over pixels.

   Few loads and instructions should go with the multiply-adds, most of all where another thread shares the core. With 6
   points and four vectors of 16 lanes, 4 loads of B and 6 broadcasts of A serve 24 multiply-adds, in 29 of AVX-512's 32
   registers. A run, the columns of a kernel whose step is 1, does better: an element of A, once broadcast, serves all
   points that meet it. With a run of 3, 12 points and two vectors, 6 loads and 14 broadcasts serve 72; with a run of 5
   and 10 points, 10 and 14 serve 100.

   AMX multiplies matrices of bfloat16 at once: a step has 32 terms instead of one, neighbours in A and, in pairs,
   innermost in B: [step][pair][lane][2]. Sums are float (brgemm_amx.c). */
#ifndef REEL_BACKENDS_CPU_BRGEMM_H
#define REEL_BACKENDS_CPU_BRGEMM_H

#include "core/shape.h"

/* The terms of the sum, in elements of A. */
typedef struct {
    int64_t outer, inner, step;
    const int64_t *offset; /* inner of them */
    int64_t point;         /* from a point to the next, where tiles are for that or a step takes several terms */
} cpu_walk;

/* `from` and `c` have from_row and row elements from one point to the next; from_row 0 starts every point alike. */
typedef void cpu_tile(const cpu_walk *walk, const void *a, const void *b, const void *from, int64_t from_row, void *c,
                      int64_t row);

/* The sweep: the weights' gradient for all columns j < run of a kernel row at once. Two rows of pixels go by in step,

       C[p, j, l] = from[p, j, l] + sum over m < count of A[m * pitch + p] * B[m - j, l],   B[-1], B[-2], … = 0,

   where the last vectors of B stay in registers, so that an element of A, once broadcast, meets them all. `count` is a
   multiple of the run. Points are from_row and row elements apart, columns side by side. */
typedef void cpu_sweep(int64_t count, const void *a, int64_t pitch, const void *b, const void *from, int64_t from_row,
                       void *c, int64_t row);

/* Turns a block of a matrix: column j of `rows` rows, which are `row` elements apart, becomes the vector at
   to + j * to_row, for `columns` columns; rows and columns are at most the lanes, and lanes without a row are zero.
   Whole vectors are read, which must not go past `end`. */
typedef void cpu_turn(const void *from, int64_t row, int64_t rows, int64_t columns, const void *end, void *to,
                      int64_t to_row);

enum { CPU_POINTS = 14, CPU_VECTORS = 4, CPU_RUNS = 3, CPU_SWEEPS = 8 }; /* the most of any kernel */

/* The tiles for one length of runs. */
typedef struct {
    int64_t run, vectors;                    /* the most vectors of a tile */
    int64_t points[CPU_VECTORS];             /* the most points of a tile, by vectors - 1 */
    cpu_tile *tile[CPU_VECTORS][CPU_POINTS]; /* by vectors - 1 and (points - 1) / grain */
    int64_t swept[CPU_VECTORS];              /* the most points of a sweep; there are none for runs of 1 */
    cpu_sweep *sweep[CPU_VECTORS][CPU_SWEEPS];
} cpu_tiles;

typedef struct {
    reel_dtype packed;         /* of A and B */
    int64_t lanes;             /* elements of a vector */
    int64_t terms;             /* of the sum, in a step */
    int64_t grain;             /* points are made in multiples of it, asked for or not */
    cpu_tiles tiles[CPU_RUNS]; /* the first for runs of 1; those with no vectors do not exist */
    cpu_tiles apart;           /* for points that are walk->point apart; inner is 1, and there is no table */
    cpu_turn *turn[2][2];      /* by whether it reads bf16, and whether it writes it */
    void (*begin)(void);       /* for a thread to call before its first tile, and behind its last; may be NULL */
    void (*end)(void);
} cpu_brgemm;

/* The tiles for runs of this length; those for runs of 1 where there are none. */
const cpu_tiles *cpu_brgemm_tiles(const cpu_brgemm *kernel, int64_t run);

/* The kernel for arrays of a float type under the instruction set in force (isa.h). For bf16 it is that for f32, which
   loses nothing, but where there is AMX. */
const cpu_brgemm *cpu_brgemm_choose(reel_dtype dtype);

#endif
