/* matmul on tensor cores: the product of tensor_product.cuh over matrices as they lie in memory. What lies together is
   read in pieces of 16 bytes, so its size must be a whole number of pieces; and not both matrices are turned, which
   nobody does to large ones. */
#include "backends/cuda/matmul.cuh"
#include "backends/cuda/operand.cuh"

template <class T> struct tensor_rows {
    typedef unsigned Column;
    unsigned columns;
    T *y;

    __device__ Column column(unsigned i) const { return i; }
    __device__ void store(unsigned row, Column column, float value) const { y[row * columns + column] = T(value); }
};

struct tensor_batches {
    batching batch;
    unsigned area; /* of a result */

    template <class L, class R, class O> __device__ void enter(unsigned number, L *left, R *right, O *out) const
    {
        batch.enter(number, &left->data, &right->data);
        out->y += (size_t)number * area;
    }
};

static size_t element_of(const reel_call *call)
{
    return reel_dtype_size(call->output[0].dtype);
}

bool tensor_multiplies(const reel_call *call)
{
    const reel_matmul_attr *attr = (const reel_matmul_attr *)call->attr;
    const reel_matmul_sizes s = reel_matmul_sizes_of(call);
    const reel_dtype type = call->output[0].dtype;
    if (type != REEL_BF16 && (type != REEL_F32 || cuda_of(call)->products.tf32 == CUDA_TF32_OFF)) return false;
    int64_t piece = TENSOR_PIECE / (int64_t)element_of(call);
    int64_t a = attr->transpose_a ? s.m : s.k, b = attr->transpose_b ? s.k : s.n;
    return a % piece == 0 && b % piece == 0 && !(attr->transpose_a && attr->transpose_b);
}

static tensor_cut cut_of(const reel_call *call)
{
    const reel_matmul_sizes s = reel_matmul_sizes_of(call);
    return tensor_cut_of(s.m, s.n, s.k, s.batches, element_of(call));
}

template <class T, bool TURN_A, bool TURN_B> static reel_status multiply(const reel_call *call)
{
    const reel_matmul_sizes s = reel_matmul_sizes_of(call);
    tensor_problem<matrix_operand<T, !TURN_A>, matrix_operand<T, TURN_B>, tensor_rows<T>, tensor_batches> p = {
        (unsigned)s.m,
        (unsigned)s.n,
        (unsigned)s.k,
        {(const T *)call->input[0].data, (unsigned)(TURN_A ? s.m : s.k)},
        {(const T *)call->input[1].data, (unsigned)(TURN_B ? s.k : s.n)},
        {(unsigned)s.n, (T *)call->output[0].data},
        {batching_of(call), (unsigned)(s.m * s.n)}};
    return tensor_run(call, p, cut_of(call), (float *)call->scratch);
}

template <class T> static reel_status multiply_turned(const reel_call *call)
{
    const reel_matmul_attr *attr = (const reel_matmul_attr *)call->attr;
    if (attr->transpose_a) return multiply<T, true, false>(call);
    return attr->transpose_b ? multiply<T, false, true>(call) : multiply<T, false, false>(call);
}

reel_status tensor_matmul(const reel_call *call)
{
    return call->output[0].dtype == REEL_BF16 ? multiply_turned<cuda_bf16>(call) : multiply_turned<float>(call);
}

size_t tensor_matmul_scratch(const reel_call *call)
{
    const reel_matmul_sizes s = reel_matmul_sizes_of(call);
    return tensor_parts(cut_of(call), s.m, s.n);
}
