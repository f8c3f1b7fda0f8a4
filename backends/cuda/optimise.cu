/* adam, sgd and global_norm on the GPU: one pass over memory, which limits them. Step, rate and scale are scalars on
   the device; what follows from them for every element, a block's first thread works out. An update leaves everything
   as it is when a kernel of the run has refused a value, or the scale is not finite. */
#include "backends/cuda/fold.cuh"

extern "C" {
#include "ops/update.h"
}

enum { PER_THREAD = 8, PIECE = CUDA_THREADS * PER_THREAD, NORM_PIECE = 1 << 14 };

/* A scalar of either float type; one left out is 1. */
struct scalar {
    const void *data;
    bool single;
};

static scalar scalar_of(const reel_call *call, int input)
{
    if (input >= call->inputs) return {NULL, false};
    return {call->input[input].data, call->input[input].dtype == REEL_F32};
}

__device__ static double value_of(scalar s)
{
    return !s.data ? 1 : s.single ? (double)*(const float *)s.data : *(const double *)s.data;
}

static dim3 pieces(const reel_array *w)
{
    return dim3((cuda_elements(w) + PIECE - 1) / PIECE);
}

template <class T>
__global__ static void adam(T *w, T *m, T *v, const T *gradient, reel_adam_attr attr, scalar t, scalar lr, scalar scale,
                            const unsigned long long *fault, unsigned n)
{
    __shared__ reel_adam_step s;
    if (threadIdx.x == 0) s = reel_adam_step_at(&attr, value_of(t), value_of(lr), value_of(scale));
    __syncthreads();
    if (*fault != CUDA_NO_FAULT || !isfinite(s.scale)) return;
    const T beta1 = (T)s.beta1, beta2 = (T)s.beta2, rest1 = (T)(1 - s.beta1), rest2 = (T)(1 - s.beta2);
    const T factor = (T)s.scale, l2 = (T)s.l2, keep = (T)s.keep, rate = (T)s.rate, root = (T)(1 / s.root);
    unsigned begin = blockIdx.x * PIECE, end = begin + PIECE < n ? begin + PIECE : n;
    for (unsigned i = begin + threadIdx.x; i < end; i += blockDim.x) {
        T g = factor * gradient[i] + l2 * w[i];
        T mean = beta1 * m[i] + rest1 * g, square = beta2 * v[i] + rest2 * (g * g);
        m[i] = mean;
        v[i] = square;
        w[i] = keep * w[i] - rate * mean / (sqrt(square) * root + (T)s.epsilon);
    }
}

template <class T>
__global__ static void sgd(T *w, T *buffer, const T *gradient, reel_sgd_attr attr, scalar lr, scalar scale,
                           const unsigned long long *fault, unsigned n)
{
    const double factor = value_of(scale);
    if (*fault != CUDA_NO_FAULT || !isfinite(factor)) return;
    const T rate = (T)value_of(lr), momentum = (T)attr.momentum, decay = (T)attr.weight_decay;
    unsigned begin = blockIdx.x * PIECE, end = begin + PIECE < n ? begin + PIECE : n;
    for (unsigned i = begin + threadIdx.x; i < end; i += blockDim.x) {
        T g = (T)factor * gradient[i] + decay * w[i], b = momentum * buffer[i] + g;
        buffer[i] = b;
        w[i] -= rate * (attr.nesterov ? g + momentum * b : b);
    }
}

reel_status cuda_adam(const reel_call *call)
{
    const reel_array *w = &call->output[0];
    return cuda_by_float(w->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_launch(call, pieces(w), CUDA_THREADS, adam<T>, (T *)w->data, (T *)call->output[1].data,
                           (T *)call->output[2].data, (const T *)call->input[REEL_ADAM_GRADIENT].data,
                           *(const reel_adam_attr *)call->attr, scalar_of(call, REEL_ADAM_STEP),
                           scalar_of(call, REEL_ADAM_LR), scalar_of(call, REEL_ADAM_SCALE),
                           (const unsigned long long *)&cuda_of(call)->start->fault, cuda_elements(w));
    });
}

reel_status cuda_sgd(const reel_call *call)
{
    const reel_array *w = &call->output[0];
    return cuda_by_float(w->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_launch(call, pieces(w), CUDA_THREADS, sgd<T>, (T *)w->data, (T *)call->output[1].data,
                           (const T *)call->input[REEL_SGD_GRADIENT].data, *(const reel_sgd_attr *)call->attr,
                           scalar_of(call, REEL_SGD_LR), scalar_of(call, REEL_SGD_SCALE),
                           (const unsigned long long *)&cuda_of(call)->start->fault, cuda_elements(w));
    });
}

/* --- global_norm: the squares of a piece a block, of all tensors one behind the other; then all pieces in order --- */

static unsigned norm_pieces(const reel_array *x)
{
    return (cuda_elements(x) + NORM_PIECE - 1) / NORM_PIECE;
}

static unsigned all_norm_pieces(const reel_call *call)
{
    unsigned all = 0;
    for (int k = 0; k < call->inputs; k++) all += norm_pieces(&call->input[k]);
    return all;
}

size_t cuda_global_norm_scratch(const reel_call *call)
{
    return all_norm_pieces(call) * sizeof(double);
}

template <class T> __global__ static void square_pieces(const T *x, double *sums, unsigned n)
{
    unsigned begin = blockIdx.x * NORM_PIECE, end = begin + NORM_PIECE < n ? begin + NORM_PIECE : n;
    double sum = 0;
    for (unsigned i = begin + threadIdx.x; i < end; i += blockDim.x) sum += (double)x[i] * (double)x[i];
    sum = cuda_block_fold<cuda_sum>(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class T> __global__ static void root_of_sum(const double *sums, unsigned n, T *y)
{
    double sum = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) sum += sums[i];
    sum = cuda_block_fold<cuda_sum>(sum);
    if (threadIdx.x == 0) *y = (T)sqrt(sum);
}

reel_status cuda_global_norm(const reel_call *call)
{
    double *sums = (double *)call->scratch;
    return cuda_by_float(call->output[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        unsigned at = 0;
        for (int k = 0; k < call->inputs; k++) {
            const reel_array *x = &call->input[k];
            reel_status status = cuda_launch(call, norm_pieces(x), CUDA_THREADS, square_pieces<T>, (const T *)x->data,
                                             sums + at, cuda_elements(x));
            if (status) return status;
            at += norm_pieces(x);
        }
        return cuda_launch(call, 1, CUDA_THREADS, root_of_sum<T>, (const double *)sums, at, (T *)call->output[0].data);
    });
}
