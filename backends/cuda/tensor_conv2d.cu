/* The convolutions on tensor cores. Pictures are turned to NHWC and weights to [row][place][channel] first, in scratch
   memory; then each is one product (tensor_product.cuh):

       conv2d                  y[k, npq]  = sum over ij, c of  w[k, ij, c]  x at window npq, tap (ij, c)
       conv2d_input_gradient   dx[c, nhw] = sum over ij, k of  w[c, ij, k]  dy at window nhw, tap (ij, k)
       conv2d_weight_gradient  dw[k, ijc] = sum over npq of    dy[npq, k]   x at window npq, tap (ij, c)

   The first two are one kernel: what sees what differs (operand.cuh). Results are NCHW again. Those of one place need
   not be turned for the first two (tensor_pointwise.cu).

   Taken are bf16, and f32 unless exact products are asked for, in one group: what is left of a group's channels would
   fill pieces with zeros. Channels are padded with zeros to 8 (bf16) or 4.

   Cost: that of the product, and a pass over the pictures and the weights. */
#include "backends/cuda/operand.cuh"
#include "backends/cuda/planes.cuh"
#include "backends/cuda/tensor_conv2d.cuh"
#include "backends/cuda/tensor_pointwise.cuh"
#include "backends/cuda/turn.cuh"

static bool is_bf16(const reel_call *call)
{
    return call->input[0].dtype == REEL_BF16;
}

bool tensor_convolves(const reel_call *call, const reel_conv2d_geometry &g)
{
    bool type = is_bf16(call) || (call->input[0].dtype == REEL_F32 && cuda_of(call)->products.tf32 != CUDA_TF32_OFF);
    double places = (double)(g.kh * g.kw), k = (double)turn_padded(g.k, 2), c = (double)turn_padded(g.c, 2);
    return type && g.groups == 1 && places * k * c <= INT_MAX && (double)(g.n * g.h * g.w) <= INT_MAX &&
           (double)(g.n * g.p * g.q) <= INT_MAX;
}

/* --- scratch memory: two turned operands, and the parts of the product --- */

struct pieces {
    size_t right, partial, bytes; /* where they begin; the left operand is first */
};

static size_t aligned(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

static pieces pieces_of(int64_t left, int64_t right, size_t element, size_t partial)
{
    pieces p;
    p.right = aligned((size_t)left * element);
    p.partial = p.right + aligned((size_t)right * element);
    p.bytes = p.partial + partial;
    return p;
}

template <class T> static T *at(const reel_call *call, size_t offset)
{
    return (T *)((char *)call->scratch + offset);
}

/* work(T()) for the type of the operands. */
template <class F> static reel_status by_type(const reel_call *call, F work)
{
    return is_bf16(call) ? work(cuda_bf16()) : work(0.0f);
}

/* --- what sums over taps: the convolution and its gradient with respect to x --- */

/* One view of both: rows of channels of the result, made of a picture of other channels. */
struct view {
    int64_t images, rows, height, width;             /* result */
    int64_t channels, picture_height, picture_width; /* picture that it sees */
    int64_t places;
};

static view view_of(cuda_direction direction, const reel_conv2d_geometry &g)
{
    if (direction == CUDA_INPUT_GRADIENT) return {g.n, g.c, g.h, g.w, g.k, g.p, g.q, g.kh * g.kw};
    return {g.n, g.k, g.p, g.q, g.c, g.h, g.w, g.kh * g.kw};
}

static tensor_cut view_cut(const view &v, size_t element)
{
    return tensor_cut_of(v.rows, v.images * v.height * v.width, v.places * turn_padded(v.channels, element), 1,
                         element);
}

static pieces view_pieces(const view &v, size_t element)
{
    int64_t padded = turn_padded(v.channels, element);
    return pieces_of(v.rows * v.places * padded, v.images * v.picture_height * v.picture_width * padded, element,
                     tensor_parts(view_cut(v, element), v.rows, v.images * v.height * v.width));
}

/* What a pixel of the result sees: windows of x; or, of dy, those windows that see it. */
template <class T>
static window_places<T> windows_of(const view &v, cuda_direction direction, const reel_conv2d_geometry &g,
                                   const T *picture)
{
    const bool back = direction == CUDA_INPUT_GRADIENT;
    int64_t padded = turn_padded(v.channels, sizeof(T));
    window_places<T> s = {picture};
    s.height = (unsigned)v.picture_height;
    s.width = (unsigned)v.picture_width;
    s.channels = (unsigned)padded;
    s.by_rows = cuda_divider_of(v.height);
    s.by_columns = cuda_divider_of(v.width);
    s.by_kw = cuda_divider_of(g.kw);
    s.by_channels = cuda_divider_of(padded);
    for (int a = 0; a < 2; a++) {
        const int stride = (int)g.stride[a], dilation = (int)g.dilation[a], corner = (int)(a ? g.left : g.top);
        s.scale[a] = back ? 1 : stride;
        s.step[a] = back ? -dilation : dilation;
        s.offset[a] = back ? corner : -corner;
        s.shrink[a] = cuda_divider_of(back ? stride : 1);
    }
    return s;
}

template <class T>
static reel_status make_planes(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    const bool back = direction == CUDA_INPUT_GRADIENT;
    const view v = view_of(direction, g);
    const pieces s = view_pieces(v, sizeof(T));
    const int64_t area = v.height * v.width, seen = v.picture_height * v.picture_width;
    T *w = at<T>(call, 0), *picture = at<T>(call, s.right);
    reel_status status = back ? turn_run(call, call->input[1].data, w, 1, g.k, g.c * v.places, sizeof(T))
                              : turn_run(call, call->input[1].data, w, g.k, g.c, v.places, sizeof(T));
    if (!status) status = turn_run(call, call->input[0].data, picture, g.n, v.channels, seen, sizeof(T));
    if (status) return status;
    const window_places<T> windows = windows_of(v, direction, g, picture);
    const unsigned depth = (unsigned)v.places * windows.channels;
    tensor_problem<matrix_operand<T, true>, window_lines<T>, planes, tensor_alone> p = {
        (unsigned)v.rows, (unsigned)(v.images * area), depth, {w, depth}, {windows}};
    p.out = planes_of(call, v.rows, area, cuda_relu(call, direction));
    return tensor_run(call, p, view_cut(v, sizeof(T)), at<float>(call, s.partial));
}

/* --- what sums over pixels: the gradient with respect to w --- */

struct weights {
    struct Column {
        unsigned place, channel;
    };
    unsigned channels, places;
    cuda_divider by_channels; /* with zeros behind them */
    float *dw;

    __device__ Column column(unsigned i) const
    {
        unsigned channel = cuda_split(&i, by_channels);
        return {i, channel};
    }
    __device__ void store(unsigned row, Column at, float value) const
    {
        if (at.channel < channels) dw[((size_t)row * channels + at.channel) * places + at.place] = value;
    }
};

static tensor_cut weights_cut(const reel_conv2d_geometry &g, size_t element)
{
    return tensor_cut_of(g.k, g.kh * g.kw * turn_padded(g.c, element), g.n * g.p * g.q, 1, element);
}

static pieces weights_pieces(const reel_conv2d_geometry &g, size_t element)
{
    int64_t c = turn_padded(g.c, element), k = turn_padded(g.k, element);
    return pieces_of(g.n * g.p * g.q * k, g.n * g.h * g.w * c, element,
                     tensor_parts(weights_cut(g, element), g.k, g.kh * g.kw * c));
}

template <class T> static reel_status make_weights(const reel_call *call, const reel_conv2d_geometry &g)
{
    const pieces s = weights_pieces(g, sizeof(T));
    T *dy = at<T>(call, 0), *x = at<T>(call, s.right);
    reel_status status = turn_run(call, call->input[1].data, dy, g.n, g.k, g.p * g.q, sizeof(T));
    if (!status) status = turn_run(call, call->input[0].data, x, g.n, g.c, g.h * g.w, sizeof(T));
    if (status) return status;
    const window_places<T> windows = windows_of(view_of(CUDA_FORWARD, g), CUDA_FORWARD, g, x);
    const unsigned places = (unsigned)(g.kh * g.kw);
    tensor_problem<matrix_operand<T, false>, window_taps<T>, weights, tensor_alone> p = {
        (unsigned)g.k,
        places * windows.channels,
        (unsigned)(g.n * g.p * g.q),
        {dy, (unsigned)turn_padded(g.k, sizeof(T))},
        {windows},
        {(unsigned)g.c, places, windows.by_channels, (float *)call->output[0].data}};
    return tensor_run(call, p, weights_cut(g, sizeof(T)), at<float>(call, s.partial));
}

/* --- any of them --- */

reel_status tensor_conv2d(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    const bool weights = direction == CUDA_WEIGHT_GRADIENT;
    if (!weights && tensor_points(call, g)) return tensor_pointwise(call, direction, g);
    return by_type(call, [&](auto zero) {
        typedef decltype(zero) T;
        return weights ? make_weights<T>(call, g) : make_planes<T>(call, direction, g);
    });
}

size_t tensor_conv2d_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    const size_t element = is_bf16(call) ? 2 : 4;
    if (direction == CUDA_WEIGHT_GRADIENT) return weights_pieces(g, element).bytes;
    if (tensor_points(call, g)) return tensor_pointwise_scratch(call, direction, g);
    return view_pieces(view_of(direction, g), element).bytes;
}
