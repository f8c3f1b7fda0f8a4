/* Convolutions of one place are products of matrices as they lie, an image a batch:

       conv2d                  y[k, pq]  = w[k, c] x[c, pq] + bias[k]
       conv2d_input_gradient   dx[c, pq] = w[k, c]' dy[k, pq]
       conv2d_weight_gradient  dw[k, c]  = sum over images of dy[k, pq] x[c, pq]'

   The library adds a bias along neighbours in memory only, which are pixels here. So y begins as the bias, and the
   product is added to that, with the ReLU in the same go; a bias that y's type would round is left to other kernels.
   The gradient of the weights is a product an image, added up in order. */
#include "backends/cuda/pointwise.cuh"

static bool takes(const reel_call *call, const reel_conv2d_geometry &g)
{
    bool bias = call->inputs > 2 && call->input[2].data;
    return pointwise(g) && (!bias || call->output[0].dtype == REEL_F32 || call->input[2].dtype == REEL_BF16) &&
           blas_serves(call);
}

size_t pointwise_scratch(const reel_call *call, const reel_conv2d_geometry &g)
{
    return takes(call, g) ? BLAS_WORKSPACE : 0;
}

/* y[image][row][position] = bias[row] */
template <class Y, class B>
__global__ static void fill_rows(Y *y, const B *bias, unsigned n, cuda_divider area, cuda_divider rows)
{
    unsigned at = cuda_element(), i = at;
    if (at >= n) return;
    cuda_split(&i, area);
    y[at] = Y((float)bias[cuda_split(&i, rows)]);
}

static reel_status begin_as_bias(const reel_call *call, int64_t rows, int64_t area)
{
    const unsigned n = cuda_elements(&call->output[0]);
    const cuda_divider by_area = cuda_divider_of(area), by_rows = cuda_divider_of(rows);
    void *y = call->output[0].data;
    const void *bias = call->input[2].data;
    if (call->output[0].dtype == REEL_BF16)
        return cuda_over(call, n, fill_rows<cuda_bf16, cuda_bf16>, (cuda_bf16 *)y, (const cuda_bf16 *)bias, n, by_area,
                         by_rows);
    if (call->input[2].dtype == REEL_BF16)
        return cuda_over(call, n, fill_rows<float, cuda_bf16>, (float *)y, (const cuda_bf16 *)bias, n, by_area,
                         by_rows);
    return cuda_over(call, n, fill_rows<float, float>, (float *)y, (const float *)bias, n, by_area, by_rows);
}

/* The planes of `rows` channels, made of weights, and of planes of `depth` channels. */
static reel_status make_planes(const reel_call *call, int64_t images, int64_t rows, int64_t depth, int64_t area,
                               bool turned, bool relu, bool *done)
{
    blas_product p = {rows, area, depth, images, turned};
    p.add = call->inputs > 2 && call->input[2].data;
    p.relu = relu;
    p.a = call->input[1].data;
    p.b = call->input[0].data;
    p.y = call->output[0].data;
    p.step_b = depth * area;
    p.step_y = rows * area;
    reel_status status = p.add ? begin_as_bias(call, rows, area) : REEL_OK;
    return status ? status : blas_run(call, p, done);
}

reel_status pointwise_conv2d(const reel_call *call, const reel_conv2d_geometry &g, bool *done)
{
    *done = false;
    if (!takes(call, g)) return REEL_OK;
    bool relu = ((const reel_conv2d_attr *)call->attr)->relu;
    return make_planes(call, g.n, g.k, g.c, g.p * g.q, false, relu, done);
}

reel_status pointwise_adjoint(const reel_call *call, const reel_conv2d_geometry &g, bool *done)
{
    *done = false;
    return takes(call, g) ? make_planes(call, g.n, g.c, g.k, g.p * g.q, true, false, done) : REEL_OK;
}

reel_status pointwise_weight_gradient(const reel_call *call, const reel_conv2d_geometry &g, bool *done)
{
    *done = false;
    if (!takes(call, g)) return REEL_OK;
    const int64_t area = g.p * g.q;
    const size_t element = reel_dtype_size(call->input[0].dtype);
    blas_product p = {g.k, g.c, area, 1, false, true};
    p.y = call->output[0].data;
    reel_status status = REEL_OK;
    for (int64_t n = 0; !status && (n == 0 || *done) && n < g.n; n++) {
        p.a = (const char *)call->input[1].data + (size_t)(n * g.k * area) * element;
        p.b = (const char *)call->input[0].data + (size_t)(n * g.c * area) * element;
        p.add = n > 0;
        status = blas_run(call, p, done);
    }
    return status;
}
