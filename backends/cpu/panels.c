/* Convolutions by panels of pixels: see panels.h.

   A task makes some output channels of a band of pixels:

       task (images, group, band, some output channels)
           section of terms:
               panel of pixels:                copy x, panel [term][pixel]
                   tile of output channels:    the kernel of brgemm.h; behind the last section, rows of y

   A panel is as wide as a tile has lanes, and its section stays in the first-level cache while all output channels meet
   it. The weights are read where they lie, a row of terms for each output channel; others (bf16, or turned for the
   gradient) are made so first.

   Each row of a panel is copied from a place of its own: for a pointwise kernel from its channel of x, and pixels are
   numbered through all images, so that a panel may go on from one to the next. For others it is copied, line by line,
   from a padded copy of the rows that the band reads. */
#include "backends/cpu/panels.h"

#include "core/bf16.h"
#include "core/clones.h"
#include "core/element.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    BAND = 8,               /* panels of a task, at most, */
    WIDER = 32,             /* and where columns must be made, from rows that each band packs anew */
    TASKS = 16,             /* smaller bands, then shares of output channels, while there are fewer tasks */
    DEPTH = 128,            /* terms of a section, at most */
    SUMS_BYTES = 768 << 10, /* of a task, at most, about */
    ROWS = 64,              /* output channels whose weights are packed at a time */
    LEAST = 512,            /* pixels */
    MANY = 4096,            /* pixels of all groups, at least, where columns must be made */
    SHARE = 32,             /* output channels of a task, at least, there */
    WIDTH = CPU_VECTORS * 16,
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    int64_t images;                /* apart from each other: 1 where pixels are numbered through all of them */
    int64_t pixels, width, panels; /* of such an image; of a panel; in the image */
    int64_t band, bands;           /* panels of a task */
    int64_t share, shares;         /* output channels of a task */
    int64_t terms, depth;          /* in all, and of a section */
    bool packs;                    /* whether the weights must be packed */
    int64_t w_row;                 /* elements of the weights from an output channel to the next */
    cpu_band rows;                 /* of x, padded, for a task */
    int64_t line, reach;           /* outputs in a line, and what they read of x from a line to the next */
    int64_t offset[DEPTH];         /* where a row of the panel begins */
    size_t w, x, panel, sums;      /* bytes: of packed weights, and of what a thread needs */
} tiling;

/* Where a term's row begins, in elements. */
static void set_offsets(const reel_conv2d_geometry *g, tiling *t)
{
    int64_t positions = g->kh * g->kw;
    for (int64_t i = 0; i < t->depth; i++)
        t->offset[i] =
            t->x ? i / positions * t->rows.plane + cpu_conv2d_offset(g, &t->rows, i % positions / g->kw, i % g->kw)
                 : i * g->h * g->w;
}

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype, bool packs)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype), .terms = cpu_panels_terms(g), .packs = packs};
    int64_t lanes = t.kernel->lanes, e = cpu_size(t.kernel->packed);
    bool columns = !cpu_pointwise(g);
    t.tiles = &t.kernel->apart;
    t.images = columns ? g->n : 1;
    t.pixels = g->n / t.images * g->p * g->q;
    t.width = cpu_even(cpu_pieces(t.pixels, lanes), t.tiles->vectors) * lanes;
    t.panels = cpu_pieces(t.pixels, t.width);
    t.band = cpu_even(t.panels, cpu_least(columns ? WIDER : BAND, t.images * t.panels * g->groups / TASKS));
    t.bands = cpu_pieces(t.panels, t.band);
    int64_t most =
        cpu_least(g->kg / cpu_pieces(TASKS, t.images * g->groups * t.bands), SUMS_BYTES / (t.band * t.width * e));
    t.share = cpu_even(g->kg, columns ? cpu_most(most, SHARE) : most);
    t.shares = cpu_pieces(g->kg, t.share);
    t.depth = cpu_even(t.terms, DEPTH);
    t.w_row = packs ? (cpu_pieces(t.terms, lanes) | 1) * lanes : t.terms; /* odd: rows do not meet in a cache */
    t.w = packs ? cpu_conv2d_aligned((size_t)(g->groups * g->kg * t.w_row * e)) : 0;
    t.rows = cpu_conv2d_band(g, (t.band * t.width - 1) / g->q + 2);
    t.x = columns ? cpu_conv2d_aligned((size_t)(g->cg * t.rows.plane * e)) : 0;
    t.line = columns ? g->q : g->p * g->q;
    t.reach = columns ? t.rows.width : t.line;
    t.panel = cpu_conv2d_aligned((size_t)(t.depth * t.width * e));
    t.sums = cpu_conv2d_aligned((size_t)((t.depth < t.terms ? t.band * t.share : 0) * t.width * e));
    set_offsets(g, &t);
    return t;
}

bool cpu_panels_serve(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    int64_t pixels = g->n * g->p * g->q;
    bool few = cpu_panels_terms(g) <= DEPTH && g->p * g->q >= LEAST && pixels * g->groups >= MANY;
    return cpu_brgemm_choose(dtype)->terms == 1 && (few || (cpu_pointwise(g) && pixels >= LEAST));
}

static size_t room_bytes(const tiling *t)
{
    return t->x + t->panel + t->sums;
}

size_t cpu_panels_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype, true);
    return t.w + room_bytes(&t) * (size_t)threads;
}

/* Kernels from element `first` on, [input channel][output channel][position], become rows whose positions are turned by
   half a circle. */
static void turn_kernels(const cpu_convolution *c, const tiling *t, int64_t first, int64_t rows, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t positions = g->kh * g->kw, size = cpu_size(c->w.dtype), e = cpu_size(t->kernel->packed);
    const char *last = (const char *)c->w.data + (first + positions - 1) * size;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t channel = 0; channel < g->cg; channel++)
            cpu_conv2d_copy(last + (channel * g->kg + i) * positions * size, c->w.dtype, -1, positions,
                            to + (i * t->w_row + channel * positions) * e, t->kernel->packed);
}

/* The weights of some output channels of a group. */
static void pack_rows(const cpu_convolution *c, const tiling *t, int64_t group, int64_t k0)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(t->kernel->packed), size = cpu_size(c->w.dtype), rows = cpu_least(ROWS, g->kg - k0);
    int64_t positions = g->kh * g->kw, first = (group * g->cg * g->kg + k0) * positions;
    char *to = c->scratch + (group * g->kg + k0) * t->w_row * e;
    const char *from = (const char *)c->w.data + (group * g->kg + k0) * t->terms * size;
    if (c->turned && positions > 1)
        turn_kernels(c, t, first, rows, to);
    else if (c->turned)
        cpu_conv2d_turn(t->kernel, &c->w, first, g->kg, g->cg, rows, to, t->w_row);
    else
        for (int64_t i = 0; i < rows; i++, from += t->terms * size, to += t->w_row * e)
            cpu_conv2d_copy(from, c->w.dtype, 1, t->terms, to, t->kernel->packed);
}

/* What a task works on. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    int64_t image, group, k0, channels; /* output channels within the group */
    int64_t pixel, pixels;              /* of the image */
    const char *w;
    char *x, *panel, *sums;
} work;

/* Some pixels of a panel that lie side by side in an image: the first one's number there and in the panel. */
typedef struct {
    int64_t image, first, at, count;
} piece;

typedef struct {
    int64_t number, pixels, vectors;
    int pieces;
    piece piece[WIDTH];
} panel;

static void set_panel(const work *k, int64_t number, panel *p)
{
    int64_t plane = k->c->g.p * k->c->g.q, pixel = k->pixel + number * k->t->width;
    int64_t image = pixel / plane, first = pixel % plane;
    p->number = number;
    p->pixels = cpu_least(k->t->width, k->pixels - number * k->t->width);
    p->vectors = cpu_pieces(p->pixels, k->t->kernel->lanes);
    int64_t at = 0;
    p->pieces = 0;
    do {
        piece *i = &p->piece[p->pieces++];
        *i = (piece){k->image + image, first, at, cpu_least(plane - first, p->pixels - at)};
        at += i->count, image++, first = 0;
    } while (at < p->pixels);
}

typedef char line __attribute__((vector_size(64), aligned(1), may_alias));

/* Row i is copied from offset[i] elements of e bytes behind `from`. */
CLONES static void copy_rows(const char *from, const int64_t *offset, int64_t e, int64_t rows, int64_t bytes, char *to,
                             int64_t to_row)
{
    int64_t lines = bytes / 64, rest = bytes % 64;
    for (int64_t i = 0; i < rows; i++, to += to_row) {
        const char *row = from + offset[i] * e;
        for (int64_t l = 0; l < lines; l++) ((line *)(void *)to)[l] = ((const line *)(const void *)row)[l];
        if (rest) memcpy(to + lines * 64, row + lines * 64, (size_t)rest);
    }
}

/* A piece of a section's rows, a line of outputs at a time. */
static void copy_lines(const work *k, const piece *p, int64_t t0, int64_t depth, int64_t row)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    reel_dtype packed = t->kernel->packed, dtype = t->x ? packed : k->c->x.dtype;
    int64_t plane = (p->image * g->c + k->group * g->cg + t0) * g->h * g->w, size = cpu_size(dtype);
    int64_t top = t->x ? k->pixel / g->q : 0; /* the line of outputs that `x` begins with */
    const char *x = t->x ? k->x : (const char *)k->c->x.data + plane * size;
    for (int64_t i = 0, count; i < p->count; i += count) {
        int64_t first = p->first + i, at = first % t->line;
        const char *from = x + ((first / t->line - top) * t->reach + at) * size;
        char *to = k->panel + (p->at + i) * cpu_size(packed);
        count = cpu_least(p->count - i, t->line - at);
        if (dtype == packed)
            copy_rows(from, t->offset, size, depth, count * size, to, row * size);
        else
            for (int64_t r = 0; r < depth; r++)
                cpu_conv2d_copy(from + t->offset[r] * size, dtype, 1, count, to + r * row * cpu_size(packed), packed);
    }
}

static void copy_panel(const work *k, const panel *p, int64_t t0, int64_t depth)
{
    int64_t row = p->vectors * k->t->kernel->lanes;
    if (p->pixels < row) memset(k->panel, 0, (size_t)(depth * row * cpu_size(k->t->kernel->packed)));
    for (int i = 0; i < p->pieces; i++) copy_lines(k, &p->piece[i], t0, depth, row);
}

/* Rows of a picture, far apart, that will be read or written soon. They are asked for bit by bit while a panel is
   multiplied, since the processor does not see them coming. */
typedef struct {
    const char *at;
    int64_t row, rows, bytes;
} ahead;

/* What the next panel of a section, or the first one of the next, reads first of x, if x is read where it lies. */
static ahead ahead_of(const work *k, const panel *p, int64_t t0)
{
    const reel_conv2d_geometry *g = &k->c->g;
    int64_t number = p->number + 1, x = cpu_size(k->c->x.dtype), plane = g->h * g->w;
    if (number * k->t->width >= k->pixels) number = 0, t0 += k->t->depth;
    if (k->t->x || t0 >= k->t->terms) return (ahead){0};
    int64_t pixel = k->pixel + number * k->t->width, channel = pixel / plane * g->c + k->group * g->cg + t0;
    int64_t most = cpu_least(k->t->width, k->pixels - number * k->t->width);
    return (ahead){(const char *)k->c->x.data + (channel * plane + pixel % plane) * x, plane * x,
                   cpu_least(k->t->depth, k->t->terms - t0), cpu_least(most, plane - pixel % plane) * x};
}

/* What the panel writes first of y. */
static ahead behind(const work *k, const panel *p)
{
    const reel_conv2d_geometry *g = &k->c->g;
    int64_t y = cpu_size(k->c->y.dtype), plane = g->p * g->q;
    int64_t channel = p->piece[0].image * g->k + k->group * g->kg + k->k0;
    return (ahead){(const char *)k->c->y.data + (channel * plane + p->piece[0].first) * y, plane * y, k->channels,
                   p->piece[0].count * y};
}

static void fetch(ahead *a, int64_t rows)
{
    for (int64_t r = cpu_least(rows, a->rows); r > 0; r--, a->rows--, a->at += a->row)
        for (int64_t i = 0; i < a->bytes; i += 64) __builtin_prefetch(a->at + i, 0, 2);
}

#define FINISH(T, S, value)                                                                                            \
    for (int64_t r = 0; r < rows; r++) {                                                                               \
        S start = (S)bias[r], floor = (S)least;                                                                        \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            S v = ((const S *)sums)[r * row + i] + start;                                                              \
            v = floor > v ? floor : v;                                                                                 \
            ((T *)y)[r * plane + i] = value;                                                                           \
        }                                                                                                              \
    }

/* Rows of y, `plane` elements apart, from rows of sums. */
CLONES static void finish(const void *restrict sums, int64_t row, int64_t rows, int64_t count,
                          const double *restrict bias, double least, void *restrict y, int64_t plane, reel_dtype dtype)
{
    if (dtype == REEL_F32)
        FINISH(float, float, v)
    else if (dtype == REEL_F64)
        FINISH(double, double, v)
    else
        FINISH(reel_bf16, float, reel_bf16_from_float(v))
}

/* Output channels from k on of a panel. */
static void write_rows(const work *k, const panel *p, int64_t first, int64_t channels, const char *sums)
{
    const cpu_convolution *c = k->c;
    int64_t plane = c->g.p * c->g.q, k0 = k->group * c->g.kg + k->k0 + first, row = p->vectors * k->t->kernel->lanes;
    double bias[CPU_POINTS] = {0};
    for (int64_t i = 0; c->bias.data && i < channels; i++) bias[i] = reel_element(c->bias.data, c->bias.dtype, k0 + i);
    for (const piece *i = p->piece; i < p->piece + p->pieces; i++)
        finish(sums + i->at * cpu_size(k->t->kernel->packed), row, channels, i->count, bias, c->relu ? 0 : -INFINITY,
               (char *)c->y.data + ((i->image * c->g.k + k0) * plane + i->first) * cpu_size(c->y.dtype), plane,
               c->y.dtype);
}

/* A panel of a section meets its weights. */
static void multiply(const work *k, const panel *p, int64_t t0, int64_t depth)
{
    static const double nothing[WIDTH];
    _Alignas(64) double made[CPU_POINTS * WIDTH]; /* a tile of y, to be */
    const tiling *t = k->t;
    int64_t e = cpu_size(t->kernel->packed), row = p->vectors * t->kernel->lanes;
    int64_t most = cpu_even(k->channels, t->tiles->points[p->vectors - 1]);
    const char *w = k->w + ((k->group * k->c->g.kg + k->k0) * t->w_row + t0) * e;
    char *sums = k->sums + p->number * t->share * t->width * e;
    bool last = t0 + depth == t->terms;
    cpu_walk walk = {depth, 1, 1, NULL, t->w_row};
    /* Where terms are few, all waiting is for memory that is written, and asking makes it no less. */
    ahead next = ahead_of(k, p, t0), y = last && !t->x ? behind(k, p) : (ahead){0};
    int64_t rows = cpu_pieces(next.rows * most, k->channels);
    for (int64_t i = 0; i < k->channels; i += most, w += most * t->w_row * e, sums += most * row * e) {
        int64_t points = cpu_least(most, k->channels - i);
        fetch(&next, rows);
        fetch(&y, points);
        t->tiles->tile[p->vectors - 1][points - 1](&walk, w, k->panel, t0 ? (const void *)sums : nothing, t0 ? row : 0,
                                                   last ? (void *)made : sums, row);
        if (last) write_rows(k, p, i, points, (const char *)made);
    }
}

static void run_task(const cpu_convolution *c, const tiling *t, int64_t task, char *room)
{
    int64_t share = task % t->shares, band = task / t->shares % t->bands, rest = task / t->shares / t->bands;
    panel p;
    work k = {.c = c, .t = t, .group = rest % c->g.groups, .image = rest / c->g.groups};
    k.w = t->packs ? c->scratch : c->w.data;
    k.x = room, k.panel = room + t->x, k.sums = k.panel + t->panel;
    k.k0 = share * t->share;
    k.channels = cpu_least(t->share, c->g.kg - k.k0);
    k.pixel = band * t->band * t->width;
    k.pixels = cpu_least(t->band * t->width, t->pixels - k.pixel);
    if (t->x) cpu_conv2d_pack_band(c, &t->rows, k.image * c->g.c + k.group * c->g.cg, c->g.cg, k.pixel / c->g.q, k.x);
    for (int64_t t0 = 0; t0 < t->terms; t0 += t->depth) {
        int64_t depth = cpu_least(t->depth, t->terms - t0);
        for (int64_t number = 0; number * t->width < k.pixels; number++) {
            set_panel(&k, number, &p);
            copy_panel(&k, &p, t0, depth);
            multiply(&k, &p, t0, depth);
        }
    }
}

void cpu_panels_convolve(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype, c->turned || c->w.dtype != c->kernel->packed);
    int64_t groups = c->g.groups, blocks = cpu_pieces(c->g.kg, ROWS);
#pragma omp parallel num_threads(c->threads)
    {
        char *room = c->scratch + t.w + (size_t)omp_get_thread_num() * room_bytes(&t);
        if (t.packs) {
#pragma omp for schedule(dynamic)
            for (int64_t i = 0; i < groups * blocks; i++) pack_rows(c, &t, i / blocks, i % blocks * ROWS);
        }
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < t.images * groups * t.bands * t.shares; task++) run_task(c, &t, task, room);
    }
}
