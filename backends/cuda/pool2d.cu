/* max_pool2d, its select and gradient, avg_pool2d and its gradient on the GPU: a thread for each element of the result.
   The gradients gather: an element of dx looks up the windows that hold it. Memory limits them. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "ops/pool2d_geometry.h"
}

struct windows {
    int size[2], out[2], kernel[2], stride[2], dilation[2], before[2], after[2];
    cuda_divider by_size[2], by_out[2], by_stride[2], by_kernel;
};

static windows windows_of(const reel_shape *x, const reel_shape *y, const reel_max_pool2d_attr *attr)
{
    reel_pool2d_geometry g = reel_pool2d_measure(x, y, attr);
    windows w = {};
    for (int a = 0; a < 2; a++) {
        w.size[a] = (int)g.size[a];
        w.out[a] = (int)g.out[a];
        w.kernel[a] = (int)g.kernel[a];
        w.stride[a] = (int)g.stride[a];
        w.dilation[a] = (int)g.dilation[a];
        w.before[a] = (int)g.before[a];
        w.after[a] = (int)g.after[a];
        w.by_size[a] = cuda_divider_of(g.size[a]);
        w.by_out[a] = cuda_divider_of(g.out[a]);
        w.by_stride[a] = cuda_divider_of(g.stride[a]);
    }
    w.by_kernel = cuda_divider_of(g.kernel[1]);
    return w;
}

struct position {
    int plane, row, column;
};

__device__ static position position_of(unsigned i, const cuda_divider by[2])
{
    int column = (int)cuda_split(&i, by[1]), row = (int)cuda_split(&i, by[0]);
    return {(int)i, row, column};
}

/* Row (axis 0) or column that window o sees at kernel position i. */
__device__ static int seen_at(const windows &w, int axis, int o, int i)
{
    return o * w.stride[axis] + i * w.dilation[axis] - w.before[axis];
}

__device__ static bool within(const windows &w, int row, int column)
{
    return (unsigned)row < (unsigned)w.size[0] && (unsigned)column < (unsigned)w.size[1];
}

/* The window that sees `at` at kernel position i; -1 for none. */
__device__ static int window_of(const windows &w, int axis, int at, int i)
{
    int distance = at + w.before[axis] - i * w.dilation[axis];
    if (distance < 0) return -1;
    unsigned o = (unsigned)distance, rest = cuda_split(&o, w.by_stride[axis]);
    return rest || o >= (unsigned)w.out[axis] ? -1 : (int)o;
}

/* --- the largest of each window --- */

template <class T, class I> __global__ static void max_pool(windows w, const T *x, T *y, I *index, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    position o = position_of(at, w.by_out);
    typedef typename cuda_computed<T>::type V;
    int best = -1;
    V value = 0;
    for (int i = 0; i < w.kernel[0]; i++)
        for (int j = 0; j < w.kernel[1]; j++) {
            int row = seen_at(w, 0, o.row, i), column = seen_at(w, 1, o.column, j);
            if (!within(w, row, column)) continue;
            V candidate = V(x[(o.plane * w.size[0] + row) * w.size[1] + column]);
            if (best >= 0 && (value != value || candidate <= value)) continue;
            value = candidate;
            best = i * w.kernel[1] + j;
        }
    y[at] = T(value);
    index[at] = (I)best;
}

/* work(I()) for the type of an index. */
template <class F> static reel_status by_index(const reel_array *index, F work)
{
    return index->dtype == REEL_U8 ? work(uint8_t()) : work(int32_t());
}

reel_status cuda_max_pool2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0], *index = &call->output[1];
    windows w = windows_of(&x->shape, &y->shape, (const reel_max_pool2d_attr *)call->attr);
    return cuda_by_real(x->dtype, [&](auto zero) {
        return by_index(index, [&](auto none) {
            typedef decltype(zero) T;
            typedef decltype(none) I;
            return cuda_over(call, cuda_elements(y), max_pool<T, I>, w, (const T *)x->data, (T *)y->data,
                             (I *)index->data, cuda_elements(y));
        });
    });
}

/* --- the element that an index names, and its adjoint --- */

static cuda_watch watch_index(const reel_call *call, const reel_array *index, const windows &w)
{
    return cuda_watch_values(call, index, "index", "0 to %d, a position in the window", w.kernel[0] * w.kernel[1] - 1);
}

/* The index of a window, -1 and a refusal when it is no position in it. */
template <class I> __device__ static int index_at(const windows &w, const I *index, unsigned at, cuda_watch watch)
{
    int value = (int)index[at];
    if (value >= 0 && value < w.kernel[0] * w.kernel[1]) return value;
    cuda_refuse(watch, at);
    return -1;
}

template <class T, class I>
__global__ static void select_indexed(windows w, const T *x, const I *index, T *y, cuda_watch watch, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    position o = position_of(at, w.by_out);
    int value = index_at(w, index, at, watch);
    unsigned i = value < 0 ? 0 : (unsigned)value, j = cuda_split(&i, w.by_kernel);
    int row = seen_at(w, 0, o.row, (int)i), column = seen_at(w, 1, o.column, (int)j);
    bool inside = value >= 0 && within(w, row, column);
    y[at] = inside ? x[(o.plane * w.size[0] + row) * w.size[1] + column] : T(0);
}

template <class T, class I>
__global__ static void gather_indexed(windows w, const T *dy, const I *index, T *dx, cuda_watch watch, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    position here = position_of(at, w.by_size);
    typedef typename cuda_computed<T>::type V;
    V sum = 0;
    for (int i = 0; i < w.kernel[0]; i++) {
        int p = window_of(w, 0, here.row, i);
        for (int j = 0; p >= 0 && j < w.kernel[1]; j++) {
            int q = window_of(w, 1, here.column, j);
            if (q < 0) continue;
            unsigned from = (unsigned)((here.plane * w.out[0] + p) * w.out[1] + q);
            if (index_at(w, index, from, watch) == i * w.kernel[1] + j) sum += V(dy[from]);
        }
    }
    dx[at] = T(sum);
}

reel_status cuda_max_pool2d_select(const reel_call *call)
{
    const reel_array *x = &call->input[0], *index = &call->input[1], *y = &call->output[0];
    windows w = windows_of(&x->shape, &y->shape, (const reel_max_pool2d_attr *)call->attr);
    cuda_watch watch = watch_index(call, index, w);
    return cuda_by_real(x->dtype, [&](auto zero) {
        return by_index(index, [&](auto none) {
            typedef decltype(zero) T;
            typedef decltype(none) I;
            return cuda_over(call, cuda_elements(y), select_indexed<T, I>, w, (const T *)x->data,
                             (const I *)index->data, (T *)y->data, watch, cuda_elements(y));
        });
    });
}

reel_status cuda_max_pool2d_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *index = &call->input[1], *dx = &call->output[0];
    windows w = windows_of(&dx->shape, &dy->shape, &((const reel_max_pool2d_gradient_attr *)call->attr)->window);
    cuda_watch watch = watch_index(call, index, w);
    return cuda_by_real(dy->dtype, [&](auto zero) {
        return by_index(index, [&](auto none) {
            typedef decltype(zero) T;
            typedef decltype(none) I;
            return cuda_over(call, cuda_elements(dx), gather_indexed<T, I>, w, (const T *)dy->data,
                             (const I *)index->data, (T *)dx->data, watch, cuda_elements(dx));
        });
    });
}

/* --- the mean --- */

/* How many positions of window o a mean counts along one axis. */
__device__ static int counted(const windows &w, int axis, int o, bool include_pad)
{
    int low = include_pad ? -w.before[axis] : 0, high = w.size[axis] + (include_pad ? w.after[axis] : 0), count = 0;
    for (int i = 0; i < w.kernel[axis]; i++) {
        int at = seen_at(w, axis, o, i);
        count += at >= low && at < high;
    }
    return count;
}

template <class T> __global__ static void mean_pool(windows w, bool include_pad, const T *x, T *y, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    position o = position_of(at, w.by_out);
    typedef typename cuda_computed<T>::type V;
    V sum = 0;
    for (int i = 0; i < w.kernel[0]; i++)
        for (int j = 0; j < w.kernel[1]; j++) {
            int row = seen_at(w, 0, o.row, i), column = seen_at(w, 1, o.column, j);
            if (within(w, row, column)) sum += V(x[(o.plane * w.size[0] + row) * w.size[1] + column]);
        }
    y[at] = T(sum / (V)(counted(w, 0, o.row, include_pad) * counted(w, 1, o.column, include_pad)));
}

template <class T> __global__ static void spread_mean(windows w, bool include_pad, const T *dy, T *dx, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    position here = position_of(at, w.by_size);
    typedef typename cuda_computed<T>::type V;
    V sum = 0;
    for (int i = 0; i < w.kernel[0]; i++) {
        int p = window_of(w, 0, here.row, i);
        if (p < 0) continue;
        int rows = counted(w, 0, p, include_pad);
        for (int j = 0; j < w.kernel[1]; j++) {
            int q = window_of(w, 1, here.column, j);
            if (q < 0) continue;
            sum += V(dy[(here.plane * w.out[0] + p) * w.out[1] + q]) / (V)(rows * counted(w, 1, q, include_pad));
        }
    }
    dx[at] = T(sum);
}

reel_status cuda_avg_pool2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const reel_avg_pool2d_attr *attr = (const reel_avg_pool2d_attr *)call->attr;
    windows w = windows_of(&x->shape, &y->shape, &attr->window);
    return cuda_by_real(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), mean_pool<T>, w, attr->count_include_pad, (const T *)x->data,
                         (T *)y->data, cuda_elements(y));
    });
}

reel_status cuda_avg_pool2d_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    const reel_avg_pool2d_gradient_attr *attr = (const reel_avg_pool2d_gradient_attr *)call->attr;
    windows w = windows_of(&dx->shape, &dy->shape, &attr->pool.window);
    return cuda_by_real(dy->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(dx), spread_mean<T>, w, attr->pool.count_include_pad, (const T *)dy->data,
                         (T *)dx->data, cuda_elements(dx));
    });
}
