/* Batches a clip over time. The graph of a recurrent network repeats the nodes of a step for every time step; but what
   is not recurrent, such as the layers that see the frame alone, and those that see the state alone, may run for all
   time steps as one batch. Then weights are read once, the work can be shared out better where maps are small, and the
   gradient of a weight is one sum over the batch and not a sum of gradients. What is left to run step by step is the
   recurrence.

   This is a rewrite of a finished graph, forward and backward pass and updates alike, that knows nothing of the model.
   Nodes that do the same at different time steps (alike.h) and do not depend on one another (dependence.h) become one
   node, on their inputs joined on axis 0:

     - nodes that treat samples apart (core/op.h, reel_samples); others get back the slice of their time step;
     - nodes that sum over samples, where all that becomes of them is to be added up: sum_t dw(x_t, dy_t) = dw(x, dy).

   Both joining and slicing are free in a plan, as far as lives allow (core/sharing.h). Nodes that do little work, such
   as an addition, are merged only where their inputs are joined already. A convolution of features and state is taken
   apart before (channel_split.h).

   The order is that of the first pass over the old nodes in which a merged node comes as soon as one of those it stands
   for, with all it needs before it: layers that wait for all time steps come late, and gradients early.

   Memory: activations are kept until the backward pass anyway, but a gradient is there for all time steps at once. So
   the caller says how large the inputs and outputs of a merged node may be; one that is larger stays apart.

   Results differ from those of the graph as it was by rounding, where sums run in another order: in gradients of
   weights, and in convolutions that were taken apart. A graph with recomputed segments is left alone: what is
   recomputed one step at a time must not be kept for all. */
#ifndef REEL_AUTOGRAD_TIME_BATCH_H
#define REEL_AUTOGRAD_TIME_BATCH_H

#include "core/graph.h"

/* Replaces each wanted tensor by what stands for it in the rewritten graph. `most` is the number of bytes that a merged
   node may read and write for all time steps, parameters apart. Failures stay with the graph. */
void reel_batch_over_time(reel_graph *graph, reel_tensor **wanted, int count, size_t most);

#endif
