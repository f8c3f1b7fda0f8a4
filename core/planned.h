/* What a plan is made of: for core/plan.c, which makes it, and core/plan_run.c, which runs it. */
#ifndef REEL_CORE_PLANNED_H
#define REEL_CORE_PLANNED_H

#include "core/kernel.h"
#include "core/lives.h"
#include "core/plan.h"

/* A step with its kernel. */
typedef struct {
    const reel_node *node;
    reel_kernel kernel;
    bool native;
    int threads;
    double seconds;
    reel_array *array; /* inputs, then outputs */
} reel_planned;

struct reel_plan {
    reel_graph *graph;
    reel_backend *backend;
    int tensors; /* of the graph when it was planned */
    reel_wiring wiring;
    reel_schedule schedule;
    reel_lives lives;
    reel_planned *step; /* one a step of the schedule */
    int steps;
    reel_array *arrays; /* of all steps */
    bool *wanted;       /* per tensor id */
    size_t arena_bytes, scratch_bytes;
    char *arena, *scratch;
    bool ready, timing;
    uint64_t random_key;
    reel_recording *recording; /* the backend's, of the runs so far */
};

/* A step as its kernel sees it. */
reel_call reel_planned_call(const reel_plan *plan, const reel_planned *p, reel_error *error);

#endif
