/* Convolutions by Winograd's filtering: see winograd.h.

   Kernels are transformed a group of slabs at a time, U[slab of output channels][point][input channel][lane]. Then a
   task takes a block of tiles through the three stages, in memory of its own:

       V[point][tile][input channel]     from x
       slab of output channels
           M[point][tile][lane] =        sum over input channels of V U, by the tiles of brgemm.h
           rows of y                     from M

   M and a point's V stay in the second-level cache. U streams by once for each block, so that blocks must not be small:
   an element of U serves as many products as a block has tiles. V is worked out once more for each group.

   Where all tiles make one block, U is larger than all else and serves once. Then it is the other way round: V is made
   first, for all, and a task takes a slab through the sections of input channels, whose kernels it transforms and
   multiplies while they are in its cache. */
#include "backends/cpu/winograd.h"

#include <omp.h>

enum {
    TILES = 112,             /* of a block, at most; */
    ONCE_TILES = 150,        /* where U serves once: M still stays in the second-level cache */
    INPUT_BYTES = 8 << 20,   /* of V, about; */
    ONCE_BYTES = 16 << 20,   /* where U serves once */
    KERNEL_BYTES = 48 << 20, /* of U, about; */
    CACHED_BYTES = 4 << 20,  /* and so small that it may as well be there at once */
    TASKS = 8,               /* slabs are shared out among tasks while there are fewer */
    DEPTH = 128,             /* input channels of a section, at most: its part of U stays in the first-level cache; */
    ONCE_DEPTH = 64,         /* where U serves once, that of all points in the second-level cache */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    const cpu_winograd *way;
    cpu_winograd_grid grid;
    bool once;                         /* one block of tiles */
    int64_t vectors, width;            /* of a slab: vectors, output channels */
    int64_t all, group, slabs, shares; /* slabs: in all, whose U is there at a time, of a task; tasks of a block */
    int64_t depth;                     /* input channels of a section */
    int64_t row, slice;                /* of V: from a tile to the next; channels packed at a time */
    int64_t u_plane, v_plane, m_plane; /* from a point to the next */
    size_t u, v, m, sums, room;        /* bytes: of U (or a section of it), V, M; and of all that a thread needs */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype), .way = cpu_winograd_transforms(g->kh)};
    int64_t lanes = t.kernel->lanes, channel = WINOGRAD_POINTS * cpu_size(REEL_F32);
    t.tiles = &t.kernel->apart;
    t.grid = cpu_winograd_cut(g, cpu_least(ONCE_TILES, ONCE_BYTES / (g->cg * channel)));
    t.once = t.grid.blocks == 1 && g->cg * g->kg * channel > CACHED_BYTES;
    if (!t.once) t.grid = cpu_winograd_cut(g, cpu_least(TILES, INPUT_BYTES / (g->cg * channel)));
    t.vectors = cpu_even(cpu_pieces(g->kg, lanes), t.tiles->vectors);
    t.width = t.vectors * lanes;
    t.depth = cpu_even(g->cg, t.once ? ONCE_DEPTH : DEPTH);
    t.u_plane = cpu_winograd_apart((t.once ? t.depth : g->cg) * t.width);
    t.all = cpu_pieces(g->kg, t.width);
    t.group = cpu_even(t.all, KERNEL_BYTES / (WINOGRAD_POINTS * t.u_plane * cpu_size(REEL_F32)));
    t.slabs = cpu_even(t.group, t.group / cpu_pieces(TASKS, t.grid.blocks));
    t.shares = cpu_pieces(t.group, t.slabs);
    t.row = cpu_winograd_apart(g->cg);
    t.slice = 2 * lanes;
    t.v_plane = cpu_winograd_apart(t.grid.rows * t.grid.columns * t.row);
    t.m_plane = cpu_winograd_apart(t.grid.rows * t.grid.columns * t.width);
    t.u = cpu_winograd_bytes((t.once ? 1 : t.group) * WINOGRAD_POINTS * t.u_plane);
    t.v = cpu_winograd_bytes(WINOGRAD_POINTS * t.v_plane);
    t.m = cpu_winograd_bytes(WINOGRAD_POINTS * t.m_plane);
    t.sums = cpu_winograd_bytes(t.way->outputs * t.way->outputs * t.grid.columns * t.width);
    int64_t packed = t.depth * g->kh * g->kw * t.width, picture = cpu_winograd_room(&t.grid, g->kh - 1, t.slice);
    t.room = (t.once ? t.u : t.v) + t.m + t.sums + cpu_winograd_bytes(cpu_most(packed, picture));
    return t;
}

size_t cpu_winograd_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype);
    return (t.once ? t.v : t.u) + t.room * (size_t)threads;
}

/* U of a slab and a section of input channels. */
static void transform_kernels(const cpu_convolution *c, const tiling *t, int64_t slab, int64_t c0, float *u,
                              float *packed)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t k0 = slab * t->width, depth = cpu_least(t->depth, g->cg - c0);
    cpu_conv2d_pack_weight(c, 0, k0, cpu_least(t->width, g->kg - k0), t->vectors, c0, depth, (char *)packed);
    t->way->weight(packed, depth, t->vectors, u, t->u_plane);
}

/* What a task works on. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    cpu_winograd_block block;
    float *v, *m, *sums, *room;
} work;

/* `room` holds U or V, whichever is not shared, then M and what is packed. */
static work work_on(const cpu_convolution *c, const tiling *t, int64_t block, float *v, char *room)
{
    float *m = (float *)(void *)(room + (t->once ? t->u : t->v)), *sums = m + t->m / sizeof *m;
    return (work){c, t, cpu_winograd_block_of(&t->grid, block), v, m, sums, sums + t->sums / sizeof *m};
}

/* V of some input channels from c0 on. */
static void transform_input(const work *k, int64_t c0, int64_t channels)
{
    const reel_conv2d_geometry *g = &k->c->g;
    cpu_winograd_picture x = {k->t->kernel, k->t->way->input, &k->c->x,  c0,         channels,
                              -g->top,      -g->left,         g->kh - 1, k->t->slice};
    cpu_winograd_fill(&k->t->grid, &k->block, &x, k->room, k->v + c0, k->t->v_plane, k->t->row);
}

/* Adds a section of input channels to M at point s; the kernels are u. */
static void multiply(const work *k, int64_t s, int64_t c0, const float *u)
{
    static const float nothing[CPU_WINOGRAD_LANES];
    const tiling *t = k->t;
    int64_t tiles = k->block.rows * k->block.columns, most = cpu_even(tiles, t->tiles->points[t->vectors - 1]);
    cpu_walk walk = {cpu_least(t->depth, k->c->g.cg - c0), 1, 1, NULL, t->row};
    const float *v = k->v + s * t->v_plane + c0;
    float *m = k->m + s * t->m_plane;
    for (int64_t i = 0; i < tiles; i += most, v += most * t->row, m += most * t->width)
        t->tiles->tile[t->vectors - 1][cpu_least(most, tiles - i) - 1](&walk, v, u, c0 ? m : nothing, c0 ? t->width : 0,
                                                                       m, t->width);
}

/* The rows of y that M makes. */
static void write_slab(const work *k, int64_t slab)
{
    const reel_conv2d_geometry *g = &k->c->g;
    const tiling *t = k->t;
    const cpu_winograd_block *b = &k->block;
    int64_t m = t->way->outputs, k0 = slab * t->width, lanes = cpu_least(t->width, g->kg - k0);
    int64_t line = b->columns * m * t->width, q0 = b->column * m, pixels = cpu_least(b->columns * m, g->q - q0);
    float bias[CPU_WINOGRAD_LANES] = {0};
    cpu_conv2d_bias(k->c, k0, lanes, bias);
    for (int64_t r = 0; r < b->rows; r++) {
        int64_t image = (b->row + r) / t->grid.down, p0 = (b->row + r) % t->grid.down * m;
        t->way->output(k->m + r * b->columns * t->width, t->m_plane, b->columns, t->vectors, bias, k->c->relu, k->sums);
        for (int64_t a = 0; a < cpu_least(m, g->p - p0); a++)
            cpu_conv2d_write(k->c, ((image * g->k + k0) * g->p + p0 + a) * g->q + q0, pixels, lanes, t->width,
                             (const char *)(k->sums + a * line));
    }
}

/* A block of tiles and some of the slabs from `first` on whose kernels are in u. */
static void run_block(const cpu_convolution *c, const tiling *t, int64_t task, int64_t first, const float *u,
                      char *room)
{
    int64_t place = task % t->shares * t->slabs, end = cpu_least(place + t->slabs, cpu_least(t->group, t->all - first));
    work k = work_on(c, t, task / t->shares, (float *)(void *)room, room);
    if (place < end) transform_input(&k, 0, c->g.cg);
    for (; place < end; place++) {
        for (int64_t s = 0; s < WINOGRAD_POINTS; s++)
            for (int64_t c0 = 0; c0 < c->g.cg; c0 += t->depth)
                multiply(&k, s, c0, u + (place * WINOGRAD_POINTS + s) * t->u_plane + c0 * t->width);
        write_slab(&k, first + place);
    }
}

static void convolve_blocks(const cpu_convolution *c, const tiling *t)
{
    int64_t sections = cpu_pieces(c->g.cg, t->depth);
    float *u = (float *)(void *)c->scratch;
#pragma omp parallel num_threads(c->threads)
    {
        char *room = c->scratch + t->u + (size_t)omp_get_thread_num() * t->room;
        for (int64_t first = 0; first < t->all; first += t->group) {
            int64_t there = cpu_least(t->group, t->all - first);
#pragma omp for schedule(dynamic)
            for (int64_t i = 0; i < there * sections; i++) {
                int64_t place = i / sections, c0 = i % sections * t->depth;
                transform_kernels(c, t, first + place, c0, u + place * WINOGRAD_POINTS * t->u_plane + c0 * t->width,
                                  (float *)(void *)room);
            }
#pragma omp for schedule(dynamic)
            for (int64_t task = 0; task < t->grid.blocks * t->shares; task++) run_block(c, t, task, first, u, room);
        }
    }
}

/* A slab and all tiles, whose values are in k->v. */
static void run_slab(const work *k, int64_t slab, float *u)
{
    for (int64_t c0 = 0; c0 < k->c->g.cg; c0 += k->t->depth) {
        transform_kernels(k->c, k->t, slab, c0, u, k->room);
        for (int64_t s = 0; s < WINOGRAD_POINTS; s++) multiply(k, s, c0, u + s * k->t->u_plane);
    }
    write_slab(k, slab);
}

static void convolve_once(const cpu_convolution *c, const tiling *t)
{
#pragma omp parallel num_threads(c->threads)
    {
        char *room = c->scratch + t->v + (size_t)omp_get_thread_num() * t->room;
        work k = work_on(c, t, 0, (float *)(void *)c->scratch, room);
#pragma omp for schedule(dynamic)
        for (int64_t c0 = 0; c0 < c->g.cg; c0 += t->slice) transform_input(&k, c0, cpu_least(t->slice, c->g.cg - c0));
#pragma omp for schedule(dynamic)
        for (int64_t slab = 0; slab < t->all; slab++) run_slab(&k, slab, (float *)(void *)room);
    }
}

void cpu_winograd_convolve(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype);
    if (t.once)
        convolve_once(c, &t);
    else
        convolve_blocks(c, &t);
}
