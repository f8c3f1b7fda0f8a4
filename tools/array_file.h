/* Arrays in .npy files as values of tensors. An op takes f32, f64, i32 and u8; a file may hold more kinds of numbers.
   Whatever would not survive the way (a 64-bit integer beyond 32 bits, a fraction as an integer) is refused by name. */
#ifndef REEL_TOOLS_ARRAY_FILE_H
#define REEL_TOOLS_ARRAY_FILE_H

#include "core/npy.h"

reel_shape reel_npy_shape(const reel_npy *array);

/* Element i; integers beyond 2^53 lose digits. */
double reel_npy_number(const reel_npy *array, size_t i);
/* Element i of an array of integers or booleans. */
int64_t reel_npy_integer(const reel_npy *array, size_t i);

bool reel_npy_is_float(const reel_npy *array);

/* The dtype that holds the array best: f64 for doubles, f32 for other floats, u8 for booleans and bytes, i32 for the
   other integers. */
reel_dtype reel_npy_dtype(const reel_npy *array);

/* The values in another dtype, to be freed with reel_free. `path` is for messages. */
reel_status reel_npy_values(const reel_npy *array, reel_dtype dtype, const char *path, void **values,
                            reel_error *error);

/* Writes a tensor's values as they are. */
reel_status reel_npy_write_values(const char *path, reel_dtype dtype, const reel_shape *shape, const void *values,
                                  reel_error *error);

#endif
