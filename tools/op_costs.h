/* What each kind of op of a plan computes and moves: its operations, the bytes that it must read and write at least,
   and the time that neither memory nor arithmetic of a device can go below. Counted from the plan; nothing is measured.
 */
#ifndef REEL_TOOLS_OP_COSTS_H
#define REEL_TOOLS_OP_COSTS_H

#include "core/plan.h"

#include <stdio.h>

/* A device's ceilings; 0: not asked for. */
typedef struct {
    double bytes, flops; /* a second */
} reel_ceilings;

/* A table, or JSON. */
reel_status reel_op_costs_print(FILE *to, const reel_plan *plan, reel_ceilings ceilings, bool json, reel_error *error);

#endif
