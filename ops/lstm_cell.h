/* What lstm_cell, its gradient and their fast kernels share: how the inputs are laid out, and the scalar functions. */
#ifndef REEL_OPS_LSTM_CELL_H
#define REEL_OPS_LSTM_CELL_H

#include "ops/recurrent.h"

#include <math.h>

extern const reel_attr reel_lstm_cell_attrs[];

/* gates = act(z), c' and c as in lstm_cell.c. dh, dc and dgates, one of them at least, may be NULL for zero. Returns
   dz and sets *dc_in, the gradient of the cell state that came in. */
reel_tensor *reel_lstm_cell_gradient(reel_tensor *gates, reel_tensor *c_in, reel_tensor *c, reel_tensor *const dy[3],
                                     reel_tensor *const peepholes[3], reel_lstm_cell_attr attr, reel_tensor **dc_in);

/* Checks a peephole weight, NULL or not, against c [N, H, …]; NULL or what is wrong. */
const char *reel_lstm_peephole_wrong(const reel_tensor *weight, const reel_tensor *c);

/* [H] as [H, 1, ...], so that it broadcasts against [N, H, ...]; anything else, NULL too, as it is. */
reel_tensor *reel_lstm_peephole_aligned(reel_tensor *weight, const reel_tensor *c);

/* The gradient of a peephole weight from one of the shape of c; NULL stays NULL. */
reel_tensor *reel_lstm_peephole_sum(reel_tensor *dw, const reel_tensor *weight);

/* The peephole weight of channel k and position s of a plane. */
static inline int64_t reel_lstm_peephole_at(const reel_array *weight, int64_t k, int64_t s, int64_t plane)
{
    return weight->shape.rank == 1 ? k : k * plane + s;
}

/* The reference loop of both: an element of the cell state, which is input 1, after the other. Element s is of the
   plane of channel k in sample n. */
typedef void reel_lstm_element(const reel_call *call, int64_t n, int64_t k, int64_t s, int64_t channels, int64_t plane);
reel_status reel_lstm_each(const reel_call *call, reel_lstm_element *element);

/* An activation, and its derivative: of the candidate from the activated value, of the output from the state. At its
   corner relu has the derivative 0. */
static inline double reel_lstm_activate(int kind, double x)
{
    return kind == REEL_LSTM_TANH ? tanh(x) : kind == REEL_LSTM_SIGMOID ? 1 / (1 + exp(-x)) : x < 0 ? 0 : x;
}

static inline double reel_lstm_slope(int kind, double activated)
{
    return kind == REEL_LSTM_TANH      ? 1 - activated * activated
           : kind == REEL_LSTM_SIGMOID ? activated * (1 - activated)
                                       : activated > 0;
}

#endif
