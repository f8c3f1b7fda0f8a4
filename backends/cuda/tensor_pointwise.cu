/* Convolutions of one place, stride 1 and no padding, on tensor cores. Nothing is turned: pixels are neighbours in
   NCHW, so pieces lie across the depth, which is channels; an image is a batch. Planes and the weights' rows must be
   whole numbers of pieces.

       conv2d                  y[k, pq]  = sum over c of  w[k, c]  x[c, pq]
       conv2d_input_gradient   dx[c, pq] = sum over k of  w[k, c]  dy[k, pq] */
#include "backends/cuda/tensor_pointwise.cuh"

#include "backends/cuda/operand.cuh"
#include "backends/cuda/planes.cuh"
#include "backends/cuda/pointwise.cuh"

bool tensor_points(const reel_call *call, const reel_conv2d_geometry &g)
{
    const int64_t piece = TENSOR_PIECE / (int64_t)reel_dtype_size(call->input[0].dtype);
    return pointwise(g) && g.p * g.q % piece == 0 && g.c % piece == 0;
}

struct image_batches {
    size_t picture, result; /* elements of an image */

    template <class L, class R> __device__ void enter(unsigned number, L *, R *right, planes *out) const
    {
        right->data += number * picture;
        out->skip(number * result);
    }
};

static tensor_cut cut_of(const reel_call *call, int64_t images, int64_t rows, int64_t depth, int64_t area)
{
    return tensor_cut_of(rows, area, depth, images, reel_dtype_size(call->input[0].dtype));
}

/* Planes of `rows` channels out of planes of `depth` channels; the weights are [rows][depth] or, turned, the other way
   round. */
template <class T, bool TURNED>
static reel_status multiply(const reel_call *call, int64_t images, int64_t rows, int64_t depth, int64_t area, bool relu)
{
    const unsigned columns = (unsigned)area;
    tensor_problem<matrix_operand<T, !TURNED>, matrix_operand<T, false>, planes, image_batches> p = {
        (unsigned)rows,
        columns,
        (unsigned)depth,
        {(const T *)call->input[1].data, (unsigned)(TURNED ? rows : depth)},
        {(const T *)call->input[0].data, columns},
        planes_of(call, rows, area, relu),
        {(size_t)(depth * area), (size_t)(rows * area)}};
    return tensor_run(call, p, cut_of(call, images, rows, depth, area), (float *)call->scratch);
}

template <bool TURNED>
static reel_status by_type(const reel_call *call, int64_t images, int64_t rows, int64_t depth, int64_t area, bool relu)
{
    if (call->input[0].dtype == REEL_BF16) return multiply<cuda_bf16, TURNED>(call, images, rows, depth, area, relu);
    return multiply<float, TURNED>(call, images, rows, depth, area, relu);
}

reel_status tensor_pointwise(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    if (direction == CUDA_INPUT_GRADIENT) return by_type<true>(call, g.n, g.c, g.k, g.p * g.q, false);
    return by_type<false>(call, g.n, g.k, g.c, g.p * g.q, cuda_relu(call, direction));
}

size_t tensor_pointwise_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    const bool turned = direction == CUDA_INPUT_GRADIENT;
    const int64_t rows = turned ? g.c : g.k, depth = turned ? g.k : g.c, area = g.p * g.q;
    return tensor_parts(cut_of(call, g.n, rows, depth, area), rows, area);
}
