/* Cases of the ops that move elements. Empty inputs, and casts to f32, leave gradcheck nothing to look at. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_layout[] = {
    {"reshape", "size=6,4", "real:2x3x4"},
    {"reshape", "size=2,-1", "real:2x3x4"},
    {"reshape", "size=-1", "real:2x3"},
    {"reshape", "size=", "real:1x1"},
    {"reshape", "size=1,-1,1", "real:scalar"},
    {"reshape", "size=0,5", "!real:3x0"},
    {"reshape", "size=3,2", "int7:6"},

    {"detach", "", "real:2x3"},

    {"permute", "order=1,0", "real:3x4"},
    {"permute", "", "real:2x3x4"},
    {"permute", "order=0,2,3,1", "real:2x3x4x5"},
    {"permute", "order=-1,0,1", "real:2x1x4"},
    {"permute", "order=0,1,2", "real:2x3x4"},
    {"permute", "", "real:scalar"},
    {"permute", "order=2,0,1", "!real:3x0x2"},
    {"permute", "order=1,0", "byte9:5x7"},
    {"permute", "order=1,0,2", "real:300x41x7"},
    {"permute", "order=2,0,1", "real:3x130x120"},

    {"concat", "axis=0", "real:2 real:3"},
    {"concat", "", "real:2x3x4x5 real:2x2x4x5 real:2x1x4x5"},
    {"concat", "axis=-1", "real:2x3x1 real:2x3x4"},
    {"concat", "axis=-2", "real:1x2x2 real:1x0x2 real:1x3x2"},
    {"concat", "axis=1", "real:3x4"},
    {"concat", "axis=0", "int9:2x2 int9:1x2"},
    {"concat", "axis=1", "real:2x3x150x160 real:2x1x150x160"},

    {"slice", "starts=1 stops=3", "real:4x3"},
    {"slice", "starts=1 stops=3 axes=1", "real:2x4x3x3"},
    {"slice", "starts=0,-2 stops=2,9 axes=0,-1", "real:3x2x4"},
    {"slice", "starts=1 stops=6 axes=1 steps=2", "real:2x7"},
    {"slice", "starts=-1 stops=-9 axes=1 steps=-1", "real:2x5"},
    {"slice", "starts=5,0 stops=0,3 axes=2,1 steps=-2,1", "real:2x4x6"},
    {"slice", "starts=3 stops=2", "real:4x2"},
    {"slice", "", "real:2x2"},
    {"slice", "starts=1 stops=2 axes=1", "real:1x3x1x1"},
    {"slice", "starts=-9 stops=9", "byte8:5x2"},
    {"slice", "starts=1 stops=4 axes=1", "real:2x5x150x160"},
    {"slice", "starts=1,2 stops=40,70 axes=2,3 steps=3,2", "real:2x3x50x80"},

    {"slice_gradient", "starts=1 stops=3 size=4,3", "real:2x3"},
    {"slice_gradient", "starts=1 stops=3 axes=1 size=2,4,3,3", "real:2x2x3x3"},
    {"slice_gradient", "starts=1 stops=6 axes=1 steps=2 size=2,7", "real:2x3"},
    {"slice_gradient", "starts=-1 stops=-9 axes=1 steps=-1 size=2,5", "real:2x5"},
    {"slice_gradient", "starts=3 stops=2 size=4,2", "!real:0x2"},
    {"slice_gradient", "starts=0 stops=1 axes=1 size=1,3,1,1", "real:1x1x1x1"},
    {"slice_gradient", "starts=1 stops=4 axes=1 size=2,5,150,160", "real:2x3x150x160"},

    {"gather", "", "real:4x3 int4:5"},
    {"gather", "axis=1", "real:2x3x4 int3:2x2"},
    {"gather", "axis=-1", "real:2x5 int5:7"},
    {"gather", "axis=1", "real:2x3x2 int3:scalar"},
    {"gather", "axis=0", "real:1 int1:3"},
    {"gather", "axis=1", "real:2x3 int3:0"},
    {"gather", "axis=0", "int9:6x2 int6:3"},

    {"scatter_add", "size=4", "real:5x3 int4:5"},
    {"scatter_add", "axis=1 size=3", "real:2x2x2x4 int3:2x2"},
    {"scatter_add", "axis=-1 size=5", "real:2x7 int5:7"},
    {"scatter_add", "axis=1 size=3", "real:2x2 int3:scalar"},
    {"scatter_add", "axis=0 size=1", "real:3 int1:3"},
    {"scatter_add", "axis=1 size=3", "!real:2x0 int3:0"},

    {"one_hot", "classes=5", "int5:3x4"},
    {"one_hot", "classes=3 axis=1 dtype=f64", "int3:2x2x3"},
    {"one_hot", "classes=2 axis=0 dtype=u8", "int2:scalar"},

    {"cast", "dtype=f64", "real:2x3"},
    {"cast", "dtype=f32", "!real:5"},
    {"cast", "dtype=f64", "int9:2x2"},
    {"cast", "dtype=i32", "byte9:3"},
    {"cast", "dtype=u8", "int9:4"},
    {"cast", "dtype=f64", "real:scalar"},
    {0},
};
