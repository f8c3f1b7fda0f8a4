/* A data set for tests of sampling: what it lists and shows is said in a few numbers, and it can fail on purpose. */
#ifndef REEL_TESTS_STUB_SET_H
#define REEL_TESTS_STUB_SET_H

#include "datasets/dataset.h"

typedef struct {
    int videos, frames, objects, width, height;
    int list_every; /* an object is listed in every such frame, from its number in the video (k of 0..) on */
    int mask_every; /* frames that are no multiple of it have no mask; 0: all have one */
    int show_from;  /* before this frame masks are empty */
    int fail_video, fail_frame; /* reading this frame fails; fail_video -1: none does */
} stub_options;

/* Frame f of video v: object k is a rectangle that moves with f, painted white on black; ids are 10, 20, ... */
void stub_open(reel_dataset *set, const stub_options *options);

#endif
