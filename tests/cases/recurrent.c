/* Cases of the LSTM cell: activations, peepholes of both shapes, dense, one pixel, more than one tile. */
#include "tests/cases/cases.h"

#include <stddef.h>

const op_case cases_recurrent[] = {
    {"lstm_cell", "", "real:2x8x3x2 real:2x2x3x2"},
    {"lstm_cell", "candidate=sigmoid output=relu", "real:1x12x2x3 apart:1x3x2x3"},
    {"lstm_cell", "candidate=relu output=relu forget_bias=1", "apart:2x8x2x2 positive:2x2x2x2"},
    {"lstm_cell", "forget_bias=-0.5", "real:3x8 real:3x2"},
    {"lstm_cell", "", "real:2x8x3x2 real:2x2x3x2 real:2 real:2 real:2"},
    {"lstm_cell", "candidate=sigmoid", "real:2x8x2x2 real:2x2x2x2 real:2x2x2 - real:2"},
    {"lstm_cell", "output=relu", "real:2x4x1x1 positive:2x1x1x1 - real:1x1x1 -"},
    {"lstm_cell", "", "real:3x4 real:3x1 real:1 real:1 real:1"},
    {"lstm_cell", "candidate=sigmoid output=relu", "real:2x20x13x17 positive:2x5x13x17 real:5 - real:5x13x17"},

    {"lstm_cell_gradient", "", "unit:2x8x3x2 real:2x2x3x2 real:2x2x3x2 real:2x2x3x2 real:2x2x3x2 real:2x8x3x2 - - -"},
    {"lstm_cell_gradient", "candidate=sigmoid output=relu",
     "unit:1x12x2x3 real:1x3x2x3 apart:1x3x2x3 real:1x3x2x3 real:1x3x2x3 - - - -"},
    {"lstm_cell_gradient", "candidate=relu", "unit:2x4x3 real:2x1x3 real:2x1x3 real:2x1x3 - - - - -"},
    {"lstm_cell_gradient", "output=relu", "unit:2x8 real:2x2 positive:2x2 - real:2x2 - real:2 real:2 real:2"},
    {"lstm_cell_gradient", "",
     "unit:2x8x2x2 real:2x2x2x2 real:2x2x2x2 real:2x2x2x2 real:2x2x2x2 real:2x8x2x2 real:2 real:2x2x2 real:2x2x2"},
    {"lstm_cell_gradient", "candidate=sigmoid",
     "unit:1x4x1x1 real:1x1x1x1 real:1x1x1x1 real:1x1x1x1 - real:1x4x1x1 - real:1 -"},
    {"lstm_cell_gradient", "",
     "unit:2x20x13x17 real:2x5x13x17 real:2x5x13x17 real:2x5x13x17 real:2x5x13x17 - real:5 - real:5x13x17"},
    {0},
};
