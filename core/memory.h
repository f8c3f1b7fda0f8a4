/* The one allocator entry point. Every allocation of the library goes through these functions, for two reasons:
   sizes are multiplied once, here, with an overflow check; and a test can make the n-th allocation fail, which is the
   only way to reach the error paths that a full machine would take. */
#ifndef REEL_CORE_MEMORY_H
#define REEL_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* count * size zeroed bytes, aligned to 64; NULL when the product overflows or memory is refused. A product of zero
   gives a valid pointer that may be freed. */
void *reel_alloc(size_t count, size_t size);

/* As reel_alloc, without zeroing: for large buffers that are written whole before they are read. */
void *reel_alloc_raw(size_t count, size_t size);

/* A block of new_count items that begins with the old ones and is zero beyond; NULL leaves the old block alone. */
void *reel_grow(void *block, size_t old_count, size_t new_count, size_t size);

/* Makes room for one more in a list of `count` items, twice as many as before or `least`; `list` is where the pointer
   to them is kept. False when out of memory, which leaves the list alone. */
bool reel_make_room(void *list, int count, int *room, int least, size_t size);

char *reel_copy_string(const char *text);
void reel_free(void *block);

/* True when *product = a * b did not overflow. */
static inline bool reel_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Test hooks: fail the n-th allocation from now (1 = the next), only that one or all from there on; 0 turns failing
   off. reel_alloc_count tells how many were asked for since the last call of reel_alloc_fail. */
void reel_alloc_fail(uint64_t n, bool and_all_after);
uint64_t reel_alloc_count(void);

#endif
