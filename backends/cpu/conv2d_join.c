/* Packing for kernels whose steps have several terms: see conv2d.h and brgemm.h. What conv2d_pack.c makes, elements of
   bf16 in planes or vectors, is set aside for one step's channels, and then the terms of a step are brought together:
   channels of a pixel by turning planes, the two of a pair by weaving vectors. Channels that are missing in the last
   step are zero on both sides. */
#include "backends/cpu/conv2d.h"

#include "core/bf16.h"
#include "core/clones.h"

#include <string.h>

size_t cpu_conv2d_join_room(const reel_conv2d_geometry *g, const cpu_brgemm *kernel, const cpu_band *b, int64_t width)
{
    int64_t elements = kernel->terms * cpu_most(b->plane, g->kh * g->kw * width);
    return kernel->terms > 1 ? cpu_conv2d_aligned((size_t)(elements * cpu_size(kernel->packed))) : 0;
}

void cpu_conv2d_join_band(const cpu_convolution *c, const cpu_band *b, int64_t first, int64_t channels, int64_t p0,
                          char *aside, char *to)
{
    int64_t e = cpu_size(c->kernel->packed), terms = c->kernel->terms;
    reel_array planes = {aside, c->kernel->packed, REEL_SHAPE(terms, b->plane)};
    for (int64_t i = 0; i < channels; i += terms, to += terms * b->plane * e) {
        int64_t count = cpu_least(terms, channels - i);
        cpu_conv2d_pack_band(c, b, first + i, count, p0, aside);
        memset(aside + count * b->plane * e, 0, (size_t)((terms - count) * b->plane * e));
        cpu_conv2d_turn(c->kernel, &planes, 0, b->plane, terms, b->plane, to, terms);
    }
}

/* From [channel][position][lane] to [position][pair of channels][lane][2]. */
CLONES static void weave(const reel_bf16 *from, int64_t channels, int64_t positions, int64_t lanes, reel_bf16 *to)
{
    for (int64_t position = 0; position < positions; position++)
        for (int64_t pair = 0; pair < channels / 2; pair++, to += 2 * lanes) {
            const reel_bf16 *even = from + (2 * pair * positions + position) * lanes, *odd = even + positions * lanes;
            for (int64_t l = 0; l < lanes; l++) to[2 * l] = even[l], to[2 * l + 1] = odd[l];
        }
}

void cpu_conv2d_join_weight(const cpu_convolution *c, int64_t group, int64_t k0, int64_t lanes, int64_t vectors,
                            int64_t c0, int64_t depth, char *aside, char *to)
{
    int64_t terms = c->kernel->terms, slab = vectors * c->kernel->lanes, positions = c->g.kh * c->g.kw;
    int64_t channel = positions * slab * cpu_size(c->kernel->packed);
    for (int64_t i = 0; i < depth; i += terms, to += terms * channel) {
        int64_t count = cpu_least(terms, depth - i);
        cpu_conv2d_pack_weight(c, group, k0, lanes, vectors, c0 + i, count, aside);
        memset(aside + count * channel, 0, (size_t)((terms - count) * channel));
        weave((const void *)aside, terms, positions, slab, (void *)to);
    }
}

int64_t cpu_conv2d_joined(const cpu_convolution *c, int64_t rows, int64_t pitch)
{
    int64_t terms = c->kernel->terms;
    return cpu_pieces((rows - 1) * pitch + c->g.q, terms) * terms;
}

/* Two neighbouring pixels are turned as one word. */
void cpu_conv2d_join_rows(const cpu_convolution *c, int64_t first, int64_t lanes, int64_t vectors, int64_t rows,
                          int64_t pitch, char *aside, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(c->kernel->packed), step = c->kernel->lanes, slab = vectors * step;
    int64_t count = cpu_conv2d_joined(c, rows, pitch), words = count / 2;
    const char *y = (const char *)c->y.data + first * e, *end = aside + slab * count * e;
    memset(aside, 0, (size_t)(slab * count * e));
    for (int64_t l = 0; l < lanes; l++)
        for (int64_t p = 0; p < rows; p++)
            memcpy(aside + (l * count + p * pitch) * e, y + (l * g->p + p) * g->q * e, (size_t)(g->q * e));
    for (int64_t l = 0; l < slab; l += step)
        for (int64_t j = 0; j < words; j += step)
            c->kernel->turn[0][0](aside + (l * words + j) * 2 * e, words, step, cpu_least(step, words - j), end,
                                  to + (j * slab + l) * 2 * e, slab);
}
