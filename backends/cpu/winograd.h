/* Winograd's minimal filtering for kernels of 3x3 and 5x5 with step 1, for all three directions of a convolution
   (Lavin and Gray 2016, arXiv 1509.09308).

   A tile of M x M outputs sees S x S inputs, S = M + R - 1 = 6 for both kernels R x R: 4 x 4 outputs of 3x3, 2 x 2 of
   5x5. A polynomial of degree 5 is given by six values. Inputs d and kernel g are turned into values at six points per
   axis, multiplied value by value, and the products turned into outputs:

       Y = A^T [(G g G^T) . (B^T d B)] A

   Summed over input channels, that is a matrix product for each of the 36 points: 36 multiplications a tile instead of
   16 * 9 or 4 * 25, a fourth or a third. The weight's gradient is the adjoint of the same formula,

       dg = G^T [sum over tiles (A dY A^T) . (B^T d B)] G,

   and the input's gradient is the convolution with turned kernels.

   The points are 0, 1, -1, 1/2, -2 and infinity, which lose least (Barabasz et al. 2020, arXiv 1803.10986): sums of
   float are off by two to three times as much as those of a direct convolution. */
#ifndef REEL_BACKENDS_CPU_WINOGRAD_H
#define REEL_BACKENDS_CPU_WINOGRAD_H

#include "backends/cpu/conv2d.h"

enum {
    WINOGRAD_SIDE = 6,
    WINOGRAD_POINTS = WINOGRAD_SIDE * WINOGRAD_SIDE,
    CPU_WINOGRAD_LANES = 64, /* of a slab, at most */
};

/* --- the transforms of one kernel size under one instruction set (winograd_tile.h) --- */

/* The values of a row of tiles at all points, channels innermost: from x[row * line + column * pixel + channel], where
   a tile is M pixels behind the last, to v[point * plane + tile * row + channel]. */
typedef void cpu_winograd_values(const float *x, int64_t line, int64_t pixel, int64_t tiles, int64_t vectors, float *v,
                                 int64_t plane, int64_t row);

/* Strides are in floats; a vector has as many lanes as the cpu_brgemm of the instruction set. */
typedef struct {
    int64_t outputs;               /* M: rows and columns of outputs in a tile */
    cpu_winograd_values *input;    /* B^T d B */
    cpu_winograd_values *gradient; /* A dY A^T */
    /* G g G^T of some input channels: from [channel][R x R][lane] to u[point * plane + channel * lanes + lane]; and the
       adjoint, G^T u G, back. */
    void (*weight)(const float *w, int64_t channels, int64_t vectors, float *u, int64_t plane);
    void (*weight_gradient)(const float *u, int64_t plane, int64_t channels, int64_t vectors, float *w);
    /* A^T m A for a row of tiles: from m[point * plane + tile * lanes + lane], plus the bias of each lane and, if
       `relu`, not below zero; output (a, b) of tile t goes to y[(a * tiles * M + t * M + b) * lanes + lane]. */
    void (*output)(const float *m, int64_t plane, int64_t tiles, int64_t vectors, const float *bias, bool relu,
                   float *y);
} cpu_winograd;

/* For kernels of 3 or 5 rows and columns, under the instruction set in force. */
const cpu_winograd *cpu_winograd_transforms(int64_t kernel);

/* --- the tiles of all images, cut into blocks --- */

/* Rows of tiles are numbered through all images, and a block may go on from one image to the next. */
typedef struct {
    int64_t outputs;       /* M */
    int64_t tall;          /* rows of tiles in all images */
    int64_t down, across;  /* tiles of an image */
    int64_t rows, columns; /* tiles of a block, at most */
    int64_t wide, blocks;  /* blocks: in a row of tiles, in all */
} cpu_winograd_grid;

typedef struct {
    int64_t row, rows, column, columns;
} cpu_winograd_block;

/* Blocks of at most `most` tiles. */
cpu_winograd_grid cpu_winograd_cut(const reel_conv2d_geometry *g, int64_t most);
cpu_winograd_block cpu_winograd_block_of(const cpu_winograd_grid *grid, int64_t number);

/* A picture whose tiles are turned into values: x with its border, or dy. */
typedef struct {
    const cpu_brgemm *kernel;
    cpu_winograd_values *values;
    const reel_array *from;
    int64_t channel, channels; /* of each image */
    int64_t top, left, beyond; /* of the first tile; what a tile has beyond its M rows and columns */
    int64_t slice;             /* channels that are packed at a time */
} cpu_winograd_picture;

/* Floats of room that packing needs. */
int64_t cpu_winograd_room(const cpu_winograd_grid *grid, int64_t beyond, int64_t slice);

/* The values of a block of tiles, to v[point * plane + tile * row + channel]. */
void cpu_winograd_fill(const cpu_winograd_grid *grid, const cpu_winograd_block *b, const cpu_winograd_picture *p,
                       float *room, float *v, int64_t plane, int64_t row);

/* `elements` and a cache line or two, so that points do not fall on the same lines of a cache. */
static inline int64_t cpu_winograd_apart(int64_t elements)
{
    return (elements + 15) / 16 * 16 + 16;
}

static inline size_t cpu_winograd_bytes(int64_t floats)
{
    return cpu_conv2d_aligned((size_t)floats * sizeof(float));
}

/* --- the convolutions --- */

/* Whether this way is possible, pays, and is not switched off. */
bool cpu_winograd_serves(const reel_conv2d_geometry *g, reel_dtype dtype);

/* What the environment variable REEL_WINOGRAD says, on or off; on where there is none. It holds for the process; a plan
   that was made with one must be run with it. */
reel_status cpu_winograd_choose(reel_error *error);
void cpu_winograd_use(bool use);

size_t cpu_winograd_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_winograd_convolve(const cpu_convolution *c);

size_t cpu_winograd_weight_gradient_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads);
void cpu_winograd_weight_gradient(const cpu_convolution *c);

#endif
