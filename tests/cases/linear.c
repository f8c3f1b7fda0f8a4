/* Cases of matmul: each transpose, batches that broadcast, single rows and columns, several tiles. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_linear[] = {
    {"matmul", "", "real:3x4 real:4x5"},
    {"matmul", "transpose_a=1", "real:4x3 real:4x5"},
    {"matmul", "transpose_b=1", "real:3x4 real:5x4"},
    {"matmul", "transpose_a=1 transpose_b=1", "real:4x3 real:5x4"},
    {"matmul", "", "real:2x3x4 real:2x4x5"},
    {"matmul", "", "real:2x3x4 real:4x5"},
    {"matmul", "", "real:3x4 real:2x4x5"},
    {"matmul", "", "real:2x1x3x4 real:3x4x2"},
    {"matmul", "transpose_a=1", "real:3x1x4x2 real:1x2x4x3"},
    {"matmul", "transpose_b=1", "real:1x2x3 real:2x4x3"},
    {"matmul", "transpose_a=1 transpose_b=1", "real:2x4x3 real:5x4"},
    {"matmul", "", "real:1x1 real:1x1"},
    {"matmul", "", "real:1x7 real:7x1"},
    {"matmul", "", "real:7x1 real:1x7"},
    {"matmul", "", "!real:3x0 !real:0x4"},
    {"matmul", "", "real:130x20 real:20x30"},
    {"matmul", "", "real:9x33 real:33x700"},
    {"matmul", "transpose_a=1", "real:2x31x150 real:31x270"},
    {"matmul", "transpose_b=1", "real:150x8 real:600x8"},
    {0},
};
