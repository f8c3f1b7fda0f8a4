/* matmul on the GPU: the tiled product over matrices that exist, either of them turned, with broadcast batches. This is
   plain arithmetic, in float64 and float32; what cuBLASLt (blas.cu) or tensor cores (tensor_matmul.cu) can do goes
   there, and bf16 that they do not take is computed here, on float copies. */
#include "backends/cuda/bf16.cuh"
#include "backends/cuda/blas.cuh"
#include "backends/cuda/matmul.cuh"
#include "backends/cuda/product.cuh"

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
        batch.enter(number, &a, &b);
        y += (size_t)number * rows * columns;
    }
    __device__ Row row(unsigned i) const { return i; }
    __device__ Column column(unsigned i) const { return i; }
    __device__ Depth at_depth(unsigned i) const { return i; }
    __device__ T left(Row i, Depth k) const { return a[TURN_A ? k * rows + i : i * depth + k]; }
    __device__ T right(Depth k, Column j) const { return b[TURN_B ? j * depth + k : k * columns + j]; }
    __device__ void store(Row i, Column j, T value) const { y[i * columns + j] = value; }
};

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

static reel_status plain_matmul(const reel_call *call)
{
    const reel_matmul_attr *attr = (const reel_matmul_attr *)call->attr;
    return cuda_by_float(call->output[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        if (attr->transpose_a)
            return attr->transpose_b ? multiply<T, true, true>(call) : multiply<T, true, false>(call);
        return attr->transpose_b ? multiply<T, false, true>(call) : multiply<T, false, false>(call);
    });
}

static size_t plain_matmul_scratch(const reel_call *call)
{
    reel_matmul_sizes s = reel_matmul_sizes_of(call);
    return product_scratch(s.m, s.n, s.k, s.batches, call->output[0].dtype);
}

static const reel_kernel plain = {plain_matmul, plain_matmul_scratch};

/* Elements from one matrix of an input to the next; false where they are not at equal distances. */
static bool even_steps(const reel_call *call, int input, int64_t batches, int64_t *step)
{
    const reel_shape *x = &call->input[input].shape;
    int64_t matrix = x->size[x->rank - 2] * x->size[x->rank - 1], count = 1;
    for (int i = 0; i < x->rank - 2; i++) count *= x->size[i];
    *step = count == 1 ? 0 : matrix;
    return count == 1 || count == batches;
}

/* By cuBLASLt, where that is possible. */
static bool library_product(const reel_call *call, blas_product *p)
{
    const reel_matmul_attr *attr = (const reel_matmul_attr *)call->attr;
    const reel_matmul_sizes s = reel_matmul_sizes_of(call);
    *p = {s.m, s.n, s.k, s.batches, attr->transpose_a, attr->transpose_b};
    p->a = call->input[0].data;
    p->b = call->input[1].data;
    p->y = call->output[0].data;
    p->step_y = s.m * s.n;
    return s.m && s.n && s.k && s.batches && even_steps(call, 0, s.batches, &p->step_a) &&
           even_steps(call, 1, s.batches, &p->step_b) && blas_serves(call);
}

reel_status cuda_matmul(const reel_call *call)
{
    blas_product p;
    bool done = false;
    reel_status status = library_product(call, &p) ? blas_run(call, p, &done) : REEL_OK;
    if (status || done) return status;
    return tensor_multiplies(call) ? tensor_matmul(call) : cuda_plain_run(&plain, call);
}

size_t cuda_matmul_scratch(const reel_call *call)
{
    blas_product p;
    size_t own = tensor_multiplies(call) ? tensor_matmul_scratch(call) : cuda_plain_scratch(&plain, call);
    return library_product(call, &p) && own < BLAS_WORKSPACE ? BLAS_WORKSPACE : own;
}
