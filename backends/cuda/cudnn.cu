/* See dnn.cuh. y begins as the bias, the convolution is added to it, and a ReLU is a pass of its own (bias.cu). */
#include "backends/cuda/bias.cuh"
#include "backends/cuda/dnn.cuh"

#include <dlfcn.h>

#if !defined REEL_CUDA_EMULATED && __has_include(<cudnn.h>)
#include <cudnn.h>
#define SAME(theirs, ours) static_assert((long)(theirs) == (long)(ours))
SAME(CUDNN_STATUS_SUCCESS, DNN_SUCCESS);
#if CUDNN_MAJOR >= 9
SAME(CUDNN_STATUS_BAD_PARAM, DNN_9_BAD);
SAME(CUDNN_STATUS_NOT_SUPPORTED, DNN_9_UNSUPPORTED);
#else
SAME(CUDNN_STATUS_BAD_PARAM, DNN_8_BAD);
SAME(CUDNN_STATUS_NOT_SUPPORTED, DNN_8_UNSUPPORTED);
#endif
SAME(CUDNN_DATA_FLOAT, DNN_F32);
SAME(CUDNN_DATA_BFLOAT16, DNN_BF16);
SAME(CUDNN_TENSOR_NCHW, DNN_NCHW);
SAME(CUDNN_CROSS_CORRELATION, DNN_CORRELATION);
SAME(CUDNN_DEFAULT_MATH, DNN_MATH_DEFAULT);
SAME(CUDNN_TENSOR_OP_MATH, DNN_MATH_TENSOR);
SAME(CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION, DNN_MATH_CONVERT);
SAME(CUDNN_FMA_MATH, DNN_MATH_PLAIN);
SAME(CUDNN_DETERMINISTIC, DNN_DETERMINISTIC);
#define SAME_FOUND(theirs)                                                                                             \
    SAME(sizeof(theirs), sizeof(dnn_found));                                                                           \
    SAME(offsetof(theirs, algo), offsetof(dnn_found, algorithm));                                                      \
    SAME(offsetof(theirs, status), offsetof(dnn_found, status));                                                       \
    SAME(offsetof(theirs, memory), offsetof(dnn_found, memory));                                                       \
    SAME(offsetof(theirs, determinism), offsetof(dnn_found, determinism));                                             \
    SAME(offsetof(theirs, mathType), offsetof(dnn_found, math))
SAME_FOUND(cudnnConvolutionFwdAlgoPerf_t);
SAME_FOUND(cudnnConvolutionBwdDataAlgoPerf_t);
SAME_FOUND(cudnnConvolutionBwdFilterAlgoPerf_t);
#undef SAME_FOUND
#undef SAME
#endif

/* --- the library --- */

struct cuda_dnn {
    void *library;
    dnn_handle handle;
#define MEMBER(name, type) type *name;
    DNN_FUNCTIONS(MEMBER)
#undef MEMBER
};

void dnn_close(cuda_dnn *dnn)
{
    if (!dnn) return;
    if (dnn->handle) dnn->cudnnDestroy(dnn->handle);
    if (dnn->library) dlclose(dnn->library);
    reel_free(dnn);
}

static bool find_functions(cuda_dnn *dnn)
{
#define FIND(name, type)                                                                                               \
    if (!(dnn->name = (type *)dlsym(dnn->library, #name))) return false;
    DNN_FUNCTIONS(FIND)
#undef FIND
    return true;
}

static bool make_handle(cuda_dnn *dnn, cudaStream_t stream)
{
    if (dnn->cudnnCreate(&dnn->handle) != DNN_SUCCESS) dnn->handle = NULL;
    return dnn->handle && dnn->cudnnSetStream(dnn->handle, stream) == DNN_SUCCESS;
}

cuda_dnn *dnn_open(const cuda_device *device)
{
    static const char *const names[] = {"libcudnn.so.9", "libcudnn.so.8"};
    cuda_dnn *dnn = (cuda_dnn *)reel_alloc(1, sizeof *dnn);
    if (!dnn) return NULL;
    for (const char *name : names)
        if (!dnn->library) dnn->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (dnn->library && find_functions(dnn) && make_handle(dnn, device->stream)) return dnn;
    dnn_close(dnn);
    return NULL;
}

/* --- what a convolution is described by --- */

struct description {
    const cuda_dnn *dnn;
    dnn_tensor x, y;
    dnn_filter w;
    dnn_convolution convolution;
    bool good;

    void check(int status) { good = good && status == DNN_SUCCESS; }
    void picture(dnn_tensor *made, dnn_type type, int64_t n, int64_t c, int64_t rows, int64_t columns)
    {
        check(dnn->cudnnCreateTensorDescriptor(made));
        if (good)
            check(dnn->cudnnSetTensor4dDescriptor(*made, DNN_NCHW, type, (int)n, (int)c, (int)rows, (int)columns));
    }
    void weights(dnn_type type, const reel_conv2d_geometry &g)
    {
        if (good) check(dnn->cudnnCreateFilterDescriptor(&w));
        if (good) check(dnn->cudnnSetFilter4dDescriptor(w, type, DNN_NCHW, (int)g.k, (int)g.cg, (int)g.kh, (int)g.kw));
    }
    void windows(const reel_conv2d_geometry &g)
    {
        if (good) check(dnn->cudnnCreateConvolutionDescriptor(&convolution));
        if (good)
            check(dnn->cudnnSetConvolution2dDescriptor(convolution, (int)g.top, (int)g.left, (int)g.stride[0],
                                                       (int)g.stride[1], (int)g.dilation[0], (int)g.dilation[1],
                                                       DNN_CORRELATION, DNN_F32));
        if (good) check(dnn->cudnnSetConvolutionGroupCount(convolution, (int)g.groups));
    }

    description(const cuda_dnn *library, const reel_call *call, const reel_conv2d_geometry &g)
        : dnn(library), x(NULL), y(NULL), w(NULL), convolution(NULL), good(true)
    {
        dnn_type type = call->input[0].dtype == REEL_BF16 ? DNN_BF16 : DNN_F32;
        picture(&x, type, g.n, g.c, g.h, g.w);
        if (good) picture(&y, type, g.n, g.k, g.p, g.q);
        weights(type, g);
        windows(g);
    }
    description(const description &) = delete;
    ~description()
    {
        for (dnn_tensor made : {x, y})
            if (made) dnn->cudnnDestroyTensorDescriptor(made);
        if (w) dnn->cudnnDestroyFilterDescriptor(w);
        if (convolution) dnn->cudnnDestroyConvolutionDescriptor(convolution);
    }
};

/* A direction: its functions, what is put in and what comes out. */
struct task {
    dnn_ask_function *ask;
    dnn_size_function *size;
    dnn_run_function *run;
    void *a_as, *b_as, *y_as;
    const void *a, *b;
};

static task task_of(const cuda_dnn *dnn, const description &d, const reel_call *call, cuda_direction direction)
{
    const void *first = call->input[0].data, *second = call->input[1].data;
#define FUNCTIONS(of)                                                                                                  \
    dnn->cudnnGetConvolution##of##Algorithm_v7, dnn->cudnnGetConvolution##of##WorkspaceSize, dnn->cudnnConvolution##of
    switch (direction) {
    case CUDA_FORWARD:
        return {FUNCTIONS(Forward), d.x, d.w, d.y, first, second};
    case CUDA_INPUT_GRADIENT: /* weights first */
        return {FUNCTIONS(BackwardData), d.w, d.y, d.x, second, first};
    default:
        return {FUNCTIONS(BackwardFilter), d.x, d.y, d.w, first, second};
    }
#undef FUNCTIONS
}

/* --- asking --- */

/* The library pads both sides alike. It means the same windows where it counts as many of them. */
static bool same_windows(int64_t size, int64_t padding, int64_t kernel, int64_t dilation, int64_t stride, int64_t count)
{
    int64_t room = size + 2 * padding - (kernel - 1) * dilation - 1;
    return room >= 0 && room / stride + 1 == count;
}

static bool describable(const reel_call *call, const reel_conv2d_geometry &g)
{
    const reel_dtype type = call->input[0].dtype;
    const bool exact = type == REEL_F32 && cuda_of(call)->products.tf32 != CUDA_TF32_SPLIT;
    return (type == REEL_BF16 || exact) && call->input[1].dtype == type && call->output[0].dtype == type &&
           same_windows(g.h, g.top, g.kh, g.dilation[0], g.stride[0], g.p) &&
           same_windows(g.w, g.left, g.kw, g.dilation[1], g.stride[1], g.q);
}

static dnn_math math_of(const reel_call *call)
{
    if (call->input[0].dtype == REEL_BF16) return DNN_MATH_TENSOR;
    return cuda_of(call)->products.tf32 == CUDA_TF32_ON ? DNN_MATH_DEFAULT : DNN_MATH_PLAIN;
}

/* Whether what the library proposes will do; then *way is set. */
static bool accept(const cuda_dnn *dnn, const description &d, const task &t, const dnn_found &found, dnn_math asked,
                   dnn_way *way)
{
    if (found.status != DNN_SUCCESS || found.determinism != DNN_DETERMINISTIC || found.math == DNN_MATH_CONVERT)
        return false;
    way->algorithm = found.algorithm;
    way->math = asked == DNN_MATH_PLAIN ? asked : (dnn_math)found.math;
    return dnn->cudnnSetConvolutionMathType(d.convolution, way->math) == DNN_SUCCESS &&
           t.size(dnn->handle, t.a_as, t.b_as, d.convolution, t.y_as, way->algorithm, &way->workspace) == DNN_SUCCESS &&
           way->workspace <= DNN_WORKSPACE;
}

bool dnn_ask(const cuda_dnn *dnn, const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g,
             dnn_way *way)
{
    enum { MOST = 10 };
    if (!describable(call, g)) return false;
    const dnn_math math = math_of(call);
    const description d(dnn, call, g);
    const task t = task_of(dnn, d, call, direction);
    dnn_found found[MOST] = {};
    int count = 0;
    if (!d.good || dnn->cudnnSetConvolutionMathType(d.convolution, math) != DNN_SUCCESS ||
        t.ask(dnn->handle, t.a_as, t.b_as, d.convolution, t.y_as, MOST, &count, found) != DNN_SUCCESS)
        return false;
    for (int i = 0; i < count; i++) /* the one that is expected to be the fastest is first */
        if (accept(dnn, d, t, found[i], math, way)) return true;
    return false;
}

/* --- running --- */

static bool refused(int status)
{
    return status == DNN_8_BAD || status == DNN_8_UNSUPPORTED || status / DNN_9_GROUP == DNN_9_BAD / DNN_9_GROUP ||
           status / DNN_9_GROUP == DNN_9_UNSUPPORTED / DNN_9_GROUP;
}

/* y holds what the convolution is to be added to. */
static reel_status start(const cuda_dnn *dnn, const reel_call *call, cuda_direction direction,
                         const reel_conv2d_geometry &g, const dnn_way &way, bool *done)
{
    const cuda_device *device = cuda_of(call);
    const float one = 1, add = bias_there(call) ? 1 : 0;
    const description d(dnn, call, g);
    const task t = task_of(dnn, d, call, direction);
    *done = d.good && dnn->cudnnSetConvolutionMathType(d.convolution, way.math) == DNN_SUCCESS;
    if (!*done) return REEL_OK;
    int status = t.run(dnn->handle, &one, t.a_as, t.a, t.b_as, t.b, d.convolution, way.algorithm, call->scratch,
                       way.workspace, &add, t.y_as, call->output[0].data);
    *done = status == DNN_SUCCESS;
    if (*done || refused(status)) return REEL_OK;
    return reel_fail(call->error, REEL_ENVIRONMENT, "cuda:%d: %s: cuDNN fails with status %d, %s", device->number,
                     call->op->name, status, dnn->cudnnGetErrorString(status));
}

reel_status dnn_run(const cuda_dnn *dnn, const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g,
                    const dnn_way &way, bool *done)
{
    const bool forward = direction == CUDA_FORWARD;
    reel_status status = cuda_start_waiting(cuda_of(call), call->error);
    *done = false;
    if (!status && bias_there(call)) status = bias_begin(call, forward ? g.k : g.c, forward ? g.p * g.q : g.h * g.w);
    if (!status) status = start(dnn, call, direction, g, way, done);
    return !status && *done && cuda_relu(call, direction) ? bias_relu(call) : status;
}
