/* See convolve.cuh. A shape and a direction are decided once in a device's life: cuDNN is asked when scratch memory is
   planned, and its answer kept, so that a run takes no more memory than was planned.

   With REEL_CUDNN=measure, both ways are run and timed when a shape is first met in a run that is not being recorded,
   and the faster one is kept; until then own kernels are used. A decision is between ways that each give the same bits
   from run to run.

   Cost: the search, a comparison a known shape, is the host's; a measurement, eight times the convolution or nine. */
#include "backends/cuda/bias.cuh"
#include "backends/cuda/convolve.cuh"

enum decision { OWN, LIBRARY, UNDECIDED };

/* A convolution, as far as it matters how it is computed. */
struct shape_key {
    int64_t direction, first, second, result; /* types */
    reel_conv2d_geometry g;
};
static_assert(sizeof(shape_key) == 4 * sizeof(int64_t) + sizeof(reel_conv2d_geometry), "compared as bytes");

struct known {
    shape_key key;
    dnn_way way;
    decision goes;
};

struct cuda_convolutions {
    cuda_dnn *dnn; /* NULL: the library is missing */
    known *at;
    int count, room;
};

void convolve_close(cuda_convolutions *all)
{
    if (!all) return;
    dnn_close(all->dnn);
    reel_free(all->at);
    reel_free(all);
}

static shape_key key_of(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    return {direction, call->input[0].dtype, call->input[1].dtype, call->output[0].dtype, g};
}

static known *find(const reel_call *call, const shape_key &key)
{
    const cuda_convolutions *all = cuda_of(call)->convolutions;
    for (int i = 0; all && i < all->count; i++)
        if (!memcmp(&all->at[i].key, &key, sizeof key)) return &all->at[i];
    return NULL;
}

/* Everything there is to know before a run; NULL when there is no library, or no memory to note it. */
static known *learn(const reel_call *call, const shape_key &key)
{
    cuda_device *device = cuda_of(call);
    cuda_convolutions *all = device->convolutions;
    if (!all) {
        all = device->convolutions = (cuda_convolutions *)reel_alloc(1, sizeof *all);
        if (all) all->dnn = dnn_open(device);
    }
    if (!all || !all->dnn) return NULL;
    if (!reel_make_room(&all->at, all->count, &all->room, 32, sizeof *all->at)) return NULL;
    known *k = &all->at[all->count++];
    *k = known{key, {}, OWN};
    if (dnn_ask(all->dnn, call, (cuda_direction)key.direction, key.g, &k->way))
        k->goes = device->products.cudnn == CUDA_CUDNN_MEASURE ? UNDECIDED : LIBRARY;
    return k;
}

size_t convolve_scratch(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g)
{
    if (cuda_of(call)->products.cudnn == CUDA_CUDNN_OFF) return 0;
    const shape_key key = key_of(call, direction, g);
    known *k = find(call, key);
    if (!k) k = learn(call, key);
    return k && k->goes != OWN ? k->way.workspace : 0;
}

/* --- measuring --- */

/* Two moments of a stream. */
struct stopwatch {
    cudaEvent_t begin, end;
    stopwatch() : begin(NULL), end(NULL) {}
    stopwatch(const stopwatch &) = delete;
    ~stopwatch()
    {
        for (cudaEvent_t event : {begin, end})
            if (event) cudaEventDestroy(event);
    }
};

/* The shortest of some runs, in milliseconds, after one that finds everything loaded; work(&done) is a run. */
template <class F> static reel_status time_of(const reel_call *call, F work, bool *done, float *shortest)
{
    enum { ROUNDS = 3 };
    cuda_device *device = cuda_of(call);
    stopwatch watch;
    reel_status status = work(done);
    if (!status) status = CUDA_TRY(device, call->error, cudaEventCreateWithFlags(&watch.begin, 0));
    if (!status) status = CUDA_TRY(device, call->error, cudaEventCreateWithFlags(&watch.end, 0));
    for (int i = 0; !status && *done && i < ROUNDS; i++) {
        float took = 0;
        status = CUDA_TRY(device, call->error, cudaEventRecord(watch.begin, device->stream));
        if (!status) status = work(done);
        if (!status) status = CUDA_TRY(device, call->error, cudaEventRecord(watch.end, device->stream));
        if (!status) status = CUDA_TRY(device, call->error, cudaEventSynchronize(watch.end));
        if (!status) status = CUDA_TRY(device, call->error, cudaEventElapsedTime(&took, watch.begin, watch.end));
        if (!status && (i == 0 || took < *shortest)) *shortest = took;
    }
    return status;
}

static reel_status run_library(const reel_call *call, const known *k, bool *done)
{
    const cuda_dnn *dnn = cuda_of(call)->convolutions->dnn;
    return dnn_run(dnn, call, (cuda_direction)k->key.direction, k->key.g, k->way, done);
}

/* The way that was decided on, or own kernels where the library refuses a call after all. */
static reel_status go(const reel_call *call, const known *k, convolve_own *own)
{
    bool done = false;
    reel_status status = REEL_OK;
    if (k->goes == LIBRARY) status = run_library(call, k, &done);
    return status || done ? status : own(call);
}

/* Decides, and leaves the result of the way that is kept. */
static reel_status measure(const reel_call *call, known *k, convolve_own *own)
{
    bool taken = false, always = true;
    float theirs = 0, ours = 0;
    reel_status status = time_of(
        call, [&](bool *done) { return run_library(call, k, done); }, &taken, &theirs);
    if (!status)
        status = time_of(
            call, [&](bool *) { return own(call); }, &always, &ours);
    if (status) return status;
    k->goes = taken && theirs < ours ? LIBRARY : OWN;
    return k->goes == LIBRARY ? go(call, k, own) : REEL_OK;
}

/* --- running --- */

reel_status convolve(const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g, convolve_own *own)
{
    const cuda_device *device = cuda_of(call);
    known *k = device->products.cudnn == CUDA_CUDNN_OFF ? NULL : find(call, key_of(call, direction, g));
    if (!k || !bias_fits(call) || (k->goes == UNDECIDED && device->capturing)) return own(call);
    return k->goes == UNDECIDED ? measure(call, k, own) : go(call, k, own);
}
