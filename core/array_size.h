/* The size of an array that a file describes. Every reader asks this one function and stores the answer, so that the
   check and the use cannot compute it differently; a size that wraps is the classic hole of array file readers. */
#ifndef REEL_CORE_ARRAY_SIZE_H
#define REEL_CORE_ARRAY_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements and bytes of shape[0..rank-1] with items of `item` bytes. False for a negative dimension, or when the
   product of the non-zero dimensions and `item` passes PTRDIFF_MAX: a zero dimension does not hide an absurd one. */
static inline bool reel_array_size(int rank, const int64_t *shape, size_t item, size_t *elements, size_t *bytes)
{
    size_t nonzero = 1, total;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) return false;
        if (shape[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(nonzero, (uint64_t)shape[i], &nonzero))
            return false;
    }
    if (__builtin_mul_overflow(nonzero, item, &total) || total > PTRDIFF_MAX) return false;
    *elements = empty ? 0 : nonzero;
    *bytes = empty ? 0 : total;
    return true;
}

#endif
