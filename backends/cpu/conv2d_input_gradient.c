/* conv2d_input_gradient and conv_transpose2d, in one of two ways.

   With stride 1 the adjoint of a convolution is the convolution of dy with the kernels turned by half a circle and
   their channel axes exchanged, padded by d (kh-1) - top: conv2d's tiles do it, reading the weight so.

   Otherwise each task makes some channels of dx: the products
   column[(c, i, j), t] = sum over k of w[k, (c, i, j)] dy[k, t], and then each row of these added into dx where the
   kernel element (i, j) had looked. A task has its channels of dx to itself, so that the order of sums is fixed. Since
   dx is where sums are taken, bf16 goes by way of float copies. */
#include "backends/cpu/conv2d.h"
#include "backends/cpu/gemm.h"
#include "core/kernel.h"

#include <omp.h>
#include <string.h>

enum { ROWS = 384 };

/* --- the turned convolution --- */

static bool turns(const reel_conv2d_geometry *g)
{
    return g->stride[0] == 1 && g->stride[1] == 1;
}

/* What x and y are to each other, exchanged. */
static reel_conv2d_geometry turned(const reel_conv2d_geometry *g)
{
    reel_conv2d_geometry t = *g;
    t.c = g->k, t.h = g->p, t.w = g->q, t.cg = g->kg;
    t.k = g->c, t.p = g->h, t.q = g->w, t.kg = g->cg;
    t.top = g->dilation[0] * (g->kh - 1) - g->top;
    t.left = g->dilation[1] * (g->kw - 1) - g->left;
    return t;
}

static void convolve_turned(const cpu_convolution *c)
{
    cpu_convolution t = *c;
    t.g = turned(&c->g);
    t.turned = true;
    t.x = c->y;
    t.y = c->x;
    cpu_convolve(&t);
}

/* --- products first, then sums --- */

/* Channels that a task makes. */
static int64_t channels_of(const reel_conv2d_geometry *g)
{
    return cpu_most(1, cpu_least(g->cg, ROWS / (g->kh * g->kw)));
}

static size_t room_bytes(const reel_conv2d_geometry *g, size_t element)
{
    size_t rows = (size_t)(channels_of(g) * g->kh * g->kw);
    return CPU_GEMM_ROOM + cpu_conv2d_aligned(rows * (size_t)(g->p * g->q) * element);
}

#define ADD_ROW(T)                                                                                                     \
    for (int64_t p = low[0]; p < high[0]; p++) {                                                                       \
        const T *a = (const T *)(const void *)from + p * g->q;                                                         \
        T *to = (T *)(void *)plane + (p * g->stride[0] + down) * g->w + right;                                         \
        if (g->stride[1] == 1)                                                                                         \
            for (int64_t q = low[1]; q < high[1]; q++) to[q] += a[q];                                                  \
        else                                                                                                           \
            for (int64_t q = low[1]; q < high[1]; q++) to[q * g->stride[1]] += a[q];                                   \
    }

/* Adds one row of products, that of kernel element (i, j), into its plane of dx. */
static void add_row(const cpu_convolution *c, int64_t i, int64_t j, const char *from, char *plane)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t down = i * g->dilation[0] - g->top, right = j * g->dilation[1] - g->left;
    int64_t offset[2] = {down, right}, size[2] = {g->h, g->w}, count[2] = {g->p, g->q}, low[2], high[2];
    for (int a = 0; a < 2; a++) {
        low[a] = offset[a] < 0 ? cpu_pieces(-offset[a], g->stride[a]) : 0;
        high[a] = offset[a] < size[a] ? cpu_least(count[a], (size[a] - 1 - offset[a]) / g->stride[a] + 1) : 0;
    }
    if (c->x.dtype == REEL_F32)
        ADD_ROW(float)
    else
        ADD_ROW(double)
}

static void start_plane(const cpu_convolution *c, int64_t channel, char *plane)
{
    int64_t count = c->g.h * c->g.w;
    if (!c->bias.data) {
        memset(plane, 0, (size_t)(count * cpu_size(c->x.dtype)));
    } else if (c->x.dtype == REEL_F32) {
        for (int64_t i = 0; i < count; i++) ((float *)(void *)plane)[i] = ((const float *)c->bias.data)[channel];
    } else {
        for (int64_t i = 0; i < count; i++) ((double *)(void *)plane)[i] = ((const double *)c->bias.data)[channel];
    }
}

/* Channels c0 to c0 + count - 1 of a group of one image. */
static void make_channels(const cpu_convolution *c, int64_t image, int64_t group, int64_t c0, int64_t count, char *room)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t e = cpu_size(c->x.dtype), positions = g->kh * g->kw, reach = g->cg * positions, pixels = g->p * g->q;
    int64_t first = group * g->cg + c0;
    char *dx = (char *)c->x.data + (image * g->c + first) * g->h * g->w * e, *rows = room + CPU_GEMM_ROOM;
    cpu_matrix w = {(const char *)c->w.data + (group * g->kg * reach + c0 * positions) * e, reach, true};
    cpu_matrix dy = {(const char *)c->y.data + (image * g->k + group * g->kg) * pixels * e, pixels, false};
    for (int64_t i = 0; i < count; i++) start_plane(c, first + i, dx + i * g->h * g->w * e);
    cpu_gemm(cpu_gemm_choose(c->x.dtype), count * positions, pixels, g->kg, w, dy, false, rows, pixels, room);
    for (int64_t r = 0; r < count * positions; r++)
        add_row(c, r % positions / g->kw, r % g->kw, rows + r * pixels * e, dx + r / positions * g->h * g->w * e);
}

static void sum_products(const cpu_convolution *c)
{
    const reel_conv2d_geometry *g = &c->g;
    int64_t channels = channels_of(g), blocks = cpu_pieces(g->cg, channels), tasks = g->n * g->groups * blocks;
    size_t room = room_bytes(g, reel_dtype_size(c->x.dtype));
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t c0 = task % blocks * channels;
        make_channels(c, task / blocks / g->groups, task / blocks % g->groups, c0, cpu_least(channels, g->cg - c0),
                      c->scratch + (size_t)omp_get_thread_num() * room);
    }
}

/* --- the kernels --- */

static bool fits(const reel_conv2d_geometry *g)
{
    reel_conv2d_geometry t = turned(g);
    return cpu_conv2d_fits(g) && cpu_conv2d_fits(&t);
}

static size_t scratch(const reel_conv2d_geometry *g, const reel_call *call)
{
    reel_dtype dtype = call->input[0].dtype;
    reel_conv2d_geometry t = turned(g);
    if (!fits(g)) return cpu_conv2d_copies(call);
    if (turns(g)) return cpu_convolve_scratch(&t, dtype, call->threads);
    size_t element = reel_dtype_size(reel_dtype_of_sum(dtype));
    return cpu_conv2d_copies(call) + room_bytes(g, element) * (size_t)call->threads;
}

/* `self` is the kernel that is being run. */
static reel_status run(const reel_conv2d_geometry *g, reel_status (*self)(const reel_call *), const reel_call *call)
{
    cpu_convolution c = {.g = *g,
                         .kernel = cpu_brgemm_choose(call->input[0].dtype),
                         .threads = call->threads,
                         .x = call->output[0],
                         .w = call->input[1],
                         .y = call->input[0],
                         .scratch = call->scratch};
    if (!fits(g)) return reel_kernel_run(&call->op->reference, call);
    if (call->inputs > 2) c.bias = call->input[2];
    if (turns(g))
        convolve_turned(&c);
    else if (c.x.dtype == REEL_BF16)
        return reel_kernel_run(&(reel_kernel){.run = self}, call);
    else
        sum_products(&c);
    return REEL_OK;
}

static reel_conv2d_geometry measure(const reel_call *call, const reel_conv2d_attr *attr)
{
    return reel_conv2d_measure(&call->output[0].shape, &call->input[1].shape, &call->input[0].shape, attr);
}

size_t cpu_conv2d_input_gradient_scratch(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call, &((const reel_conv2d_adjoint_attr *)call->attr)->conv);
    return scratch(&g, call);
}

reel_status cpu_conv2d_input_gradient(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call, &((const reel_conv2d_adjoint_attr *)call->attr)->conv);
    return run(&g, cpu_conv2d_input_gradient, call);
}

size_t cpu_conv_transpose2d_scratch(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call, &((const reel_conv_transpose2d_attr *)call->attr)->conv);
    return scratch(&g, call);
}

reel_status cpu_conv_transpose2d(const reel_call *call)
{
    reel_conv2d_geometry g = measure(call, &((const reel_conv_transpose2d_attr *)call->attr)->conv);
    return run(&g, cpu_conv_transpose2d, call);
}
