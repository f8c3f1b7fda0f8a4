/* Cases of softmax, batch normalisation and dropout. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_normalise[] = {
    {"softmax", "", "real:2x3x4"},
    {"softmax", "axis=0", "real:3x4"},
    {"softmax", "axis=-1", "real:2x5"},
    {"softmax", "axis=2", "real:2x3x4x2"},
    {"softmax", "axis=1", "real:1x1x2x2"},
    {"softmax", "axis=0", "real:6"},
    {"softmax", "axis=1", "real:2x7x11x53"},
    {"softmax", "axis=-1", "real:3x600"},
    {"softmax", "axis=1", "real:2x4x1x1"},

    {"log_softmax", "", "real:2x3x4"},
    {"log_softmax", "axis=0", "real:3x4"},
    {"log_softmax", "axis=-1", "real:2x5"},
    {"log_softmax", "axis=2", "real:2x3x4x2"},
    {"log_softmax", "axis=1", "real:1x1x2x2"},
    {"log_softmax", "axis=0", "real:6"},
    {"log_softmax", "axis=1", "real:2x7x11x53"},
    {"log_softmax", "axis=-1", "real:3x600"},
    {"log_softmax", "axis=1", "real:2x4x1x1"},

    {"batch_norm", "", "real:2x3x4x5 real:3 real:3 real:3 positive:3"},
    {"batch_norm", "epsilon=0.1", "real:3x4 real:4 real:4 real:4 positive:4"},
    {"batch_norm", "", "real:1x1x1x1 real:1 real:1 real:1 positive:1"},
    {"batch_norm", "", "real:2x2x3 real:2 real:2 real:2 positive:2"},
    {"batch_norm", "epsilon=0.01", "real:2x1x2x3x2 real:1 real:1 real:1 positive:1"},
    {"batch_norm", "", "real:1x3x150x120 real:3 real:3 real:3 positive:3"},

    {"dropout", "", "real:2x3x4"},
    {"dropout", "p=0", "real:7"},
    {"dropout", "p=1", "real:7"},
    {"dropout", "p=0.99", "real:40x50"},
    {"dropout", "p=0.1", "real:1x1x1x1"},
    {"dropout", "p=0.3", "real:3x70x90"},
    {"dropout", "p=0.5", "real:scalar"},
    {0},
};
