/* Runs of a plan on the GPU: values that kernels refuse, and recordings.

   The second run of a plan is recorded instead of being run: the stream is captured while the nodes put their kernels
   and copies into it, and what was captured, a CUDA graph, is launched. Later runs launch it again, one call in the
   place of some thousand. The first run goes node by node; it loads the kernels, which a capture cannot, and a plan
   that runs once pays for no recording. A graph holds the arguments of its kernels as they were: addresses, which a
   plan keeps for life, and attributes. What changes from run to run lies in device memory: inputs, parameters, and
   cuda_start, which is written before each.

   A refusal (device.cuh) is a number in a list of complaints, and a recording keeps the list that its kernels count
   by. */
#include "backends/cuda/device.cuh"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct reel_recording {
    cudaGraphExec_t graph; /* NULL before the second run */
    cuda_complaints complaints;
};

/* --- refused values --- */

cuda_watch cuda_watch_values(const reel_call *call, const reel_array *values, const char *what, const char *expected,
                             ...)
{
    cuda_device *device = cuda_of(call);
    cuda_complaints *all = device->complaints;
    unsigned long long *fault = &device->start->fault;
    if (!reel_make_room(&all->at, all->count, &all->room, 64, sizeof *all->at))
        return cuda_watch{fault, 0}; /* the refusal is told with another's text */
    cuda_complaint *c = &all->at[all->count];
    char range[96];
    va_list list;
    va_start(list, expected);
    vsnprintf(range, sizeof range, expected, list);
    va_end(list);
    c->shape = values->shape;
    snprintf(c->text, sizeof c->text, "%s: the %s at %%s is not %s", call->op->name, what, range);
    return cuda_watch{fault, (unsigned long long)all->count++};
}

static reel_status tell(const cuda_complaints *all, unsigned long long fault, reel_error *error)
{
    const cuda_complaint *c = &all->at[fault >> 32];
    reel_shape place = c->shape; /* of the element, one number an axis */
    int64_t element = (int64_t)(fault & 0xffffffff);
    char at[REEL_SHAPE_TEXT], text[sizeof c->text + REEL_SHAPE_TEXT];
    for (int k = place.rank - 1; k >= 0; k--) {
        place.size[k] = element % c->shape.size[k];
        element /= c->shape.size[k];
    }
    const char *gap = strstr(c->text, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(gap - c->text), c->text, reel_shape_text(&place, at), gap + 2);
    return reel_fail(error, REEL_BAD_DATA, "%s", text);
}

reel_status cuda_finish(reel_backend *backend, reel_error *error)
{
    cuda_device *device = (cuda_device *)backend;
    reel_status status = cuda_start_waiting(device, error);
    *device->host_fault = CUDA_NO_FAULT;
    if (!status && device->complaints->count)
        status = CUDA_TRY(device, error,
                          cudaMemcpyAsync(device->host_fault, &device->start->fault, sizeof *device->host_fault,
                                          cudaMemcpyDeviceToHost, device->stream));
    if (!status) status = CUDA_TRY(device, error, cudaStreamSynchronize(device->stream));
    if (status || *device->host_fault == CUDA_NO_FAULT) return status;
    return tell(device->complaints, *device->host_fault, error);
}

/* --- recordings --- */

reel_status cuda_asked_to_record(bool *records, reel_error *error)
{
    const char *asked = getenv("REEL_CUDA_GRAPH");
    *records = !asked || !*asked || !strcmp(asked, "on");
    if (*records || !strcmp(asked, "off")) return REEL_OK;
    return reel_fail(error, REEL_USAGE, "CUDA backend: REEL_CUDA_GRAPH=%s says neither on nor off", asked);
}

void cuda_forget(reel_backend *backend, reel_recording *recording)
{
    cuda_device *device = (cuda_device *)backend;
    if (device->complaints == &recording->complaints) device->complaints = &device->one_by_one;
    if (recording->graph) cudaGraphExecDestroy(recording->graph);
    reel_free(recording->complaints.at);
    reel_free(recording);
}

/* The first run makes an empty recording, the second begins to fill it, others start it. */
static reel_status replay_or_record(cuda_device *device, reel_run *run, reel_error *error)
{
    reel_recording *recording = *run->recording;
    if (!recording) {
        *run->recording = (reel_recording *)reel_alloc(1, sizeof *recording);
        return *run->recording ? REEL_OK : reel_fail_memory(error);
    }
    device->complaints = &recording->complaints;
    if (recording->graph) {
        run->replayed = true;
        return CUDA_TRY(device, error, cudaGraphLaunch(recording->graph, device->stream));
    }
    recording->complaints.count = 0;
    reel_status status =
        CUDA_TRY(device, error, cudaStreamBeginCapture(device->stream, cudaStreamCaptureModeThreadLocal));
    device->capturing = !status;
    return status;
}

reel_status cuda_begin_run(reel_backend *backend, reel_run *run, reel_error *error)
{
    cuda_device *device = (cuda_device *)backend;
    cudaSetDevice(device->number);
    *device->host_start = cuda_start{CUDA_NO_FAULT, run->random_key};
    device->one_by_one.count = 0;
    device->complaints = &device->one_by_one;
    reel_status status = CUDA_TRY(device, error,
                                  cudaMemcpyAsync(device->start, device->host_start, sizeof *device->start,
                                                  cudaMemcpyHostToDevice, device->stream));
    return status || !run->recording || !device->records ? status : replay_or_record(device, run, error);
}

/* Ends a capture, and starts what was captured. What failed leaves no graph; the next run records anew. */
static reel_status end_capture(cuda_device *device, reel_recording *recording, bool complete, reel_error *error)
{
    cudaGraph_t captured = NULL;
    reel_status status = CUDA_TRY(device, error, cudaStreamEndCapture(device->stream, &captured));
    if (!status && complete) {
        status = CUDA_TRY(device, error, cudaGraphInstantiateWithFlags(&recording->graph, captured, 0));
        if (status)
            recording->graph = NULL;
        else
            status = CUDA_TRY(device, error, cudaGraphLaunch(recording->graph, device->stream));
    }
    if (captured) cudaGraphDestroy(captured);
    return status;
}

reel_status cuda_end_run(reel_backend *backend, reel_run *run, bool complete, reel_error *error)
{
    cuda_device *device = (cuda_device *)backend;
    bool capturing = device->capturing;
    reel_status started = complete ? cuda_start_waiting(device, error) : REEL_OK;
    device->waiting = device->capturing = false; /* updates of a run that failed are not made */
    reel_status ended = capturing ? end_capture(device, *run->recording, complete && !started, error) : REEL_OK;
    return started ? started : ended;
}
