/* See device.h. */
#include "tools/device.h"

#include <stdio.h>

reel_backend *reel_device_open(const char *device, int threads, reel_error *error)
{
    static bool told;
    reel_backend *backend = reel_backend_open(device, threads, error);
    if (backend && backend->note && !told) {
        fprintf(stderr, "reel: %s: %s\n", backend->name, backend->note);
        told = true;
    }
    return backend;
}
