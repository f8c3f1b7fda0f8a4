/* What the decoders of frames and masks share: the bytes of one file, and the limits that are checked before memory is
   asked for. Internal to datasets/.

   A few bytes can announce a picture of gigabytes. Two checks stop that: the fixed limits of image.h, and a floor for
   the size of the file itself, because every code has a best case that it cannot beat. */
#ifndef REEL_DATASETS_PICTURE_FILE_H
#define REEL_DATASETS_PICTURE_FILE_H

#include "datasets/image.h"

#include <stddef.h>

typedef struct {
    const char *path; /* for messages */
    const uint8_t *data;
    size_t bytes;
} reel_picture_file;

/* 1..REEL_IMAGE_MAX_SIDE a side and REEL_IMAGE_MAX_PIXELS in all. */
reel_status reel_picture_check_size(const char *path, uint64_t width, uint64_t height, reel_error *error);

/* Fails when the file is so short that it cannot hold `least` coded bytes. */
reel_status reel_picture_check_bytes(const reel_picture_file *file, size_t least, reel_error *error);

reel_status reel_jpeg_size(const reel_picture_file *file, int *width, int *height, reel_error *error);
reel_status reel_jpeg_read(const reel_picture_file *file, reel_image *image, reel_error *error);

reel_status reel_png_size(const reel_picture_file *file, int *width, int *height, reel_error *error);
reel_status reel_png_read_image(const reel_picture_file *file, reel_image *image, reel_error *error);
reel_status reel_png_read_mask(const reel_picture_file *file, reel_mask *mask, reel_error *error);

/* A fast reader of the commonest masks. REEL_BAD_DATA, with nothing recorded in *error: the file is of another kind or
   not perfect, and reel_png_read_mask decides. The size has been checked (reel_png_size). */
reel_status reel_png_read_plain_mask(const reel_picture_file *file, reel_mask *mask, reel_error *error);

/* Numbers in a PNG have four bytes, the highest first. */
static inline uint32_t reel_png_number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

#endif
