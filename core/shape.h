/* Element types and shapes. A shape is at most eight sizes, outermost first, stored row-major: [N, C, H, W] as in
   papers. Sizes are multiplied in one place, with an overflow check, and never again. */
#ifndef REEL_CORE_SHAPE_H
#define REEL_CORE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { REEL_F32, REEL_F64, REEL_I32, REEL_U8, REEL_BF16, REEL_DTYPES } reel_dtype;

enum { REEL_MAX_RANK = 8 };

typedef struct {
    int rank; /* 0 is a scalar */
    int64_t size[REEL_MAX_RANK];
} reel_shape;

/* A list of axes, sizes or positions, as attributes hold them. */
typedef struct {
    int count;
    int64_t at[REEL_MAX_RANK];
} reel_ints;

#define REEL_COUNT_(...) (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define REEL_SHAPE(...) ((reel_shape){.rank = (int)REEL_COUNT_(__VA_ARGS__), .size = {__VA_ARGS__}})
#define REEL_INTS(...) ((reel_ints){.count = (int)REEL_COUNT_(__VA_ARGS__), .at = {__VA_ARGS__}})
#define REEL_SCALAR_SHAPE ((reel_shape){.rank = 0})

size_t reel_dtype_size(reel_dtype dtype);
const char *reel_dtype_name(reel_dtype dtype); /* "f32", "f64", "i32", "u8", "bf16" */
bool reel_dtype_from_name(const char *name, reel_dtype *dtype);
static inline bool reel_dtype_is_float(reel_dtype dtype)
{
    return dtype == REEL_F32 || dtype == REEL_F64 || dtype == REEL_BF16;
}
/* What sums of a dtype are made in, and come out in: f32 for bf16, whose eight bits cannot count beyond 256. */
static inline reel_dtype reel_dtype_of_sum(reel_dtype dtype)
{
    return dtype == REEL_BF16 ? REEL_F32 : dtype;
}

/* Number of elements and bytes; false when a size is negative, the rank is out of range or a product overflows. */
bool reel_shape_measure(const reel_shape *shape, reel_dtype dtype, int64_t *elements, size_t *bytes);

/* Number of elements of a shape that has been measured. */
int64_t reel_elements(const reel_shape *shape);

bool reel_shape_equal(const reel_shape *a, const reel_shape *b);

/* NumPy's rule: align at the last axis; a size of 1 stretches. */
bool reel_shape_broadcast(const reel_shape *a, const reel_shape *b, reel_shape *out);

/* Row-major strides in elements. */
void reel_shape_strides(const reel_shape *shape, int64_t stride[REEL_MAX_RANK]);

/* Axis counted from the end when negative; -1 when out of range. */
int reel_shape_axis(const reel_shape *shape, int64_t axis);

/* "[1,64,8,14]", or "[]" for a scalar. Returns `text`. */
enum { REEL_SHAPE_TEXT = 200 };
char *reel_shape_text(const reel_shape *shape, char text[REEL_SHAPE_TEXT]);

#endif
