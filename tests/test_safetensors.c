/* models/safetensors: round trips, hostile headers one by one, every truncation, every flipped bit, refused memory, a
   full disk, and a seeded mutation loop. Hostile files are made by code, in memory. */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/rng.h"
#include "models/safetensors.h"
#include "models/safetensors_header.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

/* ---- making files ---- */

static unsigned char image[1 << 16];

static size_t make(const char *header, size_t header_length, size_t data_bytes)
{
    for (int i = 0; i < 8; i++) image[i] = (unsigned char)((uint64_t)header_length >> 8 * i);
    memcpy(image + 8, header, header_length);
    memset(image + 8 + header_length, 0, data_bytes);
    return 8 + header_length + data_bytes;
}

static void expect_bytes(const void *bytes, size_t size, reel_status expected, const char *what)
{
    reel_safetensors file;
    reel_error error = {0};
    const char *path = temporary_memory_file(bytes, size);
    reel_status status = reel_safetensors_open(&file, path, &error);
    ck_assert_msg(status == expected, "%.200s: status %d, expected %d: %s", what, status, expected, error.text);
    if (status != REEL_OK) {
        ck_assert_int_eq(error.status, status);
        ck_assert_msg(strstr(error.text, path) != NULL, "no path in: %s", error.text);
        for (const char *c = error.text; *c; c++) ck_assert_msg((unsigned char)*c >= 0x20, "%s", error.text);
    }
    reel_safetensors_close(&file);
}

static void expect_header(const char *header, size_t data_bytes, reel_status expected)
{
    expect_bytes(image, make(header, strlen(header), data_bytes), expected, header);
}

/* A checkpoint of some 20 kB: weights, moments, a scalar, an empty tensor and metadata. */
enum { SAMPLE = 5 };
static float weights[60 * 40], moments[60 * 40];
static double scalar = 0.125;
static int32_t steps[3] = {1, -2, 3};
static const reel_metadata sample_metadata[] = {{"step", "1200"}, {"note", "quote \" slash \\ tab \t ü"}};

static void sample(reel_stored_source *t)
{
    for (uint64_t i = 0; i < 60 * 40; i++) {
        weights[i] = (float)reel_normal(1, i);
        moments[i] = (float)reel_normal(2, i);
    }
    memset(t, 0, SAMPLE * sizeof *t);
    t[0] = (reel_stored_source){"steps", REEL_STORED_I32, REEL_SHAPE(3), steps, NULL, NULL};
    t[1] = (reel_stored_source){"layer.weight", REEL_STORED_F32, REEL_SHAPE(60, 40, 1), weights, NULL, NULL};
    t[2] = (reel_stored_source){"optim.m.layer.weight", REEL_STORED_F32, REEL_SHAPE(60, 40), moments, NULL, NULL};
    t[3] = (reel_stored_source){"scale", REEL_STORED_F64, REEL_SCALAR_SHAPE, &scalar, NULL, NULL};
    t[4] = (reel_stored_source){"empty", REEL_STORED_F32, REEL_SHAPE(2, 0), NULL, NULL, NULL};
}

static void save_sample(const char *path)
{
    reel_stored_source t[SAMPLE];
    reel_error error = {0};
    sample(t);
    ck_assert_msg(!reel_safetensors_write(path, t, SAMPLE, sample_metadata, 2, &error), "%s", error.text);
}

/* Opens and reads everything; the first failure. */
static reel_status load_all(const char *path, reel_error *error)
{
    reel_safetensors file;
    reel_status status = reel_safetensors_open(&file, path, error);
    if (status == REEL_OK) status = reel_safetensors_verify(&file, error);
    reel_safetensors_close(&file);
    return status;
}

/* ---- round trips ---- */

START_TEST(what_was_saved_is_read_back)
{
    const char *path = temporary_path(temporary_folder(), "a.safetensors");
    reel_stored_source t[SAMPLE];
    reel_safetensors file;
    reel_error error = {0};
    float read[60 * 40];
    save_sample(path);
    sample(t);
    ck_assert_msg(!reel_safetensors_open(&file, path, &error), "%s", error.text);
    ck_assert_uint_eq(file.count, SAMPLE);
    ck_assert(file.has_checksums);
    for (int i = 0; i < SAMPLE; i++) {
        const reel_stored *found = reel_safetensors_find(&file, t[i].name);
        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(found->dtype, t[i].dtype);
        ck_assert_int_eq(found->shape.rank, t[i].shape.rank);
        ck_assert(memcmp(found->shape.size, t[i].shape.size, (size_t)t[i].shape.rank * sizeof(int64_t)) == 0);
        ck_assert_msg(!reel_safetensors_read(&file, found, read, &error), "%s", error.text);
        ck_assert(found->bytes == 0 || memcmp(read, t[i].data, found->bytes) == 0);
    }
    ck_assert_ptr_null(reel_safetensors_find(&file, "absent"));
    ck_assert_ptr_null(reel_safetensors_metadata(&file, "absent"));
    ck_assert_str_eq(reel_safetensors_metadata(&file, "step"), "1200");
    ck_assert_str_eq(reel_safetensors_metadata(&file, "note"), sample_metadata[1].value);
    ck_assert_int_eq(reel_safetensors_verify(&file, &error), REEL_OK);
    ck_assert_uint_eq(reel_safetensors_find(&file, "scale")->offset % 64, 0); /* the largest items come first */
    reel_safetensors_close(&file);
    reel_safetensors_close(&file);
}
END_TEST

static reel_status fetch_weights(void *context, void *buffer, reel_error *error)
{
    if (--*(int *)context < 0) return reel_fail(error, REEL_ENVIRONMENT, "the device is gone");
    memcpy(buffer, weights, sizeof weights);
    return REEL_OK;
}

START_TEST(values_may_be_fetched_while_saving)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    reel_stored_source t[SAMPLE];
    unsigned char *direct, *fetched;
    size_t direct_bytes, fetched_bytes;
    reel_error error = {0};
    save_sample(path);
    ck_assert_int_eq(reel_file_read(path, 1 << 20, &direct, &direct_bytes, &error), REEL_OK);
    sample(t);
    for (int calls = 0; calls <= 2; calls++) {
        int left = calls;
        t[1].data = NULL;
        t[1].fetch = fetch_weights;
        t[1].context = &left;
        reel_status status = reel_safetensors_write(path, t, SAMPLE, sample_metadata, 2, &error);
        ck_assert_int_eq(status, calls == 2 ? REEL_OK : REEL_ENVIRONMENT);
        ck_assert_int_eq(reel_file_read(path, 1 << 20, &fetched, &fetched_bytes, NULL), REEL_OK);
        ck_assert_uint_eq(fetched_bytes, direct_bytes);
        ck_assert(memcmp(direct, fetched, direct_bytes) == 0);
        ck_assert_int_eq(temporary_entries(folder), 1);
        reel_free(fetched);
    }
    reel_free(direct);
}
END_TEST

START_TEST(every_dtype_and_rank_round_trips)
{
    const char *path = temporary_path(temporary_folder(), "a");
    unsigned char data[256 * 8], read[256 * 8];
    reel_stored_dtype parsed;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)reel_random(3, i);
    for (int d = 0; d < REEL_STORED_DTYPES; d++)
        for (int rank = 0; rank <= REEL_MAX_RANK; rank++) {
            reel_safetensors file;
            reel_error error = {0};
            reel_stored_source t = {.name = "", .dtype = (reel_stored_dtype)d, .shape.rank = rank, .data = data};
            for (int i = 0; i < rank; i++) t.shape.size[i] = 2;
            ck_assert_msg(!reel_safetensors_write(path, &t, 1, NULL, 0, &error), "%s", error.text);
            ck_assert_msg(!reel_safetensors_open(&file, path, &error), "%s", error.text);
            ck_assert_uint_eq(file.tensors[0].elements, 1u << rank);
            ck_assert_int_eq(reel_safetensors_read(&file, reel_safetensors_find(&file, ""), read, &error), REEL_OK);
            ck_assert(memcmp(read, data, file.tensors[0].bytes) == 0);
            reel_safetensors_close(&file);
            ck_assert(reel_stored_dtype_from_name(reel_stored_dtype_name((reel_stored_dtype)d), &parsed));
            ck_assert_int_eq(parsed, d);
        }
    ck_assert_str_eq(reel_stored_dtype_name(REEL_STORED_DTYPES), "?");
}
END_TEST

/* ---- hostile headers ---- */

#define T(name, dtype, shape, offsets)                                                                                 \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(shape, offsets) "{" T("a", "F32", shape, offsets) "}"

static const struct {
    const char *header;
    size_t data_bytes;
    reel_status expected;
} headers[] = {
    /* sound ones, so that the refusals below are for their reason */
    {"{}", 0, REEL_OK},
    {"{}   \n\t ", 0, REEL_OK},
    {"{ \"__metadata__\" : { \"a\" : \"b\" } }", 0, REEL_OK},
    {"{\"__metadata__\":{}}", 0, REEL_OK},
    {ONE("[]", "[0,4]"), 4, REEL_OK},
    {ONE("[2,0]", "[0,0]"), 0, REEL_OK},
    {ONE("[1,1,1,1,1,1,1,1]", "[0,4]"), 4, REEL_OK},
    {"{" T("a", "F32", "[1]", "[4,8]") "," T("b", "F32", "[1]", "[0,4]") "}", 8, REEL_OK},
    {"{" T("a", "F32", "[0]", "[4,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, REEL_OK},
    {"{" T("a", "F32", "[0]", "[0,0]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, REEL_OK},
    {"{" T("../../etc/passwd", "F32", "[1]", "[0,4]") "}", 4, REEL_OK},
    {"{" T("größe \\u00e9 %s %n", "F32", "[1]", "[0,4]") "}", 4, REEL_OK},
    {"{" T("", "F32", "[1]", "[0,4]") "}", 4, REEL_OK},
    /* not this kind of text */
    {"", 0, REEL_BAD_DATA},
    {"\xff", 0, REEL_BAD_DATA},
    {"{", 0, REEL_BAD_DATA},
    {"}", 0, REEL_BAD_DATA},
    {"{}}", 0, REEL_BAD_DATA},
    {"{}{}", 0, REEL_BAD_DATA},
    {"{} x", 0, REEL_BAD_DATA},
    {" {}", 0, REEL_BAD_DATA},
    {"[]", 0, REEL_BAD_DATA},
    {"\"x\"", 0, REEL_BAD_DATA},
    {"1", 0, REEL_BAD_DATA},
    {"{\"a\":1}", 0, REEL_BAD_DATA},
    {"{\"a\":null}", 0, REEL_BAD_DATA},
    {"{\"a\":[]}", 0, REEL_BAD_DATA},
    {"{\"a\":{}}", 0, REEL_BAD_DATA},
    {"{\"a\":{},}", 0, REEL_BAD_DATA},
    {"{'a':1}", 0, REEL_BAD_DATA},
    {"{\"a", 0, REEL_BAD_DATA},
    {"{\"a\\", 0, REEL_BAD_DATA},
    {"{\"a\n\":1}", 0, REEL_BAD_DATA},
    {"{\"a\xff\":1}", 0, REEL_BAD_DATA},
    {"{\"a\xc0\x80\":1}", 0, REEL_BAD_DATA},
    {"{\"\\ud800\":1}", 0, REEL_BAD_DATA},
    {"{\"a\":{\"b\":{\"c\":{}}}}", 0, REEL_BAD_DATA},
    /* keys */
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, REEL_BAD_DATA},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("\\u0061", "F32", "[1]", "[4,8]") "}", 8, REEL_BAD_DATA},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, REEL_BAD_DATA},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, REEL_BAD_DATA},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, REEL_BAD_DATA},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, REEL_BAD_DATA},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, REEL_BAD_DATA},
    {"{" T("a\\u0000b", "F32", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a\\nb", "F32", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a\\u007f", "F32", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    /* dtype */
    {"{" T("a", "F33", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "F\\n2", "[1]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "F8_E4M3", "[4]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "F4", "[8]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "I4", "[8]", "[0,4]") "}", 4, REEL_BAD_DATA},
    {"{" T("a", "C64", "[1]", "[0,8]") "}", 8, REEL_BAD_DATA},
    {"{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, REEL_BAD_DATA},
    /* shape */
    {ONE("[-1]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[1.5]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[1.0]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[1e0]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[1e3]", "[0,4000]"), 4000, REEL_BAD_DATA},
    {ONE("[1e999]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[01]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[\"1\"]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[null]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[true]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[[1]]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("1", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("null", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("{}", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[9223372036854775808]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[18446744073709551614]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[18446744073709551617]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[4294967296,4294967296]", "[0,0]"), 0, REEL_BAD_DATA},
    {ONE("[2,9223372036854775807]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[4611686018427387904]", "[0,0]"), 0, REEL_BAD_DATA},
    {ONE("[4611686018427387905]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[2305843009213693951]", "[0,9223372036854775804]"), 4, REEL_BAD_DATA},
    {ONE("[0,4294967296,4294967296]", "[0,0]"), 0, REEL_BAD_DATA},
    {ONE("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, REEL_BAD_DATA},
    /* places */
    {ONE("[1]", "[4,0]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[-4,0]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[0,8]"), 4, REEL_BAD_DATA},
    {ONE("[2]", "[0,8]"), 4, REEL_BAD_DATA},
    {ONE("[2]", "[0,8]"), 6, REEL_BAD_DATA},
    {ONE("[1]", "[4,8]"), 8, REEL_BAD_DATA},
    {ONE("[1]", "[0,4]"), 5, REEL_BAD_DATA},
    {ONE("[1]", "[0,4]"), 0, REEL_BAD_DATA},
    {ONE("[2]", "[0,4]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[0]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[0,4,4]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[0.0,4.0]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[\"0\",\"4\"]"), 4, REEL_BAD_DATA},
    {ONE("[1]", "{\"0\":0}"), 4, REEL_BAD_DATA},
    {ONE("[1]", "4"), 4, REEL_BAD_DATA},
    {ONE("[1]", "[9223372036854775804,9223372036854775808]"), 4, REEL_BAD_DATA},
    {ONE("[0]", "[9223372036854775807,9223372036854775807]"), 0, REEL_BAD_DATA},
    {ONE("[0]", "[4,4]"), 0, REEL_BAD_DATA},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12, REEL_BAD_DATA},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[1]", "[4,8]") "}", 8, REEL_BAD_DATA},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[0]", "[4,4]") "}", 8, REEL_BAD_DATA},
    {"{" T("a", "U8", "[9223372036854775807]", "[0,9223372036854775807]") "," /* the sum wraps */
     T("b", "U8", "[9223372036854775807]", "[0,9223372036854775807]") "," T("c", "U8", "[2]", "[0,2]") "}",
     0, REEL_BAD_DATA},
    {"{" T("a", "U8", "[9223372036854775800]", "[0,9223372036854775800]") "}", 0, REEL_BAD_DATA},
    /* metadata */
    {"{\"__metadata__\":{\"a\":1}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"a\":null}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"a\":{}}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":[]}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":\"a\"}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"reel.crc32c\":\"\"}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"reel.header.crc32c\":\"00000000\"}}", 0, REEL_BAD_DATA},
    {"{\"__metadata__\":{\"x\":\"\",\"reel.header.crc32c\":\"00000000\",\"reel.crc32c\":\"\"}}", 0, REEL_BAD_DATA},
};

START_TEST(headers_are_loaded_or_refused_as_specified)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        expect_header(headers[i].header, headers[i].data_bytes, headers[i].expected);
    expect_bytes(image, make("{}\0", 3, 0), REEL_BAD_DATA, "a NUL after the header");
    expect_bytes(image, make("{\"a\0\":1}", 8, 0), REEL_BAD_DATA, "a NUL in a name");
}
END_TEST

START_TEST(lengths_are_not_believed)
{
    static const uint64_t lengths[] = {3, 100000000, 100000001, (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 7};
    for (size_t n = 0; n < 8; n++) expect_bytes("\2\0\0\0\0\0\0", n, REEL_BAD_DATA, "fewer than 8 bytes");
    expect_bytes("\0\0\0\0\0\0\0\0", 8, REEL_BAD_DATA, "length 0");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make("{}", 2, 0);
        for (int b = 0; b < 8; b++) image[b] = (unsigned char)(lengths[i] >> 8 * b);
        expect_bytes(image, 10, REEL_BAD_DATA, "a length past the end");
    }
}
END_TEST

START_TEST(ten_tensors_on_one_place_are_refused)
{
    char text[2048] = "{";
    for (int i = 0; i < 10; i++)
        sprintf(text + strlen(text), "%s\"%d\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}", i ? "," : "",
                i);
    strcat(text, "}");
    expect_header(text, 16, REEL_BAD_DATA);
}
END_TEST

/* Sparse or repetitive giants: refused or read without taking more than 64 MB. */
static void expect_giant(size_t header, const char *begin, const char *repeat, const char *end, reel_status expected)
{
    size_t length = 0, n = strlen(repeat);
    char *text = malloc(header + 64);
    struct rusage before, after;
    memset(text, 0, 8);
    length += (size_t)sprintf(text + 8, "%s", begin);
    while (length + n + strlen(end) <= header) {
        memcpy(text + 8 + length, repeat, n);
        length += n;
    }
    length += (size_t)sprintf(text + 8 + length, "%s", end);
    for (int i = 0; i < 8; i++) text[i] = (char)((uint64_t)length >> 8 * i);
    const char *path = temporary_path(temporary_folder(), "giant");
    ck_assert(temporary_file(path, text, 8 + length));
    free(text);
    getrusage(RUSAGE_SELF, &before);
    reel_error error = {0};
    reel_status status = load_all(path, &error);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_msg(status == expected, "%.20s%.20s: %d %s", begin, repeat, status, error.text);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory */
    ck_assert_msg(after.ru_maxrss - before.ru_maxrss < 64 * 1024, "%.20s%.20s took %ld kB", begin, repeat,
                  after.ru_maxrss - before.ru_maxrss);
#endif
    unlink(path);
}

START_TEST(giant_headers_take_little_memory)
{
    size_t limit = 8 << 20;
    expect_giant(limit, "{\"__metadata__\":{\"a\":\"", "x", "\"}}", REEL_OK);
    expect_giant(limit, "{\"", "x", "\":1}", REEL_BAD_DATA);
    expect_giant(limit, "{\"a\":[", "1,", "1]}", REEL_BAD_DATA);
    expect_giant(limit, "{\"a\":[", "{},", "1]}", REEL_BAD_DATA);
    expect_giant(limit, "{\"a\":[", "[],", "1]}", REEL_BAD_DATA);
    expect_giant(limit, "{", "\"a\":{},", "\"b\":1}", REEL_BAD_DATA);
    expect_giant(limit, "{\"a\":", "[", "1]}", REEL_BAD_DATA);
    expect_giant(200002, "{\"a\":", "[", "]}", REEL_BAD_DATA);
    expect_giant((1 << 17) * 3, "{\"a\":[", "[],", "1]}", REEL_BAD_DATA);
    expect_giant(32000 * 3, "{\"a\":[", "{},", "1]}", REEL_BAD_DATA);
    expect_giant(limit + 1, "{\"", "x", "\":1}", REEL_BAD_DATA);
}
END_TEST

START_TEST(a_gigabyte_header_is_not_read)
{
    const char *path = temporary_path(temporary_folder(), "sparse");
    unsigned char length[8] = {0, 0xe1, 0xf5, 5}; /* 99,999,... just under the format's limit, in a sparse file */
    reel_error error = {0};
    ck_assert(temporary_file(path, length, 8));
    ck_assert_int_eq(truncate(path, 8 + 100000000), 0);
    ck_assert_int_eq(load_all(path, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "8 MiB"));
}
END_TEST

START_TEST(many_tensors_are_read)
{
    enum { MANY = 20000 };
    const char *path = temporary_path(temporary_folder(), "many");
    reel_stored_source *t = reel_alloc(MANY, sizeof *t);
    char(*names)[16] = reel_alloc(MANY, sizeof *names);
    reel_safetensors file;
    reel_error error = {0};
    float value = 1;
    for (int i = 0; i < MANY; i++) {
        sprintf(names[i], "layer.%d", i);
        t[i] = (reel_stored_source){names[i], REEL_STORED_F32, REEL_SHAPE(1), &value, NULL, NULL};
    }
    ck_assert_msg(!reel_safetensors_write(path, t, MANY, NULL, 0, &error), "%s", error.text);
    ck_assert_msg(!reel_safetensors_open(&file, path, &error), "%s", error.text);
    for (int i = 0; i < MANY; i++) ck_assert_ptr_nonnull(reel_safetensors_find(&file, names[i]));
    ck_assert_int_eq(reel_safetensors_verify(&file, NULL), REEL_OK);
    reel_safetensors_close(&file);
    reel_free(names);
    reel_free(t);
}
END_TEST

START_TEST(a_name_of_ten_thousand_bytes_is_read_and_told_in_one_line)
{
    static char text[12000], name[10001];
    memset(name, 'n', 10000);
    snprintf(text, sizeof text, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", name);
    expect_header(text, 4, REEL_OK);
    expect_header(text, 8, REEL_BAD_DATA);
    snprintf(text, sizeof text, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", name);
    expect_header(text, 4, REEL_BAD_DATA);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    const char *folder = temporary_folder(), *fifo = temporary_path(folder, "fifo"),
               *loop = temporary_path(folder, "l");
    const char *paths[] = {folder, fifo, loop, temporary_path(folder, "missing"), "/dev/zero"};
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("l", loop), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        reel_error error = {0};
        ck_assert_int_eq(load_all(paths[i], &error), REEL_IO);
        ck_assert_ptr_nonnull(strstr(error.text, paths[i]));
    }
}
END_TEST

/* ---- damage ---- */

START_TEST(every_truncation_and_extension_is_found)
{
    const char *path = temporary_path(temporary_folder(), "a");
    unsigned char *whole;
    size_t bytes;
    save_sample(path);
    ck_assert_int_eq(reel_file_read(path, sizeof image - 1, &whole, &bytes, NULL), REEL_OK);
    ck_assert_uint_ge(bytes, 19000);
    for (size_t n = 0; n < bytes; n++) expect_bytes(whole, n, REEL_BAD_DATA, "a truncated file");
    memcpy(image, whole, bytes);
    image[bytes] = ' ';
    expect_bytes(image, bytes + 1, REEL_BAD_DATA, "a byte too many");
    reel_free(whole);
}
END_TEST

/* Flips in the header are seen on opening; those in the values on reading from a file that was opened before. */
START_TEST(every_flipped_bit_of_a_checkpoint_is_found)
{
    const char *path = temporary_path(temporary_folder(), "a");
    reel_safetensors file;
    struct stat about;
    save_sample(path);
    ck_assert_int_eq(load_all(path, NULL), REEL_OK);
    ck_assert_int_eq(reel_safetensors_open(&file, path, NULL), REEL_OK);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(fstat(fd, &about), 0);
    size_t values = (size_t)reel_safetensors_find(&file, "scale")->offset;
    for (size_t bit = 0; bit < (size_t)about.st_size * 8; bit++) {
        off_t at = (off_t)(bit / 8);
        unsigned char byte, flipped;
        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ (unsigned char)(1u << bit % 8);
        ck_assert_int_eq(pwrite(fd, &flipped, 1, at), 1);
        reel_status status = bit / 8 < values ? load_all(path, NULL) : reel_safetensors_verify(&file, NULL);
        ck_assert_msg(status == REEL_BAD_DATA, "bit %zu of byte %zu went unseen (%d)", bit % 8, bit / 8, status);
        ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    }
    ck_assert_int_eq(reel_safetensors_verify(&file, NULL), REEL_OK);
    close(fd);
    reel_safetensors_close(&file);
}
END_TEST

/* Sealed: mutations whose checksum was made to fit again, so that they reach the code behind it. */
static void mutate(unsigned char *bytes, size_t header, uint64_t round)
{
    static const char *const words[] = {"[",   "]",  "{", "}", ",", ":", "\"", "0", "-1", "9223372036854775807",
                                        "1e9", "F64"};
    uint64_t key = reel_key(7, round), changes = 1 + reel_below(key, 0, 3);
    for (uint64_t c = 0; c < changes; c++) {
        size_t at = 8 + (size_t)reel_below(key, 4 * c + 1, header - 24);
        const char *word = words[reel_below(key, 4 * c + 2, sizeof words / sizeof *words)];
        if (reel_below(key, 4 * c + 3, 2))
            bytes[at] = (unsigned char)reel_random(key, 4 * c + 4);
        else
            memcpy(bytes + at, word, strlen(word));
    }
    if (reel_below(key, 99, 16) == 0) bytes[reel_below(key, 100, 8)] ^= (unsigned char)(1 + reel_below(key, 101, 255));
    const char *text = (const char *)bytes + 8, *digits = reel_header_checksum_digits(text, header);
    char sum[9];
    if (!digits) return;
    sprintf(sum, "%08" PRIx32, reel_header_checksum(text, header, digits));
    memcpy(bytes + (digits - (const char *)bytes), sum, 8);
}

START_TEST(mutated_headers_never_crash)
{
    const char *path = temporary_path(temporary_folder(), "a");
    unsigned char *whole, *work;
    size_t bytes, header, opened = 0;
    save_sample(path);
    ck_assert_int_eq(reel_file_read(path, 1 << 20, &whole, &bytes, NULL), REEL_OK);
    work = reel_alloc_raw(bytes, 1);
    header = (size_t)whole[0] | (size_t)whole[1] << 8;
    for (uint64_t round = 0; round < 20000; round++) {
        memcpy(work, whole, bytes);
        mutate(work, header, round);
        reel_status status = load_all(temporary_memory_file(work, bytes), NULL);
        ck_assert(status == REEL_OK || status == REEL_BAD_DATA);
        opened += status == REEL_OK;
    }
    ck_assert_uint_ge(opened, 20); /* changes in names and metadata: the seal works */
    ck_assert_uint_le(opened, 10000);
    reel_free(work);
    reel_free(whole);
}
END_TEST

START_TEST(a_file_that_shrinks_while_open_is_an_error)
{
    const char *path = temporary_path(temporary_folder(), "a");
    reel_safetensors file;
    reel_error error = {0};
    save_sample(path);
    ck_assert_int_eq(reel_safetensors_open(&file, path, &error), REEL_OK);
    ck_assert_int_eq(truncate(path, 2000), 0);
    ck_assert_int_eq(reel_safetensors_verify(&file, &error), REEL_BAD_DATA);
    reel_safetensors_close(&file);
}
END_TEST

/* ---- failing to save ---- */

START_TEST(requests_that_cannot_be_saved_are_refused)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    float x[4] = {0};
    reel_stored_source two[2] = {{"a", REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL},
                                 {"a", REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL}};
    reel_stored_source bad[] = {
        {"__metadata__", REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL},
        {"a\n", REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL},
        {"\xff", REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL},
        {NULL, REEL_STORED_F32, REEL_SHAPE(1), x, NULL, NULL},
        {"a", REEL_STORED_DTYPES, REEL_SHAPE(1), x, NULL, NULL},
        {"a", REEL_STORED_F32, REEL_SHAPE(-1), x, NULL, NULL},
        {"a", REEL_STORED_F32, {.rank = 9}, x, NULL, NULL},
        {"a", REEL_STORED_F32, REEL_SHAPE(INT64_MAX), x, NULL, NULL},
        {"a", REEL_STORED_F32, REEL_SHAPE(1), NULL, NULL, NULL},
    };
    reel_metadata meta[][2] = {{{"reel.crc32c", "x"}, {"b", "b"}},
                               {{"reel.header.crc32c", "x"}, {"b", "b"}},
                               {{"b", "x"}, {"b", "b"}},
                               {{"b", "\xff"}, {"c", "c"}}};
    ck_assert_int_eq(reel_safetensors_write(path, two, 2, NULL, 0, NULL), REEL_USAGE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reel_error error = {0};
        ck_assert_int_eq(reel_safetensors_write(path, &bad[i], 1, NULL, 0, &error), REEL_USAGE);
        ck_assert_ptr_nonnull(strstr(error.text, path));
    }
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(reel_safetensors_write(path, two, 1, meta[i], 2, NULL), REEL_USAGE);
    ck_assert_int_eq(reel_safetensors_write("/no/such/a", two, 1, NULL, 0, NULL), REEL_IO);
    ck_assert_int_eq(temporary_entries(folder), 0);
}
END_TEST

START_TEST(too_many_tensors_are_refused_before_writing)
{
    enum { MANY = 40000 };
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    reel_stored_source *t = reel_alloc(MANY, sizeof *t);
    char(*names)[16] = reel_alloc(MANY, sizeof *names);
    for (int i = 0; i < MANY; i++) {
        sprintf(names[i], "%d", i);
        t[i] = (reel_stored_source){names[i], REEL_STORED_F32, REEL_SHAPE(0), NULL, NULL, NULL};
    }
    ck_assert_int_eq(reel_safetensors_write(path, t, MANY, NULL, 0, NULL), REEL_USAGE);
    ck_assert_int_eq(temporary_entries(folder), 0);
    reel_free(names);
    reel_free(t);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_checkpoint)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    struct rlimit before, small;
    reel_stored_source t[SAMPLE];
    reel_error error = {0};
    save_sample(path);
    sample(t);
    weights[0] = 7;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    reel_status status = reel_safetensors_write(path, t, SAMPLE, NULL, 0, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, REEL_IO);
    ck_assert_int_eq(load_all(path, NULL), REEL_OK);
    ck_assert_int_eq(temporary_entries(folder), 1);
}
END_TEST

START_TEST(refused_memory_is_an_error_everywhere)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    reel_stored_source t[SAMPLE];
    reel_alloc_fail(0, false);
    save_sample(path);
    uint64_t needed = reel_alloc_count();
    ck_assert_int_eq(load_all(path, NULL), REEL_OK);
    needed = reel_alloc_count() - needed > needed ? reel_alloc_count() - needed : needed;
    sample(t);
    for (uint64_t at = 1; at <= needed; at++)
        for (int after = 0; after < 2; after++) {
            int fetches = 2;
            t[1].data = NULL;
            t[1].fetch = fetch_weights;
            t[1].context = &fetches;
            reel_alloc_fail(at, after);
            reel_status saved = reel_safetensors_write(path, t, SAMPLE, sample_metadata, 2, NULL);
            reel_alloc_fail(at, after);
            reel_status loaded = load_all(path, NULL);
            reel_alloc_fail(0, false);
            ck_assert(saved == REEL_OK || saved == REEL_ENVIRONMENT);
            ck_assert(loaded == REEL_OK || loaded == REEL_ENVIRONMENT);
            ck_assert(at > 1 || (saved && loaded));
            ck_assert_int_eq(load_all(path, NULL), REEL_OK);
            ck_assert_int_eq(temporary_entries(folder), 1);
        }
    ck_assert_uint_ge(needed, 10);
}
END_TEST

/* ---- lists and values ---- */

START_TEST(differences_from_a_model_are_told_all_at_once)
{
    reel_stored has[3] = {{.name = "a", .shape = REEL_SHAPE(3, 4)},
                          {.name = "b", .shape = REEL_SHAPE(1)},
                          {.name = "extra", .shape = REEL_SHAPE(1)}};
    reel_stored wants[3] = {{.name = "c", .shape = REEL_SHAPE(1)},
                            {.name = "b", .shape = REEL_SHAPE(1)},
                            {.name = "a", .shape = REEL_SHAPE(4, 3)}};
    reel_error error = {0};
    ck_assert_int_eq(reel_stored_expect("file", has, 3, wants, 3, false, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "3 differences"));
    ck_assert_ptr_nonnull(strstr(error.text, "'c' is missing"));
    ck_assert_ptr_nonnull(strstr(error.text, "'a' has shape [3,4], expected [4,3]"));
    ck_assert_ptr_nonnull(strstr(error.text, "'extra' is surplus"));
    ck_assert_int_eq(reel_stored_expect("file", has, 3, wants + 1, 1, true, NULL), REEL_OK);
    ck_assert_int_eq(reel_stored_expect("file", has, 3, has, 3, false, NULL), REEL_OK);
    reel_alloc_fail(1, false);
    ck_assert_int_eq(reel_stored_expect("file", has, 3, has, 3, false, NULL), REEL_ENVIRONMENT);
    reel_alloc_fail(0, false);
    reel_stored many[60];
    char names[60][100];
    for (int i = 0; i < 60; i++) {
        sprintf(names[i], "%098d", i);
        many[i] = (reel_stored){.name = names[i]};
    }
    error = (reel_error){0};
    ck_assert_int_eq(reel_stored_expect("file", has, 0, many, 60, true, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "60 differences"));
}
END_TEST

START_TEST(half_and_bfloat16_become_floats)
{
    static const struct {
        uint16_t half;
        float value;
    } cases[] = {
        {0x0000, 0},        {0x8000, -0.0f},         {0x3c00, 1},        {0xc000, -2},          {0x7bff, 65504},
        {0x0001, 0x1p-24f}, {0x83ff, -0x1.ff8p-15f}, {0x0400, 0x1p-14f}, {0x3555, 0x1.554p-2f}, {0x7c00, INFINITY},
        {0xfc00, -INFINITY}};
    float out[2];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(reel_stored_to_f32(REEL_STORED_F16, &cases[i].half, 1, out));
        ck_assert_msg(memcmp(out, &cases[i].value, 4) == 0, "%04x gave %a", cases[i].half, (double)out[0]);
    }
    ck_assert(reel_stored_to_f32(REEL_STORED_F16, &(uint16_t){0x7e00}, 1, out) && isnan(out[0]));
    ck_assert(reel_stored_to_f32(REEL_STORED_BF16, &(uint16_t){0xc040}, 1, out) && out[0] == -3);
    ck_assert(reel_stored_to_f32(REEL_STORED_F64, (double[]){0.5, -0.25}, 2, out) && out[1] == -0.25f);
    ck_assert(reel_stored_to_f32(REEL_STORED_F32, (float[]){5, 6}, 2, out) && out[1] == 6);
    ck_assert(!reel_stored_to_f32(REEL_STORED_I32, (int32_t[]){5, 6}, 2, out));
}
END_TEST

START_TEST(values_that_are_not_finite_are_noticed)
{
    ck_assert(reel_stored_is_finite(REEL_STORED_F32, (float[]){1, -3e38f}, 2));
    ck_assert(!reel_stored_is_finite(REEL_STORED_F32, (float[]){1, NAN}, 2));
    ck_assert(!reel_stored_is_finite(REEL_STORED_F64, (double[]){1, -(double)INFINITY}, 2));
    ck_assert(reel_stored_is_finite(REEL_STORED_F64, (double[]){1, 1e300}, 2));
    ck_assert(!reel_stored_is_finite(REEL_STORED_F16, (uint16_t[]){0, 0xfc00}, 2));
    ck_assert(reel_stored_is_finite(REEL_STORED_F16, (uint16_t[]){0, 0xfbff}, 2));
    ck_assert(!reel_stored_is_finite(REEL_STORED_BF16, (uint16_t[]){0x7f81}, 1));
    ck_assert(reel_stored_is_finite(REEL_STORED_BF16, (uint16_t[]){0x7f7f}, 1));
    ck_assert(reel_stored_is_finite(REEL_STORED_U8, "\xff", 1));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        giant_headers_take_little_memory, /* first: it looks at the peak of this process */
        what_was_saved_is_read_back,
        values_may_be_fetched_while_saving,
        every_dtype_and_rank_round_trips,
        headers_are_loaded_or_refused_as_specified,
        lengths_are_not_believed,
        ten_tensors_on_one_place_are_refused,
        a_gigabyte_header_is_not_read,
        many_tensors_are_read,
        a_name_of_ten_thousand_bytes_is_read_and_told_in_one_line,
        what_is_no_file_is_refused,
        every_truncation_and_extension_is_found,
        every_flipped_bit_of_a_checkpoint_is_found,
        mutated_headers_never_crash,
        a_file_that_shrinks_while_open_is_an_error,
        requests_that_cannot_be_saved_are_refused,
        too_many_tensors_are_refused_before_writing,
        a_full_disk_leaves_the_old_checkpoint,
        refused_memory_is_an_error_everywhere,
        differences_from_a_model_are_told_all_at_once,
        half_and_bfloat16_become_floats,
        values_that_are_not_finite_are_noticed,
    };
    return tiny_suite("safetensors", tests, sizeof tests / sizeof *tests);
}
