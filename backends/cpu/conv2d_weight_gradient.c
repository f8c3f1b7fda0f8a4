/* conv2d_weight_gradient as matrix products: dw[k, r] = sum over images and pixels t of dy[k, t] columns[r, t].

   A long sum for few results, so that what is shared out among threads depends on the shape: where the weight is large,
   blocks of its columns r, each summed over all images and pixels by one task; where it is small and the picture large,
   pixels, cut into a fixed number of parts whose sums are added in order at the end. */
#include "backends/cpu/conv2d.h"

#include <omp.h>
#include <string.h>

enum { PIXELS = 512, DEPTH = 384, CHANNELS = 512, PARTS = 16, SMALL = 1 << 17 };

typedef struct {
    int64_t reach, pixels;    /* rows and columns of the columns matrix of one image */
    int64_t columns, tiles;   /* pixels in a tile, tiles in an image */
    int64_t depth, sections;  /* matrix rows in a section of the weight */
    int64_t channels, blocks; /* output channels in a block */
    int64_t parts;            /* of the tiles of all images */
} tiling;

static tiling tile(const reel_conv2d_geometry *g)
{
    tiling t = {.reach = g->cg * g->kh * g->kw, .pixels = g->p * g->q};
    t.tiles = cpu_pieces(t.pixels, PIXELS);
    t.columns = cpu_pieces(t.pixels, t.tiles);
    t.tiles = cpu_pieces(t.pixels, t.columns);
    int64_t all = t.tiles * g->n;
    bool by_pixels = t.reach * g->k <= SMALL && all >= PARTS;
    t.parts = by_pixels ? PARTS : 1;
    t.depth = cpu_pieces(t.reach, cpu_pieces(t.reach, DEPTH));
    t.sections = cpu_pieces(t.reach, t.depth);
    t.channels = by_pixels ? g->kg : cpu_pieces(g->kg, cpu_pieces(g->kg, CHANNELS));
    t.blocks = cpu_pieces(g->kg, t.channels);
    return t;
}

typedef struct {
    cpu_convolution c;
    tiling t;
    char *parts; /* t.parts sums, each of the weight's size */
} gradient;

static size_t panel_bytes(const reel_conv2d_geometry *g, const tiling *t, size_t element)
{
    return cpu_conv2d_plain(g) ? 0 : cpu_conv2d_aligned((size_t)(t->depth * t->columns) * element);
}

static size_t parts_bytes(const reel_conv2d_geometry *g, const tiling *t, size_t element)
{
    return t->parts > 1 ? cpu_conv2d_aligned((size_t)(t->parts * g->k * t->reach) * element) : 0;
}

/* One section and block of the weight of one group, summed over the tiles from..until-1 of all images. */
static void sum_tiles(const gradient *d, int64_t group, int64_t block, int64_t section, int64_t from, int64_t until,
                      char *dw, char *room)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    int64_t e = (int64_t)d->c.element, r = section * t->depth, depth = cpu_least(t->depth, t->reach - r);
    int64_t k0 = group * g->kg + block * t->channels, channels = cpu_least(t->channels, g->kg - block * t->channels);
    char *panel = room + CPU_GEMM_ROOM;
    for (int64_t i = from; i < until; i++) {
        int64_t image = i / t->tiles, first = i % t->tiles * t->columns,
                count = cpu_least(t->columns, t->pixels - first);
        const char *x = d->c.x + (image * g->c + group * g->cg) * g->h * g->w * e;
        cpu_matrix dy = {d->c.y + ((image * g->k + k0) * t->pixels + first) * e, t->pixels, false};
        cpu_matrix columns = {panel, count, true};
        if (cpu_conv2d_plain(g))
            columns = (cpu_matrix){x + (r * t->pixels + first) * e, t->pixels, true};
        else
            cpu_conv2d_columns(g, d->c.element, x, r, r + depth, first, first + count, panel, count);
        cpu_gemm(cpu_gemm_choose(d->c.dtype), channels, depth, count, dy, columns, i > from,
                 dw + (k0 * t->reach + r) * e, t->reach, room);
    }
}

static void by_weight(const gradient *d, size_t room)
{
    const tiling *t = &d->t;
    int64_t tasks = d->c.g.groups * t->blocks * t->sections;
#pragma omp parallel for schedule(dynamic) num_threads(d->c.threads)
    for (int64_t i = 0; i < tasks; i++)
        sum_tiles(d, i / t->blocks / t->sections, i / t->sections % t->blocks, i % t->sections, 0, t->tiles * d->c.g.n,
                  (char *)d->c.w, d->c.scratch + (size_t)omp_get_thread_num() * room);
}

#define ADD_PARTS(T)                                                                                                   \
    for (int64_t i = from; i < until; i++) {                                                                           \
        T sum = 0;                                                                                                     \
        for (int64_t part = 0; part < PARTS; part++) sum += ((const T *)(const void *)d->parts)[part * count + i];     \
        ((T *)(void *)d->c.w)[i] = sum;                                                                                \
    }

static void by_pixels(const gradient *d, size_t room)
{
    const tiling *t = &d->t;
    int64_t count = d->c.g.k * t->reach, all = t->tiles * d->c.g.n, sets = d->c.g.groups * t->sections;
#pragma omp parallel for schedule(dynamic) num_threads(d->c.threads)
    for (int64_t i = 0; i < PARTS * sets; i++) {
        int64_t part = i / sets, group = i % sets / t->sections, section = i % t->sections;
        sum_tiles(d, group, 0, section, all * part / PARTS, all * (part + 1) / PARTS,
                  d->parts + part * count * (int64_t)d->c.element, d->c.scratch + (size_t)omp_get_thread_num() * room);
    }
#pragma omp parallel for num_threads(d->c.threads)
    for (int64_t piece = 0; piece < PARTS; piece++) {
        int64_t from = count * piece / PARTS, until = count * (piece + 1) / PARTS;
        if (d->c.dtype == REEL_F32)
            ADD_PARTS(float)
        else
            ADD_PARTS(double)
    }
}

static reel_conv2d_geometry measure(const reel_call *call)
{
    const reel_conv2d_adjoint_attr *attr = call->attr;
    return reel_conv2d_measure(&call->input[0].shape, &call->output[0].shape, &call->input[1].shape, &attr->conv);
}

size_t cpu_conv2d_weight_gradient_scratch(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call);
    if (!cpu_conv2d_fits(&g)) return 0;
    tiling t = tile(&g);
    size_t element = reel_dtype_size(call->input[0].dtype);
    return parts_bytes(&g, &t, element) + (CPU_GEMM_ROOM + panel_bytes(&g, &t, element)) * (size_t)call->threads;
}

reel_status cpu_conv2d_weight_gradient(const reel_call *call)
{
    const reel_array *x = &call->input[0], *dy = &call->input[1], *dw = &call->output[0];
    gradient d = {.c = {.g = measure(call),
                        .dtype = x->dtype,
                        .element = reel_dtype_size(x->dtype),
                        .threads = call->threads,
                        .x = x->data,
                        .w = dw->data,
                        .y = dy->data}};
    if (!cpu_conv2d_fits(&d.c.g)) return call->op->reference.run(call);
    d.t = tile(&d.c.g);
    d.parts = call->scratch;
    d.c.scratch = d.parts + parts_bytes(&d.c.g, &d.t, d.c.element);
    size_t room = CPU_GEMM_ROOM + panel_bytes(&d.c.g, &d.t, d.c.element);
    if (d.t.parts > 1)
        by_pixels(&d, room);
    else
        by_weight(&d, room);
    return REEL_OK;
}
