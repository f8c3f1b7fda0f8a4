/* How long values live, and which of them share memory. A value lives from the step that makes it to the last that
   reads it. Views and updates share the memory of their inputs, slices and joined values that of the whole where it
   pays (core/sharing.h); an element-wise op may write over an input that dies there. */
#ifndef REEL_CORE_LIVES_H
#define REEL_CORE_LIVES_H

#include "core/sharing.h"

typedef enum { REEL_IN_ARENA, REEL_IN_BLOCK, REEL_IN_PARAMETER } reel_where;

/* The memory of one or several values. */
typedef struct {
    const reel_tensor *tensor; /* the whole that used it first */
    reel_where where;
    size_t bytes;
    int first, last; /* steps; last is INT_MAX for what can be read after the run */
    size_t offset;   /* in the arena */
    void *data;      /* of a block: owned by the plan */
    bool written;    /* a block holds values */
} reel_storage;

typedef struct {
    reel_home *home; /* per value */
    int *root;       /* per value: what it is, through views and updates, whatever else shares its memory */
    int *last;       /* per value: the last step that reads it as such */
    int *storage;    /* per value */
    reel_storage *store;
    int stores;
} reel_lives;

/* False when out of memory. Cost: some passes over the steps and their inputs. */
bool reel_lives_find(reel_lives *lives, const reel_schedule *schedule, const reel_wiring *wiring);
void reel_lives_free(reel_lives *lives);

#endif
