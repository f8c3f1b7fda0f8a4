/* Pointwise convolutions: see pointwise.h.

   A task makes some output channels of a band of pixels:

       task (group, band, some output channels)
           section of input channels:              copy x, panel [input channel][pixel]
               panel, tile of output channels:     the kernel of brgemm.h
           rows of y                               from sums, panel [output channel][pixel]

   A panel is as wide as a tile has lanes, and its section stays in the first-level cache while all output channels meet
   it. Pixels are numbered through all images, so that a panel may go on from one to the next. The weights are read
   where they lie, a row of input channels for each output channel; others (bf16, or turned for the gradient) are made
   so first. */
#include "backends/cpu/pointwise.h"

#include "core/bf16.h"
#include "core/clones.h"
#include "core/element.h"

#include <omp.h>
#include <string.h>

enum {
    BAND = 8,               /* panels of a task, at most */
    TASKS = 16,             /* smaller bands, then shares of output channels, while there are fewer tasks */
    DEPTH = 128,            /* input channels of a section, at most */
    SUMS_BYTES = 768 << 10, /* of a task, at most, about */
    ROWS = 64,              /* output channels whose weights are packed at a time */
    LEAST = 512,            /* pixels */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    int64_t pixels, width, panels; /* of all images; of a panel; in all */
    int64_t band, bands;           /* panels of a task */
    int64_t share, shares;         /* output channels of a task */
    int64_t depth;                 /* input channels of a section */
    bool packs;                    /* whether the weights must be packed */
    int64_t w_row;                 /* elements of the weights from an output channel to the next */
    size_t w, x, sums;             /* bytes: of packed weights, and of what a thread needs */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype, bool packs)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype), .pixels = g->n * g->h * g->w, .packs = packs};
    int64_t lanes = t.kernel->lanes, e = cpu_size(t.kernel->packed);
    t.tiles = &t.kernel->apart;
    t.width = cpu_even(cpu_pieces(t.pixels, lanes), t.tiles->vectors) * lanes;
    t.panels = cpu_pieces(t.pixels, t.width);
    t.band = cpu_even(t.panels, cpu_least(BAND, t.panels * g->groups / TASKS));
    t.bands = cpu_pieces(t.panels, t.band);
    int64_t most = cpu_least(g->kg / cpu_pieces(TASKS, g->groups * t.bands), SUMS_BYTES / (t.band * t.width * e));
    t.share = cpu_even(g->kg, most);
    t.shares = cpu_pieces(g->kg, t.share);
    t.depth = cpu_even(g->cg, DEPTH);
    t.w_row = packs ? (cpu_pieces(g->cg, lanes) | 1) * lanes : g->cg; /* odd: rows do not meet in a cache */
    t.w = packs ? cpu_conv2d_aligned((size_t)(g->groups * g->kg * t.w_row * e)) : 0;
    t.x = cpu_conv2d_aligned((size_t)(t.depth * t.width * e));
    t.sums = cpu_conv2d_aligned((size_t)(t.band * t.share * t.width * e));
    return t;
}

bool cpu_pointwise_serves(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    return cpu_pointwise(g) && cpu_brgemm_choose(dtype)->terms == 1 && g->n * g->h * g->w >= LEAST;
}

size_t cpu_pointwise_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype, true);
    return t.w + (t.x + t.sums) * (size_t)threads;
}

/* The weights of some output channels of a group. */
static void pack_rows(const cpu_convolution *c, const tiling *t, int64_t group, int64_t k0)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(t->kernel->packed), rows = cpu_least(ROWS, g->kg - k0);
    char *to = c->scratch + (group * g->kg + k0) * t->w_row * e;
    if (c->turned) {
        cpu_conv2d_turn(t->kernel, &c->w, group * g->cg * g->kg + k0, g->kg, g->cg, rows, to, t->w_row);
        return;
    }
    const char *from = (const char *)c->w.data + (group * g->kg + k0) * g->cg * cpu_size(c->w.dtype);
    for (int64_t i = 0; i < rows; i++)
        cpu_conv2d_copy(from + i * g->cg * cpu_size(c->w.dtype), c->w.dtype, 1, g->cg, to + i * t->w_row * e,
                        t->kernel->packed);
}

/* What a task works on. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    int64_t group, k0, channels; /* output channels within the group */
    int64_t pixel, pixels;
    const char *w;
    char *x, *sums;
} work;

/* Pixels of a panel and, in vectors, its width. */
static int64_t pixels_of(const work *k, int64_t panel)
{
    return cpu_least(k->t->width, k->pixels - panel * k->t->width);
}

static int64_t vectors_of(const work *k, int64_t panel)
{
    return cpu_pieces(pixels_of(k, panel), k->t->kernel->lanes);
}

/* Some pixels of a panel that lie side by side. */
typedef struct {
    int64_t image, first, at, count; /* first pixel, in the image and in the panel */
} piece;

/* The piece that follows in a panel; count is 0 behind the last. */
static piece next_piece(const work *k, int64_t panel, piece p)
{
    int64_t plane = k->c->g.h * k->c->g.w, at = p.at + p.count, pixel = k->pixel + panel * k->t->width + at;
    return (piece){pixel / plane, pixel % plane, at, cpu_least(plane - pixel % plane, pixels_of(k, panel) - at)};
}

typedef char line __attribute__((vector_size(64), aligned(1), may_alias));

CLONES static void copy_rows(const char *from, int64_t from_row, int64_t rows, int64_t bytes, char *to, int64_t to_row)
{
    int64_t lines = bytes / 64, rest = bytes % 64;
    for (int64_t i = 0; i < rows; i++, from += from_row, to += to_row) {
        for (int64_t l = 0; l < lines; l++) ((line *)(void *)to)[l] = ((const line *)(const void *)from)[l];
        if (rest) memcpy(to + lines * 64, from + lines * 64, (size_t)rest);
    }
}

static void copy_panel(const work *k, int64_t panel, int64_t c0, int64_t depth)
{
    const reel_conv2d_geometry *g = &k->c->g;
    reel_dtype dtype = k->c->x.dtype, packed = k->t->kernel->packed;
    int64_t row = vectors_of(k, panel) * k->t->kernel->lanes, plane = g->h * g->w, x = cpu_size(dtype),
            e = cpu_size(packed);
    if (pixels_of(k, panel) < row) memset(k->x, 0, (size_t)(depth * row * e));
    for (piece p = next_piece(k, panel, (piece){0}); p.count; p = next_piece(k, panel, p)) {
        int64_t channel = p.image * g->c + k->group * g->cg + c0;
        const char *from = (const char *)k->c->x.data + (channel * plane + p.first) * x;
        char *to = k->x + p.at * e;
        if (dtype == packed)
            copy_rows(from, plane * x, depth, p.count * x, to, row * e);
        else
            for (int64_t i = 0; i < depth; i++, from += plane * x, to += row * e)
                cpu_conv2d_copy(from, dtype, 1, p.count, to, packed);
    }
}

/* What the next panel of a section, or the first one of the next, reads first. It is asked for bit by bit while this
   one is multiplied: rows of x lie so far apart that the processor does not see them coming. */
typedef struct {
    const char *at;
    int64_t row, rows, bytes;
} ahead;

static ahead ahead_of(const work *k, int64_t panel, int64_t c0)
{
    const reel_conv2d_geometry *g = &k->c->g;
    bool last = ++panel * k->t->width >= k->pixels;
    if (last) panel = 0, c0 += k->t->depth;
    if (c0 >= g->cg) return (ahead){0};
    piece p = next_piece(k, panel, (piece){0});
    int64_t x = cpu_size(k->c->x.dtype), plane = g->h * g->w, channel = p.image * g->c + k->group * g->cg + c0;
    return (ahead){(const char *)k->c->x.data + (channel * plane + p.first) * x, plane * x,
                   cpu_least(k->t->depth, g->cg - c0), p.count * x};
}

static void fetch(ahead *a, int64_t rows)
{
    for (int64_t r = cpu_least(rows, a->rows); r > 0; r--, a->rows--, a->at += a->row)
        for (int64_t i = 0; i < a->bytes; i += 64) __builtin_prefetch(a->at + i, 0, 2);
}

/* A panel of a section meets its weights. */
static void multiply(const work *k, int64_t panel, int64_t c0, int64_t depth)
{
    static const double nothing[CPU_VECTORS * 16];
    const tiling *t = k->t;
    int64_t e = cpu_size(t->kernel->packed), vectors = vectors_of(k, panel), row = vectors * t->kernel->lanes;
    int64_t most = cpu_even(k->channels, t->tiles->points[vectors - 1]);
    const char *w = k->w + ((k->group * k->c->g.kg + k->k0) * t->w_row + c0) * e;
    char *sums = k->sums + panel * t->share * t->width * e;
    cpu_walk walk = {depth, 1, 1, NULL, t->w_row};
    ahead next = ahead_of(k, panel, c0);
    int64_t rows = cpu_pieces(next.rows * most, k->channels);
    for (int64_t i = 0; i < k->channels; i += most, w += most * t->w_row * e, sums += most * row * e) {
        fetch(&next, rows);
        t->tiles->tile[vectors - 1][cpu_least(most, k->channels - i) - 1](
            &walk, w, k->x, c0 ? (const void *)sums : nothing, c0 ? row : 0, sums, row);
    }
}

#define FINISH(T, S, value)                                                                                            \
    for (int64_t i = 0; i < count; i++) {                                                                              \
        S v = ((const S *)sums)[i] + (S)bias;                                                                          \
        v = relu && v <= 0 ? 0 : v;                                                                                    \
        ((T *)y)[i] = value;                                                                                           \
    }

CLONES static void finish(const void *sums, double bias, bool relu, int64_t count, void *y, reel_dtype dtype)
{
    if (dtype == REEL_F32)
        FINISH(float, float, v)
    else if (dtype == REEL_F64)
        FINISH(double, double, v)
    else
        FINISH(reel_bf16, float, reel_bf16_from_float(v))
}

static void write_rows(const work *k)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    int64_t e = cpu_size(t->kernel->packed), plane = g->h * g->w;
    for (int64_t i = 0; i < k->channels; i++) {
        int64_t channel = k->group * g->kg + k->k0 + i;
        double bias = k->c->bias.data ? reel_element(k->c->bias.data, k->c->bias.dtype, channel) : 0;
        for (int64_t panel = 0; panel * t->width < k->pixels; panel++) {
            const char *sums =
                k->sums + (panel * t->share * t->width + i * vectors_of(k, panel) * t->kernel->lanes) * e;
            for (piece p = next_piece(k, panel, (piece){0}); p.count; p = next_piece(k, panel, p))
                finish(sums + p.at * e, bias, k->c->relu, p.count,
                       (char *)k->c->y.data + ((p.image * g->k + channel) * plane + p.first) * cpu_size(k->c->y.dtype),
                       k->c->y.dtype);
        }
    }
}

static void run_task(const cpu_convolution *c, const tiling *t, int64_t task, char *room)
{
    int64_t share = task % t->shares, band = task / t->shares % t->bands;
    work k = {.c = c, .t = t, .group = task / t->shares / t->bands, .x = room, .sums = room + t->x};
    k.w = t->packs ? c->scratch : c->w.data;
    k.k0 = share * t->share;
    k.channels = cpu_least(t->share, c->g.kg - k.k0);
    k.pixel = band * t->band * t->width;
    k.pixels = cpu_least(t->band * t->width, t->pixels - k.pixel);
    for (int64_t c0 = 0; c0 < c->g.cg; c0 += t->depth) {
        int64_t depth = cpu_least(t->depth, c->g.cg - c0);
        for (int64_t panel = 0; panel * t->width < k.pixels; panel++) {
            copy_panel(&k, panel, c0, depth);
            multiply(&k, panel, c0, depth);
        }
    }
    write_rows(&k);
}

void cpu_pointwise_convolve(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype, c->turned || c->w.dtype != c->kernel->packed);
    int64_t groups = c->g.groups, blocks = cpu_pieces(c->g.kg, ROWS);
#pragma omp parallel num_threads(c->threads)
    {
        char *room = c->scratch + t.w + (size_t)omp_get_thread_num() * (t.x + t.sums);
        if (t.packs) {
#pragma omp for schedule(dynamic)
            for (int64_t i = 0; i < groups * blocks; i++) pack_rows(c, &t, i / blocks, i % blocks * ROWS);
        }
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < groups * t.bands * t.shares; task++) run_task(c, &t, task, room);
    }
}
