/* matmul on the GPU: the tiled product over matrices that exist, either of them turned, with broadcast batches. */
#include "backends/cuda/product.cuh"

/* The axes before the last two, and how far a step along each moves in a and b. */
struct batching {
    int rank;
    cuda_divider size[REEL_MAX_RANK];
    unsigned a[REEL_MAX_RANK], b[REEL_MAX_RANK];
};

template <class Type, bool TURN_A, bool TURN_B> struct matrices {
    typedef Type T;
    typedef unsigned Row, Column, Depth;
    static constexpr bool left_along_depth = !TURN_A, right_along_depth = TURN_B;
    unsigned rows, columns, depth;
    batching batch;
    const T *a, *b;
    T *y;

    __device__ void enter(unsigned number)
    {
        unsigned left = number;
        for (int k = batch.rank - 1; k >= 0; k--) {
            unsigned place = cuda_split(&left, batch.size[k]);
            a += place * batch.a[k];
            b += place * batch.b[k];
        }
        y += (size_t)number * rows * columns;
    }
    __device__ Row row(unsigned i) const { return i; }
    __device__ Column column(unsigned i) const { return i; }
    __device__ Depth at_depth(unsigned i) const { return i; }
    __device__ T left(Row i, Depth k) const { return a[TURN_A ? k * rows + i : i * depth + k]; }
    __device__ T right(Depth k, Column j) const { return b[TURN_B ? j * depth + k : k * columns + j]; }
    __device__ void store(Row i, Column j, T value) const { y[i * columns + j] = value; }
};

static batching batching_of(const reel_call *call)
{
    const reel_shape *y = &call->output[0].shape;
    batching all = {.rank = y->rank - 2};
    for (int input = 0; input < 2; input++) {
        const reel_shape *x = &call->input[input].shape;
        unsigned *step = input ? all.b : all.a, size = 1;
        int missing = y->rank - x->rank;
        for (int k = x->rank - 1; k >= 0; size *= (unsigned)x->size[k], k--)
            if (k < x->rank - 2 && x->size[k] != 1) step[k + missing] = size;
    }
    for (int k = 0; k < all.rank; k++) all.size[k] = cuda_divider_of(y->size[k]);
    return all;
}

template <class T, bool TURN_A, bool TURN_B> static reel_status multiply(const reel_call *call)
{
    reel_matmul_sizes s = reel_matmul_sizes_of(call);
    matrices<T, TURN_A, TURN_B> p = {(unsigned)s.m,
                                     (unsigned)s.n,
                                     (unsigned)s.k,
                                     batching_of(call),
                                     (const T *)call->input[0].data,
                                     (const T *)call->input[1].data,
                                     (T *)call->output[0].data};
    return product_run(call, p, (unsigned)s.batches);
}

reel_status cuda_matmul(const reel_call *call)
{
    const reel_matmul_attr *attr = (const reel_matmul_attr *)call->attr;
    return cuda_by_float(call->output[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        if (attr->transpose_a)
            return attr->transpose_b ? multiply<T, true, true>(call) : multiply<T, true, false>(call);
        return attr->transpose_b ? multiply<T, false, true>(call) : multiply<T, false, false>(call);
    });
}

size_t cuda_matmul_scratch(const reel_call *call)
{
    reel_matmul_sizes s = reel_matmul_sizes_of(call);
    return product_scratch(s.m, s.n, s.k, s.batches, call->output[0].dtype);
}
