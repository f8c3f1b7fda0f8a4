/* The fast reader of plain masks (datasets/image_png_plain.c) against a filter written here from the specification and
   against libpng, which reads the same files as frames; and what it must leave to libpng. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image.h"
#include "datasets/picture_file.h"
#include "tests/support/pictures.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

enum { WIDEST = 80, HEIGHT = 12, FILTERS = 5 };

static png_text png;

static int pixel(const uint8_t *id, int width, int y, int x)
{
    return x < 0 || y < 0 ? 0 : id[y * width + x];
}

/* PNG specification, 9.4. */
static int predicted(int filter, int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    switch (filter) {
    case 1:
        return a;
    case 2:
        return b;
    case 3:
        return (a + b) / 2;
    case 4:
        return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    default:
        return 0;
    }
}

/* Row y is coded by filter (first + y * step) % 5. Returns the number of bytes. */
static size_t code(uint8_t *raw, const uint8_t *id, int width, int first, int step)
{
    size_t n = 0;
    for (int y = 0; y < HEIGHT; y++) {
        int filter = (first + y * step) % FILTERS;
        raw[n++] = (uint8_t)filter;
        for (int x = 0; x < width; x++)
            raw[n++] = (uint8_t)(pixel(id, width, y, x) - predicted(filter, pixel(id, width, y, x - 1),
                                                                    pixel(id, width, y - 1, x),
                                                                    pixel(id, width, y - 1, x - 1)));
    }
    return n;
}

/* Areas of a few ids with steep and slanted borders; noise in the last rows. */
static void draw(uint8_t *id, int width)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < width; x++) {
            int area = x > 2 * y + 9 ? 1 : x > 30 ? 255 : 0;
            id[y * width + x] = (uint8_t)(y < HEIGHT - 3 ? area : (x * x * 37 + y * 101) >> 2);
        }
}

static reel_status read_plain(const png_text *text, reel_mask *mask)
{
    reel_picture_file file = {"test", text->data, text->bytes};
    reel_error error = {0};
    reel_status status = reel_png_read_plain_mask(&file, mask, &error);
    ck_assert_int_eq(error.status, REEL_OK);
    return status;
}

/* Left alone by the fast reader; read as a mask by libpng, or refused by it. */
static void left_to_libpng(const png_text *text, reel_status expected)
{
    reel_mask mask = {0};
    reel_error error = {0};
    ck_assert_int_eq(read_plain(text, &mask), REEL_BAD_DATA);
    ck_assert_ptr_null(mask.id);
    ck_assert_int_eq(reel_mask_read(&mask, temporary_memory_file(text->data, text->bytes), &error), expected);
    reel_mask_free(&mask);
}

START_TEST(every_filter_is_undone)
{
    uint8_t id[WIDEST * HEIGHT], raw[(WIDEST + 1) * HEIGHT];
    for (int width = 1; width <= WIDEST; width++)
        for (int way = 0; way < 2 * FILTERS; way++) {
            reel_mask mask = {0};
            draw(id, width);
            png_begin(&png, (uint32_t)width, HEIGHT, 8, PNG_GREY);
            png_filtered_rows(&png, raw, code(raw, id, width, way % FILTERS, way / FILTERS));
            png_end(&png);
            ck_assert_int_eq(read_plain(&png, &mask), REEL_OK);
            ck_assert(mask.width == width && mask.height == HEIGHT && !mask.has_palette);
            ck_assert_mem_eq(mask.id, id, (size_t)width * HEIGHT);
            reel_mask_free(&mask);
        }
}
END_TEST

/* Rows of any filters and mostly zero differences, which the reader takes eight at a time. */
START_TEST(any_differences_give_the_pixels_of_libpng)
{
    uint8_t raw[(WIDEST + 1) * HEIGHT];
    uint32_t state = 1;
    for (int round = 0; round < 500; round++) {
        const size_t width = 1 + (size_t)round % WIDEST, bytes = (width + 1) * HEIGHT;
        reel_mask mask = {0};
        reel_image image;
        reel_error error = {0};
        for (size_t i = 0; i < bytes; i++) {
            state = state * 1664525 + 1013904223;
            uint32_t value = state >> 16;
            bool filter = i % (width + 1) == 0;
            raw[i] = (uint8_t)(filter ? value % FILTERS : value % 10 ? 0 : value / 10);
        }
        png_begin(&png, (uint32_t)width, HEIGHT, 8, PNG_GREY);
        png_filtered_rows(&png, raw, bytes);
        png_end(&png);
        ck_assert_int_eq(read_plain(&png, &mask), REEL_OK);
        ck_assert_int_eq(reel_image_read(&image, temporary_memory_file(png.data, png.bytes), &error), REEL_OK);
        for (size_t i = 0; i < width * HEIGHT; i++) ck_assert_int_eq(image.rgb[3 * i], mask.id[i]);
        reel_image_free(&image);
        reel_mask_free(&mask);
    }
}
END_TEST

/* A mask whose IDAT is cut after `first` bytes, with a chunk of this name (NULL: none) between the two pieces. */
static void cut_data(size_t first, const char *between)
{
    const uint8_t id[4] = {1, 2, 3, 4};
    unsigned char data[256];
    png_begin(&png, 2, 2, 8, PNG_GREY);
    size_t at = png.bytes;
    png_pixels(&png, id, 2, 2);
    size_t bytes = png.bytes - at - 12;
    memcpy(data, png.data + at + 8, bytes);
    png.bytes = at;
    png_chunk(&png, "IDAT", data, first);
    if (between) png_chunk(&png, between, "x", 1);
    png_chunk(&png, "IDAT", data + first, bytes - first);
    png_end(&png);
}

START_TEST(data_may_come_in_pieces)
{
    for (size_t first = 0; first < 16; first++) {
        reel_mask mask = {0};
        cut_data(first, NULL);
        ck_assert_int_eq(read_plain(&png, &mask), REEL_OK);
        ck_assert_mem_eq(mask.id, "\1\2\3\4", 4);
        reel_mask_free(&mask);
        cut_data(first, "teXt");
        left_to_libpng(&png, REEL_BAD_DATA);
    }
}
END_TEST

/* One row of four pixels, `raw` behind its filter byte, and two chunks around it. */
static void row_of(int type, const char *before, size_t before_bytes, const char *raw, size_t raw_bytes,
                   const char *after)
{
    png_begin(&png, 4, 1, 8, type);
    if (before) png_chunk(&png, before, "abcdef", before_bytes);
    png_filtered_rows(&png, (const uint8_t *)raw, raw_bytes);
    if (after) png_chunk(&png, after, "abcdef", 6);
    png_end(&png);
}

START_TEST(what_is_not_perfect_is_left_to_libpng)
{
    reel_mask mask = {0};
    row_of(PNG_INDEXED, "PLTE", 6, "\0\1\2\3\4", 5, "tIME");
    ck_assert_int_eq(read_plain(&png, &mask), REEL_OK);
    ck_assert(mask.has_palette && !memcmp(mask.palette, "abcdef", 6));
    ck_assert_mem_eq(mask.palette + 6, reel_davis_palette() + 6, 762);
    reel_mask_free(&mask);
    row_of(PNG_GREY, NULL, 0, "\0\1\2\3\4\5", 6, NULL); /* a pixel too many */
    left_to_libpng(&png, REEL_OK);
    row_of(PNG_GREY, NULL, 0, "\0\1\2\3", 4, NULL); /* one too few */
    left_to_libpng(&png, REEL_BAD_DATA);
    row_of(PNG_GREY, NULL, 0, "\5\1\2\3\4", 5, NULL); /* no such filter */
    left_to_libpng(&png, REEL_BAD_DATA);
    row_of(PNG_GREY, "NONE", 6, "\0\1\2\3\4", 5, NULL); /* a critical chunk that nobody knows */
    left_to_libpng(&png, REEL_BAD_DATA);
    row_of(PNG_INDEXED, NULL, 0, "\0\1\2\3\4", 5, NULL); /* no palette */
    left_to_libpng(&png, REEL_BAD_DATA);
    row_of(PNG_INDEXED, "PLTE", 5, "\0\1\2\3\4", 5, NULL); /* a colour and two thirds */
    left_to_libpng(&png, REEL_BAD_DATA);
    row_of(PNG_INDEXED, NULL, 0, "\0\1\2\3\4", 5, "PLTE"); /* the palette after the pixels */
    left_to_libpng(&png, REEL_BAD_DATA);
    png_flat(&png, 4, 4, 4, PNG_INDEXED, 1); /* fewer bits a pixel */
    left_to_libpng(&png, REEL_OK);
    png_flat(&png, 4, 4, 8, PNG_RGB, 1);
    left_to_libpng(&png, REEL_BAD_DATA);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_filter_is_undone, any_differences_give_the_pixels_of_libpng,
                                  data_may_come_in_pieces, what_is_not_perfect_is_left_to_libpng};
    return tiny_suite("plain masks", tests, sizeof tests / sizeof *tests);
}
