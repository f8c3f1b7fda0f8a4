/* NumPy's .npy: one array a file. Eight bytes of magic and version, a length, a Python dictionary literal

       {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }

   padded with spaces, and the data. Versions 1.0 (16-bit length), 2.0 and 3.0 (32-bit). Read: little-endian floats of
   2, 4, 8 bytes, integers of 1 to 8 bytes and booleans, rank 0 to 8, empty arrays too. Arrays in Fortran order are
   turned into C order. Refused with a reason: big-endian data, objects (they are pickles, which are programs), records,
   and a file that is one byte longer or shorter than its header says. */
#ifndef REEL_CORE_NPY_H
#define REEL_CORE_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "core/array_size.h"
#include "core/error.h"
#include "core/shape.h"

typedef struct {
    char dtype[4]; /* "<f2" "<f4" "<f8" "|i1" "<i2" "<i4" "<i8" "|u1" "<u2" "<u4" "<u8" "|b1" */
    int rank;
    int64_t shape[REEL_MAX_RANK];
    size_t elements, bytes;
    void *data; /* C order, aligned to 64 */
} reel_npy;

/* Reads versions 1 to 3 in either order; free with reel_npy_free. */
reel_status reel_npy_read(reel_npy *array, const char *path, reel_error *error);

/* Replaces `path` as core/file.h does; always version 1.0, C order, data at a multiple of 64 bytes. */
reel_status reel_npy_write(const char *path, const char *dtype, int rank, const int64_t *shape, const void *data,
                           reel_error *error);

void reel_npy_free(reel_npy *array);

#endif
