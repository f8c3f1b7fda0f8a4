/* gather, scatter_add and one_hot on the GPU. An index out of range is refused and its entry left out. Entries that
   land on one place are added by one thread in the order of the index, as the reference does. */
#include "backends/cuda/device.cuh"

/* An axis of `size` between `outer` and `inner` elements, and `taken` indices in its place. */
struct taking {
    const int32_t *index;
    unsigned taken;
    int size;
    cuda_divider by_inner, by_taken;
    unsigned inner;
    cuda_watch watch;
};

static taking taking_of(const reel_call *call, const reel_shape *whole, int axis)
{
    const reel_array *index = &call->input[1];
    taking t = {(const int32_t *)index->data, cuda_elements(index), (int)whole->size[axis]};
    int64_t inner = 1;
    for (int k = axis + 1; k < whole->rank; k++) inner *= whole->size[k];
    t.inner = (unsigned)inner;
    t.by_inner = cuda_divider_of(inner);
    t.by_taken = cuda_divider_of(t.taken);
    t.watch = cuda_watch_values(call, index, "index", "one of -%d..%d", t.size, t.size - 1);
    return t;
}

/* Index j, counted from the front; -1 when it is refused. */
__device__ static int index_at(const taking &t, unsigned j)
{
    int i = t.index[j] < 0 ? t.index[j] + t.size : t.index[j];
    if (i >= 0 && i < t.size) return i;
    cuda_refuse(t.watch, j);
    return -1;
}

template <class T> __global__ static void gather(taking t, const T *x, T *y, unsigned n)
{
    unsigned at = cuda_element(), outer = at;
    if (at >= n) return;
    unsigned i = cuda_split(&outer, t.by_inner), j = cuda_split(&outer, t.by_taken);
    int from = index_at(t, j);
    y[at] = from < 0 ? T(0) : x[(outer * (unsigned)t.size + (unsigned)from) * t.inner + i];
}

reel_status cuda_gather(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    taking t = taking_of(call, &x->shape, reel_shape_axis(&x->shape, ((const reel_gather_attr *)call->attr)->axis));
    return cuda_by_width(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), gather<T>, t, (const T *)x->data, (T *)y->data, cuda_elements(y));
    });
}

/* A thread for each column of the result. */
template <class T> __global__ static void scatter(taking t, const T *x, T *y, unsigned columns)
{
    unsigned outer = cuda_element();
    if (outer >= columns) return;
    unsigned i = cuda_split(&outer, t.by_inner);
    T *column = y + outer * (unsigned)t.size * t.inner + i;
    for (int k = 0; k < t.size; k++) column[(unsigned)k * t.inner] = 0;
    for (unsigned j = 0; j < t.taken; j++) {
        int to = index_at(t, j);
        if (to >= 0) column[(unsigned)to * t.inner] += x[(outer * t.taken + j) * t.inner + i];
    }
}

reel_status cuda_scatter_add(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int axis = reel_shape_axis(&y->shape, ((const reel_scatter_add_attr *)call->attr)->axis);
    taking t = taking_of(call, &y->shape, axis);
    int64_t columns = t.inner;
    for (int k = 0; k < axis; k++) columns *= y->shape.size[k];
    return cuda_by_float(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, columns, scatter<T>, t, (const T *)x->data, (T *)y->data, (unsigned)columns);
    });
}

/* --- one_hot --- */

template <class T>
__global__ static void one_hot(const int32_t *index, T *y, cuda_divider inner, cuda_divider classes, cuda_watch watch,
                               unsigned n)
{
    unsigned at = cuda_element(), outer = at;
    if (at >= n) return;
    unsigned i = cuda_split(&outer, inner), k = cuda_split(&outer, classes), element = outer * inner.size + i;
    int value = index[element];
    if (value < 0 || value >= (int)classes.size) cuda_refuse(watch, element);
    cuda_convert(value == (int)k, &y[at]);
}

reel_status cuda_one_hot(const reel_call *call)
{
    const reel_one_hot_attr *attr = (const reel_one_hot_attr *)call->attr;
    const reel_array *y = &call->output[0];
    int64_t inner = 1;
    for (int k = reel_shape_axis(&y->shape, attr->axis) + 1; k < y->shape.rank; k++) inner *= y->shape.size[k];
    cuda_watch watch = cuda_watch_values(call, &call->input[0], "class", "one of 0..%d", attr->classes - 1);
    return cuda_by_dtype(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), one_hot<T>, (const int32_t *)call->input[0].data, (T *)y->data,
                         cuda_divider_of(inner), cuda_divider_of(attr->classes), watch, cuda_elements(y));
    });
}
