/* See arena.h. */
#include "core/arena.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const reel_piece *p = *(reel_piece *const *)a, *q = *(reel_piece *const *)b;
    if (p->bytes != q->bytes) return p->bytes < q->bytes ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first);
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

bool reel_arena_layout(reel_piece *piece, int count, size_t *total)
{
    *total = 0;
    reel_piece **order = reel_alloc((size_t)count, sizeof(reel_piece *));
    reel_piece **placed = reel_alloc((size_t)count, sizeof(reel_piece *));
    bool ok = order && placed;
    for (int i = 0; ok && i < count; i++) order[i] = &piece[i];
    if (ok) qsort(order, (size_t)count, sizeof *order, larger_first);
    for (int i = 0; ok && i < count; i++) {
        reel_piece *p = order[i];
        p->offset = lowest_gap(p, placed, i);
        int at = i;
        for (; at > 0 && placed[at - 1]->offset > p->offset; at--) placed[at] = placed[at - 1];
        placed[at] = p;
        if (p->offset + p->bytes > *total) *total = p->offset + p->bytes;
    }
    reel_free(order);
    reel_free(placed);
    return ok;
}
