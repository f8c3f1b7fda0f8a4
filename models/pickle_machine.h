/* The stack machine that a pickle is a program for: the values that it has built, its stack with marks, what it
   remembers, and the bytes that are still to be read. models/pickle.c has the opcodes. Functions return false, or node
   0, after setting `wrong`, so that an opcode is a chain of them. */
#ifndef REEL_MODELS_PICKLE_MACHINE_H
#define REEL_MODELS_PICKLE_MACHINE_H

#include "models/pickle.h"

#include <stdbool.h>

enum { REEL_PICKLE_MEMO = 1 << 20, REEL_PICKLE_MARKS = 64, REEL_PICKLE_WORD = 200 };

typedef struct {
    uint32_t *at;
    size_t count, room;
} reel_pickle_numbers;

typedef struct {
    reel_pickle *out;
    size_t node_room, cell_room;
    const unsigned char *at, *end;
    reel_pickle_numbers stack, memo;
    size_t marks[REEL_PICKLE_MARKS], mark_count;
    const char *wrong;
    char name[2 * REEL_PICKLE_WORD + 1]; /* the function refused, else empty */
    bool memory, stopped;
} reel_pickle_machine;

/* Here, so that the compiler sees that it is always false. */
static inline bool reel_pickle_refuse(reel_pickle_machine *m, const char *why)
{
    if (!m->wrong) m->wrong = why;
    return false;
}

/* --- values --- */

uint32_t reel_pickle_new_node(reel_pickle_machine *m, reel_pickle_kind kind);
reel_pickle_node *reel_pickle_node_at(const reel_pickle_machine *m, uint32_t node);
bool reel_pickle_is(const reel_pickle_machine *m, uint32_t node, reel_pickle_kind kind);
bool reel_pickle_add_item(reel_pickle_machine *m, uint32_t container, uint32_t item);
bool reel_pickle_remember(reel_pickle_machine *m, size_t at, uint32_t node);

/* --- the stack --- */

bool reel_pickle_push(reel_pickle_machine *m, uint32_t node);
/* What lies below the last mark is out of reach until the mark is taken. */
size_t reel_pickle_fence(const reel_pickle_machine *m);
uint32_t reel_pickle_top(reel_pickle_machine *m);
uint32_t reel_pickle_pop(reel_pickle_machine *m);

/* --- arguments of opcodes --- */

bool reel_pickle_take_bytes(reel_pickle_machine *m, size_t n, const unsigned char **bytes);
/* Little-endian, of up to eight bytes. */
bool reel_pickle_take_number(reel_pickle_machine *m, size_t n, uint64_t *value);
/* A word up to a newline; bytes that are not printed become '?'. */
bool reel_pickle_take_line(reel_pickle_machine *m, char word[REEL_PICKLE_WORD]);

#endif
