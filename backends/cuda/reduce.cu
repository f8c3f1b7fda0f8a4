/* sum, mean, sum_to, max, min and argmax on the GPU.

   Element o of y is folded from `each` elements of x (ops/fold.h). Where neighbours of x belong to one fold, a block
   works on it together, its threads side by side; where they belong to neighbouring folds, or a fold is short, a thread
   has a fold of its own. Few long folds are cut into parts, whose results the last kernel folds in order. What is cut
   how is decided by the shape alone. In double; memory is what limits it: x is read once. */
#include "backends/cuda/fold.cuh"

extern "C" {
#include "ops/axis.h"
#include "ops/fold.h"
}

enum { SHORT = 64, PART = 4096, WANTED_BLOCKS = 1024, WANTED_THREADS = 1 << 16 };

struct largest {
    static constexpr double start = -INFINITY;
    __device__ static double combine(double a, double b) { return b > a || b != b ? b : a; }
};
struct smallest {
    static constexpr double start = INFINITY;
    __device__ static double combine(double a, double b) { return b < a || b != b ? b : a; }
};

struct axes {
    int count;
    cuda_divider size[REEL_MAX_RANK];
    unsigned stride[REEL_MAX_RANK];
};

static axes axes_of(const reel_fold_axes *from)
{
    axes a = {.count = from->count};
    for (int i = 0; i < a.count; i++) {
        a.size[i] = cuda_divider_of(from->size[i]);
        a.stride[i] = (unsigned)from->stride[i];
    }
    return a;
}

__device__ static unsigned offset_of(const axes &a, unsigned index)
{
    unsigned offset = 0;
    for (int i = a.count - 1; i > 0; i--) offset += cuda_split(&index, a.size[i]) * a.stride[i];
    return a.count ? offset + index * a.stride[0] : 0;
}

/* What is folded, and how it is cut. */
struct folding {
    axes kept, reduced;
    unsigned outputs, each, parts, part; /* part: elements of one */
    bool together;                       /* a block for a fold */
    double divisor;
};

static folding folding_of(const reel_call *call)
{
    reel_fold fold;
    reel_fold_of(call, &fold);
    folding f = {.kept = axes_of(&fold.kept), .reduced = axes_of(&fold.reduced)};
    f.outputs = (unsigned)fold.outputs;
    f.each = (unsigned)fold.each;
    f.divisor = call->op == &reel_op_mean ? (double)f.each : 1;
    bool side_by_side = fold.reduced.count && fold.reduced.stride[fold.reduced.count - 1] == 1;
    f.together = side_by_side && f.each > SHORT;
    unsigned least = f.together ? PART : SHORT, wanted = f.together ? WANTED_BLOCKS : WANTED_THREADS;
    unsigned most = f.each / least, ask = f.outputs ? wanted / f.outputs : 0;
    f.parts = ask < most ? ask : most;
    if (!f.parts) f.parts = 1;
    f.part = (f.each + f.parts - 1) / f.parts;
    return f;
}

__device__ static unsigned end_of(const folding &f, unsigned part)
{
    unsigned end = (part + 1) * f.part;
    return end < f.each ? end : f.each;
}

/* The result of one part of an output: the output itself when there is one part. */
template <class Y> __device__ static void put(const folding &f, unsigned at, double value, Y *y, double *partial)
{
    if (f.parts > 1)
        partial[at] = value;
    else
        y[at] = (Y)(value / f.divisor);
}

template <class X, class Y, class F> __global__ static void fold_together(folding f, const X *x, Y *y, double *partial)
{
    unsigned output = blockIdx.x / f.parts, part = blockIdx.x % f.parts, first = offset_of(f.kept, output);
    double value = F::start;
    for (unsigned r = part * f.part + threadIdx.x; r < end_of(f, part); r += blockDim.x)
        value = F::combine(value, (double)x[first + offset_of(f.reduced, r)]);
    value = cuda_block_fold<F>(value);
    if (threadIdx.x == 0) put(f, blockIdx.x, value, y, partial);
}

template <class X, class Y, class F> __global__ static void fold_alone(folding f, const X *x, Y *y, double *partial)
{
    unsigned output = cuda_element(), part = blockIdx.y;
    if (output >= f.outputs) return;
    unsigned first = offset_of(f.kept, output);
    double value = F::start;
    for (unsigned r = part * f.part; r < end_of(f, part); r++)
        value = F::combine(value, (double)x[first + offset_of(f.reduced, r)]);
    put(f, output * f.parts + part, value, y, partial);
}

template <class Y, class F> __global__ static void fold_parts(folding f, const double *partial, Y *y)
{
    unsigned output = cuda_element();
    if (output >= f.outputs) return;
    double value = F::start;
    for (unsigned part = 0; part < f.parts; part++) value = F::combine(value, partial[output * f.parts + part]);
    y[output] = (Y)(value / f.divisor);
}

size_t cuda_fold_scratch(const reel_call *call)
{
    folding f = folding_of(call);
    return f.parts > 1 ? (size_t)f.outputs * f.parts * sizeof(double) : 0;
}

/* X is what is folded, Y the result: sums of bf16 are float. */
template <class X, class Y, class F> static reel_status fold_as(const reel_call *call)
{
    folding f = folding_of(call);
    const X *x = (const X *)call->input[0].data;
    Y *y = (Y *)call->output[0].data;
    double *partial = (double *)call->scratch;
    dim3 blocks = f.together ? dim3(f.outputs * f.parts) : dim3((f.outputs + CUDA_THREADS - 1) / CUDA_THREADS, f.parts);
    reel_status status = cuda_launch(call, blocks, CUDA_THREADS,
                                     f.together ? fold_together<X, Y, F> : fold_alone<X, Y, F>, f, x, y, partial);
    if (status || f.parts == 1) return status;
    return cuda_over(call, f.outputs, fold_parts<Y, F>, f, partial, y);
}

template <class F> static reel_status run_fold(const reel_call *call)
{
    if (call->input[0].dtype != REEL_BF16)
        return cuda_by_float(call->output[0].dtype,
                             [&](auto zero) { return fold_as<decltype(zero), decltype(zero), F>(call); });
    return call->output[0].dtype == REEL_F32 ? fold_as<cuda_bf16, float, F>(call)
                                             : fold_as<cuda_bf16, cuda_bf16, F>(call);
}

reel_status cuda_fold_sum(const reel_call *call)
{
    return run_fold<cuda_sum>(call);
}
reel_status cuda_fold_max(const reel_call *call)
{
    return run_fold<largest>(call);
}
reel_status cuda_fold_min(const reel_call *call)
{
    return run_fold<smallest>(call);
}

/* --- argmax --- */

template <class T> __global__ static void argmax(const T *x, int32_t *y, unsigned outputs, unsigned n, unsigned inner)
{
    unsigned o = cuda_element();
    if (o >= outputs) return;
    unsigned first = o / inner * n * inner + o % inner;
    int32_t best = 0;
    T most = x[first];
    for (unsigned k = 1; k < n && most == most; k++) {
        T v = x[first + k * inner];
        if (v <= most) continue;
        most = v;
        best = (int32_t)k;
    }
    y[o] = best;
}

reel_status cuda_argmax(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    reel_axis_view v = reel_axis_view_of(&x->shape, ((const reel_argmax_attr *)call->attr)->axis);
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), argmax<T>, (const T *)x->data, (int32_t *)y->data, cuda_elements(y),
                         (unsigned)v.n, (unsigned)v.inner);
    });
}
