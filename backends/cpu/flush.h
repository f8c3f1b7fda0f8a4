/* Numbers below 1.2e-38 (2.2e-308 in double) count as zero while a plan runs on the CPU. A processor computes with such
   denormals by a detour of a hundred cycles or more, and training makes many: gradients that fade over time, moments
   that decay. Without this a trained network takes several times as long as a fresh one.

   The mode belongs to a thread. All threads of the pool take it together, since results must not depend on who computed
   them, and give it back at the end of the run. */
#ifndef REEL_BACKENDS_CPU_FLUSH_H
#define REEL_BACKENDS_CPU_FLUSH_H

#include "core/backend.h"

reel_status cpu_flush_begin(reel_backend *backend, reel_run *run, reel_error *error);
reel_status cpu_flush_end(reel_backend *backend, reel_run *run, bool complete, reel_error *error);

#endif
