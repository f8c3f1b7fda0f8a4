/* cuDNN on the CPU, for tests: what backends/cuda/cudnn.cu finds when it opens the library. A convolution is worked out
   in plain loops, by what its descriptions say and nothing else, when its stream comes to it. Among the ways that it
   proposes are some that must not be taken: they end the test. */
#include "backends/cuda/cudnn.cuh"
#include "core/bf16.h"
#include "tests/cuda/libraries.h"

#include <cuda_runtime.h>

#include <vector>

static constexpr int GOOD = DNN_SUCCESS, BAD = DNN_8_BAD, UNSUPPORTED = DNN_8_UNSUPPORTED;
enum { TAKEN = 1, OTHERS = 10, LARGE };                           /* algorithms */
static constexpr size_t BYTES = 4096, TOO_MANY = (size_t)1 << 40; /* of workspace */

/* A picture or weights: n is the number of kernels of the latter. */
struct described_array {
    dnn_type type;
    int n, c, h, w;
    bool filter;
};
struct described_windows {
    int top, left, stride[2], dilation[2], groups;
    dnn_math math;
};
static int there; /* descriptions */

template <class D> static int create(void **made)
{
    there++;
    *made = new D();
    return GOOD;
}
template <class D> static int destroy(void *made)
{
    there--;
    delete (D *)made;
    return GOOD;
}

static int emulate_cudnnCreate(void **made)
{
    *made = new cudaStream_t();
    return GOOD;
}
static int emulate_cudnnDestroy(void *handle)
{
    delete (cudaStream_t *)handle;
    if (there) emulate_stop("a description of cuDNN was left behind");
    return GOOD;
}
static int emulate_cudnnSetStream(dnn_handle handle, cudaStream_t stream)
{
    *(cudaStream_t *)handle = stream;
    return GOOD;
}
static const char *emulate_cudnnGetErrorString(int)
{
    return "as emulated";
}

static constexpr dnn_make_function *emulate_cudnnCreateTensorDescriptor = create<described_array>;
static constexpr dnn_make_function *emulate_cudnnCreateFilterDescriptor = create<described_array>;
static constexpr dnn_make_function *emulate_cudnnCreateConvolutionDescriptor = create<described_windows>;
static constexpr dnn_drop_function *emulate_cudnnDestroyTensorDescriptor = destroy<described_array>;
static constexpr dnn_drop_function *emulate_cudnnDestroyFilterDescriptor = destroy<described_array>;
static constexpr dnn_drop_function *emulate_cudnnDestroyConvolutionDescriptor = destroy<described_windows>;

static int describe(void *to, const described_array &as)
{
    *(described_array *)to = as;
    return as.n > 0 && as.c > 0 && as.h > 0 && as.w > 0 ? GOOD : BAD;
}
static int emulate_cudnnSetTensor4dDescriptor(dnn_tensor to, dnn_format format, dnn_type type, int n, int c, int h,
                                              int w)
{
    return format == DNN_NCHW ? describe(to, {type, n, c, h, w, false}) : BAD;
}
static int emulate_cudnnSetFilter4dDescriptor(dnn_filter to, dnn_type type, dnn_format format, int k, int c, int h,
                                              int w)
{
    return format == DNN_NCHW ? describe(to, {type, k, c, h, w, true}) : BAD;
}
static int emulate_cudnnSetConvolution2dDescriptor(dnn_convolution to, int top, int left, int down, int across,
                                                   int dilation_down, int dilation_across, dnn_mode mode,
                                                   dnn_type compute)
{
    *(described_windows *)to = {top, left, {down, across}, {dilation_down, dilation_across}, 1, DNN_MATH_DEFAULT};
    return mode == DNN_CORRELATION && compute == DNN_F32 && top >= 0 && left >= 0 ? GOOD : BAD;
}
static int emulate_cudnnSetConvolutionMathType(dnn_convolution to, dnn_math math)
{
    ((described_windows *)to)->math = math;
    return GOOD;
}
static int emulate_cudnnSetConvolutionGroupCount(dnn_convolution to, int groups)
{
    ((described_windows *)to)->groups = groups;
    return GOOD;
}

/* --- a convolution: x, w and y, one of which is the result --- */

struct problem {
    described_array x, w, y;
    described_windows at;
};

enum direction { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT };

/* Which of x, w and y are a, b and the result. */
template <direction D> static problem problem_of(void *a, void *b, dnn_convolution windows, void *y)
{
    const described_array &first = *(described_array *)a, &second = *(described_array *)b;
    const described_array &result = *(described_array *)y;
    const described_windows &at = *(described_windows *)windows;
    if (D == FORWARD) return {first, second, result, at};
    if (D == INPUT_GRADIENT) return {result, first, second, at};
    return {first, result, second, at};
}

static int windows_along(const described_windows &at, int axis, int size, int kernel)
{
    return (size + 2 * (axis ? at.left : at.top) - (kernel - 1) * at.dilation[axis] - 1) / at.stride[axis] + 1;
}

static bool fits(const problem &p)
{
    return !p.x.filter && p.w.filter && !p.y.filter && p.x.n == p.y.n && p.y.c == p.w.n &&
           p.x.c == p.w.c * p.at.groups && p.w.n % p.at.groups == 0 && p.y.h == windows_along(p.at, 0, p.x.h, p.w.h) &&
           p.y.w == windows_along(p.at, 1, p.x.w, p.w.w) && p.x.type == p.w.type && p.w.type == p.y.type;
}

template <direction D>
static int ask(dnn_handle, void *a, void *b, dnn_convolution windows, void *y, int most, int *count, dnn_found *found)
{
    const problem p = problem_of<D>(a, b, windows, y);
    if (!fits(p)) emulate_stop("the arrays of a convolution of cuDNN do not fit each other");
    *count = 0;
    if (emulated.unknown_shapes) return UNSUPPORTED;
    const dnn_found proposed[] = {
        {OTHERS, GOOD, 1, BYTES, !DNN_DETERMINISTIC, p.at.math, {}},
        {OTHERS, UNSUPPORTED, -1, BYTES, DNN_DETERMINISTIC, p.at.math, {}},
        {OTHERS, GOOD, 1, BYTES, DNN_DETERMINISTIC, DNN_MATH_CONVERT, {}},
        {LARGE, GOOD, 1, TOO_MANY, DNN_DETERMINISTIC, p.at.math, {}},
        {TAKEN, GOOD, 2, BYTES, DNN_DETERMINISTIC, p.at.math, {}},
    };
    for (const dnn_found &one : proposed)
        if (*count < most) found[(*count)++] = one;
    return GOOD;
}

template <direction D>
static int size_of(dnn_handle, void *, void *, dnn_convolution, void *, int algorithm, size_t *bytes)
{
    *bytes = algorithm == LARGE ? TOO_MANY : BYTES;
    return GOOD;
}

static size_t place(const described_array &as, int n, int c, int h, int w)
{
    return (((size_t)n * (size_t)as.c + (size_t)c) * (size_t)as.h + (size_t)h) * (size_t)as.w + (size_t)w;
}

/* A factor as the library sees it. */
static double factor(const problem &p, const described_array &as, const void *at, size_t i)
{
    if (as.type == DNN_BF16) return reel_bf16_to_float(((const reel_bf16 *)at)[i]);
    float value = ((const float *)at)[i];
    return p.at.math == DNN_MATH_PLAIN ? value : __uint_as_float(warp_tf32(value));
}

/* visit(place in x, in w, in y) for every product. */
template <class F> static void products(const problem &p, F visit)
{
    const int per_group = p.w.n / p.at.groups;
    for (int n = 0; n < p.y.n; n++)
        for (int k = 0; k < p.y.c; k++)
            for (int o = 0; o < p.y.h * p.y.w; o++)
                for (int c = 0; c < p.w.c; c++)
                    for (int t = 0; t < p.w.h * p.w.w; t++) {
                        int i = t / p.w.w, j = t % p.w.w, row = o / p.y.w, column = o % p.y.w;
                        int h = row * p.at.stride[0] + i * p.at.dilation[0] - p.at.top;
                        int w = column * p.at.stride[1] + j * p.at.dilation[1] - p.at.left;
                        if (h < 0 || h >= p.x.h || w < 0 || w >= p.x.w) continue;
                        visit(place(p.x, n, k / per_group * p.w.c + c, h, w), place(p.w, k, c, i, j),
                              place(p.y, n, k, row, column));
                    }
}

static size_t elements(const described_array &as)
{
    return place(as, as.n, 0, 0, 0);
}

template <direction D> static void compute(const problem &p, const void *a, const void *b, float add, void *y)
{
    const described_array &as = D == FORWARD ? p.y : D == INPUT_GRADIENT ? p.x : p.w;
    std::vector<double> sum(elements(as));
    products(p, [&](size_t x, size_t w, size_t o) {
        if (D == FORWARD) sum[o] += factor(p, p.x, a, x) * factor(p, p.w, b, w);
        if (D == INPUT_GRADIENT) sum[x] += factor(p, p.w, a, w) * factor(p, p.y, b, o);
        if (D == WEIGHT_GRADIENT) sum[w] += factor(p, p.x, a, x) * factor(p, p.y, b, o);
    });
    for (size_t i = 0; i < sum.size(); i++)
        if (as.type == DNN_BF16) {
            reel_bf16 *at = (reel_bf16 *)y + i;
            *at = reel_bf16_from_float((float)(sum[i] + (add != 0 ? add * reel_bf16_to_float(*at) : 0)));
        } else {
            float *at = (float *)y + i;
            *at = (float)(sum[i] + (add != 0 ? add * *at : 0));
        }
}

template <direction D>
static int run(dnn_handle handle, const void *alpha, void *a_as, const void *a, void *b_as, const void *b,
               dnn_convolution windows, int algorithm, void *workspace, size_t bytes, const void *beta, void *y_as,
               void *y)
{
    const problem p = problem_of<D>(a_as, b_as, windows, y_as);
    const float add = *(const float *)beta;
    if (algorithm != TAKEN) emulate_stop("cuDNN was asked for a way that must not be taken");
    if (!fits(p) || bytes < BYTES || *(const float *)alpha != 1) return BAD;
    if (emulated.fail_convolution) return emulated.fail_convolution;
    emulated.convolved++;
    cudaLaunchConfig_t config = {};
    config.stream = *(cudaStream_t *)handle;
    return emulate_launch(&config, [=] {
        memset(workspace, 0xff, bytes);
        compute<D>(p, a, b, add, y);
        emulated.clock += emulated.library_time - 1;
    });
}

static constexpr dnn_ask_function *emulate_cudnnGetConvolutionForwardAlgorithm_v7 = ask<FORWARD>;
static constexpr dnn_ask_function *emulate_cudnnGetConvolutionBackwardDataAlgorithm_v7 = ask<INPUT_GRADIENT>;
static constexpr dnn_ask_function *emulate_cudnnGetConvolutionBackwardFilterAlgorithm_v7 = ask<WEIGHT_GRADIENT>;
static constexpr dnn_size_function *emulate_cudnnGetConvolutionForwardWorkspaceSize = size_of<FORWARD>;
static constexpr dnn_size_function *emulate_cudnnGetConvolutionBackwardDataWorkspaceSize = size_of<INPUT_GRADIENT>;
static constexpr dnn_size_function *emulate_cudnnGetConvolutionBackwardFilterWorkspaceSize = size_of<WEIGHT_GRADIENT>;
static constexpr dnn_run_function *emulate_cudnnConvolutionForward = run<FORWARD>;
static constexpr dnn_run_function *emulate_cudnnConvolutionBackwardData = run<INPUT_GRADIENT>;
static constexpr dnn_run_function *emulate_cudnnConvolutionBackwardFilter = run<WEIGHT_GRADIENT>;

void *emulate_cudnn(const char *name)
{
#define FUNCTION(called, type)                                                                                         \
    if (!strcmp(name, #called)) return (void *)(type *)emulate_##called;
    DNN_FUNCTIONS(FUNCTION)
#undef FUNCTION
    return nullptr;
}
