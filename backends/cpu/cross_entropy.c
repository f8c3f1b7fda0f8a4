/* cross_entropy and its backward pass on the CPU: tiles of neighbouring elements that go through the classes together,
   so that memory is read in order and the second reading of a tile comes from the cache. With one element a sample
   there are no neighbours, and the reference runs. Sums are double. */
#include "core/clones.h"
#include "backends/cpu/cpu.h"
#include "backends/cpu/exponential.h"
#include "ops/label.h"

enum { TILE = 256 };

/* `count` elements: their K scores at x, `inner` apart; labels at t; results at y and total. */
#define FORWARD(name, type, EXP)                                                                                       \
    CLONES static void name(const void *scores, const int32_t *t, void *loss, void *log_sum, int64_t classes,          \
                            int64_t inner, int64_t count, int ignore)                                                  \
    {                                                                                                                  \
        const type *x = scores;                                                                                        \
        type *y = loss, *total = log_sum, largest[TILE];                                                               \
        double sum[TILE];                                                                                              \
        for (int64_t j = 0; j < count; j++) largest[j] = -INFINITY, sum[j] = 0;                                        \
        for (int64_t k = 0; k < classes; k++)                                                                          \
            for (int64_t j = 0; j < count; j++)                                                                        \
                largest[j] = x[k * inner + j] > largest[j] ? x[k * inner + j] : largest[j];                            \
        for (int64_t k = 0; k < classes; k++) {                                                                        \
            _Pragma("omp simd") for (int64_t j = 0; j < count; j++) sum[j] +=                                          \
                (double)EXP(x[k * inner + j] - largest[j]);                                                            \
        }                                                                                                              \
        for (int64_t j = 0; j < count; j++) {                                                                          \
            double value = (double)largest[j] + log(sum[j]);                                                           \
            y[j] = t[j] == ignore ? 0 : (type)(value - (double)x[t[j] * inner + j]);                                   \
            total[j] = (type)value;                                                                                    \
        }                                                                                                              \
    }

FORWARD(forward_f32, float, cpu_expf)
FORWARD(forward_f64, double, exp)

#define BACKWARD(name, type, EXP)                                                                                      \
    CLONES static void name(const void *scores, const int32_t *t, const void *log_sum, const void *reaches,            \
                            void *gradient, int64_t classes, int64_t inner, int64_t count, int ignore)                 \
    {                                                                                                                  \
        const type *x = scores, *total = log_sum, *d = reaches;                                                        \
        type *y = gradient;                                                                                            \
        for (int32_t k = 0; k < classes; k++) {                                                                        \
            _Pragma("omp simd") for (int64_t j = 0; j < count; j++)                                                    \
            {                                                                                                          \
                type v = (EXP(x[k * inner + j] - total[j]) - (type)(t[j] == k)) * d[j];                                \
                y[k * inner + j] = t[j] == ignore ? 0 : v;                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }

BACKWARD(backward_f32, float, cpu_expf)
BACKWARD(backward_f64, double, exp)

static void run_tile(const reel_call *call, const reel_label_extent *e, int64_t sample, int64_t begin)
{
    const reel_array *x = &call->input[0], *in = call->input, *out = call->output;
    int ignore = ((const reel_label_attr *)call->attr)->ignore_index;
    bool single = x->dtype == REEL_F32;
    size_t size = reel_dtype_size(x->dtype);
    int64_t count = e->positions - begin < TILE ? e->positions - begin : TILE, at = sample * e->positions + begin;
    size_t first = (size_t)(sample * e->classes * e->positions + begin) * size, small = (size_t)at * size;
    const char *scores = (const char *)x->data + first;
    const int32_t *t = (const int32_t *)in[1].data + at;
    if (call->outputs == 2)
        (single ? forward_f32 : forward_f64)(scores, t, (char *)out[0].data + small, (char *)out[1].data + small,
                                             e->classes, e->positions, count, ignore);
    else
        (single ? backward_f32 : backward_f64)(scores, t, (const char *)in[2].data + small,
                                               (const char *)in[3].data + small, (char *)out[0].data + first,
                                               e->classes, e->positions, count, ignore);
}

reel_status cpu_cross_entropy(const reel_call *call)
{
    const reel_label_extent e = reel_label_extent_of(&call->input[0].shape);
    if (e.positions == 1) return call->op->reference.run(call);
    int ignore = ((const reel_label_attr *)call->attr)->ignore_index;
    reel_status status = reel_label_check(call, &call->input[1], e.classes, ignore);
    int64_t each = (e.positions + TILE - 1) / TILE, tiles = status ? 0 : each * e.samples;
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t i = 0; i < tiles; i++) run_tile(call, &e, i / each, i % each * TILE);
    return status;
}
