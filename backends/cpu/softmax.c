/* softmax and log_softmax on the CPU.

   When elements lie behind the axis ([N, K, H, W] along K), a task is a tile of neighbouring lines that go through the
   axis together: three passes over a tile that fits the cache, so that memory is read once and written once, in order.
   Along the last axis a task is a line. Sums are double. */
#include "core/clones.h"
#include "backends/cpu/cpu.h"
#include "backends/cpu/exponential.h"
#include "ops/axis.h"
#include "ops/ops.h"

enum { TILE = 256 };

/* `count` lines from x to y (which may be x): n elements each, `inner` apart. */
#define SOFTMAX_TILE(name, type, EXP)                                                                                  \
    CLONES static void name(const void *from, void *to, int64_t n, int64_t inner, int64_t count, bool logarithm)       \
    {                                                                                                                  \
        const type *x = from;                                                                                          \
        type *y = to, largest[TILE], shift[TILE];                                                                      \
        double sum[TILE];                                                                                              \
        for (int64_t j = 0; j < count; j++) largest[j] = -INFINITY, sum[j] = 0;                                        \
        for (int64_t k = 0; k < n; k++)                                                                                \
            for (int64_t j = 0; j < count; j++)                                                                        \
                largest[j] = x[k * inner + j] > largest[j] ? x[k * inner + j] : largest[j];                            \
        for (int64_t k = 0; k < n; k++) {                                                                              \
            _Pragma("omp simd") for (int64_t j = 0; j < count; j++)                                                    \
            {                                                                                                          \
                type shifted = x[k * inner + j] - largest[j], e = EXP(shifted);                                        \
                sum[j] += (double)e;                                                                                   \
                y[k * inner + j] = logarithm ? shifted : e;                                                            \
            }                                                                                                          \
        }                                                                                                              \
        for (int64_t j = 0; j < count; j++) shift[j] = (type)(logarithm ? log(sum[j]) : 1 / sum[j]);                   \
        for (int64_t k = 0; k < n; k++)                                                                                \
            for (int64_t j = 0; j < count; j++) {                                                                      \
                type v = y[k * inner + j];                                                                             \
                y[k * inner + j] = logarithm ? v - shift[j] : v * shift[j];                                            \
            }                                                                                                          \
    }                                                                                                                  \
    /* One line of neighbours. */                                                                                      \
    CLONES static void name##_line(const void *from, void *to, int64_t n, bool logarithm)                              \
    {                                                                                                                  \
        const type *x = from;                                                                                          \
        type *y = to, largest = -INFINITY, e[TILE];                                                                    \
        double sum = 0;                                                                                                \
        _Pragma("omp simd reduction(max : largest)") for (int64_t k = 0; k < n; k++) largest =                         \
            x[k] > largest ? x[k] : largest;                                                                           \
        for (int64_t begin = 0, count; begin < n; begin += TILE) {                                                     \
            count = n - begin < TILE ? n - begin : TILE;                                                               \
            _Pragma("omp simd") for (int64_t k = 0; k < count; k++) e[k] = EXP(x[begin + k] - largest);                \
            _Pragma("omp simd reduction(+ : sum)") for (int64_t k = 0; k < count; k++) sum += (double)e[k];            \
            for (int64_t k = 0; k < count; k++) y[begin + k] = logarithm ? x[begin + k] - largest : e[k];              \
        }                                                                                                              \
        type shift = (type)(logarithm ? log(sum) : 1 / sum);                                                           \
        for (int64_t k = 0; k < n; k++) y[k] = logarithm ? y[k] - shift : y[k] * shift;                                \
    }

SOFTMAX_TILE(softmax_f32, float, cpu_expf)
SOFTMAX_TILE(softmax_f64, double, exp)

reel_status cpu_softmax(const reel_call *call)
{
    const reel_array *x = &call->input[0];
    bool logarithm = call->op == &reel_op_log_softmax, single = x->dtype == REEL_F32;
    reel_axis_view v = reel_axis_view_of(&x->shape, ((const reel_softmax_attr *)call->attr)->axis);
    int64_t tiles = (v.inner + TILE - 1) / TILE, tasks = v.outer * tiles;
    size_t size = reel_dtype_size(x->dtype);
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t begin = task % tiles * TILE, count = v.inner - begin < TILE ? v.inner - begin : TILE;
        size_t offset = (size_t)(task / tiles * v.n * v.inner + begin) * size;
        const char *from = (const char *)x->data + offset;
        char *to = (char *)call->output[0].data + offset;
        if (v.inner == 1)
            (single ? softmax_f32_line : softmax_f64_line)(from, to, v.n, logarithm);
        else
            (single ? softmax_f32 : softmax_f64)(from, to, v.n, v.inner, count, logarithm);
    }
    return REEL_OK;
}
