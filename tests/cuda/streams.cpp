/* Streams, events and graphs of the CUDA of tests. Work that is put into a stream is done as late as CUDA allows: when
   the host waits for the stream, or another stream's work waits for an event behind it. So a wait that was forgotten is
   seen: the work has not been done. A graph is a list of work that is put into a stream as a whole. */
#include "tests/cuda/streams.h"

#include <deque>
#include <set>
#include <vector>

struct emulated_event;
struct emulated_graph {
    std::vector<emulated_work> work;
};
struct emulated_stream {
    std::deque<emulated_work> waiting;
    emulated_graph *capture;
    bool spoiled; /* by a call that cannot be captured */
    bool beside;  /* made not to wait for others */
};
struct emulated_event {
    cudaStream_t stream;
    unsigned long long recorded, happened; /* how often */
    double time;                           /* by the device's clock, when it happened last */
};

static std::set<cudaStream_t> streams;

void emulate_drain(cudaStream_t stream)
{
    while (!stream->waiting.empty()) {
        emulated_work work = std::move(stream->waiting.front());
        stream->waiting.pop_front();
        work();
    }
}

void emulate_drain_all()
{
    emulate_open_memory(true);
    for (cudaStream_t stream : streams) emulate_drain(stream);
    emulate_open_memory(false);
}

bool emulate_captures(cudaStream_t stream)
{
    return stream->capture != nullptr;
}

bool emulate_allowed()
{
    bool allowed = true;
    for (cudaStream_t stream : streams) {
        if (!stream->capture) continue;
        stream->spoiled = true;
        allowed = false;
    }
    return allowed;
}

cudaError_t emulate_enqueue(cudaStream_t stream, emulated_work work)
{
    if (!streams.count(stream)) return cudaErrorInvalidValue;
    if (!stream->capture)
        stream->waiting.push_back(std::move(work));
    else
        stream->capture->work.push_back(std::move(work));
    if (!stream->beside || !emulated.beside_at_once) return cudaSuccess;
    emulate_open_memory(true);
    emulate_drain(stream);
    emulate_open_memory(false);
    return cudaSuccess;
}

/* --- streams --- */

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    *stream = new emulated_stream{};
    streams.insert(*stream);
    emulated.objects++;
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    cudaError_t result = cudaStreamCreate(stream);
    (*stream)->beside = flags & cudaStreamNonBlocking;
    return result;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    if (!streams.erase(stream)) return cudaErrorInvalidValue;
    emulate_open_memory(true);
    emulate_drain(stream);
    emulate_open_memory(false);
    delete stream;
    emulated.objects--;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (emulated.fail_synchronize && !--emulated.fail_synchronize) return cudaErrorIllegalAddress;
    if (stream->capture) {
        stream->spoiled = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    emulate_open_memory(true);
    emulate_drain(stream);
    emulate_open_memory(false);
    return cudaSuccess;
}

/* --- events --- */

/* Does what lies before the event's recording of that number in its stream. */
static void reach(cudaEvent_t event, unsigned long long number)
{
    while (event->happened < number && !event->stream->waiting.empty()) {
        emulated_work work = std::move(event->stream->waiting.front());
        event->stream->waiting.pop_front();
        work();
    }
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = new emulated_event{};
    emulated.objects++;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    emulate_drain_all(); /* what waits for it has its address */
    delete event;
    emulated.objects--;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    if (stream->capture) return cudaErrorStreamCaptureUnsupported;
    unsigned long long number = ++event->recorded;
    event->stream = stream;
    return emulate_enqueue(stream, [=] {
        event->happened = number;
        event->time = emulated.clock;
    });
}
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to)
{
    if (!from->recorded || !to->recorded || to->happened < to->recorded) return cudaErrorInvalidValue;
    *milliseconds = (float)(to->time - from->time);
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    if (stream->capture) return cudaErrorStreamCaptureUnsupported;
    unsigned long long number = event->recorded;
    return emulate_enqueue(stream, [=] { reach(event, number); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    emulate_open_memory(true);
    reach(event, event->recorded);
    emulate_open_memory(false);
    return cudaSuccess;
}

/* --- graphs --- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode)
{
    if (stream->capture) return cudaErrorInvalidValue;
    stream->capture = new emulated_graph{};
    stream->spoiled = false;
    emulated.objects++;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    *graph = nullptr;
    if (!stream->capture) return cudaErrorInvalidValue;
    emulated_graph *made = stream->capture;
    stream->capture = nullptr;
    if (!stream->spoiled) {
        *graph = made;
        return cudaSuccess;
    }
    cudaGraphDestroy(made);
    return cudaErrorStreamCaptureInvalidated;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    emulated.objects--;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *ready, cudaGraph_t graph, unsigned long long)
{
    *ready = nullptr;
    if (emulated.fail_instantiate && !--emulated.fail_instantiate) return cudaErrorMemoryAllocation;
    *ready = new emulated_graph{*graph};
    emulated.objects++;
    emulated.recorded++;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    return cudaGraphDestroy(graph);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream)
{
    emulated.replays++;
    if (stream->capture) return cudaErrorStreamCaptureUnsupported;
    for (const emulated_work &work : graph->work) emulate_enqueue(stream, work);
    return cudaSuccess;
}
