/* How to visit the elements of several arrays at once when some are stretched over others (reel_shape_broadcast).

   The axes of the output are gone through with one step an input and axis, 0 where the input is stretched. Neighbouring
   axes over which every input steps evenly are merged, so that two arrays of one shape become a single row however many
   axes they have, and [1,C,1,1] against [N,C,H,W] becomes N x C x HW. The last axis has step 0 or 1 in every input,
   which is what lets the inner loops of kernels be vector code. */
#ifndef REEL_CORE_BROADCAST_H
#define REEL_CORE_BROADCAST_H

#include "core/op.h"

enum { REEL_BROADCAST_INPUTS = 4 };

typedef struct {
    int rank; /* 1 at least */
    int64_t size[REEL_MAX_RANK];
    int64_t step[REEL_BROADCAST_INPUTS][REEL_MAX_RANK]; /* in elements */
} reel_broadcast;

/* The visit that makes output 0 of a call with at most REEL_BROADCAST_INPUTS inputs, all of them given. */
void reel_broadcast_of(const reel_call *call, reel_broadcast *visit);

#endif
