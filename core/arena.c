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

static bool together(const reel_piece *p, const reel_piece *q)
{
    return p->first <= q->last && q->first <= p->last;
}

/* The lowest offset where `p` fits between the placed pieces, which are sorted by offset. */
static size_t lowest_gap(const reel_piece *p, reel_piece *const *placed, int count)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (!together(p, placed[i])) continue;
        if (placed[i]->offset >= at + p->bytes) return at;
        size_t end = placed[i]->offset + placed[i]->bytes;
        if (end > at) at = (end + REEL_ALIGNMENT - 1) & ~(size_t)(REEL_ALIGNMENT - 1);
    }
    return at;
}

/* Places the pieces in this order; returns the end of the highest, and which it is. */
static size_t place(reel_piece *const *order, int count, reel_piece **placed, int *highest)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        reel_piece *p = order[i];
        p->offset = lowest_gap(p, placed, i);
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > p->offset; at--) placed[at] = placed[at - 1];
        placed[at] = p;
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

static void better_order(reel_piece **order, int count, reel_piece **placed, reel_piece **best)
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
    reel_piece **order = reel_alloc(3 * (size_t)count, sizeof(reel_piece *));
    *total = 0;
    if (!order) return false;
    for (int i = 0; i < count; i++) order[i] = &piece[i];
    if (count) {
        qsort(order, (size_t)count, sizeof *order, larger_first);
        better_order(order, large, order + count, order + count + count);
        *total = place(order, count, order + count, &highest);
    }
    reel_free(order);
    return true;
}
