/* Packing for the convolutions: see conv2d.h. Elements are moved as bytes where they are not turned, since zero has the
   same bits in both float types. */
#include "backends/cpu/conv2d.h"

#include <string.h>

cpu_band cpu_conv2d_band(const reel_conv2d_geometry *g, int64_t rows)
{
    cpu_band b = {.height = (rows - 1) * g->stride[0] + (g->kh - 1) * g->dilation[0] + 1,
                  .phases = g->stride[1],
                  .width = g->q + (g->kw - 1) * g->dilation[1] / g->stride[1]};
    b.line = b.phases * b.width;
    b.plane = b.height * b.line;
    return b;
}

static void copy_strided(const char *from, int64_t stride, int64_t count, size_t element, char *to)
{
    if (stride == 1)
        memcpy(to, from, (size_t)count * element);
    else if (element == 4)
        for (int64_t i = 0; i < count; i++)
            ((uint32_t *)(void *)to)[i] = ((const uint32_t *)(const void *)from)[i * stride];
    else
        for (int64_t i = 0; i < count; i++)
            ((uint64_t *)(void *)to)[i] = ((const uint64_t *)(const void *)from)[i * stride];
}

/* One phase of a line: element m is that of column m * stride + first, zero outside the picture. */
static void pack_line(const char *row, int64_t w, int64_t stride, int64_t first, int64_t width, size_t element,
                      char *to)
{
    int64_t e = (int64_t)element;
    int64_t low = first < 0 ? cpu_least(cpu_pieces(-first, stride), width) : 0;
    int64_t high = first < w ? cpu_least((w - 1 - first) / stride + 1, width) : 0;
    high = cpu_most(low, high);
    memset(to, 0, (size_t)(low * e));
    if (high > low) copy_strided(row + (low * stride + first) * e, stride, high - low, element, to + low * e);
    memset(to + high * e, 0, (size_t)((width - high) * e));
}

void cpu_conv2d_pack_band(const cpu_convolution *c, const cpu_band *b, const char *x, int64_t channels, int64_t p0,
                          char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = (int64_t)c->element, top = p0 * g->stride[0] - g->top;
    for (int64_t channel = 0; channel < channels; channel++, x += g->h * g->w * e)
        for (int64_t r = top; r < top + b->height; r++, to += b->line * e) {
            if (r < 0 || r >= g->h)
                memset(to, 0, (size_t)(b->line * e));
            else
                for (int64_t f = 0; f < b->phases; f++)
                    pack_line(x + r * g->w * e, g->w, g->stride[1], f - g->left, b->width, c->element,
                              to + f * b->width * e);
        }
}

void cpu_conv2d_turn(const cpu_brgemm *kernel, size_t element, const char *from, int64_t row, int64_t rows,
                     int64_t columns, const char *end, char *to, int64_t to_row)
{
    int64_t e = (int64_t)element, lanes = kernel->lanes;
    for (int64_t r = 0; r < rows; r += lanes)
        for (int64_t j = 0; j < columns; j += lanes)
            kernel->turn(from + (r * row + j) * e, row, cpu_least(lanes, rows - r), cpu_least(lanes, columns - j), end,
                         to + (j * to_row + r) * e, to_row);
}

/* Kernels of one position need no turning: their output channels lie side by side. */
static void pack_turned(const cpu_convolution *c, const cpu_brgemm *kernel, const char *w, int64_t lanes, int64_t slab,
                        int64_t depth, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = (int64_t)c->element, positions = g->kh * g->kw;
    const char *end = c->w + g->c * g->kg * positions * e;
    for (int64_t d = 0; d < depth; d++, w += g->kg * positions * e, to += positions * slab * e) {
        if (positions == 1) {
            memcpy(to, w, (size_t)(lanes * e));
            memset(to + lanes * e, 0, (size_t)((slab - lanes) * e));
        } else {
            cpu_conv2d_turn(kernel, c->element, w, positions, lanes, positions, end, to + (positions - 1) * slab * e,
                            -slab);
        }
    }
}

void cpu_conv2d_pack_weight(const cpu_convolution *c, const cpu_brgemm *kernel, int64_t group, int64_t k0,
                            int64_t lanes, int64_t vectors, int64_t c0, int64_t depth, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = (int64_t)c->element, positions = g->kh * g->kw, reach = g->cg * positions;
    if (c->turned)
        pack_turned(c, kernel, c->w + ((group * g->cg + c0) * g->kg + k0) * positions * e, lanes,
                    vectors * kernel->lanes, depth, to);
    else
        cpu_conv2d_turn(kernel, c->element, c->w + ((group * g->kg + k0) * reach + c0 * positions) * e, reach, lanes,
                        depth * positions, c->w + g->k * reach * e, to, vectors * kernel->lanes);
}
