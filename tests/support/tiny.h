/* Small graphs in a few lines: for tests that look at graphs, plans and gradients and not at ops. */
#ifndef REEL_TESTS_TINY_H
#define REEL_TESTS_TINY_H

#include "autograd/gradient.h"
#include "core/memory.h"
#include "core/plan.h"
#include "ops/ops.h"

/* Runs what `wanted` need on a backend (NULL: the reference) after writing the inputs named; values of wanted[i] go to
   value[i]. Returns what failed first. */
typedef struct {
    reel_tensor *input;
    const void *data;
} tiny_input;
reel_status tiny_run(reel_graph *graph, reel_backend *backend, const tiny_input *inputs, int input_count,
                     reel_tensor *const *wanted, void *const *value, int count, reel_error *error);

/* One Check program: runs these test functions without forking and returns the exit code. */
struct TTest;
int tiny_suite(const char *name, const struct TTest *const *tests, int count);
/* The same between opening and closing two backends, the reference and the CPU's. */
int tiny_suite_on_both(reel_backend *backends[2], const char *name, const struct TTest *const *tests, int count);

#endif
