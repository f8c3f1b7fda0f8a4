/* See registry.h. */
#include "backends/registry.h"

#include "backends/cpu/cpu.h"

#include <string.h>

reel_backend *reel_backend_open(const char *device, int threads, reel_error *error)
{
    if (!strcmp(device, "cpu")) return reel_cpu_backend(threads, error);
    if (!strcmp(device, "reference")) {
        reel_backend *backend = reel_reference_backend();
        if (!backend) reel_fail_memory(error);
        return backend;
    }
    reel_fail(error, REEL_ENVIRONMENT, "device '%s': this build of reel has the devices cpu and reference", device);
    return NULL;
}
