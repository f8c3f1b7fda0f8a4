/* Arrays as weight files hold them: what safetensors and PyTorch files have in common. A reader of either gives a list
   of these sorted by name; the values stay in the file until they are asked for.

   The element types are those of the files, more than the framework computes with; reel_stored_to_f32 converts. */
#ifndef REEL_MODELS_STORED_H
#define REEL_MODELS_STORED_H

#include "core/error.h"
#include "core/shape.h"

typedef enum {
    REEL_STORED_BOOL,
    REEL_STORED_U8,
    REEL_STORED_I8,
    REEL_STORED_U16,
    REEL_STORED_I16,
    REEL_STORED_F16,
    REEL_STORED_BF16,
    REEL_STORED_U32,
    REEL_STORED_I32,
    REEL_STORED_F32,
    REEL_STORED_U64,
    REEL_STORED_I64,
    REEL_STORED_F64,
    REEL_STORED_DTYPES
} reel_stored_dtype;

typedef struct {
    char *name;
    reel_stored_dtype dtype;
    reel_shape shape;
    size_t elements, bytes;
    uint64_t offset;               /* where the values begin in the file */
    uint32_t checksum;             /* of the values, where the file carries one */
    int64_t stride[REEL_MAX_RANK]; /* in elements, of a PyTorch tensor; safetensors are row-major */
} reel_stored;

const char *reel_stored_dtype_name(reel_stored_dtype dtype); /* "F32", "BOOL", ... as in safetensors */
bool reel_stored_dtype_from_name(const char *name, reel_stored_dtype *dtype);
size_t reel_stored_dtype_size(reel_stored_dtype dtype);

/* False when the shape is not of a size that memory can hold; otherwise fills in elements and bytes. */
bool reel_stored_measure(reel_stored *stored);

/* True for names without control characters, which would break the one line of a message. */
bool reel_stored_name_allowed(const char *name);

void reel_stored_sort(reel_stored *list, size_t count);
const reel_stored *reel_stored_find(const reel_stored *list, size_t count, const char *name);
void reel_stored_free(reel_stored *list, size_t count);

/* Compares a sorted list with the names and shapes that a model wants, and reports every missing, surplus and
   differently shaped array at once (as many as fit), as REEL_BAD_DATA. */
reel_status reel_stored_expect(const char *path, const reel_stored *list, size_t count, const reel_stored *wanted,
                               size_t wanted_count, bool surplus_allowed, reel_error *error);

/* float, double, half and bfloat16 to float; false for other types. `from` and `to` must not overlap. */
bool reel_stored_to_f32(reel_stored_dtype dtype, const void *from, size_t elements, float *to);

/* False when a floating-point array holds a NaN or an infinity. */
bool reel_stored_is_finite(reel_stored_dtype dtype, const void *data, size_t elements);

#endif
