/* Convolutions by Winograd's filtering: see winograd.h.

   Kernels are transformed a group of slabs at a time, U[slab of output channels][point][input channel][lane]. Then a
   task takes a block of tiles through the three stages, in memory of its own:

       V[point][tile][input channel]     from x
       slab of output channels
           M[point][tile][lane] =        sum over input channels of V U, by the tiles of brgemm.h
           rows of y                     from M

   M and a point's V stay in the second-level cache. U streams by once for each block, so that blocks must not be small:
   an element of U serves as many products as a block has tiles. V is worked out once more for each group. */
#include "backends/cpu/winograd.h"

#include <omp.h>

enum {
    TILES = 112,             /* of a block, at most */
    INPUT_BYTES = 8 << 20,   /* of V, about */
    TASKS = 8,               /* slabs are shared out among tasks while there are fewer */
    DEPTH = 128,             /* input channels of a section, at most: its part of U stays in the first-level cache */
    KERNEL_BYTES = 48 << 20, /* of U, about */
};

typedef struct {
    const cpu_brgemm *kernel;
    const cpu_tiles *tiles;
    const cpu_winograd *way;
    cpu_winograd_grid grid;
    int64_t vectors, width;            /* of a slab: vectors, output channels */
    int64_t all, group, slabs, shares; /* slabs: in all, whose U is there at a time, of a task; tasks of a block */
    int64_t depth;                     /* input channels of a section */
    int64_t row, slice;                /* of V: from a tile to the next; channels packed at a time */
    int64_t u_plane, v_plane, m_plane; /* from a point to the next */
    size_t u, v, m, sums, room;        /* bytes: of U, and of what a thread needs */
} tiling;

static tiling tile(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    tiling t = {.kernel = cpu_brgemm_choose(dtype), .way = cpu_winograd_transforms(g->kh)};
    int64_t lanes = t.kernel->lanes, most = INPUT_BYTES / (g->cg * WINOGRAD_POINTS * cpu_size(REEL_F32));
    t.tiles = &t.kernel->apart;
    t.grid = cpu_winograd_cut(g, cpu_least(TILES, most));
    t.vectors = cpu_even(cpu_pieces(g->kg, lanes), t.tiles->vectors);
    t.width = t.vectors * lanes;
    t.u_plane = cpu_winograd_apart(g->cg * t.width);
    t.all = cpu_pieces(g->kg, t.width);
    t.group = cpu_even(t.all, KERNEL_BYTES / (WINOGRAD_POINTS * t.u_plane * cpu_size(REEL_F32)));
    t.slabs = cpu_even(t.group, t.group / cpu_pieces(TASKS, t.grid.blocks));
    t.shares = cpu_pieces(t.group, t.slabs);
    t.depth = cpu_even(g->cg, DEPTH);
    t.row = cpu_winograd_apart(g->cg);
    t.slice = 2 * lanes;
    t.v_plane = cpu_winograd_apart(t.grid.rows * t.grid.columns * t.row);
    t.m_plane = cpu_winograd_apart(t.grid.rows * t.grid.columns * t.width);
    t.u = cpu_winograd_bytes(t.group * WINOGRAD_POINTS * t.u_plane);
    t.v = cpu_winograd_bytes(WINOGRAD_POINTS * t.v_plane);
    t.m = cpu_winograd_bytes(WINOGRAD_POINTS * t.m_plane);
    t.sums = cpu_winograd_bytes(t.way->outputs * t.way->outputs * t.grid.columns * t.width);
    t.room = t.v + t.m + t.sums + cpu_winograd_bytes(cpu_winograd_room(&t.grid, g->kh - 1, t.slice));
    size_t packed = cpu_winograd_bytes(t.depth * g->kh * g->kw * t.width);
    if (t.room < packed) t.room = packed;
    return t;
}

size_t cpu_winograd_scratch(const reel_conv2d_geometry *g, reel_dtype dtype, int threads)
{
    tiling t = tile(g, dtype);
    return t.u + t.room * (size_t)threads;
}

/* U of one slab, the `place`-th that is there, and one section of input channels. */
static void transform_kernels(const cpu_convolution *c, const tiling *t, int64_t slab, int64_t place, int64_t c0,
                              float *u, char *room)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t k0 = slab * t->width, depth = cpu_least(t->depth, g->cg - c0);
    cpu_conv2d_pack_weight(c, 0, k0, cpu_least(t->width, g->kg - k0), t->vectors, c0, depth, room);
    t->way->weight((const float *)(void *)room, depth, t->vectors,
                   u + place * WINOGRAD_POINTS * t->u_plane + c0 * t->width, t->u_plane);
}

/* What a task works on. */
typedef struct {
    const cpu_convolution *c;
    const tiling *t;
    cpu_winograd_block block;
    float *v, *m, *sums;
} work;

/* M of a slab whose kernels are u. */
static void multiply(const work *k, const float *u)
{
    static const float nothing[CPU_WINOGRAD_LANES];
    const tiling *t = k->t;
    int64_t channels = k->c->g.cg, tiles = k->block.rows * k->block.columns;
    int64_t most = cpu_even(tiles, t->tiles->points[t->vectors - 1]);
    for (int64_t s = 0; s < WINOGRAD_POINTS; s++)
        for (int64_t c0 = 0; c0 < channels; c0 += t->depth) {
            cpu_walk walk = {cpu_least(t->depth, channels - c0), 1, 1, NULL, t->row};
            const float *v = k->v + s * t->v_plane + c0, *w = u + s * t->u_plane + c0 * t->width;
            float *m = k->m + s * t->m_plane;
            for (int64_t i = 0; i < tiles; i += most, v += most * t->row, m += most * t->width)
                t->tiles->tile[t->vectors - 1][cpu_least(most, tiles - i) - 1](&walk, v, w, c0 ? m : nothing,
                                                                               c0 ? t->width : 0, m, t->width);
        }
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
static void run_task(const cpu_convolution *c, const tiling *t, int64_t task, int64_t first, const float *u, char *room)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t place = task % t->shares * t->slabs, end = cpu_least(place + t->slabs, cpu_least(t->group, t->all - first));
    work k = {c,
              t,
              cpu_winograd_block_of(&t->grid, task / t->shares),
              (float *)(void *)room,
              (float *)(void *)(room + t->v),
              (float *)(void *)(room + t->v + t->m)};
    cpu_winograd_picture x = {t->kernel, t->way->input, &c->x, 0, g->cg, -g->top, -g->left, g->kh - 1, t->slice};
    if (place < end)
        cpu_winograd_fill(&t->grid, &k.block, &x, (float *)(void *)(room + t->v + t->m + t->sums), k.v, t->v_plane,
                          t->row);
    for (; place < end; place++) {
        multiply(&k, u + place * WINOGRAD_POINTS * t->u_plane);
        write_slab(&k, first + place);
    }
}

void cpu_winograd_convolve(const cpu_convolution *c)
{
    tiling t = tile(&c->g, c->x.dtype);
    int64_t sections = cpu_pieces(c->g.cg, t.depth);
    float *u = (float *)(void *)c->scratch;
#pragma omp parallel num_threads(c->threads)
    {
        char *room = c->scratch + t.u + (size_t)omp_get_thread_num() * t.room;
        for (int64_t first = 0; first < t.all; first += t.group) {
            int64_t there = cpu_least(t.group, t.all - first);
#pragma omp for schedule(dynamic)
            for (int64_t i = 0; i < there * sections; i++)
                transform_kernels(c, &t, first + i / sections, i / sections, i % sections * t.depth, u, room);
#pragma omp for schedule(dynamic)
            for (int64_t task = 0; task < t.grid.blocks * t.shares; task++) run_task(c, &t, task, first, u, room);
        }
    }
}
