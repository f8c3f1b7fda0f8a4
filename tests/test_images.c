/* Frames and masks: what must be read exactly, what must be refused, and what may happen in between (nothing). The
   PNGs are made by a writer of the tests' own; PngSuite, libjpeg-turbo's pictures and fuzzers' seeds come from
   ../shared/data where it is present. */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "datasets/image.h"
#include "tests/support/pictures.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

static png_text png;

/* ---- helpers ---- */

static reel_status image_of(const void *data, size_t bytes, reel_image *image, reel_error *error)
{
    *error = (reel_error){0};
    return reel_image_read(image, temporary_memory_file(data, bytes), error);
}

static reel_status mask_of(const void *data, size_t bytes, reel_mask *mask, reel_error *error)
{
    *error = (reel_error){0};
    return reel_mask_read(mask, temporary_memory_file(data, bytes), error);
}

/* Neither as a frame nor as a mask, with a message that has the path and these words, and nothing allocated. */
static void refused(const void *data, size_t bytes, const char *words)
{
    reel_image image;
    reel_mask mask;
    reel_error error;
    ck_assert_int_eq(image_of(data, bytes, &image, &error), REEL_BAD_DATA);
    ck_assert_ptr_null(image.rgb);
    ck_assert_msg(strstr(error.text, "/proc/self/fd/") && strstr(error.text, words), "\"%s\" in: %s", words,
                  error.text);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    ck_assert_int_eq(mask_of(data, bytes, &mask, &error), REEL_BAD_DATA);
    ck_assert_ptr_null(mask.id);
    ck_assert_ptr_nonnull(strstr(error.text, "/proc/self/fd/"));
}

static void mask_refused(const void *data, size_t bytes, const char *words)
{
    reel_mask mask;
    reel_error error;
    ck_assert_int_eq(mask_of(data, bytes, &mask, &error), REEL_BAD_DATA);
    ck_assert_ptr_null(mask.id);
    ck_assert_msg(strstr(error.text, words), "\"%s\" in: %s", words, error.text);
}

static void frame_accepted(const void *data, size_t bytes)
{
    reel_image image;
    reel_error error;
    ck_assert_msg(image_of(data, bytes, &image, &error) == REEL_OK, "%s", error.text);
    reel_image_free(&image);
}

/* Calls `visit` for every file of a folder in ../shared/data; false (and loud) when the folder is absent. */
static int for_each_file(const char *test, const char *folder, void (*visit)(const char *path, const char *name))
{
    char path[512];
    int count = 0;
    DIR *stream = opendir(folder);
    if (!stream) {
        printf("SKIP %s: %s is absent\n", test, folder);
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        visit(path, entry->d_name);
        count++;
    }
    closedir(stream);
    ck_assert_msg(count > 0, "%s is there but empty", folder);
    return count;
}

/* ---- what must be exact ---- */

START_TEST(the_palette_is_the_one_of_davis)
{
    const uint8_t *palette = reel_davis_palette();
    const uint8_t some[][4] = {{0, 0, 0, 0},         {1, 128, 0, 0},      {9, 191, 0, 0},   {15, 191, 128, 128},
                               {18, 0, 191, 0},      {21, 128, 64, 128},  {22, 22, 22, 22}, {100, 100, 100, 100},
                               {254, 254, 254, 254}, {255, 255, 255, 255}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) ck_assert_mem_eq(palette + 3 * some[i][0], &some[i][1], 3);
}
END_TEST

START_TEST(frames_and_masks_survive_writing)
{
    const char *path = temporary_path(temporary_folder(), "picture");
    reel_image image, again;
    reel_mask mask, seen;
    reel_error error = {0};
    int width, height;
    ck_assert_int_eq(reel_image_new(&image, 37, 5, &error), REEL_OK);
    for (int i = 0; i < 37 * 5 * 3; i++) image.rgb[i] = (uint8_t)(i * 31);
    ck_assert_int_eq(reel_image_write(&image, path, &error), REEL_OK);
    ck_assert_int_eq(reel_image_read(&again, path, &error), REEL_OK);
    ck_assert(again.width == 37 && again.height == 5 && memcmp(again.rgb, image.rgb, 37 * 5 * 3) == 0);
    reel_image_free(&image);
    reel_image_free(&again);

    ck_assert_int_eq(reel_mask_new(&mask, 16, 16, &error), REEL_OK);
    ck_assert_mem_eq(mask.palette, reel_davis_palette(), 768);
    for (int i = 0; i < 256; i++) mask.id[i] = (uint8_t)i, mask.palette[3 * i] = (uint8_t)(255 - i);
    ck_assert_int_eq(reel_mask_write(&mask, path, false, &error), REEL_OK);
    ck_assert_int_eq(reel_mask_read(&seen, path, &error), REEL_OK);
    ck_assert(seen.has_palette && seen.width == 16 && seen.height == 16);
    ck_assert_mem_eq(seen.id, mask.id, 256);
    ck_assert_mem_eq(seen.palette, mask.palette, 768);
    reel_mask_free(&seen);
    ck_assert_int_eq(reel_mask_write(&mask, path, true, &error), REEL_OK);
    ck_assert_int_eq(reel_mask_read(&seen, path, &error), REEL_OK);
    ck_assert(!seen.has_palette);
    for (int i = 0; i < 256; i++) ck_assert_int_eq(seen.id[i], i ? 255 : 0);
    ck_assert_int_eq(reel_image_size(path, &width, &height, &error), REEL_OK);
    ck_assert(width == 16 && height == 16);
    reel_mask_free(&seen);
    reel_mask_free(&mask);
}
END_TEST

/* Rows of 13 pixels, so that the last byte is not full; value x of row y is (x + y) % 2^depth. */
static void check_packed_mask(int depth, int type)
{
    enum { WIDTH = 13, HEIGHT = 3 };
    uint8_t rows[WIDTH * HEIGHT] = {0}, palette[768];
    size_t row_bytes = ((size_t)WIDTH * depth + 7) / 8;
    reel_mask mask;
    reel_error error;
    for (size_t i = 0; i < sizeof palette; i++) palette[i] = (uint8_t)(200 - i / 3);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int value = (x + y) & ((1 << depth) - 1), bit = x * depth;
            rows[(size_t)y * row_bytes + (size_t)bit / 8] |= (uint8_t)(value << (8 - depth - bit % 8));
        }
    png_begin(&png, WIDTH, HEIGHT, depth, type);
    if (type == PNG_INDEXED) png_chunk(&png, "PLTE", palette, (size_t)3 << depth);
    if (type == PNG_INDEXED) png_chunk(&png, "tRNS", "\0\200", 2);
    png_pixels(&png, rows, row_bytes, HEIGHT);
    png_end(&png);
    ck_assert_msg(mask_of(png.data, png.bytes, &mask, &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(mask.has_palette, type == PNG_INDEXED);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) ck_assert_int_eq(mask.id[y * WIDTH + x], (x + y) & ((1 << depth) - 1));
    for (int i = 0; i < 256; i++) {
        bool own = type == PNG_INDEXED && i < 1 << depth;
        ck_assert_int_eq(mask.palette[3 * i], own ? (uint8_t)(200 - i) : reel_davis_palette()[3 * i]);
    }
    reel_mask_free(&mask);
}

START_TEST(masks_of_fewer_bits_keep_their_ids)
{
    for (int depth = 1; depth <= 8; depth *= 2) {
        check_packed_mask(depth, PNG_INDEXED);
        check_packed_mask(depth, PNG_GREY);
    }
}
END_TEST

START_TEST(every_kind_of_png_becomes_rgb)
{
    const struct {
        int type, depth;
        uint8_t value, rgb;
    } kinds[] = {{PNG_GREY, 1, 0xff, 255},   {PNG_GREY, 2, 0x55, 85},    {PNG_GREY, 4, 0x33, 51},
                 {PNG_GREY, 8, 77, 77},      {PNG_GREY, 16, 77, 77},     {PNG_RGB, 8, 90, 90},
                 {PNG_RGB, 16, 90, 90},      {PNG_INDEXED, 1, 0xff, 1},  {PNG_INDEXED, 2, 0xaa, 2},
                 {PNG_INDEXED, 4, 0x77, 7},  {PNG_INDEXED, 8, 200, 200}, {PNG_GREY_ALPHA, 8, 33, 33},
                 {PNG_GREY_ALPHA, 16, 9, 9}, {PNG_RGBA, 8, 100, 100},    {PNG_RGBA, 16, 0, 0}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        reel_image image;
        reel_error error;
        png_flat(&png, 9, 4, kinds[k].depth, kinds[k].type, kinds[k].value);
        ck_assert_msg(image_of(png.data, png.bytes, &image, &error) == REEL_OK, "%s", error.text);
        ck_assert(image.width == 9 && image.height == 4);
        for (int i = 0; i < 9 * 4 * 3; i++) ck_assert_int_eq(image.rgb[i], kinds[k].rgb);
        reel_image_free(&image);
    }
}
END_TEST

START_TEST(content_decides_not_the_name)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "frame.jpg");
    reel_image image;
    reel_error error = {0};
    png_flat(&png, 4, 4, 8, PNG_RGB, 7);
    ck_assert(temporary_file(path, png.data, png.bytes));
    ck_assert_int_eq(reel_image_read(&image, path, &error), REEL_OK);
    reel_image_free(&image);
    ck_assert(temporary_file(path, "no picture at all\n", 18));
    ck_assert_int_eq(reel_image_read(&image, path, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "frame.jpg: is neither JPEG nor PNG"));
    int width, height;
    ck_assert_int_eq(reel_image_size(path, &width, &height, NULL), REEL_BAD_DATA);
}
END_TEST

/* ---- what must be refused ---- */

START_TEST(colour_masks_are_refused)
{
    const struct {
        int type, depth;
        const char *words;
    } kinds[] = {{PNG_RGB, 8, "is an RGB picture"},
                 {PNG_RGBA, 8, "is an RGBA picture"},
                 {PNG_GREY_ALPHA, 8, "alpha channel"},
                 {PNG_GREY, 16, "16 bits"},
                 {PNG_RGB, 16, "16 bits"}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        png_flat(&png, 5, 5, kinds[k].depth, kinds[k].type, 1);
        mask_refused(png.data, png.bytes, kinds[k].words);
        frame_accepted(png.data, png.bytes);
    }
    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(16, 16, 1, JPEG_BASELINE, &bytes);
    mask_refused(jpeg, bytes, "is a JPEG");
    free(jpeg);
}
END_TEST

START_TEST(sizes_are_checked_before_memory)
{
    const uint32_t sizes[][2] = {{0, 0},
                                 {0, 9},
                                 {9, 0},
                                 {0x7fffffff, 0x7fffffff},
                                 {0xffffffff, 1},
                                 {1, 1 << 24},
                                 {REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_SIDE},
                                 {REEL_IMAGE_MAX_SIDE + 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        png_begin(&png, sizes[i][0], sizes[i][1], 8, PNG_INDEXED);
        png_chunk(&png, "PLTE", "abcdef", 6);
        png_pixels(&png, (const uint8_t *)"", 1, 1);
        png_end(&png);
        refused(png.data, png.bytes, sizes[i][0] == 0 || sizes[i][1] == 0 ? "no pixels" : "expected at most");
    }
    png_begin(&png, 8000, 8000, 8, PNG_GREY); /* within the limits, but these few bytes cannot hold it */
    png_pixels(&png, (const uint8_t *)"abc", 3, 1);
    png_end(&png);
    refused(png.data, png.bytes, "too few for the size");

    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(16, 16, 3, JPEG_BASELINE, &bytes);
    unsigned char *frame = memmem(jpeg, bytes, "\xff\xc0\0\x11\x08", 5); /* then height and width, 2 bytes each */
    ck_assert_ptr_nonnull(frame);
    memcpy(frame + 5, "\x1f\x40\x1f\x40", 4);
    refused(jpeg, bytes, "too few for the size");
    memcpy(frame + 5, "\xff\xdc\xff\xdc", 4);
    refused(jpeg, bytes, "expected at most");
    memcpy(frame + 5, "\0\0\0\x10", 4);
    refused(jpeg, bytes, "damaged");
    free(jpeg);
}
END_TEST

START_TEST(every_prefix_is_refused)
{
    uint8_t ids[64];
    for (int i = 0; i < 64; i++) ids[i] = (uint8_t)(i % 3);
    png_mask(&png, 8, 8, ids);
    for (size_t n = 0; n < png.bytes; n++) refused(png.data, n, n == 0 ? "is empty" : "");
    png_flat(&png, 5, 5, 8, PNG_RGB, 9);
    for (size_t n = 0; n < png.bytes; n++) refused(png.data, n, "");
    for (int kind = 0; kind < 4; kind++) {
        size_t bytes;
        unsigned char *jpeg =
            jpeg_pattern(17, 9, kind & 1 ? 3 : 1, kind & 2 ? JPEG_PROGRESSIVE : JPEG_BASELINE, &bytes);
        frame_accepted(jpeg, bytes);
        for (size_t n = 0; n < bytes; n++) refused(jpeg, n, "");
        free(jpeg);
    }
}
END_TEST

START_TEST(every_flipped_bit_of_a_png_is_found)
{
    uint8_t ids[16] = {0, 1, 2, 255};
    png_mask(&png, 4, 4, ids);
    for (size_t bit = 0; bit < 8 * png.bytes; bit++) {
        png.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refused(png.data, png.bytes, "");
        png.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}
END_TEST

START_TEST(flipped_bits_of_a_jpeg_do_no_harm)
{
    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(24, 16, 3, JPEG_PROGRESSIVE, &bytes);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        reel_image image;
        reel_error error;
        jpeg[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (image_of(jpeg, bytes, &image, &error) == REEL_OK) reel_image_free(&image);
        jpeg[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(jpeg);
}
END_TEST

START_TEST(wrong_chunks_are_refused)
{
    uint8_t row[4] = {0};
    png_begin(&png, 4, 1, 8, PNG_INDEXED); /* no palette */
    png_pixels(&png, row, 4, 1);
    png_end(&png);
    refused(png.data, png.bytes, "damaged");
    png_begin(&png, 4, 1, 8, PNG_GREY); /* no pixels */
    png_end(&png);
    refused(png.data, png.bytes, "");
    png_begin(&png, 4, 2, 8, PNG_GREY); /* one row of two */
    png_pixels(&png, row, 4, 1);
    png_end(&png);
    refused(png.data, png.bytes, "damaged");
    png_begin(&png, 4, 1, 8, PNG_GREY); /* filter 9 in front of the row */
    png_chunk(&png, "IDAT", "\x78\x01\x01\x05\0\xfa\xff\x09\0\0\0\0\x00\x36\x00\x0a", 16);
    png_end(&png);
    refused(png.data, png.bytes, "damaged");
    png_begin(&png, 4, 1, 3, PNG_GREY); /* no such depth */
    png_pixels(&png, row, 2, 1);
    png_end(&png);
    refused(png.data, png.bytes, "damaged");
    png_begin(&png, 4, 1, 8, PNG_GREY); /* a chunk of 2 GiB */
    size_t at = png.bytes;
    png_chunk(&png, "tEXt", row, 4);
    memcpy(png.data + at, "\x80\0\0\0", 4);
    refused(png.data, png.bytes, "damaged");
}
END_TEST

START_TEST(ids_beyond_the_palette_stay_ids)
{
    const uint8_t row[4] = {0, 1, 2, 255};
    reel_mask mask;
    reel_error error;
    png_begin(&png, 4, 1, 8, PNG_INDEXED);
    png_chunk(&png, "PLTE", "abcdef", 6);
    png_pixels(&png, row, 4, 1);
    png_end(&png);
    ck_assert_int_eq(mask_of(png.data, png.bytes, &mask, &error), REEL_OK);
    ck_assert_mem_eq(mask.id, row, 4);
    reel_mask_free(&mask);
    frame_accepted(png.data, png.bytes);
}
END_TEST

START_TEST(odd_jpegs_are_refused_with_the_reason)
{
    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(16, 16, 4, JPEG_BASELINE, &bytes);
    refused(jpeg, bytes, "CMYK");
    free(jpeg);
    jpeg = jpeg_pattern(16, 16, 3, JPEG_BASELINE, &bytes);
    jpeg[4] ^= 1; /* the length of the first segment */
    refused(jpeg, bytes, "");
    free(jpeg);
}
END_TEST

/* A few hundred bytes must not keep the reader busy for minutes. */
START_TEST(scans_without_end_are_refused)
{
    enum { REPEATS = 600 };
    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(16, 16, 3, JPEG_SEPARATE, &bytes);
    frame_accepted(jpeg, bytes);
    unsigned char *scan = memmem(jpeg, bytes, "\xff\xda\0\x08\x01\x01", 6), *next = scan + 8;
    while (next[0] != 0xff || next[1] == 0) next++;
    size_t before = (size_t)(scan - jpeg), length = (size_t)(next - scan);
    unsigned char *forged = malloc(bytes + REPEATS * length), *to = forged;
    ck_assert_ptr_nonnull(forged);
    memcpy(to, jpeg, before);
    to += before;
    for (int i = 0; i < REPEATS; i++, to += length) memcpy(to, scan, length);
    memcpy(to, scan, bytes - before);
    refused(forged, bytes + REPEATS * length, "more than 500 scans");
    free(forged);
    free(jpeg);
}
END_TEST

START_TEST(paths_that_are_no_pictures_are_errors)
{
    const char *folder = temporary_folder(), *fifo = temporary_path(folder, "fifo"),
               *loop = temporary_path(folder, "loop");
    const char *paths[] = {folder, fifo, loop, temporary_path(folder, "missing.png"), "/dev/zero", ""};
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink(loop, loop), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        reel_image image;
        reel_mask mask;
        int width, height;
        reel_error error = {0}, other = {0}, third = {0};
        ck_assert_int_eq(reel_image_read(&image, paths[i], &error), REEL_IO);
        ck_assert_int_eq(reel_mask_read(&mask, paths[i], &other), REEL_IO);
        ck_assert_int_eq(reel_image_size(paths[i], &width, &height, &third), REEL_IO);
        ck_assert(strstr(error.text, paths[i]) && strstr(other.text, paths[i]) && strstr(third.text, paths[i]));
    }
}
END_TEST

START_TEST(sizes_come_from_the_header_wherever_it_is)
{
    enum { COMMENT = 60000 };
    size_t bytes;
    int width, height;
    reel_error error = {0};
    unsigned char *jpeg = jpeg_pattern(40, 30, 3, JPEG_BASELINE, &bytes), *late = calloc(1, bytes + COMMENT + 4);
    ck_assert(jpeg && late);
    ck_assert_int_eq(reel_image_size(temporary_memory_file(jpeg, bytes), &width, &height, &error), REEL_OK);
    ck_assert(width == 40 && height == 30);
    memcpy(late, "\xff\xd8\xff\xfe", 4);
    late[4] = (COMMENT + 2) >> 8;
    late[5] = (COMMENT + 2) & 255;
    memcpy(late + COMMENT + 6, jpeg + 2, bytes - 2);
    ck_assert_int_eq(reel_image_size(temporary_memory_file(late, bytes + COMMENT + 4), &width, &height, &error),
                     REEL_OK);
    ck_assert(width == 40 && height == 30);
    frame_accepted(late, bytes + COMMENT + 4);
    free(late);
    free(jpeg);
}
END_TEST

/* ---- writing ---- */

START_TEST(failed_writes_leave_nothing)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "mask.png");
    reel_mask mask, none = {0};
    reel_image nothing = {0};
    reel_error error = {0};
    struct rlimit old, small;
    ck_assert_int_eq(reel_mask_new(&mask, 200, 200, &error), REEL_OK);
    for (int i = 0; i < 200 * 200; i++) mask.id[i] = (uint8_t)((i * 2654435761u) >> 24);
    ck_assert_int_eq(reel_mask_write(&mask, temporary_path(folder, "no/such/mask.png"), false, &error), REEL_IO);
    ck_assert_int_eq(reel_mask_write(&none, path, false, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_mask_write(&none, path, true, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_image_write(&nothing, path, NULL), REEL_USAGE);
    reel_image too_wide = {.width = 1 << 21, .height = 1, .rgb = calloc(1 << 21, 3)};
    ck_assert_int_eq(reel_image_write(&too_wide, path, NULL), REEL_IO);
    free(too_wide.rgb);
    ck_assert_int_eq(temporary_entries(folder), 0);

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    error = (reel_error){0};
    reel_status status = reel_mask_write(&mask, path, false, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(status, REEL_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "mask.png"));
    ck_assert_int_eq(temporary_entries(folder), 0);
    reel_mask_free(&mask);
}
END_TEST

START_TEST(absurd_pictures_cannot_be_made)
{
    reel_image image;
    reel_mask mask;
    ck_assert_int_eq(reel_image_new(&image, 0, 5, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_image_new(&image, 5, -1, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_image_new(&image, REEL_IMAGE_MAX_SIDE + 1, 1, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_mask_new(&mask, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_SIDE, NULL), REEL_USAGE);
    ck_assert(!image.rgb && !mask.id);
    reel_image_free(&image);
    reel_mask_free(&mask);
}
END_TEST

/* ---- refused memory ---- */

static reel_status use_everything(const char *picture, const char *jpeg, const char *mask_path, const char *to,
                                  reel_error *error)
{
    reel_image image = {0}, second = {0};
    reel_mask mask = {0};
    int width, height;
    reel_status status = reel_image_read(&image, picture, error);
    if (status == REEL_OK) status = reel_image_read(&second, jpeg, error);
    if (status == REEL_OK) status = reel_mask_read(&mask, mask_path, error);
    if (status == REEL_OK) status = reel_image_size(jpeg, &width, &height, error);
    if (status == REEL_OK) status = reel_image_write(&image, to, error);
    if (status == REEL_OK) status = reel_mask_write(&mask, to, false, error);
    if (status == REEL_OK) status = reel_mask_write(&mask, to, true, error);
    reel_image_free(&image);
    reel_image_free(&second);
    reel_mask_free(&mask);
    return status;
}

START_TEST(refused_memory_is_an_error_everywhere)
{
    const char *folder = temporary_folder(), *picture = temporary_path(folder, "p"),
               *jpeg_path = temporary_path(folder, "j");
    const char *mask = temporary_path(folder, "m"), *to = temporary_path(folder, "to");
    const uint8_t ids[4] = {1, 2, 3, 4};
    size_t bytes;
    unsigned char *jpeg = jpeg_pattern(16, 16, 3, JPEG_BASELINE, &bytes);
    ck_assert(temporary_file(jpeg_path, jpeg, bytes));
    free(jpeg);
    png_flat(&png, 4, 4, 16, PNG_RGBA, 3);
    ck_assert(temporary_file(picture, png.data, png.bytes));
    png_mask(&png, 2, 2, ids);
    ck_assert(temporary_file(mask, png.data, png.bytes));
    for (int all_after = 0; all_after < 2; all_after++) {
        uint64_t n = 1;
        for (;; n++) {
            reel_error error = {0};
            reel_alloc_fail(n, all_after);
            reel_status status = use_everything(picture, jpeg_path, mask, to, &error);
            reel_alloc_fail(0, false);
            ck_assert_int_eq(status, error.status);
            if (status == REEL_OK) break;
            ck_assert_msg(status == REEL_ENVIRONMENT, "allocation %llu: %s", (unsigned long long)n, error.text);
        }
        ck_assert_uint_ge(n, 15);
    }
    ck_assert_int_eq(temporary_entries(folder), 4);
}
END_TEST

/* ---- pictures of others ---- */

static void equals_its_check(const char *path, const char *name)
{
    reel_image image, check;
    reel_error error = {0};
    char other[512];
    snprintf(other, sizeof other, "../shared/data/pngsuite/primary_check/%s", name);
    ck_assert_msg(reel_image_read(&image, path, &error) == REEL_OK, "%s", error.text);
    ck_assert_msg(reel_image_read(&check, other, &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(image.width, check.width);
    ck_assert_int_eq(image.height, check.height);
    ck_assert_msg(memcmp(image.rgb, check.rgb, (size_t)image.width * (size_t)image.height * 3) == 0, "%s", name);
    reel_image_free(&image);
    reel_image_free(&check);
}

static void must_be_refused(const char *path, const char *name)
{
    reel_image image;
    reel_error error = {0};
    ck_assert_msg(reel_image_read(&image, path, &error) == REEL_BAD_DATA, "%s was read", name);
    ck_assert_ptr_nonnull(strstr(error.text, path));
}

static void must_be_read(const char *path, const char *name)
{
    reel_image image;
    reel_error error = {0};
    (void)name;
    ck_assert_msg(reel_image_read(&image, path, &error) == REEL_OK, "%s", error.text);
    reel_image_free(&image);
}

static int read_as_picture, read_as_mask;

static void may_be_anything(const char *path, const char *name)
{
    reel_image image;
    reel_mask mask;
    reel_error error = {0}, other = {0};
    (void)name;
    read_as_picture += reel_image_read(&image, path, &error) == REEL_OK;
    read_as_mask += reel_mask_read(&mask, path, &other) == REEL_OK;
    ck_assert(error.status != REEL_ENVIRONMENT && other.status != REEL_ENVIRONMENT);
    reel_image_free(&image);
    reel_mask_free(&mask);
}

START_TEST(pngsuite_gives_the_expected_pixels)
{
    int primary = for_each_file("pngsuite primary", "../shared/data/pngsuite/primary", equals_its_check);
    ck_assert(primary == 0 || primary == 77);
    for_each_file("pngsuite 16 bit", "../shared/data/pngsuite/16bit", must_be_read);
    for_each_file("pngsuite unused", "../shared/data/pngsuite/unused", must_be_read);
    for_each_file("pngsuite iphone", "../shared/data/pngsuite/iphone", may_be_anything);
    for_each_file("pngsuite corrupt", "../shared/data/pngsuite/corrupt", must_be_refused);
}
END_TEST

/* basn3pXX and basi3pXX are the same indexed picture, plain and interlaced. */
START_TEST(interlaced_masks_equal_plain_ones)
{
    const char *depths[] = {"01", "02", "04", "08"};
    for (int i = 0; i < 8; i++) {
        char plain[128], laced[128];
        const char *kind = i < 4 ? "3p" : "0g";
        reel_mask a, b;
        reel_error error = {0};
        snprintf(plain, sizeof plain, "../shared/data/pngsuite/primary/basn%s%s.png", kind, depths[i % 4]);
        snprintf(laced, sizeof laced, "../shared/data/pngsuite/primary/basi%s%s.png", kind, depths[i % 4]);
        if (access(plain, R_OK) != 0) {
            printf("SKIP interlaced masks: %s is absent\n", plain);
            return;
        }
        ck_assert_msg(reel_mask_read(&a, plain, &error) == REEL_OK, "%s", error.text);
        ck_assert_msg(reel_mask_read(&b, laced, &error) == REEL_OK, "%s", error.text);
        ck_assert_mem_eq(a.id, b.id, (size_t)a.width * (size_t)a.height);
        int highest = 0;
        for (int p = 0; p < a.width * a.height; p++) highest = a.id[p] > highest ? a.id[p] : highest;
        ck_assert(highest > 0 && highest < 1 << (1 << i % 4));
        reel_mask_free(&a);
        reel_mask_free(&b);
    }
}
END_TEST

#define JPEGS "../shared/data/jpeg_testimages/testimages/"

/* Mean absolute difference to the picture before compression, a binary PPM with a three-line header. */
static double difference_to_ppm(const reel_image *image, const char *ppm)
{
    unsigned char *data;
    size_t bytes, pixels = (size_t)image->width * (size_t)image->height * 3;
    reel_error error = {0};
    ck_assert_msg(reel_file_read(ppm, 1 << 24, &data, &bytes, &error) == REEL_OK, "%s", error.text);
    ck_assert_uint_gt(bytes, pixels);
    const unsigned char *original = data + bytes - pixels;
    double sum = 0;
    for (size_t i = 0; i < pixels; i++) sum += abs(image->rgb[i] - original[i]);
    reel_free(data);
    return sum / (double)pixels;
}

START_TEST(jpegs_look_like_their_originals)
{
    reel_image huffman, arithmetic;
    reel_error error = {0};
    if (access(JPEGS "testorig.jpg", R_OK) != 0) {
        printf("SKIP jpeg_testimages: " JPEGS " is absent\n");
        return;
    }
    must_be_read(JPEGS "testimgint.jpg", "");
    ck_assert_int_eq(reel_image_read(&huffman, JPEGS "testorig.jpg", &error), REEL_OK);
    ck_assert(huffman.width == 227 && huffman.height == 149);
    double difference = difference_to_ppm(&huffman, JPEGS "testorig.ppm");
    ck_assert_msg(difference < 4, "mean difference %g", difference);
    if (reel_image_read(&arithmetic, JPEGS "testimgari.jpg", &error) == REEL_OK) {
        difference = difference_to_ppm(&arithmetic, JPEGS "testorig.ppm");
        ck_assert_msg(difference < 4, "mean difference %g", difference);
        reel_image_free(&arithmetic);
    } else {
        ck_assert_msg(strstr(error.text, "this kind of JPEG is not read"), "%s", error.text);
    }
    error = (reel_error){0};
    ck_assert_int_eq(reel_image_read(&arithmetic, JPEGS "monkey12.jpg", &error), REEL_BAD_DATA);
    ck_assert_msg(strstr(error.text, "this kind of JPEG is not read"), "%s", error.text);
    reel_image_free(&huffman);
}
END_TEST

START_TEST(fuzzers_seeds_do_no_harm)
{
    for_each_file("fuzz seeds png", "../shared/data/fuzz_seeds/png/corpus", may_be_anything);
    int seeds = for_each_file("fuzz seeds jpeg", "../shared/data/fuzz_seeds/jpeg/corpus", may_be_anything);
    ck_assert(seeds == 0 || (read_as_picture > 0 && read_as_mask > 0));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_palette_is_the_one_of_davis,
        frames_and_masks_survive_writing,
        masks_of_fewer_bits_keep_their_ids,
        every_kind_of_png_becomes_rgb,
        content_decides_not_the_name,
        colour_masks_are_refused,
        sizes_are_checked_before_memory,
        every_prefix_is_refused,
        every_flipped_bit_of_a_png_is_found,
        flipped_bits_of_a_jpeg_do_no_harm,
        wrong_chunks_are_refused,
        ids_beyond_the_palette_stay_ids,
        odd_jpegs_are_refused_with_the_reason,
        scans_without_end_are_refused,
        paths_that_are_no_pictures_are_errors,
        sizes_come_from_the_header_wherever_it_is,
        failed_writes_leave_nothing,
        absurd_pictures_cannot_be_made,
        refused_memory_is_an_error_everywhere,
        pngsuite_gives_the_expected_pixels,
        interlaced_masks_equal_plain_ones,
        jpegs_look_like_their_originals,
        fuzzers_seeds_do_no_harm,
    };
    return tiny_suite("images", tests, sizeof tests / sizeof *tests);
}
