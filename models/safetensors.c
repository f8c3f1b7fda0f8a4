/* The reader; see safetensors.h. The header text is read and scanned, its checksum compared, then jansson parses it,
   and the entries are taken over one by one; only after that is the layout of the whole file checked. */
#include "models/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crc32.h"
#include "core/file.h"
#include "core/memory.h"
#include "models/safetensors_header.h"

enum { CHUNK = 1 << 16 }; /* stays in cache between reading and summing */

static reel_status bad(const reel_safetensors *file, reel_error *error, const char *what)
{
    return reel_fail(error, REEL_BAD_DATA, "%s: not a sound safetensors file: %s", file->path, what);
}

static reel_status bad_tensor(const reel_safetensors *file, const char *name, reel_error *error, const char *what)
{
    return reel_fail(error, REEL_BAD_DATA, "%s: tensor '%.200s': %s", file->path, name, what);
}

/* ---- the header's text ---- */

static reel_status read_header(const reel_safetensors *file, uint64_t size, char **text, size_t *length,
                               reel_error *error)
{
    unsigned char prefix[REEL_HEADER_PREFIX];
    uint64_t n = 0;
    if (size < REEL_HEADER_PREFIX) return bad(file, error, "expected at least 8 bytes");
    reel_status status = reel_file_read_at(file->fd, file->path, 0, prefix, sizeof prefix, error);
    if (status != REEL_OK) return status;
    for (int i = REEL_HEADER_PREFIX - 1; i >= 0; i--) n = n << 8 | prefix[i];
    if (n > REEL_HEADER_FORMAT_LIMIT) return bad(file, error, "its header is longer than 100,000,000 bytes");
    if (n > size - REEL_HEADER_PREFIX) return bad(file, error, "its header is longer than the file");
    if (n > REEL_HEADER_LIMIT) return bad(file, error, "its header is longer than the 8 MiB that are read here");
    if (!(*text = reel_alloc_raw((size_t)n, 1))) return reel_fail_memory(error);
    *length = (size_t)n;
    return reel_file_read_at(file->fd, file->path, REEL_HEADER_PREFIX, *text, *length, error);
}

static reel_status fail_parse(const reel_safetensors *file, const json_error_t *json, reel_error *error)
{
    char text[JSON_ERROR_TEXT_LENGTH];
    if (json_error_code(json) == json_error_out_of_memory) return reel_fail_memory(error);
    size_t n = 0;
    for (; json->text[n]; n++) text[n] = json->text[n] >= 0x20 && json->text[n] < 0x7f ? json->text[n] : '?';
    text[n] = 0;
    return reel_fail(error, REEL_BAD_DATA, "%s: not a sound safetensors file: header byte %d: %s", file->path,
                     json->position, text);
}

static reel_status check_header_checksum(const reel_safetensors *file, const char *text, size_t length,
                                         reel_error *error)
{
    char expected[9];
    const char *digits = reel_header_checksum_digits(text, length);
    if (!digits) return REEL_OK;
    sprintf(expected, "%08" PRIx32, reel_header_checksum(text, length, digits));
    if (memcmp(digits, expected, 8) == 0) return REEL_OK;
    return bad(file, error,
               "the header differs from its checksum; the file is damaged, or another tool rewrote it and "
               "kept '" REEL_HEADER_CHECKSUM "': restore it or remove that key");
}

/* ---- entries ---- */

static reel_status read_shape(const reel_safetensors *file, json_t *list, reel_stored *t, reel_error *error)
{
    if (!json_is_array(list)) return bad_tensor(file, t->name, error, "expected a list as shape");
    if (json_array_size(list) > REEL_MAX_RANK)
        return bad_tensor(file, t->name, error, "has more than eight dimensions, which is not read here");
    t->shape.rank = (int)json_array_size(list);
    for (int i = 0; i < t->shape.rank; i++) {
        json_t *value = json_array_get(list, (size_t)i);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return bad_tensor(file, t->name, error, "expected whole, non-negative numbers in its shape");
        t->shape.size[i] = json_integer_value(value);
    }
    return reel_stored_measure(t) ? REEL_OK : bad_tensor(file, t->name, error, "its shape is larger than any memory");
}

/* Leaves the tensor's begin, relative to the first value, in `offset`. */
static reel_status read_place(const reel_safetensors *file, json_t *list, reel_stored *t, reel_error *error)
{
    json_t *begin = json_array_get(list, 0), *end = json_array_get(list, 1);
    if (!json_is_array(list) || json_array_size(list) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return bad_tensor(file, t->name, error, "expected two whole numbers as data_offsets");
    json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from) return bad_tensor(file, t->name, error, "its data_offsets are negative or reversed");
    if ((uint64_t)(to - from) != t->bytes)
        return bad_tensor(file, t->name, error, "its data_offsets do not span what its shape and dtype need");
    t->offset = (uint64_t)from;
    return REEL_OK;
}

static reel_status read_dtype(const reel_safetensors *file, json_t *name, reel_stored *t, reel_error *error)
{
    if (!json_is_string(name)) return bad_tensor(file, t->name, error, "expected a string as dtype");
    if (reel_stored_dtype_from_name(json_string_value(name), &t->dtype)) return REEL_OK;
    if (!reel_stored_name_allowed(json_string_value(name))) return bad_tensor(file, t->name, error, "unknown dtype");
    return reel_fail(error, REEL_BAD_DATA,
                     "%s: tensor '%.200s': dtype '%.20s' is not read here; convert it to F32, F16 or BF16", file->path,
                     t->name, json_string_value(name));
}

static reel_status read_tensor(reel_safetensors *file, const char *name, json_t *entry, reel_error *error)
{
    if (!reel_stored_name_allowed(name)) return bad(file, error, "a tensor's name holds a control character");
    json_t *dtype = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
    json_t *place = json_object_get(entry, "data_offsets");
    if (!dtype || !shape || !place || json_object_size(entry) != 3)
        return bad_tensor(file, name, error, "expected the keys dtype, shape and data_offsets, and no others");
    reel_stored *t = &file->tensors[file->count];
    if (!(t->name = reel_copy_string(name))) return reel_fail_memory(error);
    file->count++;
    reel_status status = read_dtype(file, dtype, t, error);
    if (status == REEL_OK) status = read_shape(file, shape, t, error);
    return status == REEL_OK ? read_place(file, place, t, error) : status;
}

static reel_status read_metadata(reel_safetensors *file, json_t *map, reel_error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(map)) return bad(file, error, "expected a map of strings as __metadata__");
    if (!(file->metadata = reel_alloc(json_object_size(map), sizeof *file->metadata))) return reel_fail_memory(error);
    json_object_foreach(map, key, value)
    {
        if (!json_is_string(value)) return bad(file, error, "expected only strings in __metadata__");
        reel_metadata *m = &file->metadata[file->metadata_count++];
        m->key = reel_copy_string(key);
        m->value = reel_copy_string(json_string_value(value));
        if (!m->key || !m->value) return reel_fail_memory(error);
    }
    return REEL_OK;
}

static reel_status read_entries(reel_safetensors *file, const char *text, size_t length, reel_error *error)
{
    const char *name;
    json_t *entry;
    json_error_t json;
    reel_status status = REEL_OK;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &json);
    if (!root) return fail_parse(file, &json, error);
    if (!(file->tensors = reel_alloc(json_object_size(root), sizeof *file->tensors))) status = reel_fail_memory(error);
    json_object_foreach(root, name, entry)
    {
        if (status == REEL_OK)
            status = strcmp(name, "__metadata__") == 0 ? read_metadata(file, entry, error)
                                                       : read_tensor(file, name, entry, error);
    }
    json_decref(root);
    return status;
}

/* ---- the layout of the whole file ---- */

static int by_place(const void *left, const void *right)
{
    const reel_stored *a = left, *b = right;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Tensors in the order of the file, each beginning where the one before ends, the last ending with the file. Offsets
   become positions in the file. Ends cannot overflow: both are at most INT64_MAX. */
static reel_status check_layout(reel_safetensors *file, uint64_t begin, uint64_t size, reel_error *error)
{
    uint64_t end = 0;
    if (file->count > 1) qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
    for (size_t i = 0; i < file->count; i++) {
        reel_stored *t = &file->tensors[i];
        if (t->offset != end)
            return bad_tensor(file, t->name, error,
                              t->offset < end ? "overlaps the tensor before it" : "leaves a gap before it");
        end += t->bytes;
        t->offset += begin;
    }
    if (end == size - begin) return REEL_OK;
    return reel_fail(error, REEL_BAD_DATA, "%s: has %" PRIu64 " bytes of values, its header describes %" PRIu64,
                     file->path, size - begin, end);
}

static bool read_hex(const char *digits, uint32_t *value)
{
    static const char alphabet[] = "0123456789abcdef";
    *value = 0;
    for (int i = 0; i < 8; i++) {
        const char *digit = strchr(alphabet, digits[i]);
        if (!digit || !*digit) return false;
        *value = *value << 4 | (uint32_t)(digit - alphabet);
    }
    return true;
}

/* Takes the checksums over, one "xxxxxxxx" a tensor with blanks between. Either key without the other is a damaged key:
   they are written together. */
static reel_status read_checksums(reel_safetensors *file, bool header_has_one, reel_error *error)
{
    const char *list = reel_safetensors_metadata(file, REEL_DATA_CHECKSUMS);
    if (header_has_one != (list != NULL) ||
        header_has_one != (reel_safetensors_metadata(file, REEL_HEADER_CHECKSUM) != NULL))
        return bad(file, error, "it carries only one of reel's two checksums; restore it, or remove both keys");
    if (!list) return REEL_OK;
    size_t length = strlen(list);
    if (length != (file->count ? file->count * 9 - 1 : 0)) return bad(file, error, "expected one checksum a tensor");
    for (size_t i = 0; i < file->count; i++)
        if (!read_hex(list + 9 * i, &file->tensors[i].checksum))
            return bad(file, error, "expected hexadecimal checksums");
    file->has_checksums = true;
    return REEL_OK;
}

static reel_status open_checked(reel_safetensors *file, uint64_t size, char **text, reel_error *error)
{
    size_t length = 0;
    reel_status status = read_header(file, size, text, &length, error);
    if (status != REEL_OK) return status;
    const char *wrong = reel_header_scan(*text, length);
    if (wrong) return bad(file, error, wrong);
    status = check_header_checksum(file, *text, length, error);
    if (status == REEL_OK) status = read_entries(file, *text, length, error);
    if (status == REEL_OK) status = check_layout(file, REEL_HEADER_PREFIX + length, size, error);
    if (status == REEL_OK) status = read_checksums(file, reel_header_checksum_digits(*text, length) != NULL, error);
    reel_stored_sort(file->tensors, status == REEL_OK ? file->count : 0);
    return status;
}

/* ---- the interface ---- */

reel_status reel_safetensors_open(reel_safetensors *file, const char *path, reel_error *error)
{
    uint64_t size = 0;
    char *text = NULL;
    *file = (reel_safetensors){.fd = -1};
    reel_status status = reel_file_open(path, &file->fd, &size, error);
    if (status != REEL_OK) return status;
    if ((file->path = reel_copy_string(path)))
        status = open_checked(file, size, &text, error);
    else
        status = reel_fail_memory(error);
    reel_free(text);
    if (status != REEL_OK) reel_safetensors_close(file);
    return status;
}

void reel_safetensors_close(reel_safetensors *file)
{
    if (file->fd >= 0) close(file->fd);
    reel_stored_free(file->tensors, file->count);
    for (size_t i = 0; i < file->metadata_count; i++) {
        reel_free(file->metadata[i].key);
        reel_free(file->metadata[i].value);
    }
    reel_free(file->metadata);
    reel_free(file->path);
    *file = (reel_safetensors){.fd = -1};
}

const reel_stored *reel_safetensors_find(const reel_safetensors *file, const char *name)
{
    return reel_stored_find(file->tensors, file->count, name);
}

const char *reel_safetensors_metadata(const reel_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    return NULL;
}

/* Reads piece by piece, so that the checksum finds the bytes in cache; with keep false, over the same piece. */
static reel_status read_values(const reel_safetensors *file, const reel_stored *t, unsigned char *buffer, bool keep,
                               reel_error *error)
{
    uint32_t crc = 0;
    for (size_t at = 0; at < t->bytes; at += CHUNK) {
        size_t n = t->bytes - at < CHUNK ? t->bytes - at : CHUNK;
        unsigned char *piece = keep ? buffer + at : buffer;
        reel_status status = reel_file_read_at(file->fd, file->path, t->offset + at, piece, n, error);
        if (status != REEL_OK) return status;
        if (file->has_checksums) crc = reel_crc32c(crc, piece, n);
    }
    if (!file->has_checksums || crc == t->checksum) return REEL_OK;
    return bad_tensor(file, t->name, error, "its values differ from their checksum; the file is damaged, restore it");
}

reel_status reel_safetensors_read(const reel_safetensors *file, const reel_stored *tensor, void *buffer,
                                  reel_error *error)
{
    return read_values(file, tensor, buffer, true, error);
}

reel_status reel_safetensors_verify(const reel_safetensors *file, reel_error *error)
{
    unsigned char *buffer = reel_alloc_raw(CHUNK, 1);
    reel_status status = buffer ? REEL_OK : reel_fail_memory(error);
    for (size_t i = 0; i < file->count && status == REEL_OK; i++)
        status = read_values(file, &file->tensors[i], buffer, false, error);
    reel_free(buffer);
    return status;
}
