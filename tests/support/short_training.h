/* The smallest training that has everything: S2S++ with a few channels, clips of two frames of 32 x 32. */
#ifndef REEL_TESTS_SHORT_TRAINING_H
#define REEL_TESTS_SHORT_TRAINING_H

#include "datasets/clip.h"
#include "tools/trainer.h"

enum { SHORT_SIDE = 32, SHORT_FRAMES = 2 };

extern const reel_training short_training;

/* Clip n of three moving_shapes videos; fails the test if there is none. */
void short_clip(reel_clip *clip, uint64_t n);

#endif
