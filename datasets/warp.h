/* Flip and affine map of whole clips, at the network's resolution. */
#ifndef REEL_DATASETS_WARP_H
#define REEL_DATASETS_WARP_H

#include <stdbool.h>

/* From a target pixel to its source, both counted from the centre: x' = xx x + xy y, y' = yx x + yy y. */
typedef struct {
    float xx, xy, yx, yy;
} reel_warp;

/* Turn by `degrees` (clockwise as seen) and enlarge by `scale` about the centre, in a picture whose pixels stand for
   `shape` times as much height as width. That is how a clip is turned as if before it was resized. */
reel_warp reel_warp_about_centre(double degrees, double scale, double shape);

/* Warps a plane in place; `copy` has room for it. Outside the source lies `fill`. */
void reel_warp_plane(float *plane, float *copy, int height, int width, const reel_warp *warp, bool nearest, float fill);

/* Left becomes right, in place. */
void reel_mirror_plane(float *plane, int height, int width);

#endif
