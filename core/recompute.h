/* Which values to compute again instead of keeping them: memory for time.

   In training the forward pass makes values that the backward pass reads much later. Where most memory is in use, the
   peak, each value that is alive but idle can be dropped and made again right before it is read: a cut
   (core/schedule.h). What it needs must then be there: an input that is gone is kept longer where that still saves
   memory, else made again as well. The choice is greedy: at the peak, the most bytes for the least work, then the next
   peak, until the goal is met; at the end, cuts that turned out unnecessary are taken back. Copies such as concat and
   upsampling go first this way, convolutions last, without being named.

   What is best is NP-hard to find; Chen et al. 2016 and Jain et al. 2020 (Checkmate) are the ends of the scale. */
#ifndef REEL_CORE_RECOMPUTE_H
#define REEL_CORE_RECOMPUTE_H

#include "core/schedule.h"

typedef struct {
    size_t bytes; /* what lives together should take no more; 0: as little as can be */
    double extra; /* the most work that may be added, as a share of that of a run */
    int tries;    /* of cuts, after which what has been found must do; 0: any number */
} reel_recompute_goal;

typedef struct {
    reel_cuts cuts; /* to begin with, {0} for none, and then the choice */
    size_t peak;    /* most bytes that live together */
    double extra;   /* work added, as such a share */
} reel_recompute;

/* Adds cuts to get as near to the goal as can be. False when out of memory; chosen->cuts is the caller's to free. Cost:
   for each cut that is tried a schedule and, where that is not too much work, its lives: some tenths of a millisecond
   for a training step of a few thousand nodes. */
bool reel_recompute_choose(reel_recompute *chosen, const reel_wiring *wiring, reel_recompute_goal goal);

#endif
