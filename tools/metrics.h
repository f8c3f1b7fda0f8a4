/* J and F, the two measures of video object segmentation (Perazzi et al., CVPR 2016), and the statistics made of them.

   J of one frame is the area both masks share over the area either covers. F compares outlines: precision is the share
   of predicted boundary pixels that have a true one within a distance of 0.8 % of the image diagonal, recall the
   reverse, F their harmonic mean.

   A mask here is a string of bits a row, because nearly everything J and F need (overlap, boundary, "is anything within
   w pixels") then costs one instruction for 64 pixels. */
#ifndef REEL_TOOLS_METRICS_H
#define REEL_TOOLS_METRICS_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Pixel (y, x) is bit x % 64 of bit[y * words + x / 64]. Bits past the width are zero, and there is at least one of
   them in a row and a word of them after the last row: a neighbour to the right may always be read. */
typedef struct {
    int height, width, words;
    uint64_t *bit;
} reel_bitmask;

reel_status reel_bitmask_new(reel_bitmask *mask, int height, int width, reel_error *error);
void reel_bitmask_free(reel_bitmask *mask);

/* Whether 64 bytes all are `value`: nearly everywhere in a mask they are, and then they need not be looked at singly.
 */
static inline bool reel_all_equal(const uint8_t *byte, uint8_t value)
{
    uint64_t word[8], unequal = 0;
    memcpy(word, byte, sizeof word);
    for (int i = 0; i < 8; i++) unequal |= word[i] ^ value * UINT64_C(0x0101010101010101);
    return !unequal;
}

/* Sets the bits where `id` (height * width object ids) equals `object`; REEL_ANY_OBJECT: where it is not background. */
enum { REEL_ANY_OBJECT = 0 };
void reel_bitmask_select(reel_bitmask *mask, const uint8_t *id, int object);

size_t reel_bitmask_count(const reel_bitmask *mask);

/* Marks the pixels that differ from their right, lower or lower right neighbour: half a pixel nearer the origin than
   the outline, and without a line where an object leaves the image. In the last row only the right neighbour counts, in
   the last column only the lower, and the last pixel is never marked. `boundary` has the size of `mask`. */
void reel_bitmask_boundary(const reel_bitmask *mask, reel_bitmask *boundary);

/* The pixels within the tolerance of F: half_width[d] is how far they reach to either side, d rows up or down. */
enum { REEL_DISK_MAX = 255 };
typedef struct {
    int radius, half_width[REEL_DISK_MAX + 1];
} reel_disk;
reel_disk reel_metric_disk(int height, int width);

/* All masks of a call have one size. J takes masks, F takes their boundaries. Two empty ones score 1. */
double reel_metric_j(const reel_bitmask *truth, const reel_bitmask *guess);
double reel_metric_f(const reel_bitmask *truth_boundary, const reel_bitmask *guess_boundary, const reel_disk *disk);

/* Of one object's values over time: their mean, the share above one half, and how much the mean of the first quarter of
   the frames exceeds that of the last. Quarters share their end frames. A NaN value counts in no mean and is not above
   one half. All three are NaN when there are no frames. */
typedef struct {
    double mean, recall, decay;
} reel_statistics;
reel_statistics reel_metric_statistics(const double *value, int frames);

/* Mean of the values that are not NaN, NaN when there are none. Adds pairwise: the error grows with log n, and the
   order, and so the last digit, is the one of NumPy, in which published tables are made. */
double reel_metric_mean(const double *value, int n);

#endif
