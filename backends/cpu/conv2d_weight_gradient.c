/* conv2d_weight_gradient, direct: dw[k, c, i, j] = sum over images and pixels of
   dy[k, p, q] x[c, p s + i d - top, q s + j d - left].

   The kernel of brgemm.h with the roles exchanged: its points are input channels, its lanes output channels, and its
   sum runs over the pixels of a band. For that, x and dy are packed with their channels innermost:

       task (group, slabs of output channels, section of input channels, part of the bands)
           band of all images:             pack x
               strip of output rows, slab: pack dy
                   kernel position, tile of input channels: the kernel

   Where the columns of the kernel are a run, the sweep of brgemm.h takes them together. Its rows of dy are as wide as
   those of packed x, with zeros at their ends, so that the rows of a strip go by as one.

   Where a step takes several terms, they are neighbouring pixels: x is packed in planes as for conv2d, and dy, as for a
   sweep, in rows as wide as those, in pairs. What x has at the ends of rows meets zeros, and must be finite for that.

   A band is as high as packed x fits the second-level cache, since the rows above and below it are packed once more. dy
   follows in strips, long enough to pay for loading and storing the sums that a strip is added to.
   Where the weight is small and the picture large, the bands are cut into a fixed number of parts whose sums are added
   in order. dw has the dtype of the sums, which is f32 where x and dy are bf16. */
#include "backends/cpu/conv2d.h"
#include "backends/cpu/panels.h"
#include "backends/cpu/winograd.h"

#include "core/kernel.h"

#include <omp.h>
#include <string.h>

enum {
    STRIP = 1024,           /* pixels of a strip, about */
    JOINED_STRIP = 512,     /* where pixels are joined: dy stays in the first-level cache */
    BAND_BYTES = 1 << 20,   /* of packed x, at most, about */
    TASKS = 16,             /* bands are shared out in parts while there are fewer */
    SUMS_BYTES = 768 << 10, /* of a task, at most, about */
    SUMS_ROWS = 1024,       /* input channels times kernel positions of a task, about */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    bool sweeps;
    cpu_band band;                /* where pixels are joined; otherwise x is packed with its channels innermost */
    int64_t point, line, pitch;   /* of packed x: from a channel, an output row to the next; of dy: pixels in a row */
    int64_t rows, bands, strip;   /* output rows in a band, bands in an image, output rows in a strip */
    int64_t height, width, depth; /* of packed x: rows, columns, input channels */
    int64_t stored;               /* input channels, with the padding of the last vector unless it is the only one */
    int64_t kept;                 /* input channels in the sums, with those that nobody asked for */
    int64_t vectors, slab, slabs; /* vectors and output channels of a slab, slabs of a task */
    int64_t shares, sections, parts;  /* of output channels, of input channels, of the bands of all images */
    int64_t points;                   /* input channels of a tile */
    size_t x, dy, aside, sums, steps; /* bytes */
} tiling;

/* A sweep goes over the zeros at the ends of rows, too: they must be few. */
static bool can_sweep(const reel_conv2d_geometry *g, const cpu_tiles *tiles)
{
    return tiles->run > 1 && g->stride[0] == 1 && g->stride[1] == 1 && g->dilation[1] == 1 && 8 * (g->kw - 1) < g->q;
}

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype)};
    int64_t e = cpu_size(t.kernel->packed), s = cpu_size(reel_dtype_of_sum(t.kernel->packed));
    int64_t lanes = t.kernel->lanes, terms = t.kernel->terms, grain = t.kernel->grain, positions = g->kh * g->kw;
    t.tiles = cpu_brgemm_tiles(t.kernel, g->kw);
    t.sweeps = can_sweep(g, t.tiles);
    if (!t.sweeps) t.tiles = cpu_brgemm_tiles(t.kernel, 1);
    t.width = (g->q - 1) * g->stride[1] + (g->kw - 1) * g->dilation[1] + 1;
    t.depth = cpu_even(g->cg, cpu_most(64, SUMS_ROWS / positions));
    t.sections = cpu_pieces(g->cg, t.depth);
    int64_t whole = cpu_pieces(t.depth, lanes) * lanes;
    t.stored = terms == 1 && t.depth < lanes ? t.depth : whole; /* the next pixel overwrites what is turned too much */
    int64_t reach = (g->kh - 1) * g->dilation[0], most = BAND_BYTES / (t.width * whole * e);
    t.rows = cpu_even(g->p, (most - reach - 1) / g->stride[0] + 1);
    t.bands = cpu_pieces(g->p, t.rows);
    t.strip = cpu_even(t.rows, (terms > 1 ? JOINED_STRIP : STRIP) / g->q);
    t.height = (t.rows - 1) * g->stride[0] + reach + 1;
    t.band = cpu_conv2d_band(g, t.rows);
    t.band.plane = (cpu_pieces(t.band.plane + terms - 1, terms) | 1) * terms; /* no power of 2 from plane to plane */
    t.point = terms > 1 ? t.band.plane : 1;
    t.line = terms > 1 ? t.band.width : g->stride[0] * t.width * t.stored;
    t.pitch = terms > 1 ? t.band.width : t.sweeps ? t.width : g->q;
    t.vectors = cpu_even(cpu_pieces(g->kg, lanes), t.tiles->vectors);
    t.points = (t.sweeps ? t.tiles->swept : t.tiles->points)[t.vectors - 1];
    t.points = cpu_even(cpu_pieces(t.depth, grain), t.points / grain) * grain;
    t.kept = cpu_pieces(t.depth, grain) * grain;
    t.slab = t.vectors * lanes;
    t.slabs = cpu_even(cpu_pieces(g->kg, t.slab), SUMS_BYTES / (t.kept * positions * t.slab * s));
    t.shares = cpu_pieces(g->kg, t.slab * t.slabs);
    t.parts = cpu_least(cpu_pieces(TASKS, t.shares * t.sections * g->groups), g->n * t.bands);
    int64_t x = terms > 1 ? t.stored * t.band.plane : (t.height * t.width + t.tiles->run) * t.stored + lanes;
    t.x = cpu_conv2d_aligned((size_t)(x * e));
    t.dy = cpu_conv2d_aligned((size_t)((t.strip * t.pitch + t.tiles->run + terms) * t.slab * e));
    t.aside = terms > 1 ? t.dy : 0;
    t.sums = cpu_conv2d_aligned((size_t)(t.slabs * t.kept * positions * t.slab * s));
    t.steps = cpu_conv2d_aligned((size_t)g->q * sizeof(int64_t));
    return t;
}

typedef struct {
    cpu_convolution c;
    tiling t;
    int64_t *step; /* where output column q looks in a packed row of x */
    char *sums, *rooms;
    int64_t sets; /* blocks of the weight that are summed apart */
} gradient;

/* A block of the weight: some output channels of a group by a section of input channels. */
typedef struct {
    int64_t group, k0, channels, c0, depth;
} block;

static block block_of(const gradient *d, int64_t set)
{
    const tiling *t = &d->t;
    const reel_conv2d_geometry *g = &d->c.g;
    block b = {.group = set / t->sections / t->shares,
               .k0 = set / t->sections % t->shares * t->slabs * t->slab,
               .c0 = set % t->sections * t->depth};
    b.channels = cpu_least(t->slabs * t->slab, g->kg - b.k0);
    b.depth = cpu_least(t->depth, g->cg - b.c0);
    return b;
}

/* Rows of x from `top` on, [row, column, channel], with zeros outside the picture. */
static void pack_x(const gradient *d, const block *b, int64_t image, int64_t top, char *to)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    cpu_window at = {top, -g->left, t->height, t->width};
    int64_t e = cpu_size(t->kernel->packed), size = t->height * t->width * t->stored;
    cpu_conv2d_pack_pixels(t->kernel, &d->c.x, image * g->c + g->cg * b->group + b->c0, b->depth, &at, to, t->stored);
    memset(to + size * e, 0, (size_t)(t->tiles->run * t->stored * e)); /* what a sweep's last run reaches beyond */
}

/* Rows of dy from element `y` on, [pixel, lane]; for a sweep with zeros that make a row as wide as one of x. */
static void pack_dy(const gradient *d, int64_t y, int64_t channels, int64_t rows, char *to)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    int64_t plane = g->p * g->q, pixel = t->slab * cpu_size(t->kernel->packed);
    if (t->kernel->terms > 1) {
        cpu_conv2d_join_rows(&d->c, y, channels, t->vectors, rows, t->pitch, to + t->dy, to);
        return;
    }
    if (!t->sweeps) {
        cpu_conv2d_turn(t->kernel, &d->c.y, y, plane, channels, rows * g->q, to, t->slab);
        return;
    }
    for (int64_t p = 0; p < rows; p++, to += t->width * pixel) {
        cpu_conv2d_turn(t->kernel, &d->c.y, y + p * g->q, plane, channels, g->q, to, t->slab);
        memset(to + g->q * pixel, 0, (size_t)((t->width - g->q) * pixel));
    }
    memset(to, 0, (size_t)(t->tiles->run * pixel));
}

/* Where in packed x a kernel position of output (0, 0) lies. */
static int64_t position_at(const gradient *d, int64_t position)
{
    const reel_conv2d_geometry *g = &d->c.g;
    int64_t i = position / g->kw, j = position % g->kw;
    if (d->t.kernel->terms > 1) return cpu_conv2d_offset(g, &d->t.band, i, j);
    return (i * g->dilation[0] * d->t.width + j * g->dilation[1]) * d->t.stored;
}

/* Adds a strip of one slab to its sums [input channel, kernel position, lane]. */
static void add_strip(const gradient *d, const block *b, int64_t rows, const char *x, const char *dy, bool first,
                      char *sums)
{
    static const double nothing[128];
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    int64_t e = cpu_size(t->kernel->packed), s = cpu_size(reel_dtype_of_sum(t->kernel->packed)),
            terms = t->kernel->terms;
    int64_t positions = g->kh * g->kw, row = positions * t->slab, run = t->tiles->run;
    int64_t joined = terms > 1 ? cpu_conv2d_joined(&d->c, rows, t->pitch) / terms : cpu_pieces(rows * t->pitch, run);
    int64_t none = 0;
    cpu_walk walk =
        terms > 1 ? (cpu_walk){joined, 1, terms, &none, t->point} : (cpu_walk){rows, g->q, t->line, d->step, 1};
    for (int64_t position = 0; position < positions; position += run) {
        const char *at = x + position_at(d, position) * e;
        for (int64_t c = 0; c < b->depth; c += t->points, at += t->points * t->point * e) {
            char *to = sums + (c * row + position * t->slab) * s;
            const void *from = first ? (const void *)nothing : to;
            int64_t points = cpu_least(t->points, b->depth - c), from_row = first ? 0 : row;
            if (t->sweeps)
                t->tiles->sweep[t->vectors - 1][points - 1](joined * run, at, t->stored, dy, from, from_row, to, row);
            else
                t->tiles->tile[t->vectors - 1][(points - 1) / t->kernel->grain](&walk, at, dy, from, from_row, to, row);
        }
    }
}

/* The sums of one block over the bands from..until-1 of all images. */
static void sum_bands(const gradient *d, const block *b, int64_t from, int64_t until, char *room, char *sums)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    int64_t e = cpu_size(t->kernel->packed), s = cpu_size(reel_dtype_of_sum(t->kernel->packed));
    int64_t plane = g->p * g->q, slab_sums = t->kept * g->kh * g->kw * t->slab * s;
    char *x = room, *dy = room + t->x;
    for (int64_t band = from; band < until; band++) {
        int64_t image = band / t->bands, p0 = band % t->bands * t->rows, p1 = cpu_least(p0 + t->rows, g->p);
        int64_t y = (image * g->k + b->group * g->kg + b->k0) * plane;
        if (t->kernel->terms > 1)
            cpu_conv2d_pack_band(&d->c, &t->band, image * g->c + g->cg * b->group + b->c0, b->depth, p0, x);
        else
            pack_x(d, b, image, p0 * g->stride[0] - g->top, x);
        for (int64_t p = p0; p < p1; p += t->strip) {
            int64_t rows = cpu_least(t->strip, p1 - p);
            for (int64_t slab = 0; slab * t->slab < b->channels; slab++) {
                pack_dy(d, y + slab * t->slab * plane + p * g->q, cpu_least(t->slab, b->channels - slab * t->slab),
                        rows, dy);
                add_strip(d, b, rows, x + (p - p0) * t->line * e, dy, band == from && p == p0, sums + slab * slab_sums);
            }
        }
    }
}

#define ADD(T)                                                                                                         \
    for (int64_t i = 0; i < count; i++)                                                                                \
        for (int64_t part = 1; part < t->parts; part++)                                                                \
            ((T *)(void *)sums)[i] += ((const T *)(const void *)(sums + part * d->sets * (int64_t)t->sums))[i];

/* Adds the parts of a block up and turns them into dw. */
static void finish(const gradient *d, int64_t set, char *sums)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    block b = block_of(d, set);
    int64_t e = cpu_size(reel_dtype_of_sum(t->kernel->packed)), positions = g->kh * g->kw, reach = g->cg * positions;
    int64_t count = t->slabs * t->kept * positions * t->slab;
    if (t->kernel->packed != REEL_F64)
        ADD(float)
    else
        ADD(double)
    char *dw = (char *)d->c.w.data + ((b.group * g->kg + b.k0) * reach + b.c0 * positions) * e;
    for (int64_t k = 0; k < b.channels; k += t->slab, dw += t->slab * reach * e)
        cpu_conv2d_write_weight(t->kernel, sums + k * t->kept * positions * e, t->slab, b.depth * positions,
                                cpu_least(t->slab, b.channels - k), sums + count * e, dw, reach);
}

static void run(const gradient *d)
{
    const reel_conv2d_geometry *g = &d->c.g;
    const tiling *t = &d->t;
    int64_t all = g->n * t->bands, tasks = d->sets * t->parts;
    for (int64_t q = 0; q < g->q; q++) d->step[q] = q * g->stride[1] * t->stored;
#pragma omp parallel for schedule(dynamic) num_threads(d->c.threads)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t part = task / d->sets, thread = omp_get_thread_num();
        block b = block_of(d, task % d->sets);
        char *sums = d->sums + (t->parts > 1 ? task : thread) * (int64_t)t->sums;
        if (t->kernel->begin) t->kernel->begin();
        sum_bands(d, &b, all * part / t->parts, all * (part + 1) / t->parts,
                  d->rooms + thread * (int64_t)(t->x + t->dy + t->aside), sums);
        if (t->kernel->end) t->kernel->end();
        if (t->parts == 1) finish(d, task, sums);
    }
    if (t->parts == 1) return;
#pragma omp parallel for schedule(dynamic) num_threads(d->c.threads)
    for (int64_t set = 0; set < d->sets; set++) finish(d, set, d->sums + set * (int64_t)t->sums);
}

static reel_conv2d_geometry measure(const reel_call *call)
{
    const reel_conv2d_adjoint_attr *attr = call->attr;
    return reel_conv2d_measure(&call->input[0].shape, &call->output[0].shape, &call->input[1].shape, &attr->conv);
}

/* Sums are kept for each part of each block where there are parts, else for each thread. */
static size_t sums_bytes(const reel_conv2d_geometry *g, const tiling *t, int threads)
{
    int64_t sets = g->groups * t->shares * t->sections;
    return t->sums * (size_t)(t->parts > 1 ? sets * t->parts : threads);
}

size_t cpu_conv2d_weight_gradient_scratch(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call);
    if (!cpu_conv2d_fits(&g)) return cpu_conv2d_copies(call);
    if (cpu_winograd_serves(&g, call->input[0].dtype))
        return cpu_winograd_weight_gradient_scratch(&g, call->input[0].dtype, call->threads);
    if (cpu_panels_serve_gradient(&g, call->input[0].dtype))
        return cpu_panels_weight_gradient_scratch(&g, call->input[0].dtype, call->threads);
    tiling t = tile(&g, call->input[0].dtype);
    return t.steps + sums_bytes(&g, &t, call->threads) + (t.x + t.dy + t.aside) * (size_t)call->threads;
}

reel_status cpu_conv2d_weight_gradient(const reel_call *call)
{
    gradient d = {.c = {.g = measure(call),
                        .threads = call->threads,
                        .x = call->input[0],
                        .w = call->output[0],
                        .y = call->input[1]}};
    if (!cpu_conv2d_fits(&d.c.g)) return reel_kernel_run(&call->op->reference, call);
    if (cpu_winograd_serves(&d.c.g, call->input[0].dtype)) {
        d.c.scratch = call->scratch;
        d.c.kernel = cpu_brgemm_choose(call->input[0].dtype);
        cpu_winograd_weight_gradient(&d.c);
        return REEL_OK;
    }
    if (cpu_panels_serve_gradient(&d.c.g, call->input[0].dtype)) {
        d.c.scratch = call->scratch;
        cpu_panels_weight_gradient(&d.c);
        return REEL_OK;
    }
    d.t = tile(&d.c.g, call->input[0].dtype);
    d.c.kernel = d.t.kernel;
    d.sets = d.c.g.groups * d.t.shares * d.t.sections;
    d.step = call->scratch;
    d.sums = (char *)call->scratch + d.t.steps;
    d.rooms = d.sums + sums_bytes(&d.c.g, &d.t, call->threads);
    run(&d);
    return REEL_OK;
}
