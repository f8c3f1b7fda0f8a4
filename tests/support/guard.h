/* Runs the kernels of a CUDA backend each with a block of its own for every array, between guards, so that a step
   outside of an array is seen even where a plan has put another array beside it. What an op does not write is NaN. */
#ifndef REEL_TESTS_GUARD_H
#define REEL_TESTS_GUARD_H

#include "core/backend.h"

/* Puts guards of this many bytes around the arrays of all plans that are made on this backend from here on. With 0 a
   block is as long as its array and nothing is written between: for tools that watch each byte of device memory. One
   backend at a time. */
void guard_kernels(reel_backend *cuda, size_t bytes);

/* The plans made from here on run this kernel in the place of every op's; NULL: the op's own. */
void guard_replace(reel_status (*run)(const reel_call *call));

#endif
