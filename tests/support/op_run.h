/* Runs one op case: draws its inputs, builds the op and its gradients, runs them on a backend. */
#ifndef REEL_TESTS_OP_RUN_H
#define REEL_TESTS_OP_RUN_H

#include "autograd/gradcheck.h"
#include "autograd/gradient.h"
#include "core/plan.h"
#include "ops/ops.h"
#include "tests/cases/cases.h"

enum { CASE_INPUTS = 12, CASE_RESULTS = CASE_INPUTS + REEL_MAX_OUTPUTS };

typedef struct {
    const char *word; /* what to draw (tools/op_call.h); points into the text of the problem */
    bool differentiate;
} case_input;

typedef struct {
    const op_case *from;
    const reel_op *op;
    _Alignas(16) char attr[512];
    int inputs;
    char text[1024];
    case_input input[CASE_INPUTS];
    bool rounded; /* floats are drawn as bf16 would have them, whatever the dtype */
} op_problem;

/* Reads the row; false and a printed reason when it makes no sense. The problem must stay where it is. */
bool op_problem_read(op_problem *p, const op_case *row);

/* The op in a graph with floats of the given dtype. Inputs that an optimiser changes are parameters of `set`. */
typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_tensor *input[CASE_INPUTS], *output[REEL_MAX_OUTPUTS];
    void *value[CASE_INPUTS]; /* the drawn values in the input's dtype */
} op_graph;
bool op_graph_build(op_graph *g, const op_problem *p, reel_dtype real, reel_backend *backend);
void op_graph_free(op_graph *g);

/* Outputs, then gradients with respect to the differentiated inputs, of one run. */
typedef struct {
    int count;
    reel_dtype dtype[CASE_RESULTS];
    reel_shape shape[CASE_RESULTS];
    void *data[CASE_RESULTS];
} op_results;
bool op_run(op_results *r, const op_problem *p, reel_dtype real, reel_backend *backend, char *why, size_t size);
void op_results_free(op_results *r);

/* Largest |a - b| over the largest |b| of each result from `first` to before `end` (-1: to the last), integers exact
   (1e9 when they differ). */
double op_results_distance(const op_results *a, const op_results *b, int first, int end);
bool op_results_same_bits(const op_results *a, const op_results *b);

#endif
