/* The convolutions on the GPU, each a matrix product whose right matrix is read out of a picture as it is needed
   (product.cuh). For one group:

       conv2d                  y[k, npq]  = sum over cij of  w[k, cij]    x at window npq, place cij
       conv2d_input_gradient   dx[c, nhw] = sum over kij of  w[k, c, ij]  dy at the window whose place ij is at nhw
       conv2d_weight_gradient  dw[k, cij] = sum over npq of  dy[k, npq]   x at window npq, place cij

   Gather forms all: an element of the result is written by one thread, once. conv_transpose2d is the second.

   These are the convolutions of plain arithmetic, float64 and exact float32, in any number of groups. What cuBLASLt
   (pointwise.cu) or tensor cores (tensor_conv2d.cu) can do goes there, and what is to go to cuDNN does first
   (convolve.cu); bf16 that none of them takes is computed here, on float copies. */
#include "backends/cuda/bf16.cuh"
#include "backends/cuda/convolve.cuh"
#include "backends/cuda/pointwise.cuh"
#include "backends/cuda/product.cuh"
#include "backends/cuda/tensor_conv2d.cuh"

/* --- the three sums, as products --- */

struct geometry {
    int c, h, w, k, p, q, cg, kg, top, left;
    int stride[2], dilation[2];
    unsigned images;
    cuda_divider by_h, by_w, by_p, by_q, by_kh, by_kw, by_stride[2];
};

static geometry geometry_of(const reel_conv2d_geometry &g)
{
    geometry d = {(int)g.c, (int)g.h,  (int)g.w,  (int)g.k,   (int)g.p,
                  (int)g.q, (int)g.cg, (int)g.kg, (int)g.top, (int)g.left};
    d.images = (unsigned)g.n;
    d.by_h = cuda_divider_of(g.h);
    d.by_w = cuda_divider_of(g.w);
    d.by_p = cuda_divider_of(g.p);
    d.by_q = cuda_divider_of(g.q);
    d.by_kh = cuda_divider_of(g.kh);
    d.by_kw = cuda_divider_of(g.kw);
    for (int a = 0; a < 2; a++) {
        d.stride[a] = (int)g.stride[a];
        d.dilation[a] = (int)g.dilation[a];
        d.by_stride[a] = cuda_divider_of(g.stride[a]);
    }
    return d;
}

/* Channel and place within the kernel, from one index over both. */
struct tap {
    int channel, i, j;
    unsigned index;
};

__device__ static tap tap_of(const geometry &g, unsigned index)
{
    unsigned left = index;
    int j = (int)cuda_split(&left, g.by_kw), i = (int)cuda_split(&left, g.by_kh);
    return {(int)left, i, j, index};
}

/* Image and position, from one index over both. */
struct pixel {
    int image, row, column;
};

__device__ static pixel pixel_of(unsigned index, cuda_divider rows, cuda_divider columns)
{
    int column = (int)cuda_split(&index, columns), row = (int)cuda_split(&index, rows);
    return {(int)index, row, column};
}

/* Element of x that window o sees at a tap of this group; 0 outside. */
template <class T> __device__ static T seen(const geometry &g, const T *x, pixel o, tap t, int group)
{
    int row = o.row * g.stride[0] + t.i * g.dilation[0] - g.top;
    int column = o.column * g.stride[1] + t.j * g.dilation[1] - g.left;
    if ((unsigned)row >= (unsigned)g.h || (unsigned)column >= (unsigned)g.w) return T(0);
    return x[((o.image * g.c + group * g.cg + t.channel) * g.h + row) * g.w + column];
}

/* Rows, columns and depth of a group's product. */
struct sizes {
    int64_t rows, columns, depth;
};

template <cuda_direction, class Type> struct convolution;

template <class Type> struct convolution<CUDA_FORWARD, Type> {
    typedef Type T;
    typedef unsigned Row;
    typedef pixel Column;
    typedef tap Depth;
    static constexpr bool left_along_depth = true, right_along_depth = false;
    unsigned rows, columns, depth;
    geometry g;
    const T *x, *w;
    T *y;
    const T *bias;
    bool relu;
    int group;

    static sizes of(const reel_conv2d_geometry &g) { return {g.kg, g.n * g.p * g.q, g.cg * g.kh * g.kw}; }
    __device__ void enter(unsigned batch) { group = (int)batch; }
    __device__ Row row(unsigned i) const { return (unsigned)(group * g.kg) + i; }
    __device__ Column column(unsigned i) const { return pixel_of(i, g.by_p, g.by_q); }
    __device__ Depth at_depth(unsigned i) const { return tap_of(g, i); }
    __device__ T left(Row k, Depth t) const { return w[k * depth + t.index]; }
    __device__ T right(Depth t, Column o) const { return seen(g, x, o, t, group); }
    __device__ void store(Row k, Column o, T value) const
    {
        if (bias) value += bias[k];
        y[((o.image * g.k + (int)k) * g.p + o.row) * g.q + o.column] = relu && value <= 0 ? T(0) : value;
    }
};

template <class Type> struct convolution<CUDA_INPUT_GRADIENT, Type> {
    typedef Type T;
    typedef unsigned Row;
    typedef pixel Column;
    typedef tap Depth;
    static constexpr bool left_along_depth = true, right_along_depth = false;
    unsigned rows, columns, depth;
    geometry g;
    const T *dy, *w;
    T *dx;
    const T *bias;
    int group;

    static sizes of(const reel_conv2d_geometry &g) { return {g.cg, g.n * g.h * g.w, g.kg * g.kh * g.kw}; }
    __device__ void enter(unsigned batch) { group = (int)batch; }
    __device__ Row row(unsigned i) const { return i; }
    __device__ Column column(unsigned i) const { return pixel_of(i, g.by_h, g.by_w); }
    __device__ Depth at_depth(unsigned i) const { return tap_of(g, i); }
    __device__ T left(Row c, Depth t) const
    {
        unsigned places = g.by_kh.size * g.by_kw.size, place = (unsigned)t.i * g.by_kw.size + (unsigned)t.j;
        return w[((unsigned)(group * g.kg + t.channel) * (unsigned)g.cg + c) * places + place];
    }
    /* The window along an axis that has its place at `distance` from its corner; -1 for none. */
    __device__ int window(int distance, int axis, int count) const
    {
        if (distance < 0) return -1;
        unsigned o = (unsigned)distance, rest = cuda_split(&o, g.by_stride[axis]);
        return rest || o >= (unsigned)count ? -1 : (int)o;
    }
    __device__ T right(Depth t, Column at) const
    {
        int p = window(at.row + g.top - t.i * g.dilation[0], 0, g.p);
        int q = window(at.column + g.left - t.j * g.dilation[1], 1, g.q);
        return p < 0 || q < 0 ? T(0) : dy[((at.image * g.k + group * g.kg + t.channel) * g.p + p) * g.q + q];
    }
    __device__ void store(Row c, Column at, T value) const
    {
        int channel = group * g.cg + (int)c;
        dx[((at.image * g.c + channel) * g.h + at.row) * g.w + at.column] = bias ? value + bias[channel] : value;
    }
};

template <class Type> struct convolution<CUDA_WEIGHT_GRADIENT, Type> {
    typedef Type T;
    typedef unsigned Row;
    typedef tap Column;
    typedef pixel Depth;
    static constexpr bool left_along_depth = true, right_along_depth = true;
    unsigned rows, columns, depth;
    geometry g;
    const T *x, *dy;
    T *dw;
    int group;

    static sizes of(const reel_conv2d_geometry &g) { return {g.kg, g.cg * g.kh * g.kw, g.n * g.p * g.q}; }
    __device__ void enter(unsigned batch) { group = (int)batch; }
    __device__ Row row(unsigned i) const { return (unsigned)(group * g.kg) + i; }
    __device__ Column column(unsigned i) const { return tap_of(g, i); }
    __device__ Depth at_depth(unsigned i) const { return pixel_of(i, g.by_p, g.by_q); }
    __device__ T left(Row k, Depth o) const { return dy[((o.image * g.k + (int)k) * g.p + o.row) * g.q + o.column]; }
    __device__ T right(Depth o, Column t) const { return seen(g, x, o, t, group); }
    __device__ void store(Row k, Column t, T value) const { dw[k * columns + t.index] = value; }
};

template <cuda_direction D> static reel_status run_plain(const reel_call *call)
{
    const reel_conv2d_geometry g = cuda_geometry(call, D);
    return cuda_by_float(call->output[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        const sizes s = convolution<D, T>::of(g);
        convolution<D, T> p = {(unsigned)s.rows,
                               (unsigned)s.columns,
                               (unsigned)s.depth,
                               geometry_of(g),
                               (const T *)call->input[0].data,
                               (const T *)call->input[1].data,
                               (T *)call->output[0].data};
        if constexpr (D != CUDA_WEIGHT_GRADIENT) p.bias = call->inputs > 2 ? (const T *)call->input[2].data : NULL;
        if constexpr (D == CUDA_FORWARD) p.relu = cuda_relu(call, D);
        return product_run(call, p, (unsigned)g.groups);
    });
}

template <cuda_direction D> static size_t plain_scratch(const reel_call *call)
{
    const reel_conv2d_geometry g = cuda_geometry(call, D);
    const sizes s = convolution<D, float>::of(g);
    return product_scratch(s.rows, s.columns, s.depth, g.groups, call->output[0].dtype);
}

template <cuda_direction D> static constexpr reel_kernel plain = {run_plain<D>, plain_scratch<D>};

/* --- which kernels --- */

template <cuda_direction D> static reel_status run_own(const reel_call *call)
{
    const reel_conv2d_geometry g = cuda_geometry(call, D);
    bool done;
    reel_status status = pointwise_run(call, D, g, &done);
    if (status || done) return status;
    return tensor_convolves(call, g) ? tensor_conv2d(call, D, g) : cuda_plain_run(&plain<D>, call);
}

template <cuda_direction D> static reel_status run(const reel_call *call)
{
    return convolve(call, D, cuda_geometry(call, D), run_own<D>);
}

template <cuda_direction D> static size_t scratch(const reel_call *call)
{
    const reel_conv2d_geometry g = cuda_geometry(call, D);
    size_t most = tensor_convolves(call, g) ? tensor_conv2d_scratch(call, D, g) : cuda_plain_scratch(&plain<D>, call);
    for (size_t other : {pointwise_scratch(call, g), convolve_scratch(call, D, g)})
        if (other > most) most = other;
    return most;
}

reel_status cuda_conv2d(const reel_call *call)
{
    return run<CUDA_FORWARD>(call);
}

size_t cuda_conv2d_scratch(const reel_call *call)
{
    return scratch<CUDA_FORWARD>(call);
}

/* With respect to the input; and the transposed convolution, which is the same under other names. */
reel_status cuda_conv2d_adjoint(const reel_call *call)
{
    return run<CUDA_INPUT_GRADIENT>(call);
}

size_t cuda_conv2d_adjoint_scratch(const reel_call *call)
{
    return scratch<CUDA_INPUT_GRADIENT>(call);
}

reel_status cuda_conv2d_weight_gradient(const reel_call *call)
{
    return run<CUDA_WEIGHT_GRADIENT>(call);
}

size_t cuda_conv2d_weight_gradient_scratch(const reel_call *call)
{
    return scratch<CUDA_WEIGHT_GRADIENT>(call);
}
