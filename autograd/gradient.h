/* Gradients of a graph, as more of the graph.

   The walker goes once through the nodes from the loss backwards, in the reverse of the order in which they were
   defined, which is a topological order; it is a loop, not a recursion, because a hundred-frame graph is deep. At each
   node it calls the op's rule (core/op.h), which builds nodes; the walker alone adds up what arrives at a tensor from
   its several users, sums away broadcast dimensions and skips what needs no gradient. As gradients are nodes like any
   other, gradients of gradients come from calling it again.

   Recomputation. Nodes between reel_segment_begin and reel_segment_end (core/graph.h) form a segment. When the walker
   reaches a segment it clones its nodes and hands the rules the clones, so that the originals die as soon as the
   forward pass is through with them. Only what the rules use is planned and run. For a recurrent net with one segment
   a time step, what stays is the state between steps: memory of O(T states + 1 step) for one more forward pass
   (Chen et al. 2016). The same kernels see the same numbers, so the result is the same bits. */
#ifndef REEL_AUTOGRAD_GRADIENT_H
#define REEL_AUTOGRAD_GRADIENT_H

#include "core/graph.h"

/* d(loss)/d(wrt[i]) into gradient[i], a tensor of the shape of wrt[i]; zeros where loss does not depend on it. `loss`
   is a float tensor; when it is not a scalar, the gradient is that of the sum of its elements. On error every
   gradient[i] is the poison tensor. */
void reel_gradients(reel_tensor *loss, reel_tensor *const *wrt, int count, reel_tensor **gradient);

/* The same with a cotangent of the shape of y: the gradient of sum(y * cotangent). */
void reel_gradients_along(reel_tensor *y, reel_tensor *cotangent, reel_tensor *const *wrt, int count,
                          reel_tensor **gradient);

/* The same for one tensor; returns the gradient. */
reel_tensor *reel_gradient_of(reel_tensor *loss, reel_tensor *wrt);

#endif
