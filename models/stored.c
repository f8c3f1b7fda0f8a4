/* See stored.h. */
#include "models/stored.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array_size.h"
#include "core/bf16.h"
#include "core/memory.h"

static const struct {
    const char *name;
    size_t size;
} types[REEL_STORED_DTYPES] = {
    [REEL_STORED_BOOL] = {"BOOL", 1}, [REEL_STORED_U8] = {"U8", 1},   [REEL_STORED_I8] = {"I8", 1},
    [REEL_STORED_U16] = {"U16", 2},   [REEL_STORED_I16] = {"I16", 2}, [REEL_STORED_F16] = {"F16", 2},
    [REEL_STORED_BF16] = {"BF16", 2}, [REEL_STORED_U32] = {"U32", 4}, [REEL_STORED_I32] = {"I32", 4},
    [REEL_STORED_F32] = {"F32", 4},   [REEL_STORED_U64] = {"U64", 8}, [REEL_STORED_I64] = {"I64", 8},
    [REEL_STORED_F64] = {"F64", 8},
};

const char *reel_stored_dtype_name(reel_stored_dtype dtype)
{
    return (unsigned)dtype < REEL_STORED_DTYPES ? types[dtype].name : "?";
}

size_t reel_stored_dtype_size(reel_stored_dtype dtype)
{
    return types[dtype].size;
}

bool reel_stored_dtype_from_name(const char *name, reel_stored_dtype *dtype)
{
    for (int i = 0; i < REEL_STORED_DTYPES; i++)
        if (strcmp(types[i].name, name) == 0) {
            *dtype = (reel_stored_dtype)i;
            return true;
        }
    return false;
}

bool reel_stored_measure(reel_stored *s)
{
    return (unsigned)s->dtype < REEL_STORED_DTYPES && s->shape.rank >= 0 && s->shape.rank <= REEL_MAX_RANK &&
           reel_array_size(s->shape.rank, s->shape.size, types[s->dtype].size, &s->elements, &s->bytes);
}

bool reel_stored_name_allowed(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f) return false;
    return true;
}

/* ---- lists ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const reel_stored *)a)->name, ((const reel_stored *)b)->name);
}

void reel_stored_sort(reel_stored *list, size_t count)
{
    if (count > 1) qsort(list, count, sizeof *list, by_name);
}

const reel_stored *reel_stored_find(const reel_stored *list, size_t count, const char *name)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = strcmp(name, list[middle].name);
        if (order == 0) return &list[middle];
        if (order < 0)
            count = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void reel_stored_free(reel_stored *list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) reel_free(list[i].name);
    reel_free(list);
}

/* ---- what a model wants ---- */

typedef struct {
    char text[700];
    size_t used, found, told;
} report;

/* Adds ", name" or the like while there is room and counts it in any case. */
static void __attribute__((format(printf, 2, 3))) tell(report *r, const char *format, ...)
{
    char item[320];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    r->found++;
    if (length < 0 || (size_t)length >= sizeof item || (size_t)length >= sizeof r->text - r->used) return;
    memcpy(r->text + r->used, item, (size_t)length + 1);
    r->used += (size_t)length;
    r->told++;
}

static void shape_text(const reel_shape *shape, char text[REEL_SHAPE_TEXT])
{
    int n = sprintf(text, "[");
    for (int i = 0; i < shape->rank; i++) n += sprintf(text + n, i ? ",%lld" : "%lld", (long long)shape->size[i]);
    sprintf(text + n, "]");
}

static bool same_shape(const reel_shape *a, const reel_shape *b)
{
    return a->rank == b->rank && memcmp(a->size, b->size, (size_t)a->rank * sizeof a->size[0]) == 0;
}

static void compare_wanted(report *r, const reel_stored *list, size_t count, const reel_stored *wanted)
{
    char has[REEL_SHAPE_TEXT], wants[REEL_SHAPE_TEXT];
    const reel_stored *found = reel_stored_find(list, count, wanted->name);
    if (!found)
        tell(r, "; '%.100s' is missing", wanted->name);
    else if (!same_shape(&found->shape, &wanted->shape)) {
        shape_text(&found->shape, has);
        shape_text(&wanted->shape, wants);
        tell(r, "; '%.100s' has shape %.80s, expected %.80s", wanted->name, has, wants);
    }
}

reel_status reel_stored_expect(const char *path, const reel_stored *list, size_t count, const reel_stored *wanted,
                               size_t wanted_count, bool surplus_allowed, reel_error *error)
{
    report r = {.used = 0};
    reel_stored *sorted = NULL;
    if (!surplus_allowed && !(sorted = reel_alloc(wanted_count, sizeof *sorted))) return reel_fail_memory(error);
    for (size_t i = 0; i < wanted_count; i++) compare_wanted(&r, list, count, &wanted[i]);
    if (sorted) {
        if (wanted_count) memcpy(sorted, wanted, wanted_count * sizeof *sorted);
        reel_stored_sort(sorted, wanted_count);
        for (size_t i = 0; i < count; i++)
            if (!reel_stored_find(sorted, wanted_count, list[i].name)) tell(&r, "; '%.100s' is surplus", list[i].name);
        reel_free(sorted);
    }
    if (r.found == 0) return REEL_OK;
    return reel_fail(error, REEL_BAD_DATA, "%.200s: %zu differences from what the model expects (%zu told)%s", path,
                     r.found, r.told, r.text);
}

/* ---- values ---- */

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) return from_bits(sign) + (sign ? -0x1p-24f : 0x1p-24f) * (float)fraction;
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

bool reel_stored_to_f32(reel_stored_dtype dtype, const void *from, size_t elements, float *to)
{
    const uint16_t *two = from;
    switch (dtype) {
    case REEL_STORED_F32:
        if (elements) memcpy(to, from, elements * sizeof *to);
        return true;
    case REEL_STORED_F64:
        for (size_t i = 0; i < elements; i++) to[i] = (float)((const double *)from)[i];
        return true;
    case REEL_STORED_F16:
        for (size_t i = 0; i < elements; i++) to[i] = from_half(two[i]);
        return true;
    case REEL_STORED_BF16:
        reel_bf16_widen(two, to, (int64_t)elements, 1);
        return true;
    default:
        return false;
    }
}

static bool all_below(const uint16_t *values, size_t count, unsigned infinity)
{
    for (size_t i = 0; i < count; i++)
        if ((values[i] & infinity) == infinity) return false;
    return true;
}

bool reel_stored_is_finite(reel_stored_dtype dtype, const void *data, size_t elements)
{
    if (dtype == REEL_STORED_F16) return all_below(data, elements, 0x7c00);
    if (dtype == REEL_STORED_BF16) return all_below(data, elements, 0x7f80);
    if (dtype == REEL_STORED_F32)
        for (size_t i = 0; i < elements; i++)
            if (!isfinite(((const float *)data)[i])) return false;
    if (dtype == REEL_STORED_F64)
        for (size_t i = 0; i < elements; i++)
            if (!isfinite(((const double *)data)[i])) return false;
    return true;
}
