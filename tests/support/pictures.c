/* See pictures.h. */
#include "tests/support/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "core/crc32.h"

static void put(png_text *png, const void *data, size_t bytes)
{
    if (bytes > PNG_ROOM - png->bytes) abort();
    if (bytes) memcpy(png->data + png->bytes, data, bytes);
    png->bytes += bytes;
}

static void put32(png_text *png, uint32_t value)
{
    unsigned char big[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16), (unsigned char)(value >> 8),
                            (unsigned char)value};
    put(png, big, sizeof big);
}

void png_chunk(png_text *png, const char *name, const void *data, size_t bytes)
{
    put32(png, (uint32_t)bytes);
    size_t from = png->bytes;
    put(png, name, 4);
    put(png, data, bytes);
    put32(png, reel_crc32(0, png->data + from, bytes + 4));
}

void png_begin(png_text *png, uint32_t width, uint32_t height, int depth, int type)
{
    png_text header = {.bytes = 0};
    put32(&header, width);
    put32(&header, height);
    put(&header, (unsigned char[]){(unsigned char)depth, (unsigned char)type, 0, 0, 0}, 5);
    png->bytes = 0;
    put(png, "\211PNG\r\n\032\n", 8);
    png_chunk(png, "IHDR", header.data, header.bytes);
}

static uint32_t adler32_of(const uint8_t *data, size_t bytes)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < bytes; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* One stored block: a zlib stream that needs no compressor, up to 65535 bytes. */
void png_filtered_rows(png_text *png, const uint8_t *raw, size_t bytes)
{
    png_text stream = {.bytes = 0};
    unsigned n = (unsigned)bytes;
    unsigned char head[] = {
        0x78, 0x01, 0x01, (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)~n, (unsigned char)(~n >> 8)};
    put(&stream, head, sizeof head);
    put(&stream, raw, bytes);
    put32(&stream, adler32_of(raw, bytes));
    png_chunk(png, "IDAT", stream.data, stream.bytes);
}

void png_pixels(png_text *png, const uint8_t *rows, size_t row_bytes, size_t height)
{
    png_text raw = {.bytes = 0};
    for (size_t y = 0; y < height; y++) {
        put(&raw, "", 1);
        put(&raw, rows + y * row_bytes, row_bytes);
    }
    png_filtered_rows(png, raw.data, raw.bytes);
}

void png_end(png_text *png)
{
    png_chunk(png, "IEND", NULL, 0);
}

void png_flat(png_text *png, uint32_t width, uint32_t height, int depth, int type, uint8_t value)
{
    static const uint32_t channels[] = {1, 0, 3, 1, 2, 0, 4};
    size_t row_bytes = (width * channels[type] * (uint32_t)depth + 7) / 8;
    uint8_t palette[768], *rows = malloc(row_bytes * height);
    if (!rows) abort();
    memset(rows, value, row_bytes * height);
    for (int i = 0; i < 768; i++) palette[i] = (uint8_t)(i / 3);
    png_begin(png, width, height, depth, type);
    if (type == PNG_INDEXED) png_chunk(png, "PLTE", palette, (size_t)3 << depth);
    png_pixels(png, rows, row_bytes, height);
    png_end(png);
    free(rows);
}

void png_mask(png_text *png, uint32_t width, uint32_t height, const uint8_t *ids)
{
    uint8_t palette[768];
    for (int i = 0; i < 768; i++) palette[i] = (uint8_t)(255 - i / 3);
    png_begin(png, width, height, 8, PNG_INDEXED);
    png_chunk(png, "PLTE", palette, sizeof palette);
    png_pixels(png, ids, width, height);
    png_end(png);
}

unsigned char *jpeg_pattern(int width, int height, int channels, jpeg_process process, size_t *bytes)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr manager;
    static const jpeg_scan_info separate[] = {{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    unsigned char *data = NULL, *row = malloc((size_t)width * 4);
    unsigned long length = 0;
    if (!row) abort();
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &length);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    if (process == JPEG_PROGRESSIVE) jpeg_simple_progression(&jpeg);
    if (process == JPEG_SEPARATE) jpeg.scan_info = separate, jpeg.num_scans = 3;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * channels; i++) row[i] = (unsigned char)(i * 7 + y * 5 + i % channels * 60);
        JSAMPROW rows = row;
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    *bytes = length;
    return data;
}
