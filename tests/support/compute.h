/* Values of tensors whose inputs are all constants or parameters, for tests that state what an op must give. */
#ifndef REEL_TESTS_COMPUTE_H
#define REEL_TESTS_COMPUTE_H

#include "core/plan.h"

/* Runs the graph once on the backend and copies wanted[i] to out[i]; fails the test with the error's text. */
void compute(reel_backend *backend, reel_tensor *const *wanted, int count, void *const *out);

/* Runs it and expects it to be refused with this status and a message that has `part` in it. */
void compute_fails(reel_backend *backend, reel_tensor *wanted, reel_status status, const char *part);

/* A graph that refused to be defined: its message must have `part` in it. */
void expect_refused(const reel_graph *graph, const char *part);

#endif
