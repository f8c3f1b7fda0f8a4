/* CUDA on the CPU, for tests: the sources of backends/cuda are compiled as C++ with this header in the place of
   NVIDIA's.

   Blocks are a loop. The threads of a block are run one after the other; one that meets a barrier is left where it is
   and the next goes on in a stack of its own (a fibre), so that a kernel without barriers costs no more than a loop,
   and
   __syncthreads, shared memory and warp shuffles do what they do on a GPU. Work in a stream is done as late as may be
   (streams.cpp). What a GPU would forgive or punish at random ends the program with a line that says why: a barrier
   that some threads never reach, a byte written outside an allocation, device memory touched by the host (a
   segmentation fault). Tests switch on failures by `emulated`. */
#ifndef REEL_TESTS_CUDA_RUNTIME_H
#define REEL_TESTS_CUDA_RUNTIME_H

#include "tests/cuda/emulated.h"

#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- the language --- */

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)
#define __grid_constant__

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned width = 1, unsigned height = 1, unsigned depth = 1) : x(width), y(height), z(depth) {}
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim;
enum { warpSize = 32 };

void __syncthreads();
void emulate_warp_barrier(unsigned mask);
extern unsigned char emulate_slot[1024][8];
unsigned emulate_thread(); /* number of the thread in its block */
void emulate_end_of_block();
[[noreturn]] void emulate_stop(const char *why);

template <class T> T emulate_shuffle(unsigned mask, T value, unsigned lane)
{
    unsigned first = emulate_thread() / warpSize * warpSize;
    T result;
    memcpy(emulate_slot[emulate_thread()], &value, sizeof value);
    emulate_warp_barrier(mask);
    memcpy(&result, emulate_slot[first + lane % warpSize], sizeof result);
    emulate_warp_barrier(mask);
    return result;
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int other)
{
    return emulate_shuffle(mask, value, emulate_thread() % warpSize ^ (unsigned)other);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta)
{
    unsigned lane = emulate_thread() % warpSize;
    return emulate_shuffle(mask, value, lane + delta < warpSize ? lane + delta : lane);
}

inline void __syncwarp()
{
    emulate_warp_barrier(0xffffffffu);
}

#include "tests/cuda/emulated_warp.h"

inline unsigned long long atomicMin(unsigned long long *at, unsigned long long value)
{
    unsigned long long old = *at;
    if (value < old) *at = value;
    return old;
}

/* --- the runtime --- */

enum cudaError_t {
    cudaSuccess,
    cudaErrorInvalidValue,
    cudaErrorMemoryAllocation,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice,
    cudaErrorNoKernelImageForDevice = 209,
    cudaErrorIllegalAddress = 700,
    cudaErrorStreamCaptureUnsupported = 900,
    cudaErrorStreamCaptureInvalidated
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
typedef struct emulated_stream *cudaStream_t;
typedef struct emulated_event *cudaEvent_t;
typedef struct emulated_graph *cudaGraph_t, *cudaGraphExec_t;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
struct cudaDeviceProp {
    char name[256];
    int major, minor;
};
struct cudaFuncAttributes {
    int binaryVersion;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    void *attrs;
    unsigned numAttrs;
};

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *ready, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph);
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream);
cudaError_t cudaMalloc(void **block, size_t bytes);
cudaError_t cudaFree(void *block);
cudaError_t cudaMallocHost(void **block, size_t bytes);
cudaError_t cudaFreeHost(void *block);
cudaError_t cudaMemGetInfo(size_t *unused, size_t *total);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream);
cudaError_t emulate_attributes(cudaFuncAttributes *attributes);
template <class K> cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, K *)
{
    return emulate_attributes(attributes);
}

cudaError_t emulate_launch(const cudaLaunchConfig_t *config, std::function<void()> body);

/* Libraries that are opened at run time (libraries.cpp). */
#include <dlfcn.h>
#define dlopen emulate_dlopen
#define dlsym emulate_dlsym
#define dlclose emulate_dlclose
void *emulate_dlopen(const char *name, int flags);
void *emulate_dlsym(void *library, const char *name);
int emulate_dlclose(void *library);

template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(P...), A... arguments)
{
    return emulate_launch(config, [=] { kernel(P(arguments)...); });
}

#endif
