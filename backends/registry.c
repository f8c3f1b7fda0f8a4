/* See registry.h. */
#include "backends/registry.h"

#include "backends/cpu/cpu.h"

#include <stdio.h>
#include <string.h>

static reel_backend *open_reference(int threads, reel_error *error)
{
    (void)threads;
    reel_backend *backend = reel_reference_backend();
    if (!backend) reel_fail_memory(error);
    return backend;
}

static const struct {
    const char *name;
    reel_backend *(*open)(int threads, reel_error *error);
} devices[] = {
    {"cpu", reel_cpu_backend},
    {"reference", open_reference},
};
enum { DEVICES = sizeof devices / sizeof devices[0] };

const char *reel_backend_name(int i)
{
    return i >= 0 && i < DEVICES ? devices[i].name : NULL;
}

reel_backend *reel_backend_open(const char *device, int threads, reel_error *error)
{
    char names[256] = "";
    for (int i = 0; i < DEVICES; i++) {
        if (!strcmp(device, devices[i].name)) return devices[i].open(threads, error);
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", devices[i].name);
    }
    reel_fail(error, REEL_ENVIRONMENT, "device '%s': this build of reel has the devices %s", device, names);
    return NULL;
}
