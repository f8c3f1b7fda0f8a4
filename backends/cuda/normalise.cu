/* softmax, log_softmax, batch_norm and dropout on the GPU. A softmax reads a line three times, twice of them from a
   cache when the line is short. In [N, K, H, W] along K it is a thread a line, so that neighbouring threads read
   neighbouring elements; along the last axis, where the elements of a line are the neighbours, a warp a line. The
   others are a thread an element. Memory limits all. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "core/rng.h"
#include "ops/axis.h"
}

/* x and y may be one array: an element is written after the line was read for the last time but for it. */
template <class T>
__global__ static void softmax(const T *x, T *y, unsigned lines, unsigned n, unsigned inner, bool logarithm)
{
    unsigned line = cuda_element();
    if (line >= lines) return;
    unsigned first = line / inner * n * inner + line % inner;
    T most = -INFINITY;
    double sum = 0;
    for (unsigned k = 0; k < n; k++) most = x[first + k * inner] > most ? x[first + k * inner] : most;
    for (unsigned k = 0; k < n; k++) sum += (double)exp(x[first + k * inner] - most);
    T shift = (T)(logarithm ? log(sum) : 1 / sum);
    for (unsigned k = 0; k < n; k++) {
        T shifted = x[first + k * inner] - most;
        y[first + k * inner] = logarithm ? shifted - shift : exp(shifted) * shift;
    }
}

enum { WARP = 32, SHORT_LINE = 8 };

template <class T> __global__ static void softmax_of_rows(const T *x, T *y, unsigned lines, unsigned n, bool logarithm)
{
    unsigned line = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (line >= lines) return; /* a whole warp */
    const T *from = x + line * n;
    double most = -INFINITY, sum = 0;
    for (unsigned k = lane; k < n; k += WARP) most = from[k] > most ? (double)from[k] : most;
    for (unsigned d = WARP / 2; d; d /= 2) most = fmax(most, __shfl_xor_sync(0xffffffffu, most, (int)d));
    for (unsigned k = lane; k < n; k += WARP) sum += (double)exp(from[k] - (T)most);
    for (unsigned d = WARP / 2; d; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, (int)d);
    T shift = (T)(logarithm ? log(sum) : 1 / sum);
    for (unsigned k = lane; k < n; k += WARP) {
        T shifted = from[k] - (T)most;
        y[line * n + k] = logarithm ? shifted - shift : exp(shifted) * shift;
    }
}

reel_status cuda_softmax(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    reel_axis_view v = reel_axis_view_of(&x->shape, ((const reel_softmax_attr *)call->attr)->axis);
    bool rows = v.inner == 1 && v.n > SHORT_LINE;
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        if (rows)
            return cuda_over(call, v.outer * WARP, softmax_of_rows<T>, (const T *)x->data, (T *)y->data,
                             (unsigned)v.outer, (unsigned)v.n, call->op == &reel_op_log_softmax);
        return cuda_over(call, v.outer * v.inner, softmax<T>, (const T *)x->data, (T *)y->data,
                         (unsigned)(v.outer * v.inner), (unsigned)v.n, (unsigned)v.inner,
                         call->op == &reel_op_log_softmax);
    });
}

/* --- batch_norm --- */

template <class T>
__global__ static void normalise(const T *x, const T *scale, const T *shift, const T *mean, const T *variance, T *y,
                                 T epsilon, cuda_divider inner, cuda_divider channels, unsigned n)
{
    unsigned i = cuda_element();
    if (i >= n) return;
    unsigned plane = cuda_divide(i, inner), c = cuda_split(&plane, channels);
    y[i] = (x[i] - mean[c]) * (scale[c] / sqrt(variance[c] + epsilon)) + shift[c];
}

reel_status cuda_batch_norm(const reel_call *call)
{
    const reel_array *in = call->input, *y = &call->output[0];
    int64_t inner = 1;
    for (int k = 2; k < y->shape.rank; k++) inner *= y->shape.size[k];
    return cuda_by_float(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), normalise<T>, (const T *)in[0].data, (const T *)in[1].data,
                         (const T *)in[2].data, (const T *)in[3].data, (const T *)in[4].data, (T *)y->data,
                         (T)((const reel_batch_norm_attr *)call->attr)->epsilon, cuda_divider_of(inner),
                         cuda_divider_of(y->shape.size[1]), cuda_elements(y));
    });
}

/* --- dropout --- */

/* The key is made here: that of the run is in the device's memory, since a recorded launch keeps its arguments. */
template <class T>
__global__ static void drop(const T *x, T *y, const cuda_start *run, uint64_t node, double p, T kept, unsigned n)
{
    unsigned i = cuda_element();
    if (i < n) y[i] = x[i] * (reel_uniform(reel_key(run->random_key, node), i) >= p ? kept : T(0));
}

reel_status cuda_dropout(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    double p = ((const reel_dropout_attr *)call->attr)->p;
    return cuda_by_float(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), drop<T>, (const T *)x->data, (T *)y->data, cuda_of(call)->start,
                         call->node_key, p, p < 1 ? (T)(1 / (1 - p)) : T(0), cuda_elements(y));
    });
}
