/* conv2d, direct: y[k, p, q] = bias[k] + sum over c, i, j of w[k, c, i, j] x[c, p s + i d - top, q s + j d - left].

   A task makes a band of output rows for some slabs of output channels (a slab is a few vectors). It goes through
   the input channels in sections: packs the section's rows of x, and for each slab the section's weights, then adds to
   sums [pixel, lane of the slab] tile by tile along the rows. Behind the last section the sums are turned into y. A
   section of x and of weights stay in the second-level cache while all tiles of the band use them:

       task (image, group, band, some slabs)
           section of input channels:      pack x
               slab of output channels:    pack w
                   row, tile of pixels:    the kernel of brgemm.h

   conv2d_input_gradient with stride 1 is the same with w turned (conv2d_input_gradient.c). */
#include "backends/cpu/conv2d.h"
#include "backends/cpu/panels.h"
#include "backends/cpu/winograd.h"
#include "core/clones.h"
#include "core/kernel.h"

#include <omp.h>
#include <string.h>

enum {
    BAND = 1024,             /* pixels of a band, about */
    TASKS = 8,               /* slabs are shared out among tasks while there are fewer */
    SLABS = 8,               /* of a task, at most */
    INPUT_BYTES = 384 << 10, /* of a packed section of x, at most */
    WEIGHT_BYTES = 256 << 10,
    PLAIN = 1024, /* elements of a plane that is not packed, at most */
    LONGER = 2,   /* where a step has several terms, sections are so much longer, to load and store sums less often */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles; /* for the columns of the kernel as a run, or one by one */
    bool plain;             /* x is read where it lies */
    cpu_band band;
    int64_t pitch;                  /* points from a row of sums to the next */
    int64_t rows, bands;            /* output rows in a band */
    int64_t depth;                  /* input channels in a section */
    int64_t vectors, width;         /* of a slab: vectors, output channels */
    int64_t slabs, shares;          /* slabs in a task */
    size_t x, w, aside, sums, room; /* bytes of what a thread packs, and of all that it needs */
} tiling;

/* A pointwise kernel reads x, if no bf16, where it lies. Larger planes than a page are packed all the same, since each
   step would go to another page. */
static bool plain(const reel_conv2d_geometry *g, reel_dtype dtype, const cpu_brgemm *kernel)
{
    return cpu_pointwise(g) && g->h * g->w <= PLAIN && dtype == kernel->packed && kernel->terms == 1;
}

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype)};
    int64_t e = cpu_size(t.kernel->packed), s = cpu_size(reel_dtype_of_sum(t.kernel->packed));
    int64_t positions = g->kh * g->kw, terms = t.kernel->terms;
    t.plain = plain(g, dtype, t.kernel);
    t.tiles =
        t.plain ? &t.kernel->apart : cpu_brgemm_tiles(t.kernel, g->stride[1] == 1 && g->dilation[1] == 1 ? g->kw : 1);
    t.vectors = cpu_even(cpu_pieces(g->kg, t.kernel->lanes), t.tiles->vectors);
    t.width = t.vectors * t.kernel->lanes;
    t.rows = cpu_even(g->p, BAND / g->q);
    t.bands = cpu_pieces(g->p, t.rows);
    t.band = cpu_conv2d_band(g, t.rows);
    int64_t all = cpu_pieces(g->kg, t.width), wanted = cpu_pieces(TASKS, g->n * g->groups * t.bands);
    t.slabs = cpu_even(all, cpu_least(SLABS, all / wanted));
    t.shares = cpu_pieces(all, t.slabs);
    t.pitch = terms > 1 ? t.band.width : g->q;
    t.depth = cpu_least(INPUT_BYTES / (t.band.plane * e), WEIGHT_BYTES / (positions * t.width * e));
    t.depth = cpu_even(cpu_pieces(g->cg, terms), t.depth / terms * (terms > 1 ? LONGER : 1)) * terms;
    int64_t beyond = t.kernel->grain - 1; /* points that nobody asked for */
    t.x = t.plain ? 0 : cpu_conv2d_aligned((size_t)((t.depth * t.band.plane + beyond * terms) * e));
    t.w = cpu_conv2d_aligned((size_t)(t.depth * positions * t.width * e));
    t.aside = cpu_conv2d_join_room(g, t.kernel, &t.band, t.width);
    t.sums = cpu_conv2d_aligned((size_t)((t.rows * t.pitch + beyond) * t.width * s));
    t.room = t.x + t.w + t.aside + t.sums * (size_t)(t.depth < g->cg ? t.slabs : 1);
    return t;
}

static size_t offset_bytes(const reel_conv2d_geometry *g)
{
    return cpu_conv2d_aligned((size_t)(g->kh * g->kw) * sizeof(int64_t));
}

size_t cpu_convolve_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    if (cpu_winograd_serves(g, dtype)) return cpu_winograd_scratch(g, dtype, threads);
    if (cpu_panels_serve(g, dtype)) return cpu_panels_scratch(g, dtype, threads);
    tiling t = tile(g, dtype);
    return offset_bytes(g) + t.room * (size_t)threads;
}

/* What a task works on. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    const int64_t *offset;
    int64_t image, group, first, rows; /* output rows */
    int64_t k0, channels;              /* output channels within the group */
    const char *x;
    char *w, *aside, *sums;
} work;

/* The sums of one slab, in vectors of `vectors`, of all tiles of the band for one section. Where sums and x go on from
   one row to the next alike, tiles run across the ends of rows. */
static void add_section(const work *k, int64_t depth, int64_t vectors, const char *from, int64_t from_row, char *sums)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    const cpu_tiles *tiles = t->tiles;
    int64_t e = cpu_size(t->kernel->packed), s = cpu_size(reel_dtype_of_sum(t->kernel->packed));
    int64_t terms = t->kernel->terms, grain = t->kernel->grain, row = vectors * t->kernel->lanes;
    bool through = t->pitch == t->band.width;
    int64_t runs = through ? 1 : k->rows, length = through ? (k->rows - 1) * t->pitch + g->q : g->q;
    int64_t most = cpu_even(cpu_pieces(length, grain), tiles->points[vectors - 1] / grain) * grain;
    cpu_walk walk = {cpu_pieces(depth, terms), g->kh * g->kw / tiles->run,
                     (t->plain ? g->h * g->w : t->band.plane) * terms, k->offset, terms};
    for (int64_t r = 0; r < runs; r++)
        for (int64_t i = 0; i < length; i += most) {
            int64_t points = cpu_least(most, length - i), pixel = r * t->pitch + i;
            tiles->tile[vectors - 1][(points - 1) / grain](&walk, k->x + (r * t->band.width + i) * terms * e, k->w,
                                                           from + pixel * from_row * s, from_row,
                                                           sums + pixel * row * s, row);
        }
}

#define CLAMP(T)                                                                                                       \
    for (int64_t i = 0; i < count; i++) ((T *)sums)[i] = ((T *)sums)[i] <= 0 ? 0 : ((T *)sums)[i];

CLONES static void clamp(reel_dtype dtype, int64_t count, void *sums)
{
    if (dtype == REEL_F32)
        CLAMP(float)
    else
        CLAMP(double)
}

/* All rows at once where no points are between them. */
static void write_planes(const work *k, int64_t slab, int64_t lanes, int64_t row, const char *sums)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    int64_t s = cpu_size(reel_dtype_of_sum(t->kernel->packed)), rows = t->pitch == g->q ? k->rows : 1;
    int64_t plane = k->image * g->k + k->group * g->kg + k->k0 + slab * t->width;
    for (int64_t r = 0; r < k->rows; r += rows)
        cpu_conv2d_write(k->c, (plane * g->p + k->first + r) * g->q, rows * g->q, lanes, row,
                         sums + r * t->pitch * row * s);
}

/* One slab through one section. */
static void run_slab(const work *k, int64_t slab, int64_t c0, int64_t depth)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    int64_t lanes = cpu_least(t->width, k->channels - slab * t->width), k0 = k->k0 + slab * t->width;
    int64_t vectors = cpu_pieces(lanes, t->kernel->lanes), row = vectors * t->kernel->lanes;
    bool once = t->depth >= g->cg;
    char *sums = k->sums + (once ? 0 : slab) * (int64_t)t->sums, start[512] = {0};
    cpu_conv2d_bias(k->c, k->group * g->kg + k0, lanes, start);
    if (t->kernel->terms > 1)
        cpu_conv2d_join_weight(k->c, k->group, k0, lanes, vectors, c0, depth, k->aside, k->w);
    else
        cpu_conv2d_pack_weight(k->c, k->group, k0, lanes, vectors, c0, depth, k->w);
    add_section(k, depth, vectors, c0 ? sums : start, c0 ? row : 0, sums);
    if (c0 + depth < g->cg) return;
    if (k->c->relu) clamp(reel_dtype_of_sum(t->kernel->packed), k->rows * t->pitch * row, sums);
    write_planes(k, slab, lanes, row, sums);
}

static void run_task(const cpu_convolution *c, const tiling *t, const int64_t *offset, int64_t task, char *room)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t share = task % t->shares, band = task / t->shares % t->bands, rest = task / t->shares / t->bands;
    work k = {.c = c, .t = t, .offset = offset, .group = rest % g->groups, .image = rest / g->groups};
    k.first = band * t->rows;
    k.rows = cpu_least(t->rows, g->p - k.first);
    k.k0 = share * t->slabs * t->width;
    k.channels = cpu_least(t->slabs * t->width, g->kg - k.k0);
    k.x = room, k.w = room + t->x, k.aside = k.w + t->w, k.sums = k.aside + t->aside;
    if (t->kernel->begin) t->kernel->begin();
    for (int64_t c0 = 0; c0 < g->cg; c0 += t->depth) {
        int64_t depth = cpu_least(t->depth, g->cg - c0);
        int64_t channel = k.image * g->c + k.group * g->cg + c0;
        if (t->plain)
            k.x = (const char *)c->x.data + (channel * g->h + k.first) * g->w * cpu_size(c->x.dtype);
        else if (t->kernel->terms > 1)
            cpu_conv2d_join_band(c, &t->band, channel, depth, k.first, k.aside, room);
        else
            cpu_conv2d_pack_band(c, &t->band, channel, depth, k.first, room);
        for (int64_t slab = 0; slab * t->width < k.channels; slab++) run_slab(&k, slab, c0, depth);
    }
    if (t->kernel->end) t->kernel->end();
}

void cpu_convolve(const cpu_convolution *c)
{
    const reel_conv2d_geometry *g = &c->g;
    if (cpu_winograd_serves(g, c->x.dtype)) {
        cpu_winograd_convolve(c);
        return;
    }
    if (cpu_panels_serve(g, c->x.dtype)) {
        cpu_panels_convolve(c);
        return;
    }
    tiling t = tile(g, c->x.dtype);
    int64_t *offset = (int64_t *)(void *)c->scratch, tasks = g->n * g->groups * t.bands * t.shares;
    char *rooms = c->scratch + offset_bytes(g);
    for (int64_t i = 0; i < g->kh * g->kw; i += t.tiles->run)
        offset[i / t.tiles->run] = cpu_conv2d_offset(g, &t.band, i / g->kw, i % g->kw) * t.kernel->terms;
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (int64_t task = 0; task < tasks; task++)
        run_task(c, &t, offset, task, rooms + (size_t)omp_get_thread_num() * t.room);
}

static reel_conv2d_geometry measure(const reel_call *call)
{
    return reel_conv2d_measure(&call->input[0].shape, &call->input[1].shape, &call->output[0].shape, call->attr);
}

size_t cpu_conv2d_scratch(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call);
    return cpu_conv2d_fits(&g) ? cpu_convolve_scratch(&g, call->input[0].dtype, call->threads)
                               : cpu_conv2d_copies(call);
}

reel_status cpu_conv2d(const reel_call *call)
{
    cpu_convolution c = {.g = measure(call),
                         .kernel = cpu_brgemm_choose(call->input[0].dtype),
                         .threads = call->threads,
                         .relu = ((const reel_conv2d_attr *)call->attr)->relu,
                         .x = call->input[0],
                         .w = call->input[1],
                         .y = call->output[0],
                         .scratch = call->scratch};
    if (!cpu_conv2d_fits(&c.g)) return reel_kernel_run(&call->op->reference, call);
    if (call->inputs > 2) c.bias = call->input[2];
    cpu_convolve(&c);
    return REEL_OK;
}
