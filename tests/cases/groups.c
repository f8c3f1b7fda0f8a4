/* All groups of op cases. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case *const case_groups[] = {
    cases_elementwise, cases_reduce,    cases_linear,   cases_normalise, cases_convolution, cases_pooling, cases_resize,
    cases_layout,      cases_recurrent, cases_distance, cases_losses,    cases_optimise,    NULL};
