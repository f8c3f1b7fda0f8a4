/* What a plan costs, for people and for programs. */
#ifndef REEL_TOOLS_COST_REPORT_H
#define REEL_TOOLS_COST_REPORT_H

#include "core/plan.h"

#include <stdio.h>

/* Parameters, operations, memory by category and by frame, and the largest tensors of the arena. `host`: bytes beside
   the plan, for clips and buffers. */
void reel_cost_report(FILE *to, const reel_plan *plan, const reel_parameters *set, size_t host, bool json);

/* Peak resident memory of this process so far, in bytes. */
size_t reel_peak_memory(void);

#endif
