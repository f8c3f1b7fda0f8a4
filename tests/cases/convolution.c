/* Cases of the convolution family: every attribute, odd sizes, single images, channels and pixels. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_convolution[] = {
    {"conv2d", "wide=1 pad=1", "real:2x3x5x4 real:2x3x3x3 real:2"},
    {"conv2d", "", "real:2x3x5x5 real:4x3x3x3 real:4"},
    {"conv2d", "pad=1", "real:1x2x6x7 real:3x2x3x3 real:3"},
    {"conv2d", "pad=1", "real:2x3x5x5 real:4x3x3x3"},
    {"conv2d", "stride=2 pad=1", "real:2x3x5x5 real:4x3x3x3 real:4"},
    {"conv2d", "stride=2", "real:1x2x6x6 real:2x2x3x3 real:2"},
    {"conv2d", "stride=2,1 pad=1,0,2,1", "real:1x3x7x5 real:2x3x3x3 real:2"},
    {"conv2d", "stride=1,3 pad=2,1,0,3", "real:2x1x4x9 real:3x1x2x4 real:3"},
    {"conv2d", "dilation=2 pad=2", "real:1x2x6x6 real:3x2x3x3 real:3"},
    {"conv2d", "dilation=1,3 stride=2 pad=0,3,1,2", "real:2x2x5x8 real:2x2x3x3"},
    {"conv2d", "groups=2 pad=1", "real:2x4x5x5 real:6x2x3x3 real:6"},
    {"conv2d", "groups=3 stride=2", "real:1x6x5x4 real:3x2x2x2 real:3"},
    {"conv2d", "groups=4 pad=1", "real:1x4x6x5 real:4x1x3x3 real:4"},
    {"conv2d", "groups=3 pad=1 dilation=2", "real:2x3x7x7 real:6x1x3x3"},
    {"conv2d", "", "real:1x1x1x1 real:1x1x1x1 real:1"},
    {"conv2d", "", "real:2x3x4x5 real:5x3x1x1 real:5"},
    {"conv2d", "stride=2", "real:2x3x5x4 real:2x3x1x1 real:2"},
    {"conv2d", "pad=1", "real:1x2x3x3 real:2x2x1x1 real:2"},
    {"conv2d", "pad=2", "real:1x2x6x5 real:2x2x5x5 real:2"},
    {"conv2d", "pad=3", "real:1x1x5x4 real:2x1x7x7 real:2"},
    {"conv2d", "pad=1", "real:3x2x1x1 real:2x2x3x3 real:2"},
    {"conv2d", "", "real:1x2x5x6 real:3x2x5x6"},
    {"conv2d", "pad=0,1,0,1", "real:2x2x1x9 real:3x2x1x3 real:3"},
    {"conv2d", "pad=1", "real:1x20x17x23 real:18x20x3x3 real:18"},
    {"conv2d", "pad=2,0,2,1 stride=1", "real:2x5x11x19 real:7x5x5x2 real:7"},
    {"conv2d", "pad=1", "real:1x2x25x23 real:3x2x3x3 real:3"}, /* more than one tile of pixels */
    {"conv2d", "", "real:1x3x4x5 real:258x3x2x2 real:258"},    /* more than one block of channels */
    {"conv2d", "pad=1", "real:17x2x3x4 real:3x2x3x3"},         /* the weight's gradient in parts */
    {"conv2d", "groups=2", "real:16x4x3x2 real:2x2x2x1 real:2"},
    {"conv2d", "pad=1,2,1,2", "real:1x1x33x32 real:2x1x3x5 real:2"}, /* the input's gradient by turned kernels */
    {"conv2d", "pad=2,1,0,3 groups=2 dilation=2", "real:1x2x36x35 real:4x1x3x3"},
    {"conv2d", "pad=3", "real:1x90x4x5 real:3x90x7x7"}, /* more than one section of input channels */
    {"conv2d", "relu=1", "real:2x3x4x5 real:5x3x1x1 real:5"},
    {"conv2d", "relu=1 pad=1", "real:1x2x37x30 real:3x2x3x3 real:3"},
    {"conv2d", "relu=1 stride=2 groups=2", "real:1x4x5x6 real:4x2x3x2"},
    {"conv2d", "relu=1 pad=3", "real:1x90x4x5 real:2x90x7x7 real:2"},
    {"conv2d", "relu=1", "real:2x5x13x11 real:7x5x1x1 real:7"}, /* pointwise: panels that go on in the next image */
    {"conv2d", "groups=2", "real:3x6x9x10 real:14x3x1x1 real:14"},
    {"conv2d", "", "real:1x130x16x17 real:3x130x1x1 real:3"},         /* two sections of input channels */
    {"conv2d", "", "real:1x3x16x17 real:130x3x1x1"},                  /* output channels are shared out */
    {"conv2d", "", "real:2x3x40x30 real:2x3x1x1 real:2"},             /* the weight's gradient in parts */
    {"conv2d", "pad=1 relu=1", "real:1x2x70x61 real:7x2x3x3 real:7"}, /* columns of few terms, by panels */
    {"conv2d", "pad=1,2,1,2 groups=2", "real:2x2x46x47 real:4x1x3x5"},
    {"conv2d", "pad=2,1,0,2 stride=2,1 dilation=1,2", "real:1x1x5x1500 real:3x1x2x3 real:3"},
    {"conv2d", "pad=1 stride=1,2", "real:2x2x47x96 real:2x2x3x3"},
    {"conv2d", "pad=1", "real:2x5x48x45 real:1x5x3x3 real:1"}, /* the input's gradient has few terms */
    {"conv2d", "pad=1 wide=1", "real:1x3x6x9 real:18x3x3x3 real:18"},
    {"conv2d", "pad=1 stride=2,3", "real:2x3x9x11 real:5x3x3x3 real:5"},

    {"conv2d_input_gradient", "size=5", "real:2x4x3x3 real:4x3x3x3"},
    {"conv2d_input_gradient", "size=6 stride=2", "real:1x2x2x2 real:2x3x3x3"},
    {"conv2d_input_gradient", "size=5,6 stride=2 pad=1", "real:2x2x3x3 real:2x1x3x3"},
    {"conv2d_input_gradient", "size=7,5 stride=2,1 pad=1,0,2,1 dilation=1", "real:1x2x4x4 real:2x3x3x3"},
    {"conv2d_input_gradient", "size=6 dilation=2 pad=2", "real:1x3x6x6 real:3x2x3x3"},
    {"conv2d_input_gradient", "size=5 groups=2 pad=1", "real:1x6x5x5 real:6x2x3x3"},
    {"conv2d_input_gradient", "size=1", "real:1x1x1x1 real:1x1x1x1"},
    {"conv2d_input_gradient", "size=4,3", "real:1x4x4x3 real:4x2x1x1"},
    {"conv2d_input_gradient", "size=5,4 pad=3", "real:1x2x5x4 real:2x1x7x7"},
    {"conv2d_input_gradient", "size=3 pad=4", "real:1x2x9x9 real:2x3x3x3"},

    {"conv2d_weight_gradient", "size=3 pad=1",
     "real:1x1x200x90 real:1x2x200x90"}, /* enough pixels to be cut into parts */
    {"conv2d_weight_gradient", "size=3", "real:2x3x5x5 real:2x4x3x3"},
    {"conv2d_weight_gradient", "size=3 stride=2", "real:1x3x6x6 real:1x2x2x2"},
    {"conv2d_weight_gradient", "size=3,2 stride=2 pad=1", "real:2x2x5x6 real:2x3x3x4"},
    {"conv2d_weight_gradient", "size=3 dilation=2 pad=2", "real:1x2x6x6 real:1x3x6x6"},
    {"conv2d_weight_gradient", "size=3 groups=2 pad=1", "real:2x4x5x5 real:2x6x5x5"},
    {"conv2d_weight_gradient", "size=1", "real:1x1x1x1 real:1x1x1x1"},
    {"conv2d_weight_gradient", "size=1", "real:2x3x4x3 real:2x4x4x3"},
    {"conv2d_weight_gradient", "size=5,7 pad=2,3,2,3", "real:1x2x4x5 real:1x2x4x5"},

    {"conv_transpose2d", "", "real:2x3x3x3 real:3x4x3x3 real:4"},
    {"conv_transpose2d", "stride=2", "real:1x2x3x4 real:2x3x2x2 real:3"},
    {"conv_transpose2d", "stride=3,2 output_pad=1", "real:1x1x3x3 real:1x2x3x3"},
    {"conv_transpose2d", "stride=3,2 pad=1,2,1,2", "real:1x1x3x3 real:1x2x3x3 real:2"},
    {"conv_transpose2d", "stride=2 pad=1 output_pad=1 dilation=2", "real:2x2x3x3 real:2x2x3x3"},
    {"conv_transpose2d", "groups=2", "real:2x4x3x3 real:4x1x3x3 real:2"},
    {"conv_transpose2d", "stride=2 pad=0,1,1,0 groups=3", "real:1x3x4x3 real:3x2x3x3 real:6"},
    {"conv_transpose2d", "", "real:1x1x1x1 real:1x1x1x1 real:1"},
    {"conv_transpose2d", "pad=1", "real:1x3x5x5 real:3x2x3x3"},
    {"conv_transpose2d", "pad=1,0,2,1", "real:1x2x33x32 real:2x3x3x3 real:3"},
    {NULL, NULL, NULL}};
