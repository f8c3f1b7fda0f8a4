/* Streams of the emulated GPU (streams.cpp), as the rest of the emulation sees them. */
#ifndef REEL_TESTS_CUDA_STREAMS_H
#define REEL_TESTS_CUDA_STREAMS_H

#include <cuda_runtime.h>

#include <functional>

typedef std::function<void()> emulated_work;

/* Work for the end of a stream, or of the graph that it is captured into. */
cudaError_t emulate_enqueue(cudaStream_t stream, emulated_work work);
/* A call that no stream may be captured during spoils what is being captured; false then. */
bool emulate_allowed();
bool emulate_captures(cudaStream_t stream);
/* Does all that waits in a stream; in all of them. */
void emulate_drain(cudaStream_t stream);
void emulate_drain_all();

/* The device's memory, open to what runs between (emulate.cpp). */
void emulate_open_memory(bool open);

#endif
