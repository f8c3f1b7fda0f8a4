/* Pooling on the CPU. Planes are independent: the general case runs the op's reference loops on groups of planes in
   parallel. Windows of 2 by 2 side by side in float32, the pooling of VGG, have loops of their own, four windows at a
   time and without branches, which run at the speed of memory. */
#include "backends/cpu/cpu.h"
#include "core/clones.h"
#include "ops/pool2d_geometry.h"

#include <string.h>

enum { GROUPS = 64 };

/* --- planes in parallel --- */

reel_status cpu_pool2d(const reel_call *call)
{
    int64_t planes = call->input[0].shape.size[0] * call->input[0].shape.size[1];
    int64_t groups = planes < GROUPS ? planes : GROUPS;
    bool failed = false;
#pragma omp parallel for schedule(dynamic) num_threads(call->threads) reduction(|| : failed)
    for (int64_t i = 0; i < groups; i++) {
        int64_t from = planes * i / groups, until = planes * (i + 1) / groups;
        reel_array in[2], out[2];
        for (int k = 0; k < call->inputs; k++) in[k] = cpu_planes_of(&call->input[k], from, until - from);
        for (int k = 0; k < call->outputs; k++) out[k] = cpu_planes_of(&call->output[k], from, until - from);
        reel_call part = *call;
        part.input = in;
        part.output = out;
        part.error = NULL;
        failed = failed || call->op->reference.run(&part) != REEL_OK;
    }
    /* Bad data are told by the loops that know their position in the whole. */
    return failed ? call->op->reference.run(call) : REEL_OK;
}

/* --- 2 by 2 --- */

static bool is_blocks(const reel_max_pool2d_attr *a, const reel_array *x, const reel_array *index)
{
    return a->kernel[0] == 2 && a->kernel[1] == 2 && a->stride[0] == 2 && a->stride[1] == 2 && a->dilation[0] == 1 &&
           a->dilation[1] == 1 && !a->pad[0] && !a->pad[1] && !a->pad[2] && !a->pad[3] && !a->ceil_mode &&
           x->dtype == REEL_F32 && index->dtype == REEL_U8;
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t whole __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(4), aligned(1), may_alias));

/* The window's later value wins when it is larger, or NaN and the best is not. */
static inline void compare(four next, int32_t position, four *best, whole *at)
{
    whole stays = (next <= *best) | (*best != *best);
    *best = (four)(((whole)*best & stays) | ((whole)next & ~stays));
    *at = (*at & stays) | (position & ~stays);
}

static void largest_of_rows(const float *above, const float *below, int64_t count, float *y, uint8_t *index)
{
    int64_t q = 0;
    for (; q + 4 <= count; q += 4) {
        four a = *(const four *)(above + 2 * q), b = *(const four *)(above + 2 * q + 4);
        four c = *(const four *)(below + 2 * q), d = *(const four *)(below + 2 * q + 4);
        four best = __builtin_shufflevector(a, b, 0, 2, 4, 6);
        whole at = {0};
        compare(__builtin_shufflevector(a, b, 1, 3, 5, 7), 1, &best, &at);
        compare(__builtin_shufflevector(c, d, 0, 2, 4, 6), 2, &best, &at);
        compare(__builtin_shufflevector(c, d, 1, 3, 5, 7), 3, &best, &at);
        *(four *)(y + q) = best;
        *(bytes *)(index + q) = __builtin_convertvector(at, bytes);
    }
    for (; q < count; q++) {
        const float window[4] = {above[2 * q], above[2 * q + 1], below[2 * q], below[2 * q + 1]};
        int at = 0;
        for (int i = 1; i < 4; i++)
            if (!(window[i] <= window[at]) && window[at] == window[at]) at = i;
        y[q] = window[at];
        index[q] = (uint8_t)at;
    }
}

/* Where `at` is `position`, the value; else 0. */
static inline four only(four value, whole at, int32_t position)
{
    return (four)((whole)value & (at == position));
}

static void spread_rows(const float *dy, const uint8_t *index, int64_t count, float *above, float *below)
{
    int64_t q = 0;
    for (; q + 4 <= count; q += 4) {
        four value = *(const four *)(dy + q);
        whole at = __builtin_convertvector(*(const bytes *)(index + q), whole);
        four a = only(value, at, 0), b = only(value, at, 1), c = only(value, at, 2), d = only(value, at, 3);
        *(four *)(above + 2 * q) = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        *(four *)(above + 2 * q + 4) = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        *(four *)(below + 2 * q) = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        *(four *)(below + 2 * q + 4) = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    }
    for (; q < count; q++)
        for (int i = 0; i < 4; i++) (i < 2 ? above : below)[2 * q + i % 2] = index[q] == i ? dy[q] : 0;
}

CLONES static bool all_below_four(const uint8_t *index, int64_t count)
{
    unsigned seen = 0;
    for (int64_t i = 0; i < count; i++) seen |= index[i];
    return seen < 4;
}

reel_status cpu_max_pool2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0], *index = &call->output[1];
    if (!is_blocks(call->attr, x, index)) return cpu_pool2d(call);
    reel_pool2d_geometry g = reel_pool2d_measure(&x->shape, &y->shape, call->attr);
#pragma omp parallel for num_threads(call->threads)
    for (int64_t plane = 0; plane < g.planes; plane++)
        for (int64_t p = 0; p < g.out[0]; p++) {
            const float *row = (const float *)x->data + (plane * g.size[0] + 2 * p) * g.size[1];
            int64_t at = (plane * g.out[0] + p) * g.out[1];
            largest_of_rows(row, row + g.size[1], g.out[1], (float *)y->data + at, (uint8_t *)index->data + at);
        }
    return REEL_OK;
}

static void spread_plane(const reel_pool2d_geometry *g, const float *dy, const uint8_t *index, float *dx)
{
    int64_t width = g->size[1], odd = width - 2 * g->out[1];
    for (int64_t p = 0; p < g->out[0]; p++) {
        float *row = dx + 2 * p * width;
        spread_rows(dy + p * g->out[1], index + p * g->out[1], g->out[1], row, row + width);
        if (odd) row[width - 1] = row[2 * width - 1] = 0;
    }
    if (g->size[0] > 2 * g->out[0]) memset(dx + 2 * g->out[0] * width, 0, (size_t)width * sizeof *dx);
}

reel_status cpu_max_pool2d_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *index = &call->input[1], *dx = &call->output[0];
    const reel_max_pool2d_gradient_attr *attr = call->attr;
    if (!is_blocks(&attr->window, dy, index)) return cpu_pool2d(call);
    reel_pool2d_geometry g = reel_pool2d_measure(&dx->shape, &dy->shape, &attr->window);
    int64_t in = g.size[0] * g.size[1], out = g.out[0] * g.out[1];
    bool good = true;
#pragma omp parallel for num_threads(call->threads) reduction(&& : good)
    for (int64_t plane = 0; plane < g.planes; plane++) {
        const uint8_t *positions = (const uint8_t *)index->data + plane * out;
        good = good && all_below_four(positions, out);
        spread_plane(&g, (const float *)dy->data + plane * out, positions, (float *)dx->data + plane * in);
    }
    return good ? REEL_OK : reel_pool2d_check_index(call, index, &g);
}
