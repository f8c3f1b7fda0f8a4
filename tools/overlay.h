/* Masks shown on their frames. */
#ifndef REEL_TOOLS_OVERLAY_H
#define REEL_TOOLS_OVERLAY_H

#include "datasets/image.h"

/* Tints each object's pixels half with its palette colour and draws its outline in that colour. Both of one size. */
void reel_overlay(reel_image *image, const reel_mask *mask);

#endif
