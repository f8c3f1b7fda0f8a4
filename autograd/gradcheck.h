/* Does the gradient rule say what the forward pass does? Compares gradients from the graph with differences of the
   forward pass, in double precision.

   The outputs y are folded into one number L = sum(y * r) with random r. For every entry x_j (or, for many entries, a
   random choice of them) the central difference (L(x + e) - L(x - e)) / 2e is held against dL/dx_j; and for several
   random directions d, the difference along d against <dL/dx, d>, which sees all entries at once.

   Kinks. Where the two one-sided differences disagree and go on disagreeing at half the step, or where the central
   differences of the two steps disagree, the function has a corner and the difference means nothing: the entry is
   skipped and counted. Both tests look at the forward pass alone, so that a wrong gradient cannot hide in them. A check
   that skipped more than half of its entries has not checked, and fails. */
#ifndef REEL_AUTOGRAD_GRADCHECK_H
#define REEL_AUTOGRAD_GRADCHECK_H

#include "core/plan.h"

typedef struct {
    reel_tensor *tensor; /* an input, or a parameter, of the graph */
    void *value;         /* its values, in its dtype; changed during the check and put back */
    bool check;          /* differentiate with respect to it: REEL_F64 only */
} reel_check_input;

typedef struct {
    int order;       /* 1: gradients. 2: gradients of gradients */
    int directions;  /* random directions */
    int entries;     /* at most so many single entries, chosen at random when there are more */
    double step;     /* e */
    double relative; /* tolerance, as a share of the largest gradient entry and of the value itself */
    double absolute;
    uint64_t seed;
} reel_check_options;

#define REEL_CHECK_DEFAULTS                                                                                            \
    {                                                                                                                  \
        .order = 1, .directions = 4, .entries = 400, .step = 1e-5, .relative = 1e-6, .absolute = 1e-8, .seed = 1       \
    }

typedef struct {
    bool passed;
    int checked, skipped, failed; /* entries and directions */
    double worst; /* largest |difference| / tolerance among the entries, or of a direction when all entries pass */
    int input;    /* which input has the worst entry; -1: a direction */
    int64_t entry;
    double analytic, numeric; /* there */
    double worst_direction;   /* largest relative error along a direction */
} reel_check_result;

/* REEL_OK and result->passed, or an error when the graph cannot be planned or run. */
reel_status reel_gradcheck(reel_tensor *const *output, int outputs, reel_check_input *input, int inputs,
                           reel_backend *backend, const reel_check_options *options, reel_check_result *result,
                           reel_error *error);

#endif
