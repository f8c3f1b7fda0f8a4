/* See array_file.h. */
#include "tools/array_file.h"

#include "core/element.h"
#include "core/memory.h"

#include <math.h>
#include <string.h>

reel_shape reel_npy_shape(const reel_npy *array)
{
    reel_shape shape = {.rank = array->rank};
    memcpy(shape.size, array->shape, sizeof *shape.size * (size_t)array->rank);
    return shape;
}

bool reel_npy_is_float(const reel_npy *array)
{
    return array->dtype[1] == 'f';
}

/* IEEE half precision: sign, 5 bits of exponent, 10 of fraction. */
static double from_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -value : value;
}

int64_t reel_npy_integer(const reel_npy *array, size_t i)
{
    const void *data = array->data;
    bool sign = array->dtype[1] == 'i';
    switch (array->dtype[2]) {
    case '1':
        return sign ? ((const int8_t *)data)[i] : ((const uint8_t *)data)[i];
    case '2':
        return sign ? ((const int16_t *)data)[i] : ((const uint16_t *)data)[i];
    case '4':
        return sign ? ((const int32_t *)data)[i] : (int64_t)((const uint32_t *)data)[i];
    default:
        return ((const int64_t *)data)[i];
    }
}

double reel_npy_number(const reel_npy *array, size_t i)
{
    if (!reel_npy_is_float(array)) {
        int64_t whole = reel_npy_integer(array, i);
        return memcmp(array->dtype, "<u8", 3) == 0 ? (double)(uint64_t)whole : (double)whole;
    }
    switch (array->dtype[2]) {
    case '2':
        return from_half(((const uint16_t *)array->data)[i]);
    case '4':
        return ((const float *)array->data)[i];
    default:
        return ((const double *)array->data)[i];
    }
}

reel_dtype reel_npy_dtype(const reel_npy *array)
{
    if (reel_npy_is_float(array)) return array->dtype[2] == '8' ? REEL_F64 : REEL_F32;
    return array->dtype[2] == '1' && array->dtype[1] != 'i' ? REEL_U8 : REEL_I32;
}

/* Stores one value; false when the dtype cannot hold it. */
static bool store(void *values, reel_dtype dtype, size_t i, double value)
{
    double least = dtype == REEL_I32 ? INT32_MIN : 0, most = dtype == REEL_I32 ? INT32_MAX : UINT8_MAX;
    bool whole = value >= least && value <= most && value == floor(value);
    if (!whole && !reel_dtype_is_float(dtype)) return false;
    reel_set_element(values, dtype, (int64_t)i, value);
    return true;
}

reel_status reel_npy_values(const reel_npy *array, reel_dtype dtype, const char *path, void **values, reel_error *error)
{
    *values = reel_alloc(array->elements, reel_dtype_size(dtype));
    if (!*values) return reel_fail_memory(error);
    for (size_t i = 0; i < array->elements; i++) {
        double value = reel_npy_number(array, i);
        if (store(*values, dtype, i, value)) continue;
        reel_free(*values);
        *values = NULL;
        return reel_fail(error, REEL_BAD_DATA, "%s: element %zu is %.17g, which %s cannot hold", path, i, value,
                         reel_dtype_name(dtype));
    }
    return REEL_OK;
}

reel_status reel_npy_write_values(const char *path, reel_dtype dtype, const reel_shape *shape, const void *values,
                                  reel_error *error)
{
    static const char *const names[] = {
        [REEL_F32] = "<f4", [REEL_F64] = "<f8", [REEL_I32] = "<i4", [REEL_U8] = "|u1", [REEL_BF16] = "<f4"};
    float *wide = NULL;
    if (dtype == REEL_BF16) {
        int64_t elements = reel_elements(shape);
        if (!(wide = reel_alloc_raw((size_t)elements, sizeof *wide))) return reel_fail_memory(error);
        reel_bf16_widen(values, wide, elements, 1);
    }
    reel_status status = reel_npy_write(path, names[dtype], shape->rank, shape->size, wide ? wide : values, error);
    reel_free(wide);
    return status;
}
