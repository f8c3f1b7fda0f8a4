/* See registry.h. */
#include "backends/registry.h"

#include "backends/cpu/cpu.h"
#include "backends/cuda/cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static reel_backend *open_cpu(int index, int threads, reel_error *error)
{
    (void)index;
    return reel_cpu_backend(threads, error);
}

static reel_backend *open_cuda(int index, int threads, reel_error *error)
{
    (void)threads;
    return reel_cuda_backend(index, error);
}

static reel_backend *open_reference(int index, int threads, reel_error *error)
{
    (void)index, (void)threads;
    reel_backend *backend = reel_reference_backend();
    if (!backend) reel_fail_memory(error);
    return backend;
}

static reel_kernel reference_kernel(const reel_op *op)
{
    return op->reference;
}

static const struct {
    const char *name;
    reel_backend *(*open)(int index, int threads, reel_error *error);
    reel_kernel (*find)(const reel_op *op);
    bool several; /* "name:1" is the second of them */
    bool loops;   /* has the reference loops for what it lacks */
} devices[] = {
    {"cpu", open_cpu, cpu_find_kernel, false, true},
    {"cuda", open_cuda, cuda_find_kernel, true, false},
    {"reference", open_reference, reference_kernel, false, true},
};
enum { DEVICES = sizeof devices / sizeof devices[0], MOST_INDEX = 1023 };

const char *reel_backend_name(int i)
{
    return i >= 0 && i < DEVICES ? devices[i].name : NULL;
}

bool reel_backend_covers(int i, const reel_op *op, bool *own)
{
    *own = devices[i].find != reference_kernel && devices[i].find(op).run;
    return *own || (devices[i].loops && op->reference.run);
}

/* Which device "name" or "name:N" of kind i is; -1 when the text says something else. */
static int index_of(const char *device, int i)
{
    size_t length = strlen(devices[i].name);
    if (strncmp(device, devices[i].name, length) != 0) return -1;
    if (!device[length]) return 0;
    if (device[length] != ':' || !devices[i].several) return -1;
    const char *digits = device + length + 1;
    char *end;
    if (*digits < '0' || *digits > '9') return -1;
    long index = strtol(digits, &end, 10);
    return !*end && index <= MOST_INDEX ? (int)index : -1;
}

reel_backend *reel_backend_open(const char *device, int threads, reel_error *error)
{
    char names[256] = "";
    for (int i = 0; i < DEVICES; i++) {
        int index = index_of(device, i);
        if (index >= 0) return devices[i].open(index, threads, error);
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s%s", i ? ", " : "", devices[i].name,
                 devices[i].several ? ":0" : "");
    }
    reel_fail(error, REEL_ENVIRONMENT, "device '%s': reel has the devices %s", device, names);
    return NULL;
}
