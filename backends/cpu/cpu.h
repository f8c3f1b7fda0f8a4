/* The CPU backend: OpenMP over fixed tiles, vectors inside them, host memory. An op without a kernel of its own runs
   its reference loops. Results have the same bits for any number of threads: work is cut by shape alone, and what a cut
   leaves to be added up is added up in order. */
#ifndef REEL_BACKENDS_CPU_CPU_H
#define REEL_BACKENDS_CPU_CPU_H

#include "core/backend.h"

/* threads = 0: one for every core this process may use. NULL with `error` set when out of memory, for a number that
   makes no sense, or when REEL_ISA asks for an instruction set that is unknown or not there (isa.h). Close with
   backend->close(backend). */
reel_backend *reel_cpu_backend(int threads, reel_error *error);

/* The kernel of this backend for an op; its `run` is NULL when there is none. */
reel_kernel cpu_find_kernel(const reel_op *op);

/* Runs any op marked REEL_OP_ELEMENTWISE: its reference loops on pieces, in parallel. */
reel_status cpu_elementwise(const reel_call *call);

/* Runs an op of kernels.def whose planes are independent, with bf16 in float copies of a few planes at a time; and the
   kernel that it runs. */
reel_status cpu_planes(const reel_call *call);
size_t cpu_planes_scratch(const reel_call *call);
reel_kernel cpu_planes_kernel(const reel_op *op);

/* `count` planes of an array of rank 4, from plane `from` on, as one image. */
reel_array cpu_planes_of(const reel_array *a, int64_t from, int64_t count);

#endif
