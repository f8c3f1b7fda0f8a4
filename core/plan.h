/* A plan is a graph made ready to run on one backend: what is needed for the wanted tensors, in which memory, with
   which kernels. Planning does no arithmetic and asks for no memory, so that its answer to "how much?" is free.

   A value lives from the node that makes it to the last node that reads it (core/lives.h). What lives at the same time
   is laid out side by side in one arena, greedily, one piece after the other at the lowest offset that is free for its
   whole life (Pisarchyk and Lee 2020 find that within a few per cent of the lower bound). Inputs, constants and
   parameters lie outside. */
#ifndef REEL_CORE_PLAN_H
#define REEL_CORE_PLAN_H

#include "core/backend.h"
#include "core/parameters.h"

typedef struct reel_plan reel_plan;

/* Plans what is needed for `wanted`; their values can be read after a run. NULL and `error` on failure, which is where
   a graph's own sticky error comes out. The graph must outlive the plan and is not changed. */
reel_plan *reel_plan_new(reel_graph *graph, reel_backend *backend, reel_tensor *const *wanted, int count,
                         reel_error *error);

/* How much memory a plan may take. Time is given for it: values are computed again where they are read instead of being
   kept until then, the ones first that save most for the least work. The same kernels see the same numbers: the results
   have the same bits. */
typedef struct {
    size_t bytes;  /* of all that reel_plan_cost counts, at any price in time; 0: no limit */
    size_t beside; /* bytes that the program needs on top of the plan, counted in */
    int tries;     /* of what to compute again, to be used up before a budget is refused; 0: any number */
    double extra;  /* without a limit: the most work to add to save memory, as a share of a run's; 0: none */
} reel_budget;

/* As reel_plan_new, within a budget. What cannot be met is REEL_USAGE, and says the least that would do. */
reel_plan *reel_plan_new_within(reel_graph *graph, reel_backend *backend, reel_tensor *const *wanted, int count,
                                reel_budget budget, reel_error *error);
void reel_plan_free(reel_plan *plan);

/* Values of inputs, from host memory, whole and in the tensor's dtype; they stay until written again. */
reel_status reel_plan_write(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error);
/* Runs every node once. Fails, naming it, when an input was never written or a kernel refuses its values. */
reel_status reel_plan_run(reel_plan *plan, reel_error *error);
/* The same in two halves: starts the run, and waits for it. Where the kernels run on the host the first half does it
   all. After a start that failed there is nothing to wait for. */
reel_status reel_plan_start(reel_plan *plan, reel_error *error);
reel_status reel_plan_wait(reel_plan *plan, reel_error *error);
/* Values of an input for the next run, between start and wait, on a backend that has write_ahead. They are on their way
   while the run goes on, and take their place when they are asked to, after it. */
reel_status reel_plan_write_ahead(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error);
reel_status reel_plan_arrive(reel_plan *plan, reel_error *error);
/* Values of a wanted tensor after a run. */
reel_status reel_plan_read(reel_plan *plan, reel_tensor *wanted, void *data, reel_error *error);
/* An input takes the value of a wanted tensor of the last run, on the device: the state of a recurrent net. */
reel_status reel_plan_carry(reel_plan *plan, reel_tensor *input, reel_tensor *wanted, reel_error *error);

/* Random numbers of the next runs: a function of (seed, step, node, element). */
void reel_plan_random(reel_plan *plan, uint64_t seed, uint64_t step);

/* As reel_plan_run, but every float is looked at: REEL_NONFINITE names the first node that makes a NaN or infinity out
   of finite inputs, with its scope and time step. Slow; for finding a cause. */
reel_status reel_plan_run_checked(reel_plan *plan, reel_error *error);

/* What it costs, known before anything runs. Bytes. */
typedef struct {
    size_t parameters; /* trained */
    size_t state;      /* not trained: moments, statistics */
    size_t inputs;     /* and constants */
    size_t arena, scratch;
    size_t total;
    double flops; /* of one run */
    int nodes;
} reel_cost;
reel_cost reel_plan_cost(const reel_plan *plan);

/* One piece of the arena: a tensor, its bytes, and the positions in the run between which it lives. */
typedef struct {
    const reel_tensor *tensor;
    size_t offset, bytes;
    int first, last;
} reel_block;
int reel_plan_blocks(const reel_plan *plan);
reel_block reel_plan_block(const reel_plan *plan, int i);

/* The nodes in the order in which they run, their seconds in the last run when timing is on, and whether the kernel is
   the backend's own. */
int reel_plan_nodes(const reel_plan *plan);
const reel_node *reel_plan_node(const reel_plan *plan, int i);
void reel_plan_time(reel_plan *plan, bool on);
double reel_plan_seconds(const reel_plan *plan, int i);
bool reel_plan_native(const reel_plan *plan, int i);
/* A kernel runs for it: it is neither a source nor a view. */
bool reel_plan_computes(const reel_plan *plan, int i);

/* For exploring: plans on the reference backend, runs, and copies the value of x to `out`. Everything x depends on must
   be constants and parameters. */
reel_status reel_eval(reel_tensor *x, void *out, reel_error *error);

#endif
