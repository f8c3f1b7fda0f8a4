/* See cpu.h. */
#include "backends/cpu/cpu.h"

#include "backends/cpu/flush.h"
#include "backends/cpu/isa.h"
#include "backends/cpu/winograd.h"
#include "core/memory.h"

#include <omp.h>

enum { MOST_THREADS = 1024 };

static bool cpu_kernel(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native)
{
    (void)backend;
    *kernel = cpu_find_kernel(node->op);
    if (native) *native = kernel->run != NULL;
    if (!kernel->run) *kernel = node->op->reference;
    return kernel->run != NULL;
}

reel_backend *reel_cpu_backend(int threads, reel_error *error)
{
    if (threads < 0 || threads > MOST_THREADS) {
        reel_fail(error, REEL_USAGE, "CPU backend: %d threads asked for; give 1 to %d, or 0 for one a core", threads,
                  MOST_THREADS);
        return NULL;
    }
    cpu_isa isa;
    if (cpu_isa_choose(&isa, error) || cpu_winograd_choose(error)) return NULL;
    reel_backend *backend = reel_alloc(1, sizeof *backend);
    if (!backend) {
        reel_fail_memory(error);
        return NULL;
    }
    reel_host_backend(backend);
    backend->name = "cpu";
    if (cpu_this_machine().amx_refused && isa == CPU_ISA_AVX512)
        backend->note = "this machine has AMX, but its system does not let this process use it; going on with AVX-512";
    backend->threads = threads ? threads : omp_get_num_procs();
    backend->serial_below = 1e5; /* some fifty microseconds of one thread */
    backend->kernel = cpu_kernel;
    backend->begin_run = cpu_flush_begin;
    backend->end_run = cpu_flush_end;
    return backend;
}
