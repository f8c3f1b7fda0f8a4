/* Cases of the distance transform and its classes. What they should say is in tests/test_distance.c. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_distance[] = {
    {"distance_transform", "", "mask:2x1x9x12"},
    {"distance_transform", "", "mask:17x1"},
    {"distance_transform", "", "byte2:3x1x23"},
    {"distance_transform", "", "int3:2x40x37"},
    {"distance_transform", "", "mask:3x0x4"},

    {"distance_classes", "", "mask:2x1x9x12"},
    {"distance_classes", "border=3 bin=2", "byte2:1x1x31x45"},
    {"distance_classes", "border=1", "mask:1x1x1x1"},
    {"distance_classes", "border=4 bin=9", "mask:3x1x8x70"},
    {0},
};
