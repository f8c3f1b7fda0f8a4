/* The ops that read class numbers, on the GPU: pick, class_weights, cross_entropy and their gradients. A thread makes
   an element; neighbours are neighbouring positions, so that every read along the classes is in order. A label that is
   no class is refused and counts as absent. Sums are double. Memory limits them. */
#include "backends/cuda/fold.cuh"

extern "C" {
#include "ops/label.h"
}

struct labels {
    const int32_t *at;
    int classes, ignore;
    cuda_watch watch;
};

static labels labels_of(const reel_call *call, int64_t classes, int ignore)
{
    const reel_array *t = &call->input[1];
    cuda_watch watch =
        cuda_watch_values(call, t, "label", "one of 0..%lld or the ignored %d", (long long)classes - 1, ignore);
    return {(const int32_t *)t->data, (int)classes, ignore, watch};
}

/* The class of an element; -1 when it is absent. */
__device__ static int class_at(const labels &t, unsigned at)
{
    int label = t.at[at];
    if (label == t.ignore) return -1;
    if (label >= 0 && label < t.classes) return label;
    cuda_refuse(t.watch, at);
    return -1;
}

/* Where the scores of an element begin in [N, K, positions]; the next class is `positions` further. */
__device__ static unsigned first_score(unsigned at, unsigned classes, cuda_divider positions)
{
    unsigned sample = at, position = cuda_split(&sample, positions);
    return sample * classes * positions.size + position;
}

static int ignore_of(const reel_call *call)
{
    return ((const reel_label_attr *)call->attr)->ignore_index;
}

/* --- pick --- */

template <class T> __global__ static void pick(const T *x, labels t, cuda_divider positions, T *y, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    int k = class_at(t, at);
    y[at] = k < 0 ? T(0) : x[first_score(at, (unsigned)t.classes, positions) + (unsigned)k * positions.size];
}

template <class T> __global__ static void put_back(const T *dy, labels t, cuda_divider positions, T *dx, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    int label = class_at(t, at);
    unsigned first = first_score(at, (unsigned)t.classes, positions);
    for (int k = 0; k < t.classes; k++) dx[first + (unsigned)k * positions.size] = k == label ? dy[at] : T(0);
}

reel_status cuda_pick(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const reel_label_extent e = reel_label_extent_of(&x->shape);
    labels t = labels_of(call, e.classes, ignore_of(call));
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), pick<T>, (const T *)x->data, t, cuda_divider_of(e.positions),
                         (T *)y->data, cuda_elements(y));
    });
}

reel_status cuda_pick_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    const reel_label_extent e = reel_label_extent_of(&dx->shape);
    labels t = labels_of(call, e.classes, ((const reel_class_count_attr *)call->attr)->ignore_index);
    return cuda_by_float(dy->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(dy), put_back<T>, (const T *)dy->data, t, cuda_divider_of(e.positions),
                         (T *)dx->data, cuda_elements(dy));
    });
}

/* --- class_weights --- */

template <class T> __global__ static void weights(const T *w, labels t, T *y, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    int k = class_at(t, at);
    y[at] = k < 0 ? T(0) : w[k];
}

/* A block sums one class. */
template <class T> __global__ static void sum_class(const T *dy, labels t, T *y, unsigned n)
{
    double sum = 0;
    for (unsigned at = threadIdx.x; at < n; at += blockDim.x)
        if (class_at(t, at) == (int)blockIdx.x) sum += (double)dy[at];
    sum = cuda_block_fold<cuda_sum>(sum);
    if (threadIdx.x == 0) y[blockIdx.x] = (T)sum;
}

reel_status cuda_class_weights(const reel_call *call)
{
    const reel_array *w = &call->input[0], *y = &call->output[0];
    labels t = labels_of(call, w->shape.size[0], ignore_of(call));
    return cuda_by_float(w->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), weights<T>, (const T *)w->data, t, (T *)y->data, cuda_elements(y));
    });
}

reel_status cuda_class_weights_gradient(const reel_call *call)
{
    const reel_class_count_attr *attr = (const reel_class_count_attr *)call->attr;
    const reel_array *dy = &call->input[0], *y = &call->output[0];
    labels t = labels_of(call, attr->classes, attr->ignore_index);
    return cuda_by_float(dy->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_launch(call, (unsigned)attr->classes, CUDA_THREADS, sum_class<T>, (const T *)dy->data, t,
                           (T *)y->data, cuda_elements(dy));
    });
}

/* --- cross_entropy --- */

template <class T>
__global__ static void cross_entropy(const T *x, labels t, cuda_divider positions, T *loss, T *log_sum, unsigned n)
{
    unsigned at = cuda_element(), step = positions.size;
    if (at >= n) return;
    const T *score = x + first_score(at, (unsigned)t.classes, positions);
    T most = -INFINITY;
    double sum = 0;
    for (int k = 0; k < t.classes; k++) most = score[(unsigned)k * step] > most ? score[(unsigned)k * step] : most;
    for (int k = 0; k < t.classes; k++) sum += (double)exp(score[(unsigned)k * step] - most);
    double total = (double)most + log(sum);
    int label = class_at(t, at);
    loss[at] = label < 0 ? T(0) : (T)(total - (double)score[(unsigned)label * step]);
    log_sum[at] = (T)total;
}

template <class T>
__global__ static void cross_entropy_gradient(const T *x, labels t, const T *log_sum, const T *d,
                                              cuda_divider positions, T *dx, unsigned n)
{
    unsigned at = cuda_element(), step = positions.size;
    if (at >= n) return;
    unsigned first = first_score(at, (unsigned)t.classes, positions);
    int label = class_at(t, at);
    T reaches = d[at], total = log_sum[at];
    for (int k = 0; k < t.classes; k++) {
        unsigned i = first + (unsigned)k * step;
        dx[i] = label < 0 ? T(0) : (exp(x[i] - total) - T(k == label)) * reaches;
    }
}

reel_status cuda_cross_entropy(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const reel_label_extent e = reel_label_extent_of(&x->shape);
    labels t = labels_of(call, e.classes, ignore_of(call));
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), cross_entropy<T>, (const T *)x->data, t, cuda_divider_of(e.positions),
                         (T *)y->data, (T *)call->output[1].data, cuda_elements(y));
    });
}

reel_status cuda_cross_entropy_gradient(const reel_call *call)
{
    const reel_array *x = &call->input[0], *in = call->input;
    const reel_label_extent e = reel_label_extent_of(&x->shape);
    labels t = labels_of(call, e.classes, ignore_of(call));
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(&in[1]), cross_entropy_gradient<T>, (const T *)x->data, t,
                         (const T *)in[2].data, (const T *)in[3].data, cuda_divider_of(e.positions),
                         (T *)call->output[0].data, cuda_elements(&in[1]));
    });
}
