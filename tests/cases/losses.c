/* Cases of the ops that losses are made of. Whole losses are in tests/test_losses.c. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_losses[] = {
    {"pick", "", "real:3x5 int5:3"},
    {"pick", "ignore_index=1", "real:2x3x4 int3:2x4"},
    {"pick", "", "real:2x3x2x3 int3:2x2x3"},
    {"pick", "", "real:1x1x1x1 int1:1x1x1"},
    {"pick", "ignore_index=4", "real:2x4x3 int5:2x3"},

    {"pick_gradient", "classes=5", "real:3 int5:3"},
    {"pick_gradient", "classes=3 ignore_index=1", "real:2x4 int3:2x4"},
    {"pick_gradient", "classes=3", "real:2x2x3 int3:2x2x3"},
    {"pick_gradient", "classes=1", "real:1x1x1 int1:1x1x1"},
    {"pick_gradient", "classes=4 ignore_index=4", "real:2x3 int5:2x3"},

    {"class_weights", "", "real:5 int5:7"},
    {"class_weights", "ignore_index=0", "real:3 int3:2x4"},
    {"class_weights", "", "real:1 int1:1x1x1"},
    {"class_weights", "ignore_index=2", "real:2 int3:3x5"},
    {"class_weights", "", "real:4 int4:scalar"},

    {"class_weights_gradient", "classes=5", "real:7 int5:7"},
    {"class_weights_gradient", "classes=3 ignore_index=0", "real:2x4 int3:2x4"},
    {"class_weights_gradient", "classes=1", "real:1x1x1 int1:1x1x1"},
    {"class_weights_gradient", "classes=2 ignore_index=2", "real:3x5 int3:3x5"},
    {"class_weights_gradient", "classes=4", "real:scalar int4:scalar"},

    {"cross_entropy", "", "real:3x5 int5:3"},
    {"cross_entropy", "ignore_index=1", "real:2x3x4 int3:2x4"},
    {"cross_entropy", "", "real:2x3x2x3 int3:2x2x3"},
    {"cross_entropy", "", "real:1x1x1x1 int1:1x1x1"},
    {"cross_entropy", "ignore_index=4", "real:2x4x3 int5:2x3"},
    {"cross_entropy", "", "real:2x7x19x31 int7:2x19x31"},

    {"cross_entropy_gradient", "", "real:3x5 int5:3 real:3 real:3"},
    {"cross_entropy_gradient", "ignore_index=1", "real:2x3x4 int3:2x4 real:2x4 real:2x4"},
    {"cross_entropy_gradient", "", "real:2x3x2x3 int3:2x2x3 real:2x2x3 real:2x2x3"},
    {"cross_entropy_gradient", "", "real:1x1x1x1 int1:1x1x1 real:1x1x1 real:1x1x1"},
    {"cross_entropy_gradient", "ignore_index=4", "real:2x4x3 int5:2x3 real:2x3 real:2x3"},
    {"cross_entropy_gradient", "", "real:2x7x19x31 int7:2x19x31 real:2x19x31 real:2x19x31"},
    {0},
};
