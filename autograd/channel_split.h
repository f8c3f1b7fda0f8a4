/* Takes a recurrent convolution of a concatenation apart, so that its half that is not recurrent can be batched:

       conv(cat[x_t, h_{t-1}], w) + b = (conv(x_t, w_x) + b) + conv(h_{t-1}, w_h)

   with w_x, w_h the slices of w along its input channels. Only where several time steps hold such a convolution, one
   depends on another, and some of what is concatenated depends on none of them. The gradients of the halves, slices of
   conv2d_input_gradient(dy, w), become conv2d_input_gradient(dy, w_x) and (dy, w_h); the gradient of w stays one.

   Cost: the same operations, an addition of the halves, and the slices of w, made once for the forward and once for the
   backward pass, so that they are not kept between. Sums over channels are rounded elsewhere than before. */
#ifndef REEL_AUTOGRAD_CHANNEL_SPLIT_H
#define REEL_AUTOGRAD_CHANNEL_SPLIT_H

#include "core/graph.h"

/* Replaces each wanted tensor by what stands for it in the rewritten graph. A convolution stays whole if its inputs and
   outputs at all time steps take more than `most` bytes. Failures stay with the graph. */
void reel_split_recurrent_channels(reel_graph *graph, reel_tensor **wanted, int count, size_t most);

#endif
