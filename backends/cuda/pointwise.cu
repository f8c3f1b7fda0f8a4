/* Convolutions of one place are products of matrices as they lie, an image a batch:

       conv2d                  y[k, pq]  = w[k, c] x[c, pq] + bias[k]
       conv2d_input_gradient   dx[c, pq] = w[k, c]' dy[k, pq]
       conv2d_weight_gradient  dw[k, c]  = sum over images of dy[k, pq] x[c, pq]'

   y begins as the bias (bias.cu), and the product is added to that, with the ReLU in the same go; a bias that y's type
   would round is left to other kernels.
   The gradient of the weights is a product an image, added up in order. */
#include "backends/cuda/bias.cuh"
#include "backends/cuda/pointwise.cuh"

static bool takes(const reel_call *call, const reel_conv2d_geometry &g)
{
    return pointwise(g) && bias_fits(call) && blas_serves(call);
}

size_t pointwise_scratch(const reel_call *call, const reel_conv2d_geometry &g)
{
    return takes(call, g) ? BLAS_WORKSPACE : 0;
}

/* The planes of `rows` channels, made of weights, and of planes of `depth` channels. */
static reel_status make_planes(const reel_call *call, int64_t images, int64_t rows, int64_t depth, int64_t area,
                               bool turned, bool relu, bool *done)
{
    blas_product p = {rows, area, depth, images, turned};
    p.add = bias_there(call);
    p.relu = relu;
    p.a = call->input[1].data;
    p.b = call->input[0].data;
    p.y = call->output[0].data;
    p.step_b = depth * area;
    p.step_y = rows * area;
    reel_status status = p.add ? bias_begin(call, rows, area) : REEL_OK;
    return status ? status : blas_run(call, p, done);
}

static reel_status make_weights(const reel_call *call, const reel_conv2d_geometry &g, bool *done)
{
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

reel_status pointwise_run(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g, bool *done)
{
    *done = false;
    if (!takes(call, g)) return REEL_OK;
    if (direction == CUDA_WEIGHT_GRADIENT) return make_weights(call, g, done);
    const bool turned = direction == CUDA_INPUT_GRADIENT;
    return make_planes(call, g.n, turned ? g.c : g.k, turned ? g.k : g.c, g.p * g.q, turned, cuda_relu(call, direction),
                       done);
}
