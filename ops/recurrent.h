/* Long short-term memory, dense or convolutional: one fused op for everything that is element by element, and the
   cell around it. */
#ifndef REEL_OPS_RECURRENT_H
#define REEL_OPS_RECURRENT_H

#include "core/graph.h"

enum { REEL_LSTM_TANH, REEL_LSTM_SIGMOID, REEL_LSTM_RELU };

typedef struct {
    int candidate;      /* activation of the candidate g: tanh, sigmoid or relu */
    int output;         /* activation of the cell state in h: tanh or relu */
    double forget_bias; /* added to the forget gate before its sigmoid */
} reel_lstm_cell_attr;

/* z: [N, 4H, ...], the gates before activation, in the order input, forget, output, candidate. c: [N, H, ...].
   peepholes: NULL, or the weights of input, forget and output gate, each [H] or [H, ...]. Returns h and sets *c_out. */
reel_tensor *reel_lstm_cell(reel_tensor *z, reel_tensor *c, reel_tensor *const peepholes[3], reel_lstm_cell_attr attr,
                            reel_tensor **c_out);

/* The same from element-wise ops: the definition that the fused op is held equal to. */
reel_tensor *reel_lstm_cell_composed(reel_tensor *z, reel_tensor *c, reel_tensor *const peepholes[3],
                                     reel_lstm_cell_attr attr, reel_tensor **c_out);

/* x: [N, C, h, w], h and c: [N, H, h, w], weight: [4H, C + H, k, k] with k odd, bias: [4H] or NULL. The convolution is
   padded so that the size stays. x, h and weight may be bf16 beside c and bias in f32; h comes out as c is. The order
   of the concatenation is [x, h], that of the gates is lstm_cell's. */
void reel_conv_lstm(reel_tensor *x, reel_tensor *h, reel_tensor *c, reel_tensor *weight, reel_tensor *bias,
                    reel_tensor *const peepholes[3], reel_lstm_cell_attr attr, reel_tensor **h_out,
                    reel_tensor **c_out);

#endif
