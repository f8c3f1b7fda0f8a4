/* PNG frames and masks through libpng's low-level interface.

   A frame is turned into 8-bit RGB. A mask is not turned into anything: its pixels are object ids, so palette indices
   stay indices and grey values stay values, unpacked to one byte a pixel and never expanded or scaled (expanding is how
   ids get lost). Colour masks are refused, because which colour meant which object is not in the file. A palette index
   beyond the palette is an id like any other in a mask; in a frame it shows as black.

   Errors jump back to `guarded`; libpng's memory comes from core/memory.h. */
#include "datasets/picture_file.h"

#include "core/memory.h"

#include <string.h>

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    const reel_picture_file *file;
    size_t used; /* bytes of the file consumed */
    reel_image *image;
    reel_mask *mask;
    bool memory_refused, cut_short;
    reel_error *error;
    reel_status status;
} reader;

static void on_error(png_structp png, png_const_charp text)
{
    reader *r = png_get_error_ptr(png);
    if (r->memory_refused)
        r->status = reel_fail_memory(r->error);
    else if (r->cut_short)
        r->status =
            reel_fail(r->error, REEL_BAD_DATA, "%s: the PNG ends too early, after %zu bytes; copy or export it again",
                      r->file->path, r->file->bytes);
    else
        r->status = reel_fail(r->error, REEL_BAD_DATA, "%s: the PNG is damaged (%s); copy or export it again",
                              r->file->path, text);
    png_longjmp(png, 1);
}

/* What libpng only warns of (odd profiles, unknown dates) does not touch pixels. */
static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    reader *r = png_get_mem_ptr(png);
    void *block = reel_alloc_raw(bytes, 1);
    if (!block) r->memory_refused = true;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    reel_free(block);
}

static void give_bytes(png_structp png, png_bytep to, size_t bytes)
{
    reader *r = png_get_io_ptr(png);
    if (bytes > r->file->bytes - r->used) {
        r->cut_short = true;
        png_error(png, "end of file");
    }
    memcpy(to, r->file->data + r->used, bytes);
    r->used += bytes;
}

static void stop_if_failed(reader *r)
{
    if (r->status != REEL_OK) png_longjmp(r->png, 1);
}

/* Deflate cannot shrink by more than 1032 : 1, so the file length bounds the picture before memory is asked for. */
static void read_header(reader *r)
{
    png_set_read_fn(r->png, r, give_bytes);
    png_set_user_limits(r->png, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_SIDE);
    png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    /* Every chunk has a checksum of its own, which is compared; the one of the data they unpack to says no more. */
    png_set_option(r->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
    png_read_info(r->png, r->info);
    size_t coded = png_get_rowbytes(r->png, r->info) * png_get_image_height(r->png, r->info);
    r->status = reel_picture_check_bytes(r->file, coded / 1032, r->error);
    stop_if_failed(r);
}

/* All rows into `pixels`; interlaced pictures arrive in seven passes over the same rows. */
static void read_rows(reader *r, uint8_t *pixels, size_t row_bytes)
{
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != row_bytes) png_error(r->png, "rows of unexpected length");
    size_t height = png_get_image_height(r->png, r->info);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++) png_read_row(r->png, pixels + y * row_bytes, NULL);
    png_read_end(r->png, NULL);
}

static void read_image(reader *r)
{
    read_header(r);
    int width = (int)png_get_image_width(r->png, r->info), height = (int)png_get_image_height(r->png, r->info);
    r->status = reel_image_new(r->image, width, height, r->error);
    stop_if_failed(r);
    png_byte type = png_get_color_type(r->png, r->info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(r->png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(r->png);
    if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(r->png);
    png_set_scale_16(r->png);
    png_set_strip_alpha(r->png);
    read_rows(r, r->image->rgb, (size_t)width * 3);
}

static void refuse_colour_mask(reader *r, png_byte type, int depth)
{
    const char *found = depth == 16                        ? "has 16 bits a channel"
                        : type == PNG_COLOR_TYPE_RGB       ? "is an RGB picture"
                        : type == PNG_COLOR_TYPE_RGB_ALPHA ? "is an RGBA picture"
                                                           : "has an alpha channel";
    r->status =
        reel_fail(r->error, REEL_BAD_DATA,
                  "%s: the mask %s, expected a palette or grey PNG of at most 8 bits whose pixels are object ids; "
                  "convert it",
                  r->file->path, found);
    stop_if_failed(r);
}

static void take_palette(reader *r)
{
    png_colorp colours;
    int count;
    if (!png_get_PLTE(r->png, r->info, &colours, &count)) return;
    r->mask->has_palette = true;
    for (size_t i = 0; i < (size_t)count && i < 256; i++) {
        r->mask->palette[3 * i] = colours[i].red;
        r->mask->palette[3 * i + 1] = colours[i].green;
        r->mask->palette[3 * i + 2] = colours[i].blue;
    }
}

static void read_mask(reader *r)
{
    read_header(r);
    png_byte type = png_get_color_type(r->png, r->info);
    int depth = png_get_bit_depth(r->png, r->info);
    if ((type != PNG_COLOR_TYPE_PALETTE && type != PNG_COLOR_TYPE_GRAY) || depth > 8)
        refuse_colour_mask(r, type, depth);
    int width = (int)png_get_image_width(r->png, r->info), height = (int)png_get_image_height(r->png, r->info);
    r->status = reel_mask_new(r->mask, width, height, r->error);
    stop_if_failed(r);
    if (type == PNG_COLOR_TYPE_PALETTE) take_palette(r);
    png_set_packing(r->png);
    read_rows(r, r->mask->id, (size_t)width);
}

/* Runs `work`, which may jump out at any libpng call. Everything that must survive the jump lives in *r. */
static reel_status guarded(reader *r, void (*work)(reader *))
{
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, r, allocate, release);
    if (r->png) r->info = png_create_info_struct(r->png);
    if (!r->info) {
        png_destroy_read_struct(&r->png, NULL, NULL);
        return reel_fail_memory(r->error);
    }
    if (setjmp(png_jmpbuf(r->png)) == 0) work(r);
    png_destroy_read_struct(&r->png, &r->info, NULL);
    return r->status;
}

/* The first chunk of every PNG tells the size: 8 bytes of signature, 8 of chunk head, then width and height. */
reel_status reel_png_size(const reel_picture_file *file, int *width, int *height, reel_error *error)
{
    if (file->bytes < 24 || memcmp(file->data, "\211PNG\r\n\032\n\0\0\0\015IHDR", 16) != 0)
        return reel_fail(error, REEL_BAD_DATA, "%s: the PNG is damaged (no header); copy or export it again",
                         file->path);
    uint32_t w = reel_png_number(file->data + 16), h = reel_png_number(file->data + 20);
    reel_status status = reel_picture_check_size(file->path, w, h, error);
    if (status == REEL_OK) *width = (int)w, *height = (int)h;
    return status;
}

reel_status reel_png_read_image(const reel_picture_file *file, reel_image *image, reel_error *error)
{
    int width, height;
    reader r = {.file = file, .image = image, .error = error};
    reel_status status = reel_png_size(file, &width, &height, error);
    if (status == REEL_OK) status = guarded(&r, read_image);
    if (status != REEL_OK) reel_image_free(image);
    return status;
}

reel_status reel_png_read_mask(const reel_picture_file *file, reel_mask *mask, reel_error *error)
{
    int width, height;
    reader r = {.file = file, .mask = mask, .error = error};
    reel_status status = reel_png_size(file, &width, &height, error);
    if (status != REEL_OK) return status;
    status = reel_png_read_plain_mask(file, mask, error);
    if (status == REEL_BAD_DATA) status = guarded(&r, read_mask);
    if (status != REEL_OK) reel_mask_free(mask);
    return status;
}
