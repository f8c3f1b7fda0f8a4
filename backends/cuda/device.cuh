/* What every file of the CUDA backend uses: reel's headers as C++ sees them, the state of a device, how calls are
   checked and kernels started, and how a kernel refuses a value.

   A kernel here counts elements with 32 bits, since a 64-bit division costs a GPU some hundred instructions:
   cuda_fits tells which nodes that holds for. Divisions by sizes, which are known before a launch, are multiplications
   (cuda_divider). Sums over many elements are double, as on the CPU, and run in an order that shapes alone fix; there
   are no atomic additions. So results have the same bits from run to run. */
#ifndef REEL_BACKENDS_CUDA_DEVICE_CUH
#define REEL_BACKENDS_CUDA_DEVICE_CUH

#include <cuda_runtime.h>

/* What reel's headers include, before they are read as C. */
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define REEL_INLINE __host__ __device__ static inline
extern "C" {
#include "backends/cuda/cuda.h"
#include "core/bf16.h"
#include "core/memory.h"
#include "ops/ops.h"
}

/* --- the device --- */

enum { CUDA_THREADS = 256 }; /* of most blocks */

/* A check of values that kernels of one call make: what is said when it fails. */
struct cuda_complaint {
    char text[192];
    reel_shape shape; /* of the values */
};

/* Those of one run, or of a recorded one. */
struct cuda_complaints {
    cuda_complaint *at;
    int count, room;
};

/* What a run begins with, on the device and, pinned, on the host. */
struct cuda_start {
    unsigned long long fault; /* the lowest refusal: complaint << 32 | element */
    uint64_t random_key;
};

/* What products of float32 are made of: the sum of three TF32 products, one TF32 product, or float32. */
enum cuda_tf32 { CUDA_TF32_SPLIT, CUDA_TF32_ON, CUDA_TF32_OFF };

/* Whether convolutions are cuDNN's: none is, all that it takes are, or those that it is measured to be faster at. */
enum cuda_cudnn { CUDA_CUDNN_OFF, CUDA_CUDNN_ON, CUDA_CUDNN_MEASURE };

/* How products are made. */
struct cuda_products {
    cuda_tf32 tf32;
    bool library; /* cuBLASLt may be used */
    cuda_cudnn cudnn;
};

struct cuda_upload;

/* Writes for the next run (upload.cu). */
struct cuda_uploads {
    cudaStream_t stream;
    cudaEvent_t sent, taken; /* what was written has come to the device; and into its place */
    cuda_upload *first;
};

struct cuda_updates;

struct cuda_device {
    reel_backend backend; /* first, so that a pointer to it is one to the whole */
    int number;
    cuda_products products;
    struct cuda_blas *blas; /* cuBLASLt; NULL: it is not there, or has not been opened */
    bool blas_opened;
    struct cuda_convolutions *convolutions; /* what is known of cuDNN's (convolve.cu); NULL: nothing yet */
    cudaStream_t stream;
    cuda_start *start, *host_start;
    unsigned long long *host_fault;          /* pinned: how the run ended */
    cuda_complaints one_by_one, *complaints; /* of runs that are not recorded; of this run */
    bool records, capturing;
    cuda_uploads uploads;
    cuda_updates *updates; /* of parameters: the list of those that wait to be started together (optimise.cu) */
    bool waiting;          /* there are some */
};

/* What the environment asks for. */
reel_status cuda_products_choose(cuda_products *products, reel_error *error);

inline cuda_device *cuda_of(const reel_call *call)
{
    return (cuda_device *)call->backend;
}

/* Records an error of the runtime with what was called, where; REEL_OK for none. */
reel_status cuda_check(const cuda_device *device, cudaError_t result, const char *what, const char *file, int line,
                       reel_error *error);
#define CUDA_TRY(device, error, call) cuda_check(device, call, #call, __FILE__, __LINE__, error)

/* --- starting kernels --- */

/* A call, and the line that starts one of its kernels. */
struct cuda_site {
    const reel_call *call;
    const char *file;
    int line;
    cuda_site(const reel_call *c, const char *f = __builtin_FILE(), int l = __builtin_LINE())
        : call(c), file(f), line(l)
    {
    }
};

/* Updates that wait come before whatever is put into the stream. */
reel_status cuda_start_updates(cuda_device *device, reel_error *error);
inline reel_status cuda_start_waiting(cuda_device *device, reel_error *error)
{
    return device->waiting ? cuda_start_updates(device, error) : REEL_OK;
}

/* Starts a kernel on the call's device; nothing for no blocks. */
template <class... P, class... A>
reel_status cuda_launch(cuda_site site, dim3 blocks, dim3 threads, void (*kernel)(P...), A... arguments)
{
    cuda_device *device = cuda_of(site.call);
    reel_status status = cuda_start_waiting(device, site.call->error);
    if (status || !blocks.x || !blocks.y || !blocks.z) return status;
    cudaLaunchConfig_t config = {};
    config.gridDim = blocks;
    config.blockDim = threads;
    config.stream = device->stream;
    return cuda_check(device, cudaLaunchKernelEx(&config, kernel, P(arguments)...), site.call->op->name, site.file,
                      site.line, site.call->error);
}

/* One thread for each of n elements: the kernel asks cuda_element(). */
template <class... P, class... A> reel_status cuda_over(cuda_site site, int64_t n, void (*kernel)(P...), A... arguments)
{
    return cuda_launch(site, (unsigned)((n + CUDA_THREADS - 1) / CUDA_THREADS), CUDA_THREADS, kernel, arguments...);
}

__device__ __forceinline__ unsigned cuda_element()
{
    return blockIdx.x * blockDim.x + threadIdx.x;
}

/* work(T()) for the float type of a dtype. */
template <class F> reel_status cuda_by_float(reel_dtype dtype, F work)
{
    return dtype == REEL_F32 ? work(0.0f) : work(0.0);
}

/* bf16 as it is stored; computed with it is in float. */
struct cuda_bf16 {
    reel_bf16 bits;
    cuda_bf16() = default;
    __device__ explicit cuda_bf16(float value) : bits(reel_bf16_from_float(value)) {}
    __device__ operator float() const { return reel_bf16_to_float(bits); }
};

/* What values that are stored as S are computed in. */
template <class S> struct cuda_computed {
    typedef S type;
};
template <> struct cuda_computed<cuda_bf16> {
    typedef float type;
};

/* work(S()) for a float type as it is stored. */
template <class F> reel_status cuda_by_real(reel_dtype dtype, F work)
{
    return dtype == REEL_BF16 ? work(cuda_bf16()) : cuda_by_float(dtype, work);
}

/* work(T()) for any dtype. */
template <class F> reel_status cuda_by_dtype(reel_dtype dtype, F work)
{
    switch (dtype) {
    case REEL_I32:
        return work(int32_t());
    case REEL_U8:
        return work(uint8_t());
    case REEL_BF16:
        return work(cuda_bf16());
    default:
        return cuda_by_float(dtype, work);
    }
}

/* A value that becomes an element: integers take what they can hold nearest to it, and 0 for NaN. */
__device__ inline double cuda_within(double value, double low, double high)
{
    return value != value ? 0 : value < low ? low : value > high ? high : value;
}
__device__ inline void cuda_convert(double value, float *y)
{
    *y = (float)value;
}
__device__ inline void cuda_convert(double value, double *y)
{
    *y = value;
}
__device__ inline void cuda_convert(double value, cuda_bf16 *y)
{
    *y = cuda_bf16((float)value);
}
__device__ inline void cuda_convert(double value, int32_t *y)
{
    *y = (int32_t)cuda_within(value, INT_MIN, INT_MAX);
}
__device__ inline void cuda_convert(double value, uint8_t *y)
{
    *y = (uint8_t)cuda_within(value, 0, UINT8_MAX);
}

/* work(T()) for an integer type as wide as the dtype, where values are only moved. */
template <class F> reel_status cuda_by_width(reel_dtype dtype, F work)
{
    switch (reel_dtype_size(dtype)) {
    case 1:
        return work(uint8_t());
    case 2:
        return work(uint16_t());
    case 4:
        return work(uint32_t());
    default:
        return work(uint64_t());
    }
}

inline unsigned cuda_elements(const reel_array *a)
{
    return (unsigned)reel_elements(&a->shape);
}

/* --- runs (run.cu) --- */

reel_status cuda_begin_run(reel_backend *backend, reel_run *run, reel_error *error);
reel_status cuda_end_run(reel_backend *backend, reel_run *run, bool complete, reel_error *error);
reel_status cuda_finish(reel_backend *backend, reel_error *error);
void cuda_forget(reel_backend *backend, reel_recording *recording);
/* What `records` is by REEL_CUDA_GRAPH. */
reel_status cuda_asked_to_record(bool *records, reel_error *error);

/* --- writes for the next run (upload.cu) --- */

reel_status cuda_open_uploads(cuda_device *device, reel_error *error);
void cuda_close_uploads(cuda_device *device);
reel_status cuda_write_ahead(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);
reel_status cuda_arrive(reel_backend *backend, reel_error *error);
/* A block is released: nothing will be written there any more. */
void cuda_forget_uploads(cuda_device *device, const void *block);

/* --- memory --- */

reel_status cuda_allocate(const cuda_device *device, size_t bytes, void **block, reel_error *error);

/* Zeroes an array. */
reel_status cuda_clear(const reel_call *call, const reel_array *array);

/* --- division by a number that is known before the launch --- */

/* n / size = (high half of n * factor + n) >> shift, for n < 2^31 (Granlund and Montgomery 1994). */
struct cuda_divider {
    unsigned size, factor, shift;
};

inline cuda_divider cuda_divider_of(int64_t size)
{
    cuda_divider d = {(unsigned)size, 0, 0};
    while (((uint64_t)1 << d.shift) < d.size) d.shift++;
    if (d.size) d.factor = (unsigned)((((uint64_t)1 << 32) * (((uint64_t)1 << d.shift) - d.size)) / d.size + 1);
    return d;
}

__device__ __forceinline__ unsigned cuda_divide(unsigned n, cuda_divider by)
{
    return ((unsigned)(((uint64_t)n * by.factor) >> 32) + n) >> by.shift;
}

/* n becomes the quotient; the remainder is returned. */
__device__ __forceinline__ unsigned cuda_split(unsigned *n, cuda_divider by)
{
    unsigned quotient = cuda_divide(*n, by), rest = *n - quotient * by.size;
    *n = quotient;
    return rest;
}

/* --- refusing values --- */

/* Values come to be seen on the device, when the host has long gone on. A kernel that meets a bad one notes where and
   goes on without it; when the host waits, the first is told, in the order of calls and elements, whatever the order in
   which threads met them. Updates of parameters look at the note, and leave everything as it is. */
struct cuda_watch {
    unsigned long long *fault, complaint;
};

/* "OP: the WHAT at [1,2] is not EXPECTED", to be said of an element of `values`. */
cuda_watch cuda_watch_values(const reel_call *call, const reel_array *values, const char *what, const char *expected,
                             ...) __attribute__((format(printf, 4, 5)));

__device__ __forceinline__ void cuda_refuse(cuda_watch watch, unsigned element)
{
    atomicMin(watch.fault, watch.complaint << 32 | element);
}

enum : unsigned long long { CUDA_NO_FAULT = ~0ull };

#endif
