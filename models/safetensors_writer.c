/* The writer; see safetensors.h. The header holds the checksums of the values and stands before them, so the values are
   gone over twice: once for their checksums, once to be written. */
#include "models/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "core/file.h"
#include "core/memory.h"
#include "models/safetensors_header.h"

typedef struct {
    const char *path;
    const reel_stored_source **order; /* as in the file */
    size_t *bytes;                    /* of each, same order */
    size_t count, largest_fetched;
    char *checksums;
    void *buffer;
    reel_error *error;
} writing;

static int by_size_then_name(const void *left, const void *right)
{
    const reel_stored_source *a = *(const reel_stored_source *const *)left;
    const reel_stored_source *b = *(const reel_stored_source *const *)right;
    size_t size_a = reel_stored_dtype_size(a->dtype), size_b = reel_stored_dtype_size(b->dtype);
    return size_a != size_b ? (size_a > size_b ? -1 : 1) : strcmp(a->name, b->name);
}

static reel_status refuse(const writing *w, const char *name, const char *why)
{
    return reel_fail(w->error, REEL_USAGE, "%s: cannot save '%.200s': %s", w->path, name, why);
}

static reel_status put_in_order(writing *w, const reel_stored_source *tensors)
{
    w->order = reel_alloc(w->count, sizeof *w->order);
    w->bytes = reel_alloc(w->count, sizeof *w->bytes);
    w->checksums = reel_alloc(w->count + 1, 9);
    if (!w->order || !w->bytes || !w->checksums) return reel_fail_memory(w->error);
    for (size_t i = 0; i < w->count; i++) {
        if (!tensors[i].name || !reel_stored_name_allowed(tensors[i].name) ||
            strcmp(tensors[i].name, "__metadata__") == 0)
            return refuse(w, "a tensor", "its name is missing, reserved or holds a control character");
        if ((unsigned)tensors[i].dtype >= REEL_STORED_DTYPES) return refuse(w, tensors[i].name, "unknown dtype");
        w->order[i] = &tensors[i];
    }
    if (w->count > 1) qsort(w->order, w->count, sizeof *w->order, by_size_then_name);
    for (size_t i = 0; i < w->count; i++) {
        const reel_stored_source *t = w->order[i];
        reel_stored stored = {.dtype = t->dtype, .shape = t->shape};
        if (!reel_stored_measure(&stored)) return refuse(w, t->name, "its shape is impossible");
        if (stored.bytes && !t->data && !t->fetch) return refuse(w, t->name, "it has no values");
        w->bytes[i] = stored.bytes;
        if (!t->data && stored.bytes > w->largest_fetched) w->largest_fetched = stored.bytes;
    }
    return REEL_OK;
}

/* The values of the i-th tensor of the file, in `*values`. */
static reel_status get_values(const writing *w, size_t i, const void **values)
{
    const reel_stored_source *t = w->order[i];
    *values = t->data ? t->data : w->buffer;
    return t->data || w->bytes[i] == 0 ? REEL_OK : t->fetch(t->context, w->buffer, w->error);
}

static reel_status sum_values(writing *w)
{
    if (w->largest_fetched && !(w->buffer = reel_alloc_raw(w->largest_fetched, 1))) return reel_fail_memory(w->error);
    for (size_t i = 0; i < w->count; i++) {
        const void *values;
        reel_status status = get_values(w, i, &values);
        if (status != REEL_OK) return status;
        sprintf(w->checksums + 9 * i, "%08" PRIx32 "%s", reel_crc32c(0, values, w->bytes[i]),
                i + 1 < w->count ? " " : "");
    }
    return REEL_OK;
}

/* ---- the header ---- */

static reel_status add_metadata(const writing *w, json_t *root, const reel_metadata *metadata, size_t count)
{
    json_t *map = json_object();
    if (json_object_set_new(root, "__metadata__", map) != 0 ||
        json_object_set_new(map, REEL_HEADER_CHECKSUM, json_string("00000000")) != 0 ||
        json_object_set_new(map, REEL_DATA_CHECKSUMS, json_string(w->checksums)) != 0)
        return reel_fail_memory(w->error);
    for (size_t i = 0; i < count; i++) {
        const char *key = metadata[i].key;
        if (strncmp(key, REEL_DATA_CHECKSUMS, strlen(REEL_DATA_CHECKSUMS)) == 0 ||
            strncmp(key, "reel.header.", 12) == 0)
            return refuse(w, key, "this metadata key is reserved");
        if (json_object_get(map, key)) return refuse(w, key, "this metadata key is given twice");
        if (json_object_set_new(map, key, json_string(metadata[i].value)) != 0)
            return refuse(w, key, "this metadata is not UTF-8");
    }
    return REEL_OK;
}

static json_t *describe(const reel_stored_source *t, size_t begin, size_t end)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->shape.rank; i++)
        if (json_array_append_new(shape, json_integer(t->shape.size[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", reel_stored_dtype_name(t->dtype), "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

static reel_status add_tensors(const writing *w, json_t *root)
{
    size_t begin = 0, end;
    for (size_t i = 0; i < w->count; i++, begin = end) {
        const reel_stored_source *t = w->order[i];
        if (__builtin_add_overflow(begin, w->bytes[i], &end) || end > PTRDIFF_MAX)
            return refuse(w, t->name, "all tensors together are larger than a file can be");
        if (json_object_get(root, t->name)) return refuse(w, t->name, "two tensors have this name");
        json_t *entry = describe(t, begin, end);
        if (!entry) return reel_fail_memory(w->error);
        if (json_object_set_new(root, t->name, entry) != 0) return refuse(w, t->name, "its name is not UTF-8");
    }
    return REEL_OK;
}

/* Pads the header so that the values begin at a multiple of 64, and puts the length before it and the checksum in. */
static reel_status finish_header(const writing *w, const char *json, char **header, size_t *bytes)
{
    size_t used = REEL_HEADER_PREFIX + strlen(json), total = (used + 63) / 64 * 64, length = total - REEL_HEADER_PREFIX;
    if (!(*header = reel_alloc_raw(total, 1))) return reel_fail_memory(w->error);
    char *text = *header + REEL_HEADER_PREFIX, digits[9];
    memcpy(text, json, used - REEL_HEADER_PREFIX);
    memset(*header + used, ' ', total - used);
    for (int i = 0; i < REEL_HEADER_PREFIX; i++) (*header)[i] = (char)((uint64_t)length >> 8 * i);
    *bytes = total;
    if (length > REEL_HEADER_LIMIT || reel_header_scan(text, length))
        return reel_fail(w->error, REEL_USAGE, "%s: cannot save %zu tensors in one file, expected at most some 30,000",
                         w->path, w->count);
    const char *place = reel_header_checksum_digits(text, length);
    sprintf(digits, "%08" PRIx32, reel_header_checksum(text, length, place));
    memcpy(text + (place - text), digits, 8);
    return REEL_OK;
}

static reel_status make_header(const writing *w, const reel_metadata *metadata, size_t metadata_count, char **header,
                               size_t *bytes)
{
    json_t *root = json_object();
    if (!root) return reel_fail_memory(w->error);
    reel_status status = add_metadata(w, root, metadata, metadata_count);
    if (status == REEL_OK) status = add_tensors(w, root);
    char *json = status == REEL_OK ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (status != REEL_OK) return status;
    status = json ? finish_header(w, json, header, bytes) : reel_fail_memory(w->error);
    free(json); /* jansson's own memory */
    return status;
}

/* ---- the file ---- */

static reel_status write_file(const writing *w, const char *header, size_t bytes)
{
    reel_writer out;
    reel_status status = reel_writer_open(&out, w->path, w->error);
    if (status != REEL_OK) return status;
    status = reel_writer_write(&out, header, bytes, w->error);
    for (size_t i = 0; i < w->count && status == REEL_OK; i++) {
        const void *values;
        status = get_values(w, i, &values);
        if (status == REEL_OK) status = reel_writer_write(&out, values, w->bytes[i], w->error);
    }
    if (status == REEL_OK) return reel_writer_commit(&out, w->error);
    reel_writer_abandon(&out);
    return status;
}

reel_status reel_safetensors_write(const char *path, const reel_stored_source *tensors, size_t count,
                                   const reel_metadata *metadata, size_t metadata_count, reel_error *error)
{
    writing w = {.path = path, .count = count, .error = error};
    char *header = NULL;
    size_t bytes = 0;
    reel_status status = put_in_order(&w, tensors);
    if (status == REEL_OK) status = sum_values(&w);
    if (status == REEL_OK) status = make_header(&w, metadata, metadata_count, &header, &bytes);
    if (status == REEL_OK) status = write_file(&w, header, bytes);
    reel_free(header);
    reel_free(w.order);
    reel_free(w.bytes);
    reel_free(w.checksums);
    reel_free(w.buffer);
    return status;
}
