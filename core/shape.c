/* See shape.h. */
#include "core/shape.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[REEL_DTYPES] = {[REEL_F32] = {"f32", 4},
                         [REEL_F64] = {"f64", 8},
                         [REEL_I32] = {"i32", 4},
                         [REEL_U8] = {"u8", 1},
                         [REEL_BF16] = {"bf16", 2}};

size_t reel_dtype_size(reel_dtype dtype)
{
    return dtypes[dtype].size;
}
const char *reel_dtype_name(reel_dtype dtype)
{
    return dtypes[dtype].name;
}

bool reel_dtype_from_name(const char *name, reel_dtype *dtype)
{
    for (int i = 0; i < REEL_DTYPES; i++)
        if (!strcmp(name, dtypes[i].name)) return *dtype = (reel_dtype)i, true;
    return false;
}

bool reel_shape_measure(const reel_shape *shape, reel_dtype dtype, int64_t *elements, size_t *bytes)
{
    /* Zero sizes are multiplied last: [2^62, 2^62, 0] is as much a lie as without the zero. */
    int64_t product = 1;
    bool empty = false;
    if (shape->rank < 0 || shape->rank > REEL_MAX_RANK) return false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->size[i] < 0) return false;
        if (shape->size[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, shape->size[i], &product))
            return false;
    }
    int64_t total;
    if (__builtin_mul_overflow(product, (int64_t)reel_dtype_size(dtype), &total) || total > INT64_MAX / 2) return false;
    *elements = empty ? 0 : product;
    *bytes = empty ? 0 : (size_t)total;
    return true;
}

int64_t reel_elements(const reel_shape *shape)
{
    int64_t product = 1;
    for (int i = 0; i < shape->rank; i++) product *= shape->size[i];
    return product;
}

bool reel_shape_equal(const reel_shape *a, const reel_shape *b)
{
    return a->rank == b->rank && !memcmp(a->size, b->size, sizeof *a->size * (size_t)a->rank);
}

bool reel_shape_broadcast(const reel_shape *a, const reel_shape *b, reel_shape *out)
{
    reel_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < result.rank; i++) {
        int ia = i - (result.rank - a->rank), ib = i - (result.rank - b->rank);
        int64_t sa = ia < 0 ? 1 : a->size[ia], sb = ib < 0 ? 1 : b->size[ib];
        if (sa != sb && sa != 1 && sb != 1) return false;
        result.size[i] = sa == 1 ? sb : sa;
    }
    *out = result;
    return true;
}

void reel_shape_strides(const reel_shape *shape, int64_t stride[REEL_MAX_RANK])
{
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->size[i];
    }
}

int reel_shape_axis(const reel_shape *shape, int64_t axis)
{
    if (axis < 0) axis += shape->rank;
    return axis < 0 || axis >= shape->rank ? -1 : (int)axis;
}

char *reel_shape_text(const reel_shape *shape, char text[REEL_SHAPE_TEXT])
{
    size_t used = 1;
    text[0] = '[';
    for (int i = 0; i < shape->rank; i++)
        used +=
            (size_t)snprintf(text + used, REEL_SHAPE_TEXT - used, "%s%lld", i ? "," : "", (long long)shape->size[i]);
    text[used] = ']';
    text[used + 1] = 0;
    return text;
}
