/* Pictures in memory, and the files they come from: JPEG and PNG frames as RGB, PNG masks as object ids.
   A mask pixel is an object id (0 = background, 255 = void where a data set uses it), never a colour; the palette is
   kept beside it because people look at masks. */
#ifndef REEL_DATASETS_IMAGE_H
#define REEL_DATASETS_IMAGE_H

#include "core/error.h"

#include <stdint.h>

typedef struct {
    int width, height;
    uint8_t *rgb; /* height * width * 3, rows from the top, interleaved */
} reel_image;

typedef struct {
    int width, height;
    uint8_t *id;          /* height * width object ids */
    bool has_palette;     /* false: the file was grey */
    uint8_t palette[768]; /* 256 RGB entries; the DAVIS palette when the file had none */
} reel_mask;

/* Larger frames and masks are refused before memory is asked for: pixels, not bytes. */
enum { REEL_IMAGE_MAX_SIDE = 16384, REEL_IMAGE_MAX_PIXELS = 1 << 26 };

/* Read a frame (JPEG or PNG, told by content, not by name) or a mask (palette or grey PNG of at most 8 bits a pixel).
   A frame becomes 8-bit RGB: grey is repeated, 16 bits are scaled, transparency is dropped without blending, and
   gamma, colour profiles and EXIF rotation are not applied, as in the usual Python loaders. Damage is an error, not a
   grey area in the picture. On failure nothing is allocated and the error names the path, what was found and what was
   expected. */
reel_status reel_image_read(reel_image *image, const char *path, reel_error *error);
reel_status reel_mask_read(reel_mask *mask, const char *path, reel_error *error);

/* Only the header: width and height, without decoding. */
reel_status reel_image_size(const char *path, int *width, int *height, reel_error *error);

/* Write a palette PNG with the mask's palette (or, with grey255, a 0/255 grey PNG of id != 0) and an RGB PNG: to a
   temporary file in the same folder, closed with its errors checked, then renamed. */
reel_status reel_mask_write(const reel_mask *mask, const char *path, bool grey255, reel_error *error);
reel_status reel_image_write(const reel_image *image, const char *path, reel_error *error);

/* Black and background; a new mask has the DAVIS palette. */
reel_status reel_image_new(reel_image *image, int width, int height, reel_error *error);
reel_status reel_mask_new(reel_mask *mask, int width, int height, reel_error *error);
void reel_image_free(reel_image *image);
void reel_mask_free(reel_mask *mask);

/* The 256 colours of DAVIS, 768 bytes. */
const uint8_t *reel_davis_palette(void);

#endif
