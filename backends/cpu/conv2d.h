/* What the CPU convolutions share: how a call is described, and how its arrays are packed for the tiles of brgemm.h.

   All three directions are direct: no columns matrix is made. Arrays stay in the order that users see (NCHW, OIHW); a
   piece of each that fits the second-level cache is packed while it is needed. Packing costs less than one operation an
   element and is paid once for some hundred products with it, so that a blocked storage of whole tensors would save
   next to nothing. How work is cut, and the order of sums, follow from shapes alone, never from the number of
   threads. */
#ifndef REEL_BACKENDS_CPU_CONV2D_H
#define REEL_BACKENDS_CPU_CONV2D_H

#include "backends/cpu/brgemm.h"
#include "ops/conv2d_geometry.h"

/* One convolution on its way: y = x * w + bias in any of the family's roles. Whatever the dtypes of the arrays, sums
   are taken in that of the kernel: bf16 is widened where it is packed, and made where y is written. */
typedef struct {
    reel_conv2d_geometry g;
    const cpu_brgemm *kernel;
    int threads;
    bool relu;             /* what is below zero becomes zero */
    bool turned;           /* w is [cg, kg, kh, kw] for each group and its kernels are turned by half a circle */
    reel_array x, w, bias; /* bias.data may be NULL */
    reel_array y;
    char *scratch;
} cpu_convolution;

size_t cpu_convolve_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads); /* dtype of x */
void cpu_convolve(const cpu_convolution *c);

/* Sizes in bytes and their products stay well within 64 bits; larger ones run the reference loops. */
static inline bool cpu_conv2d_fits(const reel_conv2d_geometry *g)
{
    return (double)g->p * (double)g->q < 0x1p31 && (double)g->h * (double)g->w < 0x1p31 &&
           (double)g->cg * (double)(g->kh * g->kw) < 0x1p31;
}

/* Scratch memory for a call that goes on with float copies of its arrays, by reel_kernel_run; none for one without
 * bf16. */
size_t cpu_conv2d_copies(const reel_call *call);

/* --- packing --- */

/* The rows of x that a band of output rows reads, padded. For each channel there is a phase for each row and column
   that a stride steps over, of `height` rows of `width` elements: in a phase, neighbouring outputs read neighbouring
   elements whatever the stride. */
typedef struct {
    int64_t phases[2], height, width;
    int64_t plane; /* elements from one channel to the next */
} cpu_band;
cpu_band cpu_conv2d_band(const reel_conv2d_geometry *g, int64_t rows);

/* Where in a channel's plane of a band kernel position (i, j) of output (0, 0) lies; the next row is `width` further.
 */
static inline int64_t cpu_conv2d_offset(const reel_conv2d_geometry *g, const cpu_band *b, int64_t i, int64_t j)
{
    int64_t down = i * g->dilation[0], right = j * g->dilation[1];
    int64_t phase = down % g->stride[0] * b->phases[1] + right % g->stride[1];
    return (phase * b->height + down / g->stride[0]) * b->width + right / g->stride[1];
}

/* Every `stride`-th of some elements, bf16 as floats where those are asked for. */
void cpu_conv2d_copy(const void *from, reel_dtype dtype, int64_t stride, int64_t count, void *to, reel_dtype packed);

/* Packs `channels` planes of x, from plane `first` on, for the band whose first output row is p0. */
void cpu_conv2d_pack_band(const cpu_convolution *c, const cpu_band *b, int64_t first, int64_t channels, int64_t p0,
                          char *to);

/* Packs the weights of output channels k0 to k0 + lanes - 1 and input channels c0 to c0 + depth - 1 of a group as
   vectors of output channels: for each input channel, for each kernel position, `vectors` of them. */
void cpu_conv2d_pack_weight(const cpu_convolution *c, int64_t group, int64_t k0, int64_t lanes, int64_t vectors,
                            int64_t c0, int64_t depth, char *to);

/* Turns a matrix of any size in `from`: its element (r, j), at first + r * row + j, goes to j * to_row + r. Vectors are
   written whole, up to `lanes` elements wide beyond `rows`, with zeros. */
void cpu_conv2d_turn(const cpu_brgemm *kernel, const reel_array *from, int64_t first, int64_t row, int64_t rows,
                     int64_t columns, char *to, int64_t to_row);

/* Packs a window of some planes as [row][column][channel], a pixel `pixel` elements wide; zeros outside of the picture,
   and for channels up to the next whole vector. */
typedef struct {
    int64_t top, left, height, width;
} cpu_window;
void cpu_conv2d_pack_pixels(const cpu_brgemm *kernel, const reel_array *from, int64_t first, int64_t channels,
                            const cpu_window *at, char *to, int64_t pixel);

/* --- writing --- */

/* Turns sums [pixel, lane], `row` apart, into planes of y, from element `first` on. */
void cpu_conv2d_write(const cpu_convolution *c, int64_t first, int64_t pixels, int64_t lanes, int64_t row,
                      const char *sums);

/* The bias of some output channels, from k0 on, in the type of the sums; nothing where there is none. */
void cpu_conv2d_bias(const cpu_convolution *c, int64_t k0, int64_t lanes, void *start);

/* Turns sums [input channel and kernel position, lane], `row` apart, of some output channels into rows of dw that are
   `reach` apart. Whole vectors are read, which must not go past `end`. */
void cpu_conv2d_write_weight(const cpu_brgemm *kernel, const char *from, int64_t row, int64_t rows, int64_t channels,
                             const char *end, char *dw, int64_t reach);

/* --- packing for kernels with several terms in a step; `aside` is room to work in --- */

size_t cpu_conv2d_join_room(const reel_conv2d_geometry *g, const cpu_brgemm *kernel, const cpu_band *b, int64_t width);

/* cpu_conv2d_pack_band, channels innermost: for each `terms` of them a plane of elements with so many channels. */
void cpu_conv2d_join_band(const cpu_convolution *c, const cpu_band *b, int64_t first, int64_t channels, int64_t p0,
                          char *aside, char *to);

/* cpu_conv2d_pack_weight in steps of `terms` channels: for each, for each kernel position, [pair][lane][2]. */
void cpu_conv2d_join_weight(const cpu_convolution *c, int64_t group, int64_t k0, int64_t lanes, int64_t vectors,
                            int64_t c0, int64_t depth, char *aside, char *to);

/* The pixels of some rows of y that are `pitch` apart, in whole steps. */
int64_t cpu_conv2d_joined(const cpu_convolution *c, int64_t rows, int64_t pitch);

/* Such rows from element `first` of y on, with zeros between them: [pair of pixels][lane][2]. `aside` is as large as
   what is made. */
void cpu_conv2d_join_rows(const cpu_convolution *c, int64_t first, int64_t lanes, int64_t vectors, int64_t rows,
                          int64_t pitch, char *aside, char *to);

/* --- small arithmetic --- */

static inline int64_t cpu_size(reel_dtype dtype)
{
    return (int64_t)reel_dtype_size(dtype);
}
static inline size_t cpu_conv2d_aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}
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
/* The size of equal pieces of `whole`, none larger than `most`, which is at least 1. */
static inline int64_t cpu_even(int64_t whole, int64_t most)
{
    return cpu_pieces(whole, cpu_pieces(whole, cpu_most(most, 1)));
}

#endif
