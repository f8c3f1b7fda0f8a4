/* One op applied once, on its own: what `reel op` and `reel gradcheck` work on. */
#ifndef REEL_TOOLS_OP_CALL_H
#define REEL_TOOLS_OP_CALL_H

#include "core/plan.h"
#include "ops/ops.h"
#include "tools/options.h"

typedef struct {
    bool present; /* false: an optional input left out */
    bool fixed;   /* not to be differentiated */
    reel_dtype dtype;
    reel_shape shape;
    void *value; /* in this dtype; freed with the call */
} reel_op_argument;

typedef struct {
    const reel_op *op;
    _Alignas(16) char attr[512];
    int inputs;
    reel_op_argument input[REEL_MOST_WORDS];
    reel_graph *graph;
    reel_parameters *set; /* holds inputs that the op changes */
    reel_tensor *x[REEL_MOST_WORDS], *y[REEL_MAX_OUTPUTS];
} reel_op_call;

/* Looks the op up and sets its attributes from "name=value" words. A name that is none comes back with its nearest. */
reel_status reel_op_call_begin(reel_op_call *call, const char *name, const reel_words *settings, reel_error *error);

/* Makes the graph once the inputs are filled in. */
reel_status reel_op_call_build(reel_op_call *call, reel_backend *backend, reel_error *error);

/* Whether a gradient of output 0 with respect to input i makes sense. */
bool reel_op_call_differentiable(const reel_op_call *call, int i);

reel_status reel_op_call_write(const reel_op_call *call, reel_plan *plan, reel_error *error);
void reel_op_call_free(reel_op_call *call);

/* An input from a word: KIND:SHAPE, SHAPE alone for real ones, or "-" for one left out. SHAPE is 2x3x5x5 or scalar;
   after '!' it is not differentiated. Kinds, drawn from (seed, element):

     real      uniform in -1..1                     positive  uniform in 0.5..1.5
     apart     pairwise 0.01 apart and away from 0  unit      uniform in 0.1..0.9
     mask      0 or 1, not differentiated           intN      i32 in 0..N-1      byteN  u8 in 0..N-1 */
reel_status reel_op_argument_draw(reel_op_argument *input, const char *word, reel_dtype real, uint64_t seed,
                                  reel_error *error);

#endif
