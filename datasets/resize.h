/* Resizing pictures and masks, with the pixels that Pillow's Image.resize gives: networks are sensitive to how their
   input was scaled, and the published ones were fed by Pillow. */
#ifndef REEL_DATASETS_RESIZE_H
#define REEL_DATASETS_RESIZE_H

#include "datasets/image.h"

/* Bilinear, antialiased when shrinking; `to` has its size and memory already. */
reel_status reel_resize_bilinear(const reel_image *from, reel_image *to, reel_error *error);

/* Index of the source pixel that a nearest resize takes: call once for each target pixel, in order, starting from the
   walk that reel_nearest_start gives. */
typedef struct {
    double at, pitch;
    int last;
} reel_nearest_walk;

static inline reel_nearest_walk reel_nearest_start(int from, int to)
{
    double pitch = (double)from / to;
    return (reel_nearest_walk){.at = 0.5 * pitch, .pitch = pitch, .last = from - 1};
}

/* Adding up the pitch, rather than multiplying it, is Pillow's way; ties fall as its do. */
static inline int reel_nearest_next(reel_nearest_walk *walk)
{
    int index = (int)walk->at;
    walk->at += walk->pitch;
    return index < walk->last ? index : walk->last;
}

#endif
