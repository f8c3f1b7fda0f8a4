/* Writes for the next run while one is under way, by a stream of their own: from the host's memory to pinned memory,
   which the copy engine reads without the host's help, from there to a block of the device beside the input, and from
   there, between two runs, to the input. The last copy is within the device's memory, some thousandth of a step.

   Who waits for whom: the run for `sent`, before it takes what was sent; the copy stream for `taken`, before it writes
   over what was taken; the host for `sent`, before it writes over pinned memory that is still read. The last is hardly
   a wait, as a whole run lies between.

   Cost: the bytes of all inputs written so, pinned, and once more on the device. */
#include "backends/cuda/device.cuh"

/* A place that is written to, and what is on its way there. */
struct cuda_upload {
    void *to;
    size_t bytes;
    void *host, *device;
    bool on_its_way;
    cuda_upload *next;
};

reel_status cuda_open_uploads(cuda_device *device, reel_error *error)
{
    cuda_uploads *all = &device->uploads;
    reel_status status = CUDA_TRY(device, error, cudaStreamCreateWithFlags(&all->stream, cudaStreamNonBlocking));
    if (!status) status = CUDA_TRY(device, error, cudaEventCreateWithFlags(&all->sent, cudaEventDisableTiming));
    if (!status) status = CUDA_TRY(device, error, cudaEventCreateWithFlags(&all->taken, cudaEventDisableTiming));
    return status;
}

static void free_upload(cuda_upload *upload)
{
    cudaFreeHost(upload->host);
    cudaFree(upload->device);
    reel_free(upload);
}

void cuda_close_uploads(cuda_device *device)
{
    cuda_uploads *all = &device->uploads;
    if (all->stream) cudaStreamSynchronize(all->stream);
    while (all->first) {
        cuda_upload *upload = all->first;
        all->first = upload->next;
        free_upload(upload);
    }
    if (all->sent) cudaEventDestroy(all->sent);
    if (all->taken) cudaEventDestroy(all->taken);
    if (all->stream) cudaStreamDestroy(all->stream);
}

void cuda_forget_uploads(cuda_device *device, const void *block)
{
    cuda_upload **at = &device->uploads.first;
    while (*at && (*at)->to != block) at = &(*at)->next;
    if (!*at) return;
    cuda_upload *upload = *at;
    cudaStreamSynchronize(device->uploads.stream);
    *at = upload->next;
    free_upload(upload);
}

/* The upload to a place, made at the first write; NULL when memory is refused. */
static cuda_upload *upload_to(cuda_device *device, void *to, size_t bytes, reel_error *error)
{
    for (cuda_upload *u = device->uploads.first; u; u = u->next)
        if (u->to == to) return u;
    cuda_upload *upload = (cuda_upload *)reel_alloc(1, sizeof *upload);
    if (!upload) {
        reel_fail_memory(error);
        return NULL;
    }
    *upload = cuda_upload{.to = to, .bytes = bytes, .next = device->uploads.first};
    reel_status status = CUDA_TRY(device, error, cudaMallocHost(&upload->host, bytes));
    if (!status) status = cuda_allocate(device, bytes, &upload->device, error);
    if (!status) return device->uploads.first = upload;
    free_upload(upload);
    return NULL;
}

reel_status cuda_write_ahead(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error)
{
    cuda_device *device = (cuda_device *)backend;
    cuda_uploads *all = &device->uploads;
    if (!bytes) return REEL_OK;
    cudaSetDevice(device->number);
    cuda_upload *upload = upload_to(device, to, bytes, error);
    if (!upload) return REEL_ENVIRONMENT;
    reel_status status = upload->on_its_way ? CUDA_TRY(device, error, cudaStreamSynchronize(all->stream))
                                            : CUDA_TRY(device, error, cudaEventSynchronize(all->sent));
    if (status) return status;
    memcpy(upload->host, from, bytes);
    status = CUDA_TRY(device, error, cudaStreamWaitEvent(all->stream, all->taken, 0));
    if (!status)
        status = CUDA_TRY(device, error,
                          cudaMemcpyAsync(upload->device, upload->host, bytes, cudaMemcpyHostToDevice, all->stream));
    upload->on_its_way = !status;
    return status;
}

reel_status cuda_arrive(reel_backend *backend, reel_error *error)
{
    cuda_device *device = (cuda_device *)backend;
    cuda_uploads *all = &device->uploads;
    reel_status status = CUDA_TRY(device, error, cudaEventRecord(all->sent, all->stream));
    if (!status) status = CUDA_TRY(device, error, cudaStreamWaitEvent(device->stream, all->sent, 0));
    for (cuda_upload *u = all->first; !status && u; u = u->next) {
        if (!u->on_its_way) continue;
        status = CUDA_TRY(device, error,
                          cudaMemcpyAsync(u->to, u->device, u->bytes, cudaMemcpyDeviceToDevice, device->stream));
        u->on_its_way = false;
    }
    return status ? status : CUDA_TRY(device, error, cudaEventRecord(all->taken, device->stream));
}
