/* Segments a video: every object from its own first mask on, merged into one mask a frame.

   The network sees one object at a time at its own size and gives a probability a pixel. Those are resized bilinearly
   to the size of the frame, and each pixel goes to the largest of background = 0.5 and the objects by ascending id;
   ties go to the one named first. In the frame where an object is first given, its given pixels are its own. */
#ifndef REEL_TOOLS_SEGMENTER_H
#define REEL_TOOLS_SEGMENTER_H

#include "datasets/dataset.h"
#include "models/s2s_session.h"

/* Called for each frame in order, with the frame and what was found in it, both at the frame's size. */
typedef struct {
    reel_status (*frame)(void *to, int frame, const reel_image *image, const reel_mask *found, reel_error *error);
    void *to;
} reel_segment_sink;

reel_status reel_segment_video(reel_s2s_session *session, int height, int width, const reel_dataset *set, int video,
                               reel_segment_sink sink, reel_error *error);

/* The baseline without a network: every frame gets the pixels that each object had in its own first mask. */
reel_status reel_copy_first_masks(const reel_dataset *set, int video, reel_segment_sink sink, reel_error *error);

#endif
