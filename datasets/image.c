/* See image.h. This file owns pictures in memory and looks at the first bytes of a file to choose its decoder:
   extensions lie, and a PNG that someone named .jpg is still a good frame. */
#include "datasets/picture_file.h"

#include "core/file.h"
#include "core/memory.h"

#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 28, HEADER_BYTES = 4096 };

typedef enum { UNKNOWN, JPEG, PNG } kind;

reel_status reel_picture_check_size(const char *path, uint64_t width, uint64_t height, reel_error *error)
{
    if (width == 0 || height == 0)
        return reel_fail(error, REEL_BAD_DATA, "%s: the picture has no pixels (%llu x %llu); copy or export it again",
                         path, (unsigned long long)width, (unsigned long long)height);
    if (width > REEL_IMAGE_MAX_SIDE || height > REEL_IMAGE_MAX_SIDE || width * height > REEL_IMAGE_MAX_PIXELS)
        return reel_fail(
            error, REEL_BAD_DATA, "%s: the picture is %llu x %llu, expected at most %d a side and %d pixels; shrink it",
            path, (unsigned long long)width, (unsigned long long)height, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_PIXELS);
    return REEL_OK;
}

reel_status reel_picture_check_bytes(const reel_picture_file *file, size_t least, reel_error *error)
{
    if (file->bytes >= least) return REEL_OK;
    return reel_fail(error, REEL_BAD_DATA,
                     "%s: has %zu bytes, too few for the size it claims (at least %zu); copy or export it again",
                     file->path, file->bytes, least);
}

static reel_status new_pixels(uint8_t **pixels, int width, int height, size_t channels, reel_error *error)
{
    if (width < 1 || height < 1 || width > REEL_IMAGE_MAX_SIDE || height > REEL_IMAGE_MAX_SIDE ||
        (int64_t)width * height > REEL_IMAGE_MAX_PIXELS)
        return reel_fail(error, REEL_USAGE,
                         "a picture of %d x %d was asked for, expected 1..%d a side and at most %d pixels", width,
                         height, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_PIXELS);
    *pixels = reel_alloc((size_t)width * (size_t)height, channels);
    return *pixels ? REEL_OK : reel_fail_memory(error);
}

reel_status reel_image_new(reel_image *image, int width, int height, reel_error *error)
{
    *image = (reel_image){0};
    reel_status status = new_pixels(&image->rgb, width, height, 3, error);
    if (status == REEL_OK) image->width = width, image->height = height;
    return status;
}

reel_status reel_mask_new(reel_mask *mask, int width, int height, reel_error *error)
{
    *mask = (reel_mask){0};
    memcpy(mask->palette, reel_davis_palette(), sizeof mask->palette);
    reel_status status = new_pixels(&mask->id, width, height, 1, error);
    if (status == REEL_OK) mask->width = width, mask->height = height;
    return status;
}

void reel_image_free(reel_image *image)
{
    reel_free(image->rgb);
    *image = (reel_image){0};
}

void reel_mask_free(reel_mask *mask)
{
    reel_free(mask->id);
    *mask = (reel_mask){0};
}

static kind kind_of(const reel_picture_file *file)
{
    if (file->bytes >= 2 && file->data[0] == 0xff && file->data[1] == 0xd8) return JPEG;
    if (file->bytes >= 4 && memcmp(file->data, "\211PNG", 4) == 0) return PNG;
    return UNKNOWN;
}

static reel_status fail_unknown(const reel_picture_file *file, reel_error *error)
{
    if (file->bytes == 0)
        return reel_fail(error, REEL_BAD_DATA, "%s: the file is empty, expected a JPEG or PNG; copy or export it again",
                         file->path);
    return reel_fail(error, REEL_BAD_DATA,
                     "%s: is neither JPEG nor PNG (its first byte is 0x%02x), whatever its name says; convert it",
                     file->path, file->data[0]);
}

static reel_status load(reel_picture_file *file, unsigned char **data, const char *path, reel_error *error)
{
    reel_status status = reel_file_read(path, FILE_LIMIT, data, &file->bytes, error);
    file->path = path;
    file->data = *data;
    return status;
}

reel_status reel_image_read(reel_image *image, const char *path, reel_error *error)
{
    reel_picture_file file;
    unsigned char *data;
    *image = (reel_image){0};
    reel_status status = load(&file, &data, path, error);
    if (status != REEL_OK) return status;
    switch (kind_of(&file)) {
    case JPEG:
        status = reel_jpeg_read(&file, image, error);
        break;
    case PNG:
        status = reel_png_read_image(&file, image, error);
        break;
    case UNKNOWN:
        status = fail_unknown(&file, error);
        break;
    }
    reel_free(data);
    if (status != REEL_OK) reel_image_free(image);
    return status;
}

reel_status reel_mask_read(reel_mask *mask, const char *path, reel_error *error)
{
    reel_picture_file file;
    unsigned char *data;
    *mask = (reel_mask){0};
    reel_status status = load(&file, &data, path, error);
    if (status != REEL_OK) return status;
    switch (kind_of(&file)) {
    case JPEG:
        status = reel_fail(
            error, REEL_BAD_DATA,
            "%s: is a JPEG, expected a palette or grey PNG: JPEG blurs object ids; export the mask as PNG", path);
        break;
    case PNG:
        status = reel_png_read_mask(&file, mask, error);
        break;
    case UNKNOWN:
        status = fail_unknown(&file, error);
        break;
    }
    reel_free(data);
    if (status != REEL_OK) reel_mask_free(mask);
    return status;
}

static reel_status size_of(const reel_picture_file *file, int *width, int *height, reel_error *error)
{
    switch (kind_of(file)) {
    case JPEG:
        return reel_jpeg_size(file, width, height, error);
    case PNG:
        return reel_png_size(file, width, height, error);
    default:
        return fail_unknown(file, error);
    }
}

/* The header is nearly always in the first block; a JPEG with a thumbnail or colour profile has it further on. */
reel_status reel_image_size(const char *path, int *width, int *height, reel_error *error)
{
    uint8_t block[HEADER_BYTES];
    uint64_t bytes;
    int fd;
    *width = *height = 0;
    reel_status status = reel_file_open(path, &fd, &bytes, error);
    if (status != REEL_OK) return status;
    reel_picture_file file = {path, block, bytes < sizeof block ? (size_t)bytes : sizeof block};
    status = reel_file_read_at(fd, path, 0, block, file.bytes, error);
    close(fd);
    if (status != REEL_OK) return status;
    if (bytes <= sizeof block) return size_of(&file, width, height, error);
    if (size_of(&file, width, height, NULL) == REEL_OK) return REEL_OK;
    unsigned char *data;
    status = load(&file, &data, path, error);
    if (status == REEL_OK) status = size_of(&file, width, height, error);
    reel_free(data);
    return status;
}
