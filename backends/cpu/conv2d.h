/* What the CPU convolutions share. All are matrix products over the columns matrix of one image and group,

       columns[(c, i, j), (p, q)] = x[c, p*s + i*d - top, q*s + j*d - left],

   of which only a panel exists at a time, sized to stay in the second-level cache. Panels, tiles and the order of sums
   follow from shapes alone, never from the number of threads. */
#ifndef REEL_BACKENDS_CPU_CONV2D_H
#define REEL_BACKENDS_CPU_CONV2D_H

#include "backends/cpu/gemm.h"
#include "ops/conv2d_geometry.h"

/* One convolution on its way: y = x * w + bias in any of the family's roles. */
typedef struct {
    reel_conv2d_geometry g;
    reel_dtype dtype;
    size_t element; /* bytes */
    int threads;
    const char *x, *w, *bias; /* bias may be NULL */
    char *y;
    char *scratch;
} cpu_convolution;

/* The columns matrix is x itself: a kernel of one element that visits every pixel. */
static inline bool cpu_conv2d_plain(const reel_conv2d_geometry *g)
{
    return g->kh * g->kw == 1 && g->stride[0] == 1 && g->stride[1] == 1 && !g->top && !g->left && g->p == g->h &&
           g->q == g->w;
}

/* Sizes in bytes and their products stay well within 64 bits; larger ones run the reference loops. */
static inline bool cpu_conv2d_fits(const reel_conv2d_geometry *g)
{
    return (double)g->p * (double)g->q < 0x1p31 && (double)g->h * (double)g->w < 0x1p31 &&
           (double)g->cg * (double)(g->kh * g->kw) < 0x1p31;
}

/* Rows r0..r1-1 and columns t0..t1-1 of the columns matrix of the group whose first plane is `x`, written with `row`
   elements from one row to the next. */
void cpu_conv2d_columns(const reel_conv2d_geometry *g, size_t element, const char *x, int64_t r0, int64_t r1,
                        int64_t t0, int64_t t1, char *panel, int64_t row);

static inline size_t cpu_conv2d_aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t cpu_convolve_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_convolve(const cpu_convolution *c);

static inline int64_t cpu_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t cpu_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
static inline int64_t cpu_pieces(int64_t whole, int64_t piece)
{
    return (whole + piece - 1) / piece;
}

#endif
