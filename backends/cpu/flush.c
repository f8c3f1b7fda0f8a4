/* See flush.h. */
#include "backends/cpu/flush.h"

#ifdef __SSE2__
#include <xmmintrin.h>

/* Of the control register of x86: denormal results become zero, denormal operands count as zero. */
enum { FLUSH = 0x8000 | 0x0040 };

static void set_mode(bool flush)
{
    unsigned mode = _mm_getcsr();
    _mm_setcsr(flush ? mode | FLUSH : mode & ~(unsigned)FLUSH);
}
#else
static void set_mode(bool flush)
{
    (void)flush;
}
#endif

static void set_all(const reel_backend *backend, bool flush)
{
#pragma omp parallel num_threads(backend->threads)
    set_mode(flush);
}

reel_status cpu_flush_begin(reel_backend *backend, reel_run *run, reel_error *error)
{
    (void)run, (void)error;
    set_all(backend, true);
    return REEL_OK;
}

reel_status cpu_flush_end(reel_backend *backend, reel_run *run, bool complete, reel_error *error)
{
    (void)run, (void)complete, (void)error;
    set_all(backend, false);
    return REEL_OK;
}
