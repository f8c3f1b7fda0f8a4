/* resize2d and its gradient on the GPU. A first kernel makes the tables of both axes (ops/resize_taps.h) in scratch
   memory: for each output the two inputs it lies between; for each input the outputs it takes part in, which are
   neighbours, since coordinates never decrease. Then a thread makes an element of the result, gathering in both
   directions. Memory limits it. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "ops/resize_taps.h"
}

/* Sizes of both axes, and where their tables are: rows first. */
struct tables {
    int in[2], out[2];
    cuda_divider by_in[2], by_out[2];
    reel_resize_tap *tap;
    reel_resize_range *range;
};

static tables tables_of(const reel_call *call, const reel_shape *x, const reel_shape *y)
{
    tables t = {};
    for (int a = 0; a < 2; a++) {
        t.in[a] = (int)x->size[2 + a];
        t.out[a] = (int)y->size[2 + a];
        t.by_in[a] = cuda_divider_of(t.in[a]);
        t.by_out[a] = cuda_divider_of(t.out[a]);
    }
    t.tap = (reel_resize_tap *)call->scratch;
    t.range = (reel_resize_range *)(t.tap + t.out[0] + t.out[1]);
    return t;
}

__global__ static void make_taps(reel_resize2d_attr attr, tables t)
{
    int o = (int)cuda_element(), axis = o >= t.out[0];
    if (o >= t.out[0] + t.out[1]) return;
    t.tap[o] = reel_resize_tap_at(&attr, axis ? attr.scale_width : attr.scale_height, t.in[axis], t.out[axis],
                                  axis ? o - t.out[0] : o);
}

/* The first output of m with value(tap) >= bound; m when there is none. Values never decrease. */
template <class F> __device__ static int first_from(const reel_resize_tap *tap, int m, int bound, F value)
{
    int low = 0, high = m;
    while (low < high) {
        int middle = (low + high) / 2;
        if (value(tap[middle]) >= bound)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

__global__ static void make_ranges(tables t)
{
    int i = (int)cuda_element(), axis = i >= t.in[0];
    if (i >= t.in[0] + t.in[1]) return;
    int input = axis ? i - t.in[0] : i;
    const reel_resize_tap *tap = t.tap + (axis ? t.out[0] : 0);
    int first = first_from(tap, t.out[axis], input, [](const reel_resize_tap &a) { return a.high; });
    int end = first_from(tap, t.out[axis], input + 1, [](const reel_resize_tap &a) { return a.low; });
    t.range[i] = reel_resize_range{first, end - 1};
}

template <class T> __device__ static T between(T low, T high, T weight)
{
    return weight > 0 ? (1 - weight) * low + weight * high : low;
}

template <class T> __global__ static void resize(tables t, const T *x, T *y, unsigned n)
{
    unsigned at = cuda_element(), plane = at;
    if (at >= n) return;
    unsigned q = cuda_split(&plane, t.by_out[1]), p = cuda_split(&plane, t.by_out[0]);
    typedef typename cuda_computed<T>::type V;
    const reel_resize_tap row = t.tap[p], column = t.tap[t.out[0] + (int)q];
    const T *low = x + ((int)plane * t.in[0] + row.low) * t.in[1],
            *high = x + ((int)plane * t.in[0] + row.high) * t.in[1];
    V above = between<V>(V(low[column.low]), V(low[column.high]), (V)column.weight);
    V below = between<V>(V(high[column.low]), V(high[column.high]), (V)column.weight);
    y[at] = T(between<V>(above, below, (V)row.weight));
}

template <class T> __global__ static void gather(tables t, const T *dy, T *dx, unsigned n)
{
    unsigned at = cuda_element(), plane = at;
    if (at >= n) return;
    int j = (int)cuda_split(&plane, t.by_in[1]), i = (int)cuda_split(&plane, t.by_in[0]);
    const reel_resize_range rows = t.range[i], columns = t.range[t.in[0] + j];
    typedef typename cuda_computed<T>::type V;
    V sum = 0;
    for (int p = rows.first; p <= rows.last; p++) {
        V share = (V)reel_resize_share(&t.tap[p], i), line = 0;
        for (int q = columns.first; q <= columns.last; q++)
            line += (V)reel_resize_share(&t.tap[t.out[0] + q], j) * V(dy[((int)plane * t.out[0] + p) * t.out[1] + q]);
        sum += share * line;
    }
    dx[at] = T(sum);
}

reel_status cuda_resize2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    tables t = tables_of(call, &x->shape, &y->shape);
    reel_status status = cuda_over(call, t.out[0] + t.out[1], make_taps, *(const reel_resize2d_attr *)call->attr, t);
    if (status) return status;
    return cuda_by_real(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), resize<T>, t, (const T *)x->data, (T *)y->data, cuda_elements(y));
    });
}

reel_status cuda_resize2d_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    tables t = tables_of(call, &dx->shape, &dy->shape);
    const reel_resize2d_gradient_attr *attr = (const reel_resize2d_gradient_attr *)call->attr;
    reel_status status = cuda_over(call, t.out[0] + t.out[1], make_taps, attr->resize, t);
    if (!status) status = cuda_over(call, t.in[0] + t.in[1], make_ranges, t);
    if (status) return status;
    return cuda_by_real(dy->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(dx), gather<T>, t, (const T *)dy->data, (T *)dx->data, cuda_elements(dx));
    });
}

size_t cuda_resize2d_scratch(const reel_call *call)
{
    return reel_resize_tables_bytes(&call->input[0].shape.size[2], &call->output[0].shape.size[2]);
}
size_t cuda_resize2d_gradient_scratch(const reel_call *call)
{
    return reel_resize_tables_bytes(&call->output[0].shape.size[2], &call->input[0].shape.size[2]);
}
