/* JPEG frames through libjpeg (libjpeg-turbo's interface), with its default decoder: accurate integer DCT and smooth
   upsampling of chroma, which gives the same pixels as the Python loaders that published models were trained with.

   libjpeg's stock error handler ends the process and prints; here every error jumps back to `guarded`. Its warnings
   count as errors too: they mean that pixels were lost or invented (a file cut short decodes to a grey lower half, and
   a network would learn from it). Two are let pass, which concern header fields that do not touch pixels.

   libjpeg has its own allocator; it is bounded because sizes are checked first. */
#include "datasets/picture_file.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file may repeat scans without end, each a full pass over the picture; encoders use about ten. */
enum { MOST_SCANS = 500 };

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const reel_picture_file *file;
    reel_image *image;
    reel_error *error;
    reel_status status;
} reader;

static reel_status fail_by_code(reader *r)
{
    char text[JMSG_LENGTH_MAX];
    const char *path = r->file->path;
    r->manager.format_message((j_common_ptr)&r->jpeg, text);
    switch (r->manager.msg_code) {
    case JERR_OUT_OF_MEMORY:
        return reel_fail_memory(r->error);
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
        return reel_fail(r->error, REEL_BAD_DATA,
                         "%s: this kind of JPEG is not read (%s), expected 8-bit colour or grey; convert it", path,
                         text);
    default:
        return reel_fail(r->error, REEL_BAD_DATA, "%s: the JPEG is damaged (%s); copy or export it again", path, text);
    }
}

static void on_error(j_common_ptr jpeg)
{
    reader *r = jpeg->client_data;
    r->status = fail_by_code(r);
    longjmp(r->escape, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    int code = jpeg->err->msg_code;
    if (level < 0 && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM) on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= MOST_SCANS) return;
    r->status = reel_fail(r->error, REEL_BAD_DATA, "%s: the JPEG has more than %d scans; convert it", r->file->path,
                          MOST_SCANS);
    longjmp(r->escape, 1);
}

static void stop_if_failed(reader *r)
{
    if (r->status != REEL_OK) longjmp(r->escape, 1);
}

static void read_header(reader *r)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &r->progress;
    jpeg_mem_src(jpeg, r->file->data, (unsigned long)r->file->bytes);
    jpeg_read_header(jpeg, TRUE);
    r->status = reel_picture_check_size(r->file->path, jpeg->image_width, jpeg->image_height, r->error);
    stop_if_failed(r);
}

/* Every 8 x 8 block costs at least one bit, so a file has at least pixels / 512 bytes. (Arithmetic coding could go
   lower for a picture of one colour; such a file is refused as well.) */
static void read_pixels(reader *r)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    read_header(r);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        r->status = reel_fail(r->error, REEL_BAD_DATA,
                              "%s: the JPEG is CMYK, expected colour or grey; convert it to RGB", r->file->path);
    else
        r->status = reel_picture_check_bytes(r->file, (size_t)jpeg->image_width * jpeg->image_height / 512, r->error);
    stop_if_failed(r);
    r->status = reel_image_new(r->image, (int)jpeg->image_width, (int)jpeg->image_height, r->error);
    stop_if_failed(r);
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = r->image->rgb + (size_t)jpeg->output_scanline * (size_t)r->image->width * 3;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

/* Runs `work`, which may jump out at any libjpeg call. Everything that must survive the jump lives in *r. */
static reel_status guarded(reader *r, void (*work)(reader *))
{
    r->jpeg.err = jpeg_std_error(&r->manager);
    r->jpeg.client_data = r;
    r->manager.error_exit = on_error;
    r->manager.emit_message = on_message;
    r->progress.progress_monitor = on_progress;
    if (setjmp(r->escape) == 0) work(r);
    jpeg_destroy_decompress(&r->jpeg);
    return r->status;
}

reel_status reel_jpeg_size(const reel_picture_file *file, int *width, int *height, reel_error *error)
{
    reader r = {.file = file, .error = error};
    reel_status status = guarded(&r, read_header);
    if (status == REEL_OK) *width = (int)r.jpeg.image_width, *height = (int)r.jpeg.image_height;
    return status;
}

reel_status reel_jpeg_read(const reel_picture_file *file, reel_image *image, reel_error *error)
{
    reader r = {.file = file, .image = image, .error = error};
    reel_status status = guarded(&r, read_pixels);
    if (status != REEL_OK) reel_image_free(image);
    return status;
}
