/* See arena.h. Which order of placing is best nobody can say beforehand. Two are tried, by size and by length of life,
   and each is bettered some rounds: the piece that ends highest is placed earlier, half as far from the front. Only the
   largest pieces take part; the others find room between them. It ends when the gaps
   are below a hundredth. */
#include "core/arena.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 1024, ROUNDS = 40 };

static int larger_first(const void *a, const void *b)
{
    const reel_piece *p = *(reel_piece *const *)a, *q = *(reel_piece *const *)b;
    if (p->bytes != q->bytes) return p->bytes < q->bytes ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first);
}

static int longer_first(const void *a, const void *b)
{
    const reel_piece *p = *(reel_piece *const *)a, *q = *(reel_piece *const *)b;
    int left = p->last - p->first, right = q->last - q->first;
    return left != right ? (left < right) - (left > right) : larger_first(a, b);
}

/* A piece that has its place: what others must know of it, side by side with its like, as they are looked through for
   every piece. */
typedef struct {
    size_t offset, end; /* the end is where the next may begin */
    int first, last;
} placed_piece;

/* The lowest offset where `p` fits between the placed pieces, which are sorted by offset. */
static size_t lowest_gap(const reel_piece *p, const placed_piece *placed, int count)
{
    size_t at = 0;
    for (const placed_piece *q = placed; q < placed + count; q++) {
        if (p->first > q->last || q->first > p->last) continue;
        if (q->offset >= at + p->bytes) return at;
        if (q->end > at) at = q->end;
    }
    return at;
}

/* Puts a piece among the placed ones, after those of the same offset. */
static void insert(const reel_piece *p, placed_piece *placed, int count)
{
    int low = 0, high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (placed[middle].offset > p->offset)
            high = middle;
        else
            low = middle + 1;
    }
    size_t end = (p->offset + p->bytes + REEL_ALIGNMENT - 1) & ~(size_t)(REEL_ALIGNMENT - 1);
    memmove(placed + low + 1, placed + low, (size_t)(count - low) * sizeof *placed);
    placed[low] = (placed_piece){p->offset, end, p->first, p->last};
}

/* Places the pieces in this order; returns the end of the highest, and which it is. */
static size_t place(reel_piece *const *order, int count, placed_piece *placed, int *highest)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        reel_piece *p = order[i];
        p->offset = lowest_gap(p, placed, i);
        insert(p, placed, i);
        if (p->offset + p->bytes <= total) continue;
        total = p->offset + p->bytes;
        *highest = i;
    }
    return total;
}

/* The most bytes that are alive together: no layout takes less. */
static size_t least_bytes(reel_piece *const *order, int count)
{
    size_t least = 0;
    for (int i = 0; i < count; i++) {
        size_t alive = 0;
        for (int k = 0; k < count; k++)
            if (order[k]->first <= order[i]->first && order[i]->first <= order[k]->last) alive += order[k]->bytes;
        if (alive > least) least = alive;
    }
    return least;
}

static void better_order(reel_piece **order, int count, placed_piece *placed, reel_piece **best)
{
    size_t least = least_bytes(order, count), lowest = SIZE_MAX;
    for (int round = 0, highest = 0; round < 2 * ROUNDS && lowest > least + least / 128; round++) {
        if (round == ROUNDS) qsort(order, (size_t)count, sizeof *order, longer_first);
        size_t total = place(order, count, placed, &highest);
        if (total < lowest) {
            lowest = total;
            memcpy(best, order, (size_t)count * sizeof *order);
        }
        reel_piece *p = order[highest];
        memmove(order + highest / 2 + 1, order + highest / 2, (size_t)(highest - highest / 2) * sizeof *order);
        order[highest / 2] = p;
    }
    memcpy(order, best, (size_t)count * sizeof *order);
}

bool reel_arena_layout(reel_piece *piece, int count, size_t *total)
{
    int highest, large = count < LARGE ? count : LARGE;
    reel_piece **order = reel_alloc_raw(2 * (size_t)count, sizeof(reel_piece *));
    placed_piece *placed = reel_alloc_raw((size_t)count, sizeof *placed);
    bool ok = order && placed;
    *total = 0;
    for (int i = 0; ok && i < count; i++) order[i] = &piece[i];
    if (ok && count) {
        qsort(order, (size_t)count, sizeof *order, larger_first);
        better_order(order, large, placed, order + count);
        *total = place(order, count, placed, &highest);
    }
    reel_free(order);
    reel_free(placed);
    return ok;
}
