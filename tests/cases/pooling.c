/* Cases of pooling and its adjoints. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_pooling[] = {
    {"max_pool2d", "", "apart:2x3x6x4"},
    {"max_pool2d", "", "apart:1x2x5x7"},
    {"max_pool2d", "kernel=3 stride=1 pad=1", "apart:1x2x4x5"},
    {"max_pool2d", "kernel=3 stride=2 pad=1", "apart:2x1x5x5"},
    {"max_pool2d", "kernel=3 stride=2 ceil_mode=1", "apart:1x2x4x4"},
    {"max_pool2d", "kernel=1 stride=2 ceil_mode=1", "apart:1x1x2x2"},
    {"max_pool2d", "kernel=2 stride=3 pad=1 ceil_mode=1", "apart:1x2x5x6"},
    {"max_pool2d", "kernel=2 stride=1 dilation=2", "apart:1x2x4x5"},
    {"max_pool2d", "kernel=2,3 stride=2,1 pad=1,0,0,2", "apart:2x2x5x4"},
    {"max_pool2d", "", "apart:1x1x2x2"},
    {"max_pool2d", "kernel=1 stride=1", "apart:2x2x1x1"},
    {"max_pool2d", "kernel=17,16 stride=1", "apart:1x1x18x17"},
    {"max_pool2d", "", "apart:1x4x16x18"},
    {"max_pool2d", "", "apart:1x4x80x90"}, /* bf16 in more than one part */

    {"max_pool2d_select", "", "real:2x2x6x4 byte4:2x2x3x2"},
    {"max_pool2d_select", "", "real:1x2x5x5 int4:1x2x2x2"},
    {"max_pool2d_select", "kernel=3 stride=1 pad=1", "real:1x2x4x5 byte9:1x2x4x5"},
    {"max_pool2d_select", "kernel=3 stride=2 pad=1 ceil_mode=1", "real:1x1x6x4 int9:1x1x4x3"},
    {"max_pool2d_select", "kernel=1 stride=1", "real:1x1x1x1 byte1:1x1x1x1"},

    {"max_pool2d_gradient", "size=6,4", "real:2x2x3x2 byte4:2x2x3x2"},
    {"max_pool2d_gradient", "size=5,7", "real:1x2x2x3 int4:1x2x2x3"},
    {"max_pool2d_gradient", "size=4,5 kernel=3 stride=1 pad=1", "real:1x2x4x5 byte9:1x2x4x5"},
    {"max_pool2d_gradient", "size=4 kernel=2 stride=1 dilation=2", "real:2x1x2x2 byte4:2x1x2x2"},
    {"max_pool2d_gradient", "size=1 kernel=1 stride=1", "real:1x1x1x1 byte1:1x1x1x1"},

    {"avg_pool2d", "", "real:2x3x6x4"},
    {"avg_pool2d", "", "real:1x2x5x7"},
    {"avg_pool2d", "kernel=3 stride=1 pad=1", "real:1x2x4x5"},
    {"avg_pool2d", "kernel=3 stride=1 pad=1 count_include_pad=1", "real:1x2x4x5"},
    {"avg_pool2d", "kernel=3 stride=3 pad=1 ceil_mode=1 count_include_pad=1", "real:1x3x2x2"},
    {"avg_pool2d", "kernel=3 stride=2 pad=1 ceil_mode=1", "real:2x1x6x4"},
    {"avg_pool2d", "kernel=3 stride=2 pad=1,0,0,1 ceil_mode=1 count_include_pad=1", "real:1x2x6x5"},
    {"avg_pool2d", "kernel=2 stride=1 dilation=2 pad=1", "real:1x2x4x5"},
    {"avg_pool2d", "kernel=5,4 stride=1", "real:2x2x5x4"},
    {"avg_pool2d", "kernel=1 stride=1", "real:1x1x1x1"},

    {"avg_pool2d_gradient", "size=6,4", "real:2x3x3x2"},
    {"avg_pool2d_gradient", "size=5,7", "real:1x2x2x3"},
    {"avg_pool2d_gradient", "size=4,5 kernel=3 stride=1 pad=1", "real:1x2x4x5"},
    {"avg_pool2d_gradient", "size=2 kernel=3 stride=3 pad=1 ceil_mode=1 count_include_pad=1", "real:1x3x1x1"},
    {"avg_pool2d_gradient", "size=1 kernel=1 stride=1", "real:1x1x1x1"},
    {NULL, NULL, NULL}};
