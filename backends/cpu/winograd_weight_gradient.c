/* The weight's gradient by Winograd's filtering: see winograd.h.

   A task has some output channels, a section of the input channels, and a part of the blocks of tiles. For each block
   it works out the values of its channels of x and dy, and adds to its sums, which stay in the second-level cache,

       V[point][tile][input channel], slab of output channels: W[point][tile][lane]
           U[slab][point][input channel][lane] += sum over tiles of V W, by the tiles of brgemm.h

   Behind the last block U is turned into dw. Where there are few tasks of that kind, the blocks are cut into a fixed
   number of parts whose sums are added in order. Values are worked out once for each section that meets them. */
#include "backends/cpu/winograd.h"

#include <omp.h>

enum {
    TILES = 56,  /* of a block, at most */
    TASKS = 16,  /* slabs are shared out, then blocks in parts, while there are fewer */
    DEPTH = 128, /* input channels of a section, at most */
    SLABS = 2,   /* of a task, at most */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    const cpu_winograd *way;
    cpu_winograd_grid grid;
    int64_t depth, sections;               /* input channels of a section; sections */
    int64_t vectors, width, slabs, shares; /* of a slab: vectors, output channels; slabs of a task; such tasks */
    int64_t parts;                         /* of the blocks */
    int64_t row, slice;                    /* of V: from a tile to the next; channels packed at a time */
    int64_t v_plane, w_plane, u_plane;     /* from a point to the next */
    size_t v, w, x, packed, room, sums;    /* bytes; sums of a task, the others of a thread */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype), .way = cpu_winograd_transforms(g->kh)};
    int64_t lanes = t.kernel->lanes, all;
    t.tiles = &t.kernel->apart;
    t.grid = cpu_winograd_cut(g, TILES);
    t.depth = cpu_even(g->cg, DEPTH);
    t.sections = cpu_pieces(g->cg, t.depth);
    t.vectors = cpu_even(cpu_pieces(g->kg, lanes), t.tiles->vectors);
    t.width = t.vectors * lanes;
    all = cpu_pieces(g->kg, t.width);
    t.slabs = cpu_even(all, cpu_least(SLABS, all * t.sections * t.grid.blocks / TASKS));
    t.shares = cpu_pieces(all, t.slabs);
    t.parts = cpu_least(cpu_pieces(TASKS, t.shares * t.sections), t.grid.blocks);
    t.slice = 2 * lanes;
    t.row = cpu_winograd_apart(t.depth);
    int64_t tiles = t.grid.rows * t.grid.columns;
    t.v_plane = cpu_winograd_apart(tiles * t.row);
    t.w_plane = cpu_winograd_apart(tiles * t.width);
    t.u_plane = cpu_winograd_apart(t.depth * t.width);
    t.v = cpu_winograd_bytes(WINOGRAD_POINTS * t.v_plane);
    t.w = cpu_winograd_bytes(WINOGRAD_POINTS * t.w_plane);
    t.x = cpu_winograd_bytes(cpu_winograd_room(&t.grid, g->kh - 1, t.slice));
    t.packed = cpu_winograd_bytes((t.depth * g->kh * g->kw + lanes) * t.width);
    t.room = t.v + t.w + t.x;
    if (t.room < t.packed) t.room = t.packed;
    t.sums = cpu_winograd_bytes(t.slabs * WINOGRAD_POINTS * t.u_plane);
    return t;
}

/* What a task works on: a block of the weight. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    int64_t k0, channels, c0, depth;
    float *v, *w, *room, *sums;
} work;

static work work_of(const cpu_convolution *c, const tiling *t, int64_t set, char *room, float *sums)
{
    work k = {.c = c, .t = t, .k0 = set / t->sections * t->slabs * t->width, .c0 = set % t->sections * t->depth};
    k.channels = cpu_least(t->slabs * t->width, c->g.kg - k.k0);
    k.depth = cpu_least(t->depth, c->g.cg - k.c0);
    k.v = (float *)(void *)room;
    k.w = (float *)(void *)(room + t->v);
    k.room = (float *)(void *)(room + t->v + t->w);
    k.sums = sums;
    return k;
}

/* Adds the products of one block of `tiles` to the sums of one slab. */
static void add_products(const work *k, int64_t tiles, bool first, float *sums)
{
    static const float nothing[CPU_WINOGRAD_LANES];
    const tiling *t = k->t;
    int64_t most = cpu_even(k->depth, t->tiles->points[t->vectors - 1]);
    cpu_walk walk = {tiles, 1, t->row, NULL, 1};
    for (int64_t s = 0; s < WINOGRAD_POINTS; s++)
        for (int64_t c = 0; c < k->depth; c += most) {
            float *u = sums + s * t->u_plane + c * t->width;
            t->tiles->tile[t->vectors - 1][cpu_least(most, k->depth - c) - 1](
                &walk, k->v + s * t->v_plane + c, k->w + s * t->w_plane, first ? nothing : u, first ? 0 : t->width, u,
                t->width);
        }
}

static void sum_blocks(const work *k, int64_t from, int64_t until)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    cpu_winograd_picture x = {t->kernel, t->way->input, &k->c->x,  k->c0,   k->depth,
                              -g->top,   -g->left,      g->kh - 1, t->slice};
    for (int64_t number = from; number < until; number++) {
        cpu_winograd_block b = cpu_winograd_block_of(&t->grid, number);
        cpu_winograd_fill(&t->grid, &b, &x, k->room, k->v, t->v_plane, t->row);
        for (int64_t slab = 0; slab * t->width < k->channels; slab++) {
            int64_t lanes = cpu_least(t->width, k->channels - slab * t->width);
            cpu_winograd_picture dy = {t->kernel, t->way->gradient, &k->c->y, k->k0 + slab * t->width, lanes, 0, 0,
                                       0,         t->slice};
            cpu_winograd_fill(&t->grid, &b, &dy, k->room, k->w, t->w_plane, t->width);
            add_products(k, b.rows * b.columns, number == from, k->sums + slab * WINOGRAD_POINTS * t->u_plane);
        }
    }
}

/* Adds the parts of a set up and turns them into dw; `packed` is room for a slab of kernels. */
static void finish(const work *k, int64_t parts, int64_t part, float *packed)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    int64_t reach = g->cg * g->kh * g->kw, count = t->slabs * WINOGRAD_POINTS * t->u_plane;
    const char *end = (const char *)packed + t->packed;
    float *dw = (float *)k->c->w.data + k->k0 * reach + k->c0 * g->kh * g->kw;
    for (int64_t p = 1; p < parts; p++)
        for (int64_t i = 0; i < count; i++) k->sums[i] += k->sums[p * part + i];
    for (int64_t slab = 0; slab * t->width < k->channels; slab++) {
        t->way->weight_gradient(k->sums + slab * WINOGRAD_POINTS * t->u_plane, t->u_plane, k->depth, t->vectors,
                                packed);
        cpu_conv2d_write_weight(t->kernel, (const char *)packed, t->width, k->depth * g->kh * g->kw,
                                cpu_least(t->width, k->channels - slab * t->width), end,
                                (char *)(dw + slab * t->width * reach), reach);
    }
}

static int64_t sets_of(const tiling *t)
{
    return t->shares * t->sections;
}

size_t cpu_winograd_weight_gradient_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype);
    return t.sums * (size_t)(t.parts > 1 ? sets_of(&t) * t.parts : threads) + t.room * (size_t)threads;
}

void cpu_winograd_weight_gradient(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype);
    int64_t sets = sets_of(&t), blocks = t.grid.blocks;
    int64_t stride = (int64_t)(t.sums / sizeof(float)), kept = t.parts > 1 ? sets * t.parts : c->threads;
    float *sums = (float *)(void *)c->scratch;
    char *rooms = c->scratch + t.sums * (size_t)kept;
#pragma omp parallel num_threads(c->threads)
    {
        char *room = rooms + (size_t)omp_get_thread_num() * t.room;
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < sets * t.parts; task++) {
            int64_t part = task / sets;
            work k = work_of(c, &t, task % sets, room, sums + (t.parts > 1 ? task : omp_get_thread_num()) * stride);
            sum_blocks(&k, blocks * part / t.parts, blocks * (part + 1) / t.parts);
            if (t.parts == 1) finish(&k, 1, 0, (float *)(void *)room);
        }
#pragma omp for schedule(dynamic)
        for (int64_t set = 0; set < (t.parts > 1 ? sets : 0); set++) {
            work k = work_of(c, &t, set, room, sums + set * stride);
            finish(&k, t.parts, sets * stride, (float *)(void *)room);
        }
    }
}
