/* Lays out pieces with known lifetimes in one block of memory. */
#ifndef REEL_CORE_ARENA_H
#define REEL_CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum { REEL_ALIGNMENT = 64 }; /* of every piece, in bytes: a cache line, and the widest vector */

typedef struct {
    size_t bytes;
    int first, last; /* alive from position first to position last, both included */
    size_t offset;   /* the answer */
} reel_piece;

/* Gives every piece an offset, a multiple of REEL_ALIGNMENT, such that pieces alive together do not overlap: one after
   the other, each at the lowest offset that is free for its whole life, in the best of the orders tried. Returns false
   when out of memory; *total is the arena's size. Cost: n^2 in the number of pieces, and as much again for each order
   tried of the thousand largest: some tens of milliseconds for a training step. */
bool reel_arena_layout(reel_piece *piece, int count, size_t *total);

#endif
