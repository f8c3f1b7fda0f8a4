/* Packing for the convolutions: see conv2d.h. */
#include "backends/cpu/conv2d.h"

#include "core/bf16.h"
#include "core/clones.h"
#include "core/kernel.h"

#include <string.h>

size_t cpu_conv2d_copies(const reel_call *call)
{
    int64_t elements = 0;
    for (int i = 0; i < call->inputs; i++)
        if (call->input[i].dtype == REEL_BF16) elements += reel_elements(&call->input[i].shape);
    for (int i = 0; i < call->outputs; i++)
        if (call->output[i].dtype == REEL_BF16) elements += reel_elements(&call->output[i].shape);
    return elements ? REEL_KERNEL_COPIES((size_t)(call->inputs + call->outputs), (size_t)elements) : 0;
}

cpu_band cpu_conv2d_band(const reel_conv2d_geometry *g, int64_t rows)
{
    int64_t down = (g->kh - 1) * g->dilation[0], right = (g->kw - 1) * g->dilation[1];
    cpu_band b = {.phases = {cpu_least(g->stride[0], down + 1), cpu_least(g->stride[1], right + 1)},
                  .height = rows + down / g->stride[0],
                  .width = g->q + right / g->stride[1]};
    b.plane = b.phases[0] * b.phases[1] * b.height * b.width;
    return b;
}

#define COPY(T, value)                                                                                                 \
    for (int64_t i = 0; i < count; i++) ((T *)to)[i] = value;

CLONES void cpu_conv2d_copy(const void *from, reel_dtype dtype, int64_t stride, int64_t count, void *to,
                            reel_dtype packed)
{
    if (dtype == packed && stride == 1)
        memcpy(to, from, (size_t)(count * cpu_size(dtype)));
    else if (packed == REEL_BF16)
        COPY(reel_bf16, ((const reel_bf16 *)from)[i * stride])
    else if (packed == REEL_F64)
        COPY(double, ((const double *)from)[i * stride])
    else if (dtype == REEL_F32)
        COPY(float, ((const float *)from)[i * stride])
    else if (stride == 1)
        COPY(float, reel_bf16_to_float(((const reel_bf16 *)from)[i]))
    else
        COPY(float, reel_bf16_to_float(((const reel_bf16 *)from)[i * stride]))
}

/* One phase of a line: element m is that of column m * stride + first, zero outside the picture. */
static void pack_line(const char *row, reel_dtype dtype, int64_t w, int64_t stride, int64_t first, int64_t width,
                      reel_dtype packed, char *to)
{
    int64_t e = cpu_size(packed);
    int64_t low = first < 0 ? cpu_least(cpu_pieces(-first, stride), width) : 0;
    int64_t high = first < w ? cpu_least((w - 1 - first) / stride + 1, width) : 0;
    high = cpu_most(low, high);
    memset(to, 0, (size_t)(low * e));
    if (high > low)
        cpu_conv2d_copy(row + (low * stride + first) * cpu_size(dtype), dtype, stride, high - low, to + low * e,
                        packed);
    memset(to + high * e, 0, (size_t)((width - high) * e));
}

/* One phase of a plane. Its row r is row `top + r * stride` of x. */
static void pack_phase(const cpu_convolution *c, const cpu_band *b, const char *x, int64_t top, int64_t left, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t line = b->width * cpu_size(c->kernel->packed), row = g->w * cpu_size(c->x.dtype);
    for (int64_t r = 0; r < b->height; r++, top += g->stride[0], to += line)
        if (top < 0 || top >= g->h)
            memset(to, 0, (size_t)line);
        else
            pack_line(x + top * row, c->x.dtype, g->w, g->stride[1], left, b->width, c->kernel->packed, to);
}

void cpu_conv2d_pack_band(const cpu_convolution *c, const cpu_band *b, int64_t first, int64_t channels, int64_t p0,
                          char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(c->kernel->packed), plane = g->h * g->w * cpu_size(c->x.dtype);
    int64_t phases = b->phases[0] * b->phases[1], used = b->height * b->width * e;
    const char *x = (const char *)c->x.data + first * plane;
    for (int64_t channel = 0; channel < channels; channel++, x += plane, to += b->plane * e) {
        for (int64_t f = 0; f < phases; f++)
            pack_phase(c, b, x, p0 * g->stride[0] + f / b->phases[1] - g->top, f % b->phases[1] - g->left,
                       to + f * used);
        memset(to + phases * used, 0, (size_t)(b->plane * e - phases * used));
    }
}

void cpu_conv2d_turn(const cpu_brgemm *kernel, const reel_array *from, int64_t first, int64_t row, int64_t rows,
                     int64_t columns, char *to, int64_t to_row)
{
    int64_t e = cpu_size(from->dtype), packed = cpu_size(kernel->packed), lanes = kernel->lanes;
    const char *at = from->data, *end = at + reel_elements(&from->shape) * e;
    cpu_turn *turn = kernel->turn[from->dtype == REEL_BF16][kernel->packed == REEL_BF16];
    for (int64_t r = 0; r < rows; r += lanes)
        for (int64_t j = 0; j < columns; j += lanes)
            turn(at + (first + r * row + j) * e, row, cpu_least(lanes, rows - r), cpu_least(lanes, columns - j), end,
                 to + (j * to_row + r) * packed, to_row);
}

void cpu_conv2d_pack_pixels(const cpu_brgemm *kernel, const reel_array *from, int64_t first, int64_t channels,
                            const cpu_window *at, char *to, int64_t pixel)
{
    int64_t h = from->shape.size[2], w = from->shape.size[3], e = cpu_size(kernel->packed);
    int64_t low = cpu_least(cpu_most(-at->left, 0), at->width);
    int64_t high = cpu_most(low, cpu_least(at->width, w - at->left)), line = at->width * pixel * e;
    for (int64_t row = at->top; row < at->top + at->height; row++, to += line) {
        if (row < 0 || row >= h || high == low) {
            memset(to, 0, (size_t)line);
            continue;
        }
        memset(to, 0, (size_t)(low * pixel * e));
        cpu_conv2d_turn(kernel, from, (first * h + row) * w + at->left + low, h * w, channels, high - low,
                        to + low * pixel * e, pixel);
        memset(to + high * pixel * e, 0, (size_t)((at->width - high) * pixel * e));
    }
}

/* Kernels of one position need no turning: their output channels lie side by side. */
static void pack_turned(const cpu_convolution *c, int64_t first, int64_t lanes, int64_t slab, int64_t depth, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t packed = cpu_size(c->kernel->packed), positions = g->kh * g->kw;
    for (int64_t d = 0; d < depth; d++, first += g->kg * positions, to += positions * slab * packed) {
        if (positions == 1) {
            cpu_conv2d_copy((const char *)c->w.data + first * cpu_size(c->w.dtype), c->w.dtype, 1, lanes, to,
                            c->kernel->packed);
            memset(to + lanes * packed, 0, (size_t)((slab - lanes) * packed));
        } else {
            cpu_conv2d_turn(c->kernel, &c->w, first, positions, lanes, positions, to + (positions - 1) * slab * packed,
                            -slab);
        }
    }
}

void cpu_conv2d_pack_weight(const cpu_convolution *c, int64_t group, int64_t k0, int64_t lanes, int64_t vectors,
                            int64_t c0, int64_t depth, char *to)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t positions = g->kh * g->kw, slab = vectors * c->kernel->lanes;
    if (c->turned)
        pack_turned(c, ((group * g->cg + c0) * g->kg + k0) * positions, lanes, slab, depth, to);
    else
        cpu_conv2d_turn(c->kernel, &c->w, ((group * g->kg + k0) * g->cg + c0) * positions, g->cg * positions, lanes,
                        depth * positions, to, slab);
}
