/* A clip is what training eats: some frames of one video, one object, as tensors. It carries where it came from
   (video, frame numbers, object id) so that a fault later can be named, and a validity flag a frame: false where the
   object's mask is not known, so that the loss must not count it. */
#ifndef REEL_DATASETS_CLIP_H
#define REEL_DATASETS_CLIP_H

#include "datasets/dataset.h"

#include <stddef.h>

typedef struct {
    int frames, height, width; /* frames includes the first, whose mask is given to the network */
    bool flip;                 /* mirrors half of the clips */
    bool affine;               /* turns by -20..19 degrees and scales by 0.75..1.24 about the centre; black outside */
    bool reverse;              /* runs half of the clips backward */
    int max_step;              /* frames are taken every 1..max_step-th of those that are used (drawn per clip) */
    uint64_t seed;
} reel_clip_options;

typedef struct {
    int video, object; /* index in the data set; object id */
    int frames, height, width;
    int *frame;  /* index of each frame in its video */
    bool *valid; /* per frame: the mask is known */
    float *rgb;  /* [frames, 3, height, width], ImageNet mean and deviation removed */
    float *mask; /* [frames, 1, height, width], 0 or 1 */
} reel_clip;

/* Mean and deviation of ImageNet for R, G, B in 0..1. */
extern const float reel_imagenet_mean[3], reel_imagenet_deviation[3];

/* Sample n of the endless sequence of clips that (set, options) defines: a function of n, whoever asks. The pair of
   video and object is drawn uniformly, with replacement, among those with two or more frames that are listed and, in a
   set of files, have a mask; only such frames are used, and the first one always shows the object. A clip has
   options->frames frames always: where the video is too short for the step drawn the step is smaller, and where it is
   too short at all the clip runs back and forth.
   On failure the clip is empty and the error names the video and frame. */
reel_status reel_clip_sample(reel_clip *clip, const reel_dataset *set, const reel_clip_options *options, uint64_t n,
                             reel_error *error);
void reel_clip_free(reel_clip *clip);

/* One frame as the network takes it: resized bilinearly (antialiased when shrinking, as Pillow does), normalised,
   planar [3, height, width]. One object's mask, resized nearest to 0/1. */
reel_status reel_frame_to_planes(const reel_image *image, int height, int width, float *planes, reel_error *error);
void reel_mask_to_plane(const reel_mask *mask, int id, int height, int width, float *plane);

/* Worker threads fetch samples ahead, in order; what is delivered does not depend on the number of workers. A worker's
   error comes out of reel_loader_next at the sample that has it, and the sequence stops there: every later call gives
   the same error. At most `ahead` samples beyond the last one delivered are held. The set must outlive the loader.
   reel_loader_next is for one thread at a time. */
typedef struct reel_loader reel_loader;
reel_loader *reel_loader_start(const reel_dataset *set, const reel_clip_options *options, uint64_t first, int workers,
                               int ahead, reel_error *error);
reel_status reel_loader_next(reel_loader *loader, reel_clip *clip, reel_error *error);
void reel_loader_stop(reel_loader *loader);

#endif
