/* adam, sgd and global_norm on the CPU: one pass over memory, in pieces, in parallel. The arithmetic is that of the
   tensors' dtype; the squares of global_norm are added in double, piece by piece and then in order. */
#include "core/clones.h"
#include "backends/cpu/cpu.h"
#include "ops/ops.h"
#include "ops/update.h"

enum { PIECE = 1 << 15, LANES = 16 };

#define ADAM(name, type, ROOT)                                                                                         \
    CLONES static void name(const reel_call *call, const reel_adam_step *s, int64_t first, int64_t n)                  \
    {                                                                                                                  \
        type *w = (type *)call->output[0].data + first, *m = (type *)call->output[1].data + first;                     \
        type *v = (type *)call->output[2].data + first;                                                                \
        const type *gradient = (const type *)call->input[REEL_ADAM_GRADIENT].data + first;                             \
        const type beta1 = (type)s->beta1, beta2 = (type)s->beta2, l2 = (type)s->l2, scale = (type)s->scale;           \
        const type rest1 = (type)(1 - s->beta1), rest2 = (type)(1 - s->beta2), keep = (type)s->keep;                   \
        const type rate = (type)s->rate, root = (type)(1 / s->root), epsilon = (type)s->epsilon;                       \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            type g = scale * gradient[i] + l2 * w[i];                                                                  \
            type mean = beta1 * m[i] + rest1 * g, square = beta2 * v[i] + rest2 * (g * g);                             \
            m[i] = mean;                                                                                               \
            v[i] = square;                                                                                             \
            w[i] = keep * w[i] - rate * mean / (ROOT(square) * root + epsilon);                                        \
        }                                                                                                              \
    }

ADAM(adam_f32, float, sqrtf)
ADAM(adam_f64, double, sqrt)

#define SGD(name, type)                                                                                                \
    CLONES static void name(const reel_call *call, double rate, double factor, int64_t first, int64_t n)               \
    {                                                                                                                  \
        const reel_sgd_attr *a = call->attr;                                                                           \
        type *w = (type *)call->output[0].data + first, *buffer = (type *)call->output[1].data + first;                \
        const type *gradient = (const type *)call->input[REEL_SGD_GRADIENT].data + first;                              \
        const type lr = (type)rate, scale = (type)factor, momentum = (type)a->momentum;                                \
        const type decay = (type)a->weight_decay, look = a->nesterov ? momentum : 1, add = a->nesterov ? 1 : 0;        \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            type g = scale * gradient[i] + decay * w[i], b = momentum * buffer[i] + g;                                 \
            buffer[i] = b;                                                                                             \
            w[i] -= lr * (add * g + look * b);                                                                         \
        }                                                                                                              \
    }

SGD(sgd_f32, float)
SGD(sgd_f64, double)

reel_status cpu_adam(const reel_call *call)
{
    const reel_adam_step s = reel_adam_step_of(call);
    int64_t elements = isfinite(s.scale) ? reel_elements(&call->output[0].shape) : 0;
    bool single = call->output[0].dtype == REEL_F32;
#pragma omp parallel for num_threads(call->threads) schedule(static) if (elements > PIECE)
    for (int64_t first = 0; first < elements; first += PIECE)
        (single ? adam_f32 : adam_f64)(call, &s, first, elements - first < PIECE ? elements - first : PIECE);
    return REEL_OK;
}

reel_status cpu_sgd(const reel_call *call)
{
    double lr = reel_value(&call->input[REEL_SGD_LR], 0), scale = reel_update_scale(call, REEL_SGD_SCALE);
    int64_t elements = isfinite(scale) ? reel_elements(&call->output[0].shape) : 0;
    bool single = call->output[0].dtype == REEL_F32;
#pragma omp parallel for num_threads(call->threads) schedule(static) if (elements > PIECE)
    for (int64_t first = 0; first < elements; first += PIECE)
        (single ? sgd_f32 : sgd_f64)(call, lr, scale, first, elements - first < PIECE ? elements - first : PIECE);
    return REEL_OK;
}

/* --- global_norm --- */

#define SQUARES(name, type)                                                                                            \
    CLONES static double name(const void *data, int64_t first, int64_t n)                                              \
    {                                                                                                                  \
        const type *x = (const type *)data + first;                                                                    \
        double lane[LANES] = {0}, sum = 0;                                                                             \
        int64_t i = 0;                                                                                                 \
        for (; i + LANES <= n; i += LANES)                                                                             \
            _Pragma("omp simd") for (int j = 0; j < LANES; j++) lane[j] += (double)x[i + j] * (double)x[i + j];        \
        for (; i < n; i++) sum += (double)x[i] * (double)x[i];                                                         \
        for (int j = 0; j < LANES; j++) sum += lane[j];                                                                \
        return sum;                                                                                                    \
    }

SQUARES(squares_f32, float)
SQUARES(squares_f64, double)

static int64_t pieces_of(const reel_array *x)
{
    return (reel_elements(&x->shape) + PIECE - 1) / PIECE;
}

size_t cpu_global_norm_scratch(const reel_call *call)
{
    int64_t pieces = 0;
    for (int k = 0; k < call->inputs; k++)
        if (pieces_of(&call->input[k]) > pieces) pieces = pieces_of(&call->input[k]);
    return (size_t)pieces * sizeof(double);
}

reel_status cpu_global_norm(const reel_call *call)
{
    double *sum = call->scratch, total = 0;
    bool single = call->input[0].dtype == REEL_F32;
    for (int k = 0; k < call->inputs; k++) {
        const reel_array *x = &call->input[k];
        int64_t pieces = pieces_of(x), elements = reel_elements(&x->shape);
#pragma omp parallel for num_threads(call->threads) schedule(static) if (pieces > 1)
        for (int64_t i = 0; i < pieces; i++) {
            int64_t left = elements - i * PIECE;
            sum[i] = (single ? squares_f32 : squares_f64)(x->data, i * PIECE, left < PIECE ? left : PIECE);
        }
        for (int64_t i = 0; i < pieces; i++) total += sum[i];
    }
    reel_set_value(&call->output[0], 0, sqrt(total));
    return REEL_OK;
}
