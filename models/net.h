/* What a model is written with: a graph that grows, the parameters it names, and layers that declare the parameters
   they use. A layer is a function; a model is functions calling layers; nothing is kept between them but names.

   Parameters are named by scope: inside reel_scope_push(graph, "init_vgg"), a layer "features.0" has the parameters
   "init_vgg.features.0.weight" and ".bias". Calling a layer twice under one name shares its weights: that is what a
   time step is. Names and layouts are torch's, so that checkpoints travel.

   A net in bf16 computes like this (Micikevicius et al. 2018, Kalamkar et al. 2019; torch's autocast draws the same
   line):
     bf16   what convolutions read and write: activations, and a copy of each weight, made once in a run and shared by
            all frames; whatever comes between two convolutions (pooling, resizing, joining); their gradients
     f32    parameters, biases, the gradients of both, moments; sums of products inside a convolution; what a layer
            without activation gives (logits, gates before activation); the state c of an LSTM; losses
   A copy's gradient reaches its parameter through the cast, in f32 and never rounded, so that updates smaller than
   bf16 can tell are not lost. bf16 has the exponents of f32: losses need not be scaled. */
#ifndef REEL_MODELS_NET_H
#define REEL_MODELS_NET_H

#include "core/parameters.h"
#include "ops/ops.h"

typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_dtype dtype; /* of parameters and activations */
    bool bf16;        /* mixed precision, as above; dtype is REEL_F32 */
} reel_net;

/* The parameter `name` in the present scope. A contradiction with an earlier declaration poisons the graph. */
reel_tensor *reel_weight(const reel_net *net, const char *name, reel_shape shape, reel_init init);

/* x as convolutions read it: bf16 in a net of bf16, itself in others. And back, in the dtype of the net. */
reel_tensor *reel_narrowed(const reel_net *net, reel_tensor *x);
reel_tensor *reel_widened(const reel_net *net, reel_tensor *x);

/* Uniform within +-sqrt(6 / fan_in): keeps the scale of what passes through ReLUs (He et al. 2015). */
reel_init reel_init_he(int64_t fan_in);
/* Uniform within +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). */
reel_init reel_init_xavier(int64_t fan_in, int64_t fan_out);

/* x [N, C, H, W] -> [N, channels, H, W]: convolution k x k, stride 1, k odd, size kept; then ReLU if asked. Parameters
   weight [channels, C, k, k] and bias. Starts from He's initialisation before a ReLU, from Xavier's otherwise. In a net
   of bf16 the result is bf16 after a ReLU and f32 without. */
reel_tensor *reel_conv_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel,
                             bool relu);

/* The same with ReLU, then the maximum of 2x2 blocks: [N, channels, H / 2, W / 2]. It is computed the other way round:
   the maximum of what is above zero is the maximum or zero, bit by bit and in the gradient, too; what the backward pass
   then needs is the pooled map and a byte for each of its elements, not the map four times as large. */
reel_tensor *reel_conv_pool_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel);

/* The state of a ConvLSTM: h, which a convolution reads, and c, each [N, channels, H, W]. */
typedef struct {
    reel_tensor *h, *c;
} reel_memory;

/* One step of a ConvLSTM on x; the state is replaced, h is returned. The hidden size is that of the state. Parameters
   conv.weight [4 H, C + H, k, k] and conv.bias, gates in the order i, f, o, g. */
reel_tensor *reel_conv_lstm_layer(const reel_net *net, const char *name, reel_tensor *x, reel_memory *memory,
                                  int kernel, reel_lstm_cell_attr cell);

#endif
