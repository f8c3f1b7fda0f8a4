/* The CUDA backend behind core/backend.h: opening a device, its memory, and transfers. Everything runs in one stream,
   in order. */
#include "backends/cuda/blas.cuh"
#include "backends/cuda/convolve.cuh"
#include "backends/cuda/device.cuh"

static const double MIB = 1048576;

static cuda_device *device_of(reel_backend *backend)
{
    return (cuda_device *)backend;
}

reel_status cuda_check(const cuda_device *device, cudaError_t result, const char *what, const char *file, int line,
                       reel_error *error)
{
    if (result == cudaSuccess) return REEL_OK;
    cudaGetLastError(); /* it is told here, and not once more by the next call */
    return reel_fail(error, REEL_ENVIRONMENT, "cuda:%d: %s at %s:%d: %s, %s", device->number, what, file, line,
                     cudaGetErrorName(result), cudaGetErrorString(result));
}

/* --- memory --- */

reel_status cuda_allocate(const cuda_device *device, size_t bytes, void **block, reel_error *error)
{
    size_t unused = 0, total = 0;
    *block = NULL;
    cudaSetDevice(device->number);
    cudaError_t result = cudaMalloc(block, bytes ? bytes : 1);
    if (result != cudaErrorMemoryAllocation) return CUDA_TRY(device, error, result);
    cudaGetLastError();
    cudaMemGetInfo(&unused, &total);
    return reel_fail(
        error, REEL_ENVIRONMENT,
        "cuda:%d: out of memory: %.0f MiB asked for, %.0f of %.0f MiB unused; a smaller batch or picture or a shorter "
        "clip needs less, see --dry-run",
        device->number, (double)bytes / MIB, (double)unused / MIB, (double)total / MIB);
}

static void *allocate(reel_backend *backend, size_t bytes, reel_error *error)
{
    void *block;
    return cuda_allocate(device_of(backend), bytes, &block, error) ? NULL : block;
}

static void release(reel_backend *backend, void *block)
{
    cuda_forget_uploads(device_of(backend), block);
    cudaFree(block);
}

static reel_status transfer(reel_backend *backend, void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            reel_error *error)
{
    cuda_device *device = device_of(backend);
    reel_status status = cuda_start_waiting(device, error);
    if (status || !bytes || to == from) return status;
    status = CUDA_TRY(device, error, cudaMemcpyAsync(to, from, bytes, kind, device->stream));
    if (status || kind == cudaMemcpyDeviceToDevice) return status;
    return CUDA_TRY(device, error, cudaStreamSynchronize(device->stream));
}

static reel_status write_block(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error)
{
    return transfer(backend, to, from, bytes, cudaMemcpyHostToDevice, error);
}

static reel_status read_block(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error)
{
    return transfer(backend, to, from, bytes, cudaMemcpyDeviceToHost, error);
}

static reel_status copy_block(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error)
{
    return transfer(backend, to, from, bytes, cudaMemcpyDeviceToDevice, error);
}

reel_status cuda_clear(const reel_call *call, const reel_array *array)
{
    cuda_device *device = cuda_of(call);
    size_t bytes = (size_t)reel_elements(&array->shape) * reel_dtype_size(array->dtype);
    reel_status status = cuda_start_waiting(device, call->error);
    if (status || !bytes) return status;
    return CUDA_TRY(device, call->error, cudaMemsetAsync(array->data, 0, bytes, device->stream));
}

/* --- opening --- */

__global__ static void nothing() {}

/* The first call of the runtime finds out whether there is a driver; a kernel's attributes, whether it can run. */
static reel_status examine(int number, reel_error *error)
{
    int count = 0;
    cudaDeviceProp properties;
    cudaFuncAttributes attributes;
    cudaError_t result = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (result == cudaErrorInsufficientDriver)
        return reel_fail(error, REEL_ENVIRONMENT,
                         "device 'cuda:%d': there is no NVIDIA driver, or it is older than this CUDA", number);
    if (result == cudaErrorNoDevice || (result == cudaSuccess && !count))
        return reel_fail(error, REEL_ENVIRONMENT, "device 'cuda:%d': the driver finds no GPU", number);
    if (result != cudaSuccess)
        return reel_fail(error, REEL_ENVIRONMENT, "device 'cuda:%d': %s, %s", number, cudaGetErrorName(result),
                         cudaGetErrorString(result));
    if (number >= count)
        return reel_fail(error, REEL_ENVIRONMENT, "device 'cuda:%d': there %s %d GPU%s, cuda:0 to cuda:%d", number,
                         count > 1 ? "are" : "is", count, count > 1 ? "s" : "", count - 1);
    const cuda_device device = {.number = number};
    reel_status status = CUDA_TRY(&device, error, cudaSetDevice(number));
    if (!status) status = CUDA_TRY(&device, error, cudaGetDeviceProperties(&properties, number));
    if (status) return status;
    result = cudaFuncGetAttributes(&attributes, nothing);
    if (result != cudaErrorNoKernelImageForDevice) return CUDA_TRY(&device, error, result);
    cudaGetLastError();
    return reel_fail(error, REEL_ENVIRONMENT,
                     "device 'cuda:%d': %s is of architecture %d.%d, for which these kernels were not compiled; build "
                     "with make NVCC_ARCH=%d%d",
                     number, properties.name, properties.major, properties.minor, properties.major, properties.minor);
}

static void close_device(reel_backend *backend)
{
    cuda_device *device = device_of(backend);
    cuda_close_uploads(device);
    blas_close(device->blas);
    convolve_close(device->convolutions);
    cudaFree(device->start);
    cudaFreeHost(device->host_start);
    cudaFreeHost(device->host_fault);
    if (device->stream) cudaStreamDestroy(device->stream);
    reel_free(device->one_by_one.at);
    reel_free(device->updates);
    reel_free(device);
}

static reel_status open_device(cuda_device *device, reel_error *error)
{
    reel_status status = cuda_asked_to_record(&device->records, error);
    if (!status) status = CUDA_TRY(device, error, cudaStreamCreate(&device->stream));
    if (!status) status = CUDA_TRY(device, error, cudaMallocHost((void **)&device->host_start, sizeof(cuda_start)));
    if (!status) status = CUDA_TRY(device, error, cudaMallocHost((void **)&device->host_fault, sizeof(uint64_t)));
    if (!status) status = cuda_open_uploads(device, error);
    return status ? status : cuda_allocate(device, sizeof *device->start, (void **)&device->start, error);
}

/* Every array of the node can be counted with 31 bits. */
static bool fits(const reel_node *node)
{
    for (int k = 0; k < node->inputs; k++)
        if (node->input[k] && reel_elements(&node->input[k]->shape) > INT_MAX) return false;
    for (int k = 0; k < node->op->outputs; k++)
        if (reel_elements(&node->output[k].shape) > INT_MAX) return false;
    return true;
}

static bool find_kernel(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native)
{
    (void)backend;
    *kernel = cuda_find_kernel(node->op);
    if (native) *native = kernel->run != NULL;
    return kernel->run && fits(node);
}

reel_backend *reel_cuda_backend(int number, reel_error *error)
{
    cuda_products products;
    if (cuda_products_choose(&products, error) || examine(number, error)) return NULL;
    cuda_device *device = (cuda_device *)reel_alloc(1, sizeof *device);
    if (!device) {
        reel_fail_memory(error);
        return NULL;
    }
    device->number = number;
    device->products = products;
    device->backend = reel_backend{.name = "cuda",
                                   .threads = 1,
                                   .allocate = allocate,
                                   .release = release,
                                   .write = write_block,
                                   .read = read_block,
                                   .copy = copy_block,
                                   .write_ahead = cuda_write_ahead,
                                   .arrive = cuda_arrive,
                                   .kernel = find_kernel,
                                   .begin_run = cuda_begin_run,
                                   .end_run = cuda_end_run,
                                   .forget = cuda_forget,
                                   .finish = cuda_finish,
                                   .close = close_device};
    device->complaints = &device->one_by_one;
    if (!open_device(device, error)) return &device->backend;
    close_device(&device->backend);
    return NULL;
}
