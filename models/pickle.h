/* Python's pickle, protocol 2, as far as PyTorch weight files need it, and no further. A pickle is a program for a
   stack machine that may call any Python function; this machine calls none. It builds a tree of plain values, in which
   a call is recorded as a node, and only calls of the few functions named below; everything else is refused by name.

   A node is 24 bytes, an item of a container 8. The limits (half a million nodes, a million items, strings of 1 MiB,
   64 open marks) keep hostile input below 40 MiB. Containers can hold themselves: whoever walks must bound the walk. */
#ifndef REEL_MODELS_PICKLE_H
#define REEL_MODELS_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

typedef enum {
    REEL_PICKLE_NONE,
    REEL_PICKLE_BOOL,
    REEL_PICKLE_INT,
    REEL_PICKLE_BIG, /* an integer of more than 64 bits; its value is dropped */
    REEL_PICKLE_REAL,
    REEL_PICKLE_STRING, /* text points into the pickle; count is its length */
    REEL_PICKLE_TUPLE,
    REEL_PICKLE_LIST,
    REEL_PICKLE_DICT, /* items are key, value, key, value */
    REEL_PICKLE_SET,
    REEL_PICKLE_GLOBAL,     /* integer tells which */
    REEL_PICKLE_CALL,       /* of the global `integer` with the items as arguments */
    REEL_PICKLE_PERSISTENT, /* items as in the persistent id */
} reel_pickle_kind;

typedef enum {
    REEL_GLOBAL_ORDERED_DICT,
    REEL_GLOBAL_REBUILD_TENSOR,
    REEL_GLOBAL_REBUILD_TENSOR_V2,
    REEL_GLOBAL_REBUILD_PARAMETER,
    REEL_GLOBAL_PARAMETER,
    REEL_GLOBAL_SIZE,
    REEL_GLOBAL_STORAGE, /* + the position in the list float, double, half, bfloat16, long, int, short, char, byte, bool
                          */
    REEL_GLOBAL_END = REEL_GLOBAL_STORAGE + 10
} reel_pickle_global;

typedef struct {
    reel_pickle_kind kind;
    uint32_t count, head, tail; /* of the items, places in `cells` */
    union {
        int64_t integer;
        double real;
        const char *text;
    };
} reel_pickle_node;

typedef struct {
    uint32_t node, next;
} reel_pickle_cell;

typedef struct {
    reel_pickle_node *nodes; /* node 0 is never used */
    reel_pickle_cell *cells; /* cell 0 ends a list */
    uint32_t node_count, cell_count, root;
} reel_pickle;

/* Runs the pickle at the start of `bytes`; *used tells how far it went. The tree points into `bytes`. */
reel_status reel_pickle_read(reel_pickle *pickle, const unsigned char *bytes, size_t size, size_t *used,
                             const char *path, reel_error *error);
void reel_pickle_free(reel_pickle *pickle);

/* The i-th item of a container, or NULL. */
const reel_pickle_node *reel_pickle_item(const reel_pickle *pickle, const reel_pickle_node *container, uint32_t i);

#endif
