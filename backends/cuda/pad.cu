/* pad and its adjoint on the GPU. pad: a thread an element, which looks up where it comes from (ops/pad_source.h). The
   adjoint is that of one axis after the other, and for one axis a thread adds up the few places that showed its
   element, in order. Memory limits both. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "core/bf16.h"
#include "ops/pad_source.h"
}

struct padding {
    int rank, mode;
    int before[REEL_MAX_RANK], size[REEL_MAX_RANK];
    cuda_divider padded[REEL_MAX_RANK];
};

template <class T> __global__ static void pad(padding p, const T *x, T *y, T constant, unsigned n)
{
    unsigned at = cuda_element(), left = at;
    int element = 0, step = 1;
    if (at >= n) return;
    for (int a = p.rank - 1; a >= 0 && element >= 0; a--) {
        int i = (int)reel_pad_source(p.mode, (int)cuda_split(&left, p.padded[a]), p.before[a], p.size[a]);
        element = i < 0 ? -1 : element + i * step;
        step *= p.size[a];
    }
    y[at] = element < 0 ? constant : x[element];
}

/* The bytes of the constant, as the kernel moves them. */
template <class T> static T constant_of(double value, reel_dtype dtype)
{
    float f = (float)value;
    int32_t i = (int32_t)value;
    uint8_t u = (uint8_t)value;
    reel_bf16 half = reel_bf16_from_float(f);
    const void *bytes[REEL_DTYPES] = {&f, &value, &i, &u, &half}; /* in the order of reel_dtype */
    T constant;
    memcpy(&constant, bytes[dtype], sizeof constant);
    return constant;
}

reel_status cuda_pad(const reel_call *call)
{
    const reel_pad_attr *attr = (const reel_pad_attr *)call->attr;
    const reel_array *x = &call->input[0], *y = &call->output[0];
    padding p = {.rank = y->shape.rank, .mode = attr->mode};
    for (int a = 0; a < p.rank; a++) {
        p.before[a] = (int)attr->before.at[a];
        p.size[a] = (int)x->shape.size[a];
        p.padded[a] = cuda_divider_of(y->shape.size[a]);
    }
    return cuda_by_width(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), pad<T>, p, (const T *)x->data, (T *)y->data,
                         constant_of<T>(attr->value, y->dtype), cuda_elements(y));
    });
}

/* --- the adjoint --- */

/* One axis: `padded` elements become `size`. */
struct fold_axis {
    int mode, before, padded;
    cuda_divider inner, size;
};

template <class T> __global__ static void unpad(fold_axis f, const T *dy, T *dx, unsigned n)
{
    unsigned at = cuda_element(), outer = at;
    if (at >= n) return;
    unsigned inside = cuda_split(&outer, f.inner);
    int i = (int)cuda_split(&outer, f.size), end = (int)f.size.size - 1, first = i + f.before, last = first;
    const T *line = dy + outer * (unsigned)f.padded * f.inner.size + inside;
    T sum = 0;
    if (f.mode == REEL_PAD_EDGE && i == 0) first = 0;
    if (f.mode == REEL_PAD_EDGE && i == end) last = f.padded - 1;
    for (int o = first < 0 ? 0 : first; o <= last && o < f.padded; o++) sum += line[(unsigned)o * f.inner.size];
    if (f.mode == REEL_PAD_REFLECT) {
        int front = f.before - i, back = f.before + 2 * end - i;
        if (i > 0 && front >= 0 && front < f.padded) sum += line[(unsigned)front * f.inner.size];
        if (i < end && back >= 0 && back < f.padded) sum += line[(unsigned)back * f.inner.size];
    }
    dx[at] = sum;
}

/* What lies between one axis and the next: arrays of which the axes before are as in dx and those after as in dy. Two
   are kept, in turns; the size of the largest. */
static int64_t between_elements(const reel_call *call)
{
    const reel_shape *dy = &call->input[0].shape, *dx = &call->output[0].shape;
    int64_t most = 0;
    for (int done = 1; done < dy->rank; done++) {
        int64_t elements = 1;
        for (int a = 0; a < dy->rank; a++) elements *= a < done ? dx->size[a] : dy->size[a];
        if (elements > most) most = elements;
    }
    return most;
}

size_t cuda_pad_gradient_scratch(const reel_call *call)
{
    return 2 * (size_t)between_elements(call) * reel_dtype_size(call->output[0].dtype);
}

template <class T> static reel_status unpad_axes(const reel_call *call)
{
    const reel_pad_attr *attr = (const reel_pad_attr *)call->attr;
    const reel_array *dx = &call->output[0];
    reel_shape shape = call->input[0].shape;
    const T *from = (const T *)call->input[0].data;
    reel_status status = REEL_OK;
    for (int a = 0; !status && a < shape.rank; a++) {
        int64_t inner = 1;
        for (int k = a + 1; k < shape.rank; k++) inner *= shape.size[k];
        fold_axis f = {attr->mode, (int)attr->before.at[a], (int)shape.size[a], cuda_divider_of(inner),
                       cuda_divider_of(dx->shape.size[a])};
        shape.size[a] = dx->shape.size[a];
        T *to = a == shape.rank - 1 ? (T *)dx->data : (T *)call->scratch + (a % 2 ? between_elements(call) : 0);
        unsigned n = (unsigned)reel_elements(&shape);
        status = cuda_over(call, n, unpad<T>, f, from, to, n);
        from = to;
    }
    return status;
}

reel_status cuda_pad_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    if (!dx->shape.rank)
        return call->backend->copy(call->backend, dx->data, dy->data, reel_dtype_size(dx->dtype), call->error);
    return cuda_by_float(dx->dtype, [&](auto zero) { return unpad_axes<decltype(zero)>(call); });
}
