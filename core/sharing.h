/* Which values are pieces of others, so that memory is shared where a copy would say the same, and how long they live.

   Downwards, a view is a piece of its input: an output of the same elements under another shape (REEL_OP_VIEW), or of
   a run of them (a slice that takes one run). Upwards, an input of a concatenation that lies in its output in one run
   is a piece of the output: the node that makes it writes it there, and there is nothing left to join. Followed from
   piece to whole, every value comes to one that is a piece of nothing; that one is given memory.

   A piece keeps its whole alive, so a run is shared only where that holds less memory, in bytes times steps, than the
   copy would. Pieces keep the alignment that kernels may count on. A parameter is taken apart by copying, since an
   update may change it between a slice and its use. */
#ifndef REEL_CORE_SHARING_H
#define REEL_CORE_SHARING_H

#include "core/schedule.h"

/* One for each value. */
typedef struct {
    int whole;       /* the value that it is a direct piece of; itself for none */
    size_t offset;   /* bytes from the start of `whole` */
    int first, last; /* the step that makes it; the last that touches it or a piece of it */
} reel_home;

/* The homes of a step's outputs, where views and updates must share, and what it lets live until then. To be called for
   all steps in order. */
void reel_find_home(reel_home *home, const reel_schedule *schedule, int step);

/* Shares the runs of a slice or a concatenation where it pays, once the lives of all values are known. */
void reel_share_runs(reel_home *home, const reel_schedule *schedule, int step);

/* The value that this one lies in in the end, and where. */
int reel_whole(const reel_home *home, int value, size_t *offset);

#endif
