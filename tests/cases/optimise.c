/* Cases of the optimisers and of the norm. Whole runs are in tests/test_optimise.c. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_optimise[] = {
    {"adam", "", "real:3x4 real:3x4 positive:3x4 real:3x4 positive:scalar unit:scalar"},
    {"adam", "beta1=0.5 beta2=0.9 epsilon=1e-3 weight_decay=0.1",
     "real:5 real:5 positive:5 real:5 positive:scalar unit:scalar unit:scalar"},
    {"adam", "l2=0.01", "real:scalar real:scalar unit:scalar real:scalar positive:scalar unit:scalar"},
    {"adam", "weight_decay=0.01", "real:300x257 real:300x257 unit:300x257 real:300x257 positive:scalar unit:scalar -"},
    {"adam", "", "real:0 real:0 real:0 real:0 positive:scalar unit:scalar"},

    {"sgd", "", "real:3x4 real:3x4 real:3x4 unit:scalar"},
    {"sgd", "momentum=0.9 weight_decay=0.01", "real:5 real:5 real:5 unit:scalar unit:scalar"},
    {"sgd", "momentum=0.9 nesterov=1", "real:300x257 real:300x257 real:300x257 unit:scalar -"},

    {"global_norm", "", "real:3x4"},
    {"global_norm", "", "real:3x4 real:2x1x3 real:scalar"},
    {"global_norm", "", "positive:1"},
    {"global_norm", "", "real:2x3 real:0 !real:4"},
    {"global_norm", "", "real:300x257 real:70000"},
    {0},
};
