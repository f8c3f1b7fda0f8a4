/* PNG out: masks with a palette (or 0/255 grey), frames and overlays as RGB. The bytes go through core/file.h, so a
   full disk or a killed process leaves the old file or none, never half a picture. */
#include "datasets/image.h"

#include "core/file.h"
#include "core/memory.h"

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    const char *path;
    reel_writer out;
    int width, height, type;
    const uint8_t *pixels;
    const uint8_t *palette; /* 768 bytes with PNG_COLOR_TYPE_PALETTE */
    bool memory_refused;
    reel_error *error;
    reel_status status;
} writer;

static void on_error(png_structp png, png_const_charp text)
{
    writer *w = png_get_error_ptr(png);
    if (w->memory_refused)
        w->status = reel_fail_memory(w->error);
    else if (w->status == REEL_OK) /* otherwise the file said why already */
        w->status = reel_fail(w->error, REEL_IO, "%s: the PNG could not be written (%s)", w->path, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    writer *w = png_get_mem_ptr(png);
    void *block = reel_alloc_raw(bytes, 1);
    if (!block) w->memory_refused = true;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    reel_free(block);
}

static void take_bytes(png_structp png, png_bytep bytes, size_t count)
{
    writer *w = png_get_io_ptr(png);
    w->status = reel_writer_write(&w->out, bytes, count, w->error);
    if (w->status != REEL_OK) png_error(png, "write");
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void write_all(writer *w)
{
    size_t row_bytes = (size_t)w->width * (w->type == PNG_COLOR_TYPE_RGB ? 3 : 1);
    png_set_write_fn(w->png, w, take_bytes, flush_nothing);
    png_set_IHDR(w->png, w->info, (png_uint_32)w->width, (png_uint_32)w->height, 8, w->type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (w->type == PNG_COLOR_TYPE_PALETTE) {
        png_color colours[256];
        for (size_t i = 0; i < 256; i++)
            colours[i] = (png_color){w->palette[3 * i], w->palette[3 * i + 1], w->palette[3 * i + 2]};
        png_set_PLTE(w->png, w->info, colours, 256);
    }
    png_write_info(w->png, w->info);
    for (int y = 0; y < w->height; y++) png_write_row(w->png, w->pixels + (size_t)y * row_bytes);
    png_write_end(w->png, NULL);
}

/* Runs write_all, which may jump out at any libpng call. Everything that must survive the jump lives in *w. */
static reel_status encode(writer *w)
{
    w->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, w, on_error, on_warning, w, allocate, release);
    if (w->png) w->info = png_create_info_struct(w->png);
    if (!w->info) {
        png_destroy_write_struct(&w->png, NULL);
        return reel_fail_memory(w->error);
    }
    if (setjmp(png_jmpbuf(w->png)) == 0) write_all(w);
    png_destroy_write_struct(&w->png, &w->info);
    return w->status;
}

static reel_status write_png(writer *w)
{
    if (!w->pixels || w->width < 1 || w->height < 1)
        return reel_fail(w->error, REEL_USAGE, "%s: there are no pixels to write (%d x %d)", w->path, w->width,
                         w->height);
    reel_status status = reel_writer_open(&w->out, w->path, w->error);
    if (status != REEL_OK) return status;
    status = encode(w);
    if (status == REEL_OK) return reel_writer_commit(&w->out, w->error);
    reel_writer_abandon(&w->out);
    return status;
}

reel_status reel_image_write(const reel_image *image, const char *path, reel_error *error)
{
    writer w = {.path = path,
                .width = image->width,
                .height = image->height,
                .type = PNG_COLOR_TYPE_RGB,
                .pixels = image->rgb,
                .error = error};
    return write_png(&w);
}

reel_status reel_mask_write(const reel_mask *mask, const char *path, bool grey255, reel_error *error)
{
    writer w = {.path = path,
                .width = mask->width,
                .height = mask->height,
                .type = PNG_COLOR_TYPE_PALETTE,
                .pixels = mask->id,
                .palette = mask->palette,
                .error = error};
    if (!grey255 || !mask->id) return write_png(&w);
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    uint8_t *grey = reel_alloc_raw(pixels, 1);
    if (!grey) return reel_fail_memory(error);
    for (size_t i = 0; i < pixels; i++) grey[i] = mask->id[i] ? 255 : 0;
    w.pixels = grey;
    w.type = PNG_COLOR_TYPE_GRAY;
    reel_status status = write_png(&w);
    reel_free(grey);
    return status;
}
