/* Cases of resizing and padding. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_resize[] = {
    {"resize2d", "size=8,10", "real:2x3x4x5"},
    {"resize2d", "size=8,10 align=align_corners", "real:2x3x4x5"},
    {"resize2d", "size=9,7 align=asymmetric", "real:1x2x4x3"},
    {"resize2d", "size=3,1 align=pytorch_half_pixel", "real:1x2x4x4"},
    {"resize2d", "size=2,3", "real:1x2x7x5"},
    {"resize2d", "size=1 align=align_corners", "real:1x1x3x3"},
    {"resize2d", "size=5,6", "real:2x2x1x1"},
    {"resize2d", "size=4", "real:1x2x4x4"},
    {"resize2d", "size=1,2 scale_height=0.6 scale_width=0.6", "real:1x1x2x4"},
    {"resize2d", "size=8,6 mode=nearest align=asymmetric", "real:2x3x4x3"},
    {"resize2d", "size=70,90", "real:1x5x40x60"}, /* bf16 in more than one part */
    {"resize2d", "size=3,2 mode=nearest align=asymmetric", "real:1x2x7x5"},
    {"resize2d", "size=7,5 mode=nearest rounding=round_prefer_floor", "real:1x2x4x3"},
    {"resize2d", "size=7,5 mode=nearest rounding=round_prefer_ceil align=align_corners", "real:1x2x4x3"},
    {"resize2d", "size=8 mode=nearest rounding=ceil", "real:1x1x4x4"},
    {"resize2d", "size=12,16", "real:1x5x6x8"},
    {"resize2d", "size=70,9 align=align_corners", "real:1x1x5x3"},
    {"resize2d", "size=66,40 mode=nearest align=asymmetric", "real:1x2x33x20"},
    {"resize2d", "size=33,5", "real:1x1x80x7"},
    {"resize2d", "size=3,4 scale_height=3 scale_width=2", "real:1x1x4x5"},

    {"resize2d_gradient", "size=8,10 input=4,5", "real:2x3x8x10"},
    {"resize2d_gradient", "size=8,10 input=4,5 align=align_corners", "real:2x3x8x10"},
    {"resize2d_gradient", "size=9,7 input=4,3 align=asymmetric", "real:1x2x9x7"},
    {"resize2d_gradient", "size=2,3 input=7,5", "real:1x2x2x3"},
    {"resize2d_gradient", "size=5,6 input=1", "real:2x2x5x6"},
    {"resize2d_gradient", "size=3,4 input=4,5 scale_height=3 scale_width=2", "real:1x1x3x4"},
    {"resize2d_gradient", "size=40,41 input=20,13 align=align_corners", "real:1x2x40x41"},
    {"resize2d_gradient", "size=8,6 input=4,3 mode=nearest align=asymmetric", "real:2x3x8x6"},
    {"resize2d_gradient", "size=3,2 input=7,5 mode=nearest rounding=round_prefer_ceil", "real:1x2x3x2"},

    {"pad", "before=1,2 after=2,0", "real:2x3"},
    {"pad", "before=0,0,1,1 after=0,0,2,1 value=0.5", "real:2x1x3x4"},
    {"pad", "before=0,0,2,1 after=0,0,1,3 mode=reflect", "real:1x2x3x4"},
    {"pad", "before=0,3,2 after=0,1,4 mode=edge", "real:2x1x3"},
    {"pad", "before=-1,2 after=1,-2 mode=constant", "real:4x5"},
    {"pad", "before=2 after=1 mode=edge", "real:1"},
    {"pad", "before=1,0 after=0,1", "int9:2x3"},

    {"pad_gradient", "before=1,2 after=2,0", "real:5x5"},
    {"pad_gradient", "before=0,0,2,1 after=0,0,1,3 mode=reflect", "real:1x2x6x8"},
    {"pad_gradient", "before=0,3,2 after=0,1,4 mode=edge", "real:2x5x9"},
    {"pad_gradient", "before=-1,2 after=1,-2", "real:4x5"},
    {"pad_gradient", "before=2 after=1 mode=edge", "real:4"},
    {NULL, NULL, NULL}};
