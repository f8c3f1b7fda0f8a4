/* The reference backend: see backend.h. */
#include "core/backend.h"

#include "core/memory.h"

#include <string.h>

static void *host_allocate(reel_backend *backend, size_t bytes, reel_error *error)
{
    (void)backend;
    void *block = reel_alloc_raw(bytes, 1);
    if (!block) reel_fail_memory(error);
    return block;
}

static void host_release(reel_backend *backend, void *block)
{
    (void)backend;
    reel_free(block);
}

static reel_status host_copy(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error)
{
    (void)backend, (void)error;
    if (bytes && to != from) memmove(to, from, bytes);
    return REEL_OK;
}

static bool reference_kernel(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native)
{
    (void)backend;
    *kernel = node->op->reference;
    if (native) *native = false;
    return kernel->run != NULL;
}

static void host_close(reel_backend *backend)
{
    reel_free(backend);
}

void reel_host_backend(reel_backend *backend)
{
    *backend = (reel_backend){.name = "reference",
                              .threads = 1,
                              .allocate = host_allocate,
                              .release = host_release,
                              .write = host_copy,
                              .read = host_copy,
                              .copy = host_copy,
                              .kernel = reference_kernel,
                              .close = host_close};
}

reel_backend *reel_reference_backend(void)
{
    reel_backend *backend = reel_alloc(1, sizeof *backend);
    if (backend) reel_host_backend(backend);
    return backend;
}
