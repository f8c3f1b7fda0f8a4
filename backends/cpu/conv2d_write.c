/* What is left to do with sums: see conv2d.h. */
#include "backends/cpu/conv2d.h"

#include "core/bf16.h"

#include <string.h>

void cpu_conv2d_write(const cpu_convolution *c, int64_t first, int64_t pixels, int64_t lanes, int64_t row,
                      const char *sums)
{
    const cpu_brgemm *kernel = c->kernel;
    cpu_turn *turn = kernel->turn[0][c->y.dtype == REEL_BF16];
    int64_t s = cpu_size(reel_dtype_of_sum(kernel->packed)), e = cpu_size(c->y.dtype), step = kernel->lanes;
    int64_t plane = c->g.p * c->g.q;
    char *y = (char *)c->y.data + first * e, aside[4096];
    const char *end = sums + pixels * row * s;
    for (int64_t i = 0; i < pixels; i += step)
        for (int64_t l = 0; l < lanes; l += step) {
            int64_t count = cpu_least(step, pixels - i), channels = cpu_least(step, lanes - l);
            const char *from = sums + (i * row + l) * s;
            char *to = y + (l * plane + i) * e;
            if (count == step) {
                turn(from, row, count, channels, end, to, plane);
                continue;
            }
            turn(from, row, count, channels, end, aside, step);
            for (int64_t j = 0; j < channels; j++)
                memcpy(to + j * plane * e, aside + j * step * e, (size_t)(count * e));
        }
}

void cpu_conv2d_bias(const cpu_convolution *c, int64_t k0, int64_t lanes, void *start)
{
    if (!c->bias.data) return;
    const char *bias = (const char *)c->bias.data + k0 * cpu_size(c->bias.dtype);
    if (c->bias.dtype == REEL_BF16)
        reel_bf16_widen((const void *)bias, start, lanes, 1);
    else
        memcpy(start, bias, (size_t)(lanes * cpu_size(c->bias.dtype)));
}

void cpu_conv2d_write_weight(const cpu_brgemm *kernel, const char *from, int64_t row, int64_t rows, int64_t channels,
                             const char *end, char *dw, int64_t reach)
{
    int64_t e = cpu_size(reel_dtype_of_sum(kernel->packed)), lanes = kernel->lanes;
    char aside[4096];
    for (int64_t k = 0; k < channels; k += lanes)
        for (int64_t r = 0; r < rows; r += lanes) {
            int64_t wide = cpu_least(lanes, rows - r), high = cpu_least(lanes, channels - k);
            kernel->turn[0][0](from + (r * row + k) * e, row, wide, high, end, aside, lanes);
            for (int64_t j = 0; j < high; j++)
                memcpy(dw + ((k + j) * reach + r) * e, aside + j * lanes * e, (size_t)(wide * e));
        }
}
