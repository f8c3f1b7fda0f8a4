/* See npy.h. The header is read by a small strict parser of the literals that numpy writes, nothing more of Python. */
#include "core/npy.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"

enum { HEADER_LIMIT = 1 << 16 };

static const char *const dtypes[] = {"<f2", "<f4", "<f8", "|i1", "<i2", "<i4",
                                     "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"};

static const char *known_dtype(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (length == 3 && memcmp(text, dtypes[i], 3) == 0) return dtypes[i];
    return NULL;
}

/* ---- the header ---- */

typedef struct {
    const char *at, *end;
    const char *path;
    reel_error *error;
    reel_npy *array;
    bool fortran;
} parser;

static reel_status malformed(const parser *p, const char *expected)
{
    return reel_fail(p->error, REEL_BAD_DATA, "%s: damaged .npy header, expected %s", p->path, expected);
}

static void skip_blanks(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t')) p->at++;
}

static bool take(parser *p, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(p);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0) return false;
    p->at += length;
    return true;
}

/* A string in single or double quotes, without escapes. */
static bool take_string(parser *p, const char **text, size_t *length)
{
    skip_blanks(p);
    if (p->at == p->end || (*p->at != '\'' && *p->at != '"')) return false;
    const char *begin = p->at + 1, *close = memchr(begin, *p->at, (size_t)(p->end - begin));
    if (!close || memchr(begin, '\\', (size_t)(close - begin))) return false;
    *text = begin;
    *length = (size_t)(close - begin);
    p->at = close + 1;
    return true;
}

static bool take_dimension(parser *p, int64_t *value)
{
    skip_blanks(p);
    const char *begin = p->at;
    *value = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *p->at - '0', value))
            return false;
    return p->at > begin;
}

static reel_status parse_shape(parser *p)
{
    reel_npy *a = p->array;
    bool comma = true;
    if (!take(p, "(")) return malformed(p, "a shape such as (2, 3)");
    for (a->rank = 0; !take(p, ")"); a->rank++) {
        if (a->rank == REEL_MAX_RANK) return malformed(p, "a shape of at most 8 dimensions");
        if (!comma || !take_dimension(p, &a->shape[a->rank]))
            return malformed(p, "whole dimensions between 0 and 2^63 - 1 in the shape");
        comma = take(p, ",");
    }
    return a->rank == 1 && !comma ? malformed(p, "a tuple as shape, such as (3,)") : REEL_OK;
}

static reel_status parse_descr(parser *p)
{
    const char *text;
    size_t length;
    if (!take_string(p, &text, &length)) return malformed(p, "a plain dtype such as '<f4' (records are not read)");
    const char *dtype = known_dtype(text, length);
    if (!dtype)
        return reel_fail(p->error, REEL_BAD_DATA,
                         "%s: dtype '%.*s' is not read; save it as '<f4' or another little-endian number type", p->path,
                         (int)(length < 16 ? length : 16), text);
    memcpy(p->array->dtype, dtype, 4);
    return REEL_OK;
}

static reel_status parse_fortran(parser *p)
{
    p->fortran = take(p, "True");
    return p->fortran || take(p, "False") ? REEL_OK : malformed(p, "True or False as fortran_order");
}

/* The dictionary: its three keys once each, in any order, a comma between them and perhaps after the last. */
static reel_status parse_header(parser *p)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static reel_status (*const rules[])(parser *) = {parse_descr, parse_fortran, parse_shape};
    unsigned seen = 0;
    bool comma = true;
    if (!take(p, "{")) return malformed(p, "a dictionary");
    while (!take(p, "}")) {
        const char *key;
        size_t length;
        int k = 0;
        if (!comma || !take_string(p, &key, &length)) return malformed(p, "quoted keys with commas between them");
        while (k < 3 && (strlen(keys[k]) != length || memcmp(keys[k], key, length) != 0)) k++;
        if (k == 3 || seen & 1u << k) return malformed(p, "the keys descr, fortran_order and shape once each");
        seen |= 1u << k;
        if (!take(p, ":")) return malformed(p, "a colon after a key");
        reel_status status = rules[k](p);
        if (status != REEL_OK) return status;
        comma = take(p, ",");
    }
    skip_blanks(p);
    if (p->at != p->end) return malformed(p, "nothing but blanks after the dictionary");
    return seen == 7 ? REEL_OK : malformed(p, "the keys descr, fortran_order and shape once each");
}

/* ---- reading ---- */

/* Reads magic, version and header text; leaves *data at the offset of the data. */
static reel_status read_header(parser *p, int fd, uint64_t size, uint64_t *data)
{
    unsigned char start[12] = {0};
    if (size < 10) return malformed(p, "at least 10 bytes");
    reel_status status = reel_file_read_at(fd, p->path, 0, start, size < 12 ? (size_t)size : 12, p->error);
    if (status != REEL_OK) return status;
    if (memcmp(start, "\x93NUMPY", 6) != 0) return malformed(p, "the magic bytes \\x93NUMPY; this is no .npy file");
    if (start[6] < 1 || start[6] > 3 || start[7] != 0) return malformed(p, "version 1.0, 2.0 or 3.0");
    uint64_t begin = start[6] == 1 ? 10 : 12;
    size_t length = (size_t)start[8] | (size_t)start[9] << 8;
    if (begin == 12) length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (length > HEADER_LIMIT) return malformed(p, "a header of at most 65536 bytes");
    if (size < begin + length) return malformed(p, "a header that ends inside the file");
    char *text = reel_alloc_raw(length, 1);
    if (!text) return reel_fail_memory(p->error);
    status = reel_file_read_at(fd, p->path, begin, text, length, p->error);
    p->at = text;
    p->end = text + length;
    if (status == REEL_OK) status = parse_header(p);
    reel_free(text);
    *data = begin + length;
    return status;
}

/* Fortran order is C order with the dimensions reversed: walk the C order and keep the source position in step. */
static reel_status to_c_order(reel_npy *a, reel_error *error)
{
    size_t item = a->elements ? a->bytes / a->elements : 1, at = 0;
    size_t index[REEL_MAX_RANK] = {0}, step[REEL_MAX_RANK + 1] = {item};
    unsigned char *to = reel_alloc_raw(a->bytes, 1), *from = a->data;
    if (!to) return reel_fail_memory(error);
    for (int d = 0; d < a->rank && a->elements; d++) step[d + 1] = step[d] * (size_t)a->shape[d];
    for (size_t i = 0; i < a->elements; i++) {
        memcpy(to + i * item, from + at, item);
        for (int d = a->rank - 1; d >= 0; d--) {
            at += step[d];
            if (++index[d] < (size_t)a->shape[d]) break;
            at -= step[d + 1];
            index[d] = 0;
        }
    }
    reel_free(from);
    a->data = to;
    return REEL_OK;
}

static reel_status read_data(parser *p, int fd, uint64_t size, uint64_t begin)
{
    reel_npy *a = p->array;
    if (!reel_array_size(a->rank, a->shape, (size_t)(a->dtype[2] - '0'), &a->elements, &a->bytes))
        return malformed(p, "a shape whose size fits in memory");
    if (size - begin != a->bytes)
        return reel_fail(p->error, REEL_BAD_DATA, "%s: has %llu bytes of data, its shape and dtype '%s' need %zu",
                         p->path, (unsigned long long)(size - begin), a->dtype, a->bytes);
    if (!(a->data = reel_alloc_raw(a->bytes, 1))) return reel_fail_memory(p->error);
    reel_status status = reel_file_read_at(fd, p->path, begin, a->data, a->bytes, p->error);
    if (status == REEL_OK && a->dtype[1] == 'b')
        for (size_t i = 0; i < a->bytes; i++)
            if (((unsigned char *)a->data)[i] > 1) return malformed(p, "booleans of 0 and 1 only");
    if (status == REEL_OK && p->fortran && a->rank > 1) status = to_c_order(a, p->error);
    return status;
}

reel_status reel_npy_read(reel_npy *array, const char *path, reel_error *error)
{
    int fd;
    uint64_t size = 0, begin = 0;
    parser p = {.path = path, .error = error, .array = array};
    *array = (reel_npy){.data = NULL};
    reel_status status = reel_file_open(path, &fd, &size, error);
    if (status != REEL_OK) return status;
    status = read_header(&p, fd, size, &begin);
    if (status == REEL_OK) status = read_data(&p, fd, size, begin);
    close(fd);
    if (status != REEL_OK) reel_npy_free(array);
    return status;
}

void reel_npy_free(reel_npy *array)
{
    reel_free(array->data);
    *array = (reel_npy){.data = NULL};
}

/* ---- writing ---- */

reel_status reel_npy_write(const char *path, const char *dtype, int rank, const int64_t *shape, const void *data,
                           reel_error *error)
{
    char header[384], dimensions[REEL_MAX_RANK * 22 + 1] = "";
    size_t elements, bytes;
    reel_writer writer;
    if (!known_dtype(dtype, strlen(dtype)))
        return reel_fail(error, REEL_USAGE, "%s: dtype '%.16s' cannot be written; use '<f4' or the like", path, dtype);
    if (rank < 0 || rank > REEL_MAX_RANK || !reel_array_size(rank, shape, (size_t)(dtype[2] - '0'), &elements, &bytes))
        return reel_fail(error, REEL_USAGE, "%s: cannot write an array of rank %d or its size, expected rank 0 to 8",
                         path, rank);
    for (int i = 0, n = 0; i < rank; i++)
        n += sprintf(dimensions + n, "%lld%s", (long long)shape[i], i + 1 < rank ? ", " : rank == 1 ? "," : "");
    int used = 10 + sprintf(header + 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, dimensions);
    int total = (used + 1 + 63) / 64 * 64;
    memset(header + used, ' ', (size_t)(total - used - 1));
    header[total - 1] = '\n';
    memcpy(header, "\x93NUMPY\1", 8);
    header[8] = (char)((total - 10) & 255);
    header[9] = (char)((total - 10) >> 8);
    reel_status status = reel_writer_open(&writer, path, error);
    if (status != REEL_OK) return status;
    status = reel_writer_write(&writer, header, (size_t)total, error);
    if (status == REEL_OK) status = reel_writer_write(&writer, data, bytes, error);
    return status == REEL_OK ? reel_writer_commit(&writer, error) : status;
}
