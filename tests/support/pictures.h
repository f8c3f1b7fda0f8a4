/* Picture files made byte by byte, so that a test can make wrong ones: a PNG writer that believes whatever it is told
   (no filters, no compression), and JPEGs from libjpeg's encoder. */
#ifndef REEL_TESTS_PICTURES_H
#define REEL_TESTS_PICTURES_H

#include <stddef.h>
#include <stdint.h>

enum { PNG_ROOM = 1 << 16 };

typedef struct {
    unsigned char data[PNG_ROOM];
    size_t bytes;
} png_text;

enum { PNG_GREY = 0, PNG_RGB = 2, PNG_INDEXED = 3, PNG_GREY_ALPHA = 4, PNG_RGBA = 6 };

/* The parts of a PNG, appended: signature, header, any chunk, the pixels (packed rows without filter bytes). */
void png_begin(png_text *png, uint32_t width, uint32_t height, int depth, int type);
void png_chunk(png_text *png, const char *name, const void *data, size_t bytes);
void png_pixels(png_text *png, const uint8_t *rows, size_t row_bytes, size_t height);
void png_end(png_text *png);
/* The pixels as they are coded: each row begins with the byte that names its filter. */
void png_filtered_rows(png_text *png, const uint8_t *raw, size_t bytes);

/* A whole PNG of `value` in every byte of every row, with a grey ramp as palette where the type asks for one. */
void png_flat(png_text *png, uint32_t width, uint32_t height, int depth, int type, uint8_t value);

/* An 8-bit mask with a palette: ids[height * width]. */
void png_mask(png_text *png, uint32_t width, uint32_t height, const uint8_t *ids);

/* A JPEG of a colourful pattern; channels 1 grey, 3 RGB, 4 CMYK. JPEG_SEPARATE, for three channels, has a scan for
   each, which is sequential and may thus be repeated. Returns a block for free(). */
typedef enum { JPEG_BASELINE, JPEG_PROGRESSIVE, JPEG_SEPARATE } jpeg_process;
unsigned char *jpeg_pattern(int width, int height, int channels, jpeg_process process, size_t *bytes);

#endif
