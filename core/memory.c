/* See memory.h. Blocks come from aligned_alloc with 64-byte alignment: a cache line, and the widest vector. Large ones
   begin on a huge page and ask for such pages: one fault and one entry of the address cache then serve 2 MiB, not
   4 KiB. Only pages that lie in the block as a whole are asked for, so that it costs no memory. */
#include "core/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

static atomic_uint_fast64_t asked;
static atomic_uint_fast64_t fail_at;
static atomic_bool fail_after;

void reel_alloc_fail(uint64_t n, bool and_all_after)
{
    atomic_store(&asked, 0);
    atomic_store(&fail_after, and_all_after);
    atomic_store(&fail_at, n);
}

uint64_t reel_alloc_count(void)
{
    return atomic_load(&asked);
}

static bool told_to_fail(void)
{
    uint64_t now = atomic_fetch_add(&asked, 1) + 1, at = atomic_load(&fail_at);
    return at && (now == at || (atomic_load(&fail_after) && now > at));
}

void *reel_alloc_raw(size_t count, size_t size)
{
    size_t bytes;
    if (told_to_fail() || !reel_multiply(count, size, &bytes) || bytes > PTRDIFF_MAX - HUGE_PAGE) return NULL;
    size_t whole = ((bytes ? bytes : 1) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes < LARGE) return aligned_alloc(ALIGNMENT, whole);
    void *block;
    if (posix_memalign(&block, HUGE_PAGE, whole)) return NULL;
    madvise(block, bytes & ~(size_t)(HUGE_PAGE - 1), MADV_HUGEPAGE);
    return block;
}

void *reel_alloc(size_t count, size_t size)
{
    void *block = reel_alloc_raw(count, size);
    if (block) memset(block, 0, count * size);
    return block;
}

void *reel_grow(void *block, size_t old_count, size_t new_count, size_t size)
{
    char *grown = reel_alloc_raw(new_count, size);
    if (!grown) return NULL;
    if (block) memcpy(grown, block, old_count * size);
    memset(grown + old_count * size, 0, (new_count - old_count) * size);
    reel_free(block);
    return grown;
}

bool reel_make_room(void *list, int count, int *room, int least, size_t size)
{
    void *block;
    if (count < *room) return true;
    int more = *room ? 2 * *room : least;
    memcpy(&block, list, sizeof block);
    block = reel_grow(block, (size_t)*room, (size_t)more, size);
    if (!block) return false;
    memcpy(list, &block, sizeof block);
    *room = more;
    return true;
}

char *reel_copy_string(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = reel_alloc_raw(bytes, 1);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void reel_free(void *block)
{
    free(block);
}
