/* Kernels that do what no kernel may, so that tests can see that it is seen. */
#ifndef REEL_TESTS_CUDA_FAULTS_H
#define REEL_TESTS_CUDA_FAULTS_H

#include "core/kernel.h"

/* Asks for more threads a block than a GPU has: no kernel starts. */
reel_status fault_launch(const reel_call *call);

/* Writes the byte behind, or the one before, the call's first output. */
reel_status fault_write_behind(const reel_call *call);
reel_status fault_write_before(const reel_call *call);

#endif
