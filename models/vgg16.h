/* The 13 convolutions of VGG-16 (Simonyan and Zisserman 2015), without its classifier: 3x3, each followed by ReLU, in
   five blocks that end in a 2x2 max pooling. Parameters are torchvision's: features.{0,2,5,7,10,…,28}.{weight,bias}. */
#ifndef REEL_MODELS_VGG16_H
#define REEL_MODELS_VGG16_H

#include "models/net.h"
#include "models/weights.h"

/* The maps after the five poolings: 64, 128, 256, 512, 512 channels (scaled), at 1/2 … 1/32 of the input's size. */
typedef struct {
    reel_tensor *pool[5];
} reel_vgg16_maps;

/* A number of channels of the full network, scaled by `width`, as a multiple of 8 and at least 8. */
int reel_scaled_channels(int channels, double width);

/* `name` is the scope of the trunk. x [N, 3 or 4, H, W] with H and W multiples of 32. */
reel_vgg16_maps reel_vgg16(const reel_net *net, const char *name, reel_tensor *x, double width);

/* Gives the trunk `name`, at width 1, the values of torchvision's VGG-16. Where the trunk's first convolution has more
   than three input channels, those beyond RGB keep the values they start with. Names every array that is missing or
   has another shape. */
reel_status reel_vgg16_load(reel_parameters *set, const char *name, const reel_weights *weights, reel_error *error);

#endif
