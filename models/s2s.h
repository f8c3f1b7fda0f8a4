/* S2S and S2S++: recurrent video object segmentation, one object at a time.

   S2S (Xu et al. 2018) models P(mask_t | frames 0..t, mask_0): an initializer turns the first frame and its mask into
   the state of a ConvLSTM, which then reads each frame through an encoder and writes a mask through a decoder. S2S++
   (Azimi et al., "Revisiting Sequence-to-Sequence Video Object Segmentation with Multi-Task Loss and Skip-Memory",
   ICPR 2020) adds two things, each a switch here:

     memory    skip connections from encoder to decoder, two of which pass through a ConvLSTM of their own, so that
               small and hidden objects are remembered at a finer scale than the bottleneck;
     distance  a second head that classifies every pixel by its distance to the object's border, which feeds the mask
               head and sharpens contours.

   Frames are [N, 3, H, W], ImageNet mean and deviation removed; masks [N, 1, H, W], 0 or 1. H and W may be anything:
   inside they are padded below and right to multiples of 32, and what comes out is cropped again. */
#ifndef REEL_MODELS_S2S_H
#define REEL_MODELS_S2S_H

#include "models/vgg16.h"

/* How the top of the two VGG trunks is made of VGG's fully connected layers. */
typedef enum {
    REEL_TOP_COMPACT, /* one 1x1 convolution, 512 -> 512 */
    REEL_TOP_FCN,     /* fc6 as 7x7 to 4096, fc7 as 1x1, and 1x1 to 512 in the encoder */
    REEL_TOP_AUTHORS, /* as fcn in the initializer; 1x1 512 -> 200704 -> 512 in the encoder, as released */
} reel_s2s_top;

typedef struct {
    bool memory, distance;
    reel_s2s_top top;
    double width;    /* scales all channel counts; 1 is the paper's */
    int border, bin; /* pixels; classes K = 2 (border / bin) + 2 */
} reel_s2s_config;

#define REEL_S2S_DEFAULTS                                                                                              \
    {                                                                                                                  \
        .memory = true, .distance = true, .top = REEL_TOP_COMPACT, .width = 1, .border = 20, .bin = 1                  \
    }

/* "s2s", "s2s+memory", "s2s+distance" or "s2s++" sets the two switches; false for another name. */
bool reel_s2s_named(reel_s2s_config *config, const char *name);
int reel_s2s_classes(const reel_s2s_config *config);

enum { REEL_S2S_LEVELS = 3 }; /* bottleneck at 1/32, skip-memory at 1/16 and at 1/8 */

typedef struct {
    reel_memory at[REEL_S2S_LEVELS]; /* without `memory`, only the first */
} reel_s2s_state;
static inline int reel_s2s_levels(const reel_s2s_config *config)
{
    return config->memory ? REEL_S2S_LEVELS : 1;
}

typedef struct {
    reel_tensor *mask;     /* logits [N, 1, H, W] */
    reel_tensor *distance; /* logits [N, K, H, W]; NULL without the distance head */
} reel_s2s_output;

/* The state from the first frame and its mask. */
reel_s2s_state reel_s2s_start(const reel_net *net, const reel_s2s_config *config, reel_tensor *frame,
                              reel_tensor *mask);

/* One frame: changes the state, returns what is seen. Training and inference run this same function. */
reel_s2s_output reel_s2s_step(const reel_net *net, const reel_s2s_config *config, reel_tensor *frame,
                              reel_s2s_state *state);

/* Inputs of the state's shapes, for running step by step: state of a frame of height x width. */
reel_s2s_state reel_s2s_state_inputs(const reel_net *net, const reel_s2s_config *config, int batch, int height,
                                     int width);

typedef struct {
    reel_tensor *total;               /* scalar */
    reel_tensor *bce, *iou, *classes; /* means of the terms over the frames; classes is NULL without the head */
} reel_s2s_loss;

/* The loss of a clip: frame[0] with mask[0] starts, the others are predicted. Per predicted frame

       0.6 balanced BCE + 0.2 (-log soft IoU) + 0.2 cross-entropy of the distance classes     (0.8, 0.2 without them)

   averaged over the frames with weight[t] = 1; weight, [count] with entries 0 or 1, may be NULL for all 1. label[t]
   (i32 [N, H, W]) may be NULL: then the classes are made from the masks. With recompute, each step's activations are
   computed again in the backward pass. */
reel_s2s_loss reel_s2s_clip_loss(const reel_net *net, const reel_s2s_config *config, reel_tensor *const *frame,
                                 reel_tensor *const *mask, reel_tensor *const *label, reel_tensor *weight, int count,
                                 bool recompute);

#endif
