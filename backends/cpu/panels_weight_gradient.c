/* The weight's gradient of pointwise convolutions: see panels.h.

   dy is read where it lies: the tiles of brgemm.h have output channels as points and input channels as lanes, and sum
   over pixels, for which x is turned.

       task (group, some output channels, some panels of input channels, part of the sections)
           section of pixels of an image:         turn x, panel [pixel][input channel]
               panel, tile of output channels:    the kernel of brgemm.h, added to sums

   Where the weight is small and the picture large, the sections are cut into a fixed number of parts whose sums are
   added in order. */
#include "backends/cpu/panels.h"

#include <omp.h>
#include <string.h>

enum {
    LEAST = 32,    /* pixels */
    SECTION = 128, /* pixels, at most: a panel of x stays in the first-level cache */
    PANELS = 2,    /* of a task, at most */
    TASKS = 16,    /* sections, then output channels are shared out while there are fewer tasks */
    SECTIONS = 8,  /* of a part, at least */
    SHARE = 96,    /* output channels of a task, at least, */
    MOST = 512,    /* and at most */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    int64_t section, sections;    /* pixels; in all images */
    int64_t vectors, width;       /* of a panel: vectors, input channels */
    int64_t panels, heaps;        /* of a task; such tasks */
    int64_t share, shares, parts; /* output channels of a task; such tasks; of the sections */
    int64_t sets;                 /* blocks of the weight that are summed apart */
    size_t x, sums;               /* bytes, of a thread and of a task */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype)};
    int64_t lanes = t.kernel->lanes, e = cpu_size(dtype), plane = g->h * g->w;
    t.tiles = &t.kernel->apart;
    t.section = cpu_even(plane, SECTION);
    t.sections = g->n * cpu_pieces(plane, t.section);
    t.vectors = cpu_even(cpu_pieces(g->cg, lanes), t.tiles->vectors);
    t.width = t.vectors * lanes;
    int64_t panels = cpu_pieces(g->cg, t.width);
    t.panels = cpu_even(panels, PANELS);
    t.heaps = cpu_pieces(panels, t.panels);
    int64_t wanted = cpu_pieces(TASKS, g->groups * t.heaps);
    t.parts = cpu_most(1, cpu_least(wanted, t.sections / SECTIONS));
    t.share = cpu_even(g->kg, cpu_least(MOST, cpu_most(SHARE, g->kg / cpu_pieces(wanted, t.parts))));
    t.shares = cpu_pieces(g->kg, t.share);
    t.sets = g->groups * t.heaps * t.shares;
    t.x = cpu_conv2d_aligned((size_t)(t.section * t.width * e));
    t.sums = cpu_conv2d_aligned((size_t)(t.panels * t.share * t.width * e));
    return t;
}

bool cpu_panels_serve_gradient(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    const cpu_brgemm *kernel = cpu_brgemm_choose(dtype);
    return cpu_pointwise(g) && kernel->packed == dtype && kernel->terms == 1 && g->n * g->h * g->w >= LEAST;
}

static size_t sums_bytes(const tiling *t, int threads)
{
    return t->sums * (size_t)(t->parts > 1 ? t->sets * t->parts : threads);
}

size_t cpu_panels_weight_gradient_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype);
    return sums_bytes(&t, threads) + t.x * (size_t)threads;
}

/* A block of the weight. */
typedef struct {
    int64_t group, k0, channels, c0, depth; /* output channels, input channels */
} block;

static block block_of(const reel_conv2d_geometry *g, const tiling *t, int64_t set)
{
    block b = {set / t->shares / t->heaps, set % t->shares * t->share, 0,
               set / t->shares % t->heaps * t->panels * t->width, 0};
    b.channels = cpu_least(t->share, g->kg - b.k0);
    b.depth = cpu_least(t->panels * t->width, g->cg - b.c0);
    return b;
}

/* Adds a section of one panel to its sums [output channel][input channel]. */
static void multiply(const tiling *t, int64_t plane, int64_t channels, int64_t vectors, int64_t pixels, const char *dy,
                     const char *x, bool first, char *sums)
{
    static const double nothing[CPU_VECTORS * 16];
    int64_t e = cpu_size(t->kernel->packed), most = cpu_even(channels, t->tiles->points[vectors - 1]);
    cpu_walk walk = {pixels, 1, 1, NULL, plane};
    for (int64_t i = 0; i < channels; i += most, dy += most * plane * e, sums += most * t->width * e)
        t->tiles->tile[vectors - 1][cpu_least(most, channels - i) - 1](
            &walk, dy, x, first ? (const void *)nothing : sums, first ? 0 : t->width, sums, t->width);
}

/* The sums of a block over the sections from..until-1 of all images. */
static void sum_sections(const cpu_convolution *c, const tiling *t, const block *b, int64_t from, int64_t until,
                         char *x, char *sums)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(t->kernel->packed), plane = g->h * g->w, each = t->sections / g->n;
    for (int64_t s = from; s < until; s++) {
        int64_t image = s / each, m = s % each * t->section, pixels = cpu_least(t->section, plane - m);
        const char *dy = (const char *)c->y.data + ((image * g->k + b->group * g->kg + b->k0) * plane + m) * e;
        for (int64_t panel = 0; panel * t->width < b->depth; panel++) {
            int64_t channel = image * g->c + b->group * g->cg + b->c0 + panel * t->width;
            int64_t inputs = cpu_least(t->width, b->depth - panel * t->width),
                    vectors = cpu_pieces(inputs, t->kernel->lanes);
            cpu_conv2d_turn(t->kernel, &c->x, channel * plane + m, plane, inputs, pixels, x,
                            vectors * t->kernel->lanes);
            multiply(t, plane, b->channels, vectors, pixels, dy, x, s == from, sums + panel * t->share * t->width * e);
        }
    }
}

#define ADD(T)                                                                                                         \
    for (int64_t part = 1; part < t->parts; part++)                                                                    \
        for (int64_t i = 0; i < count; i++)                                                                            \
            ((T *)(void *)sums)[i] += ((const T *)(const void *)(sums + part * t->sets * (int64_t)t->sums))[i];

/* Adds the parts of a block up and copies them to dw. */
static void finish(const cpu_convolution *c, const tiling *t, const block *b, char *sums)
{
    int64_t e = cpu_size(t->kernel->packed), count = t->panels * t->share * t->width, row = c->g.cg * e;
    if (t->kernel->packed == REEL_F32)
        ADD(float)
    else
        ADD(double)
    char *dw = (char *)c->w.data + ((b->group * c->g.kg + b->k0) * c->g.cg + b->c0) * e;
    for (int64_t k = 0; k < b->channels; k++)
        for (int64_t i = 0; i < b->depth; i += t->width)
            memcpy(dw + k * row + i * e, sums + (i * t->share + k * t->width) * e,
                   (size_t)(cpu_least(t->width, b->depth - i) * e));
}

void cpu_panels_weight_gradient(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype);
    char *rooms = c->scratch + sums_bytes(&t, c->threads);
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (int64_t task = 0; task < t.sets * t.parts; task++) {
        int64_t part = task / t.sets, thread = omp_get_thread_num();
        block b = block_of(&c->g, &t, task % t.sets);
        char *sums = c->scratch + (t.parts > 1 ? task : thread) * (int64_t)t.sums;
        sum_sections(c, &t, &b, t.sections * part / t.parts, t.sections * (part + 1) / t.parts,
                     rooms + thread * (int64_t)t.x, sums);
        if (t.parts == 1) finish(c, &t, &b, sums);
    }
    if (t.parts == 1) return;
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (int64_t set = 0; set < t.sets; set++) {
        block b = block_of(&c->g, &t, set);
        finish(c, &t, &b, c->scratch + set * (int64_t)t.sums);
    }
}
