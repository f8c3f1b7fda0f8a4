/* conv2d as matrix products: y[k, t] = sum over r of w[k, r] columns[r, t], for output channels k, pixels t and kernel
   elements r of one group. Tasks are tiles of pixels by blocks of output channels; each goes through r in blocks whose
   panel of columns fits the second-level cache, and adds to y in that order. The panel is written in the strips that
   the product reads.

   A tile is wide, since each product reads its weights anew; where that leaves few tasks for many threads, output
   channels are cut into blocks too, though each makes the same panel again. */
#include "backends/cpu/conv2d.h"

#include <omp.h>

enum { TASKS = 8, CHANNELS = 128 }; /* blocks are made while there are fewer tasks, of no fewer channels */

typedef struct {
    const cpu_gemm_kernel *kernel;
    int64_t reach;            /* rows of the columns matrix: channels times kernel positions */
    int64_t columns, tiles;   /* pixels in a tile */
    int64_t channels, blocks; /* output channels in a block */
    int64_t depth;            /* matrix rows in a panel */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_gemm_choose(dtype), .reach = g->cg * g->kh * g->kw};
    int64_t pixels = g->p * g->q, strip = cpu_gemm_strip(t.kernel);
    t.tiles = cpu_pieces(pixels, CPU_GEMM_COLUMNS);
    t.columns = cpu_pieces(cpu_pieces(pixels, t.tiles), strip) * strip;
    t.tiles = cpu_pieces(pixels, t.columns);
    t.blocks = cpu_most(1, cpu_least(g->kg / CHANNELS, cpu_pieces(TASKS, t.tiles * g->n * g->groups)));
    t.channels = cpu_pieces(g->kg, t.blocks);
    t.blocks = cpu_pieces(g->kg, t.channels);
    t.depth = cpu_pieces(t.reach, cpu_pieces(t.reach, CPU_GEMM_DEPTH));
    return t;
}

/* What one thread needs. */
static size_t room_bytes(const tiling *t)
{
    return CPU_GEMM_STRIP + cpu_conv2d_aligned((size_t)(t->depth * t->columns) * t->kernel->element);
}

size_t cpu_convolve_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype);
    return room_bytes(&t) * (size_t)threads;
}

#define FILL(T)                                                                                                        \
    for (int64_t k = 0; k < channels; k++)                                                                             \
        for (int64_t i = 0; i < count; i++) ((T *)(void *)y)[k * row + i] = ((const T *)(const void *)bias)[k]

static void fill_bias(reel_dtype dtype, const char *bias, int64_t channels, int64_t count, int64_t row, char *y)
{
    if (dtype == REEL_F32)
        FILL(float);
    else
        FILL(double);
}

/* Rows r.. and pixels first.. of the columns matrix of one image and group, in strips. */
static void fill_panel(const cpu_convolution *c, const tiling *t, const char *x, int64_t r, int64_t depth,
                       int64_t first, int64_t count, char *panel)
{
    int64_t strip = cpu_gemm_strip(t->kernel), e = (int64_t)c->element, pixels = c->g.p * c->g.q;
    if (cpu_conv2d_plain(&c->g)) {
        cpu_gemm_pack(t->kernel, count, depth, (cpu_matrix){x + (r * pixels + first) * e, pixels, false}, panel);
        return;
    }
    for (int64_t j = 0; j < count; j += strip) {
        int64_t width = cpu_least(strip, count - j);
        cpu_conv2d_columns(&c->g, c->element, x, r, r + depth, first + j, first + j + width, panel + j * depth * e,
                           cpu_gemm_width(t->kernel, width));
    }
}

/* One tile of pixels and block of output channels of one image and group. */
static void convolve_tile(const cpu_convolution *c, const tiling *t, int64_t task, char *room)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = (int64_t)c->element, pixels = g->p * g->q;
    int64_t first = task % t->tiles * t->columns, count = cpu_least(t->columns, pixels - first);
    int64_t block = task / t->tiles % t->blocks, group = task / t->tiles / t->blocks % g->groups;
    int64_t image = task / t->tiles / t->blocks / g->groups;
    int64_t channels = cpu_least(t->channels, g->kg - block * t->channels), k0 = group * g->kg + block * t->channels;
    char *panel = room + CPU_GEMM_STRIP;
    const char *x = c->x + (image * g->c + group * g->cg) * g->h * g->w * e;
    char *y = c->y + ((image * g->k + k0) * pixels + first) * e;
    if (c->bias) fill_bias(c->dtype, c->bias + k0 * e, channels, count, pixels, y);
    for (int64_t r = 0; r < t->reach; r += t->depth) {
        int64_t depth = cpu_least(t->depth, t->reach - r);
        cpu_matrix w = {c->w + (k0 * t->reach + r) * e, t->reach, false};
        fill_panel(c, t, x, r, depth, first, count, panel);
        cpu_gemm_packed(t->kernel, channels, count, depth, w, panel, r || c->bias, y, pixels, room);
    }
}

void cpu_convolve(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->dtype);
    size_t bytes = room_bytes(&t);
    int64_t tasks = c->g.n * c->g.groups * t.blocks * t.tiles;
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (int64_t task = 0; task < tasks; task++)
        convolve_tile(c, &t, task, c->scratch + (size_t)omp_get_thread_num() * bytes);
}

size_t cpu_conv2d_scratch(const reel_call *call)
{
    reel_conv2d_geometry g =
        reel_conv2d_measure(&call->input[0].shape, &call->input[1].shape, &call->output[0].shape, call->attr);
    return cpu_conv2d_fits(&g) ? cpu_convolve_scratch(&g, call->input[0].dtype, call->threads) : 0;
}

reel_status cpu_conv2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *w = &call->input[1], *y = &call->output[0];
    cpu_convolution c = {.g = reel_conv2d_measure(&x->shape, &w->shape, &y->shape, call->attr),
                         .dtype = x->dtype,
                         .element = reel_dtype_size(x->dtype),
                         .threads = call->threads,
                         .x = x->data,
                         .w = w->data,
                         .bias = call->inputs > 2 ? call->input[2].data : NULL,
                         .y = y->data,
                         .scratch = call->scratch};
    if (!cpu_conv2d_fits(&c.g)) return call->op->reference.run(call);
    cpu_convolve(&c);
    return REEL_OK;
}
