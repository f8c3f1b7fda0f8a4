/* batch_norm and dropout on the CPU: pieces of a plane, and pieces of the whole. */
#include "backends/cpu/cpu.h"
#include "ops/normalise.h"

#include <math.h>

enum { PIECE = 1 << 14 };

#define NORMALISE(type)                                                                                                \
    static void normalise_##type(const reel_call *call, int64_t c, int64_t begin, int64_t end)                         \
    {                                                                                                                  \
        const reel_array *in = call->input;                                                                            \
        double epsilon = ((const reel_batch_norm_attr *)call->attr)->epsilon;                                          \
        double spread = sqrt((double)((const type *)in[4].data)[c] + epsilon);                                         \
        type factor = (type)((double)((const type *)in[1].data)[c] / spread);                                          \
        type shift = ((const type *)in[2].data)[c], mean = ((const type *)in[3].data)[c];                              \
        const type *x = in[0].data;                                                                                    \
        type *y = call->output[0].data;                                                                                \
        _Pragma("omp simd") for (int64_t i = begin; i < end; i++) y[i] = (x[i] - mean) * factor + shift;               \
    }
NORMALISE(float)
NORMALISE(double)

reel_status cpu_batch_norm(const reel_call *call)
{
    const reel_shape *x = &call->input[0].shape;
    int64_t channels = x->size[1], inner = 1;
    for (int i = 2; i < x->rank; i++) inner *= x->size[i];
    int64_t pieces = (inner + PIECE - 1) / PIECE, tasks = x->size[0] * channels * pieces;
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t plane = task / pieces, begin = task % pieces * PIECE;
        int64_t end = begin + PIECE < inner ? begin + PIECE : inner;
        (call->output[0].dtype == REEL_F32 ? normalise_float : normalise_double)(
            call, plane % channels, plane * inner + begin, plane * inner + end);
    }
    return REEL_OK;
}

reel_status cpu_dropout(const reel_call *call)
{
    int64_t elements = reel_elements(&call->output[0].shape);
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t begin = 0; begin < elements; begin += PIECE)
        reel_dropout_range(call, begin, begin + PIECE < elements ? begin + PIECE : elements);
    return REEL_OK;
}
