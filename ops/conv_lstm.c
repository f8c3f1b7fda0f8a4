/* The convolutional LSTM cell (Shi et al. 2015) and the spelled-out twin of the fused op. Functions that call builders:
   there is no op here.

       z = conv(cat[x, h]) + b          4H channels: input, forget, output, candidate
       h', c' = lstm_cell(z, c)

   The paper has candidate and output tanh, and peepholes. S2S++ (Azimi et al. 2020), as its authors' code runs, has
   the candidate sigmoid, the output relu and no peepholes: as c then never falls below zero, relu(c') = c'.

   Cost: the convolution, 2 N 4H (C + H) k^2 h w operations; the cell is a few per cent of it. */
#include "ops/lstm_cell.h"
#include "ops/ops.h"

static reel_tensor *activated(int kind, reel_tensor *x)
{
    return kind == REEL_LSTM_TANH ? reel_tanh(x) : kind == REEL_LSTM_SIGMOID ? reel_sigmoid(x) : reel_relu(x);
}

/* z + w . c, w given as [H] or [H, ...] or left out. */
static reel_tensor *peeped(reel_tensor *z, reel_tensor *w, reel_tensor *c)
{
    return w ? reel_add(z, reel_mul(reel_lstm_peephole_aligned(w, c), c)) : z;
}

reel_tensor *reel_lstm_cell_composed(reel_tensor *z, reel_tensor *c, reel_tensor *const peepholes[3],
                                     reel_lstm_cell_attr attr, reel_tensor **c_out)
{
    static reel_tensor *const none[3] = {NULL};
    reel_tensor *part[4];
    if (!peepholes) peepholes = none;
    reel_split(z, 1, 4, part);
    reel_tensor *i = reel_sigmoid(peeped(part[0], peepholes[0], c));
    reel_tensor *f = peeped(part[1], peepholes[1], c);
    if (attr.forget_bias != 0) f = reel_add(f, reel_scalar_like(f, attr.forget_bias));
    *c_out = reel_add(reel_mul(reel_sigmoid(f), c), reel_mul(i, activated(attr.candidate, part[3])));
    reel_tensor *o = reel_sigmoid(peeped(part[2], peepholes[2], *c_out));
    return reel_mul(o, activated(attr.output, *c_out));
}

void reel_conv_lstm(reel_tensor *x, reel_tensor *h, reel_tensor *c, reel_tensor *weight, reel_tensor *bias,
                    reel_tensor *const peepholes[3], reel_lstm_cell_attr attr, reel_tensor **h_out, reel_tensor **c_out)
{
    const int64_t *k = weight->shape.size + 2;
    if (!reel_poisoned(weight) && (weight->shape.rank != 4 || k[0] % 2 == 0 || k[1] % 2 == 0)) {
        *h_out = *c_out = reel_poison(x->graph, "conv_lstm: the weight must be [4H, C + H, k, k] with k odd, or the"
                                                " state would change its size");
        return;
    }
    int down = (int)(k[0] / 2), across = (int)(k[1] / 2);
    reel_conv2d_attr same = {
        .stride = {1, 1}, .dilation = {1, 1}, .pad = {down, across, down, across}, .groups = 1, .wide = true};
    reel_tensor *z = reel_conv2d(reel_concat((reel_tensor *[]){x, h}, 2, 1), weight, bias, same);
    *h_out = reel_lstm_cell(z, c, peepholes, attr, c_out);
}
