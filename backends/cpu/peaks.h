/* What the machine can do at most: the roofs that kernels are held against (Williams, Waterman and Patterson 2009).
   Measured, since a virtual machine's clock and caches are not to be looked up, and right beside what is compared with
   it, since neighbours change the clock from minute to minute.

   Each figure is the best of a few repeats of some milliseconds: what disturbs a measurement only makes it slower. */
#ifndef REEL_BACKENDS_CPU_PEAKS_H
#define REEL_BACKENDS_CPU_PEAKS_H

#include "backends/cpu/isa.h"

#include <stddef.h>

/* Operations a second of multiply-adds in registers, two operations each, on `threads` threads together: in float32
   with the vectors of `isa`, for CPU_ISA_AMX of bfloat16 tiles. Portable vectors multiply and add apart where the
   processor's oldest model does. No wider than this machine's set. */
double cpu_peak_multiply_add(cpu_isa isa, int threads);

/* Bytes a second through arrays of `bytes` a thread: read only, and a[i] = b[i] + 3 c[i] over three arrays of a third
   of that, which counts three times four bytes an element (a cache reads `a` as well before it writes). Zero when out
   of memory. */
typedef struct {
    double read, triad;
} cpu_bandwidth;
cpu_bandwidth cpu_peak_bandwidth(size_t bytes, int threads);

/* Bytes a thread that stay in its second-level cache, and that no cache holds. */
size_t cpu_cache_sized(void);
size_t cpu_memory_sized(int threads);

#endif
