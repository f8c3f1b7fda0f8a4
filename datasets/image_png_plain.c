/* Masks of the plain kind, which is the kind that data sets and networks write: 8 bits a pixel, grey or with a palette,
   not interlaced. All rows are inflated in one call and unfiltered straight into the mask. libpng asks zlib for one row
   at a time, and a row is so short that zlib spends nearly a third of it in the careful loop that it has for ends of
   buffers.

   Nothing is reported and nothing is repaired here. What is not plain, or not perfect to the last checksum, is left to
   libpng, which knows what may be forgiven and says what may not.

   Source: PNG specification, third edition: chunks (5.3), filters (9.2). */
#include "datasets/picture_file.h"

#include "core/crc32.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* ---- chunks ---- */

enum { SIGNATURE = 8, FRAME = 12 /* of a chunk: length, name, checksum */ };

typedef struct {
    const uint8_t *name, *data; /* four letters, then the content */
    size_t bytes;
} chunk;

/* What a mask needs of its file; the compressed rows are in one piece. */
typedef struct {
    int width, height;
    chunk palette;
    uint8_t *packed; /* room for the whole file */
    size_t packed_bytes;
} parts;

/* Takes the next chunk; false when it is cut short or its checksum is wrong. */
static bool take_chunk(chunk *c, const uint8_t **at, const uint8_t *end)
{
    size_t left = (size_t)(end - *at);
    if (left < FRAME || reel_png_number(*at) > left - FRAME) return false;
    *c = (chunk){*at + 4, *at + 8, reel_png_number(*at)};
    *at += FRAME + c->bytes;
    return reel_crc32(0, c->name, c->bytes + 4) == reel_png_number(c->data + c->bytes);
}

static bool is(const chunk *c, const char *name)
{
    return memcmp(c->name, name, 4) == 0;
}

/* Whether this is the header of a plain mask: depth 8, grey (0) or palette (3), the only method of compressing and of
   filtering (0), not interlaced (0). */
static bool is_plain(const chunk *header)
{
    const uint8_t *form = header->data + 8;
    return is(header, "IHDR") && header->bytes == 13 &&
           (!memcmp(form, "\10\0\0\0\0", 5) || !memcmp(form, "\10\3\0\0\0", 5));
}

/* Walks to IEND; false unless every chunk is intact and in its place. Chunks whose names begin with a small letter are
   ancillary and change no id. */
static bool find_parts(parts *p, const reel_picture_file *file)
{
    const uint8_t *at = file->data + SIGNATURE, *end = file->data + file->bytes, *data_end = NULL;
    chunk header, c;
    if (!take_chunk(&header, &at, end) || !is_plain(&header)) return false;
    p->width = (int)reel_png_number(header.data);
    p->height = (int)reel_png_number(header.data + 4);
    bool indexed = header.data[9] == 3;
    while (take_chunk(&c, &at, end)) {
        if (is(&c, "IDAT")) {
            if (data_end && data_end + 4 != c.name) return false;
            memcpy(p->packed + p->packed_bytes, c.data, c.bytes);
            p->packed_bytes += c.bytes;
            data_end = at;
        } else if (is(&c, "PLTE")) {
            if (data_end || p->palette.bytes || !c.bytes || c.bytes % 3 || c.bytes > 768) return false;
            p->palette = c;
        } else if (is(&c, "IEND"))
            return c.bytes == 0 && indexed == (p->palette.bytes > 0);
        else if (c.name[0] < 'a' || c.name[0] > 'z')
            return false;
    }
    return false;
}

/* ---- inflating ---- */

static void *allocate(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return reel_alloc_raw(count, size);
}

static void release(void *unused, void *block)
{
    (void)unused;
    reel_free(block);
}

/* REEL_BAD_DATA, unreported, unless the packed data make up exactly these bytes. */
static reel_status inflate_rows(const parts *p, uint8_t *rows, size_t bytes, reel_error *error)
{
    z_stream stream = {.zalloc = allocate, .zfree = release};
    if (inflateInit(&stream) != Z_OK) return reel_fail_memory(error);
    /* Every chunk has a checksum of its own, which was compared; the one of the data they unpack to says no more. */
    inflateValidate(&stream, 0);
    stream.next_in = p->packed;
    stream.avail_in = (uInt)p->packed_bytes;
    stream.next_out = rows;
    stream.avail_out = (uInt)bytes;
    int state = inflate(&stream, Z_FINISH);
    bool exact = state == Z_STREAM_END && !stream.avail_in && !stream.avail_out;
    inflateEnd(&stream);
    return state == Z_MEM_ERROR ? reel_fail_memory(error) : exact ? REEL_OK : REEL_BAD_DATA;
}

/* ---- filters: a row of differences to what was predicted from the pixels to the left and above ---- */

enum { NONE, SUB, UP, AVERAGE, PAETH };

/* Masks are made of large areas, where differences are zero: eight pixels at a time are tried first. */
enum { RUN = 8 };

static uint64_t run_at(const uint8_t *at)
{
    uint64_t run;
    memcpy(&run, at, sizeof run);
    return run;
}

static void undo_sub(uint8_t *id, const uint8_t *coded, int width)
{
    uint8_t left = 0;
    for (int x = 0; x < width;)
        if (width - x >= RUN && !run_at(coded + x)) {
            memset(id + x, left, RUN);
            x += RUN;
        } else {
            left = (uint8_t)(left + coded[x]);
            id[x++] = left;
        }
}

static void undo_up(uint8_t *restrict id, const uint8_t *restrict coded, const uint8_t *restrict above, int width)
{
    for (int x = 0; x < width; x++) id[x] = (uint8_t)(coded[x] + above[x]);
}

static void undo_average(uint8_t *id, const uint8_t *coded, const uint8_t *above, int width)
{
    int left = 0;
    for (int x = 0; x < width; x++) {
        left = (coded[x] + (left + above[x]) / 2) & 255;
        id[x] = (uint8_t)left;
    }
}

/* Of left, up and corner the one nearest to left + up - corner; the first of equals. */
static int nearest(int left, int up, int corner)
{
    int to_left = abs(up - corner), to_up = abs(left - corner), to_corner = abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner) return left;
    return to_up <= to_corner ? up : corner;
}

/* Below a run of one value the prediction is the pixel to the left. */
static void undo_paeth(uint8_t *id, const uint8_t *coded, const uint8_t *above, int width)
{
    int left = 0, corner = 0;
    for (int x = 0; x < width;)
        if (x && width - x >= RUN && !run_at(coded + x) && run_at(above + x) == run_at(above + x - 1)) {
            memset(id + x, left, RUN);
            x += RUN;
            corner = above[x - 1];
        } else {
            left = (coded[x] + nearest(left, above[x], corner)) & 255;
            corner = above[x];
            id[x++] = (uint8_t)left;
        }
}

/* `rows`: a byte that names the filter and a byte a pixel, for each row; then a row of zeros, which is above all. */
static bool undo_filters(const reel_mask *mask, const uint8_t *rows)
{
    const size_t width = (size_t)mask->width;
    const uint8_t *above = rows + (size_t)mask->height * (width + 1);
    uint8_t *id = mask->id;
    for (int y = 0; y < mask->height; y++, above = id, id += width, rows += width + 1) {
        switch (*rows) {
        case NONE:
            memcpy(id, rows + 1, width);
            break;
        case SUB:
            undo_sub(id, rows + 1, mask->width);
            break;
        case UP:
            undo_up(id, rows + 1, above, mask->width);
            break;
        case AVERAGE:
            undo_average(id, rows + 1, above, mask->width);
            break;
        case PAETH:
            undo_paeth(id, rows + 1, above, mask->width);
            break;
        default:
            return false;
        }
    }
    return true;
}

/* ---- together ---- */

static reel_status read_rows(const parts *p, reel_mask *mask, reel_error *error)
{
    size_t width = (size_t)p->width, bytes = (width + 1) * (size_t)p->height;
    uint8_t *rows = reel_alloc_raw(bytes + width, 1);
    if (!rows) return reel_fail_memory(error);
    memset(rows + bytes, 0, width);
    reel_status status = inflate_rows(p, rows, bytes, error);
    if (!status && !undo_filters(mask, rows)) status = REEL_BAD_DATA;
    reel_free(rows);
    return status;
}

reel_status reel_png_read_plain_mask(const reel_picture_file *file, reel_mask *mask, reel_error *error)
{
    parts p = {.packed = reel_alloc_raw(file->bytes, 1)};
    if (!p.packed) return reel_fail_memory(error);
    reel_status status = find_parts(&p, file) ? REEL_OK : REEL_BAD_DATA;
    /* Deflate cannot shrink by more than 1032 : 1. */
    if (!status && (size_t)p.width * (size_t)p.height / 1032 > p.packed_bytes) status = REEL_BAD_DATA;
    if (!status) status = reel_mask_new(mask, p.width, p.height, error);
    if (!status) status = read_rows(&p, mask, error);
    if (!status && p.palette.bytes) {
        memcpy(mask->palette, p.palette.data, p.palette.bytes);
        mask->has_palette = true;
    }
    reel_free(p.packed);
    if (status) reel_mask_free(mask);
    return status;
}
