/* See pickle_machine.h. */
#include "models/pickle_machine.h"

#include "core/memory.h"

#include <string.h>

enum { NODES = 1 << 19, ITEMS = 1 << 20, STACK = 1 << 20 };

static bool out_of_memory(reel_pickle_machine *m)
{
    m->memory = true;
    return reel_pickle_refuse(m, "out of memory");
}

/* --- values --- */

/* Room for one more of `count`; the new room, or 0 when the limit is met or memory refused. */
static size_t grow(reel_pickle_machine *m, void **block, size_t count, size_t room, size_t size, size_t limit)
{
    if (count < room) return room;
    size_t more = room ? room * 2 : 256;
    if (more > limit) more = limit;
    if (count >= more) return (void)reel_pickle_refuse(m, "it builds more values than a weight file has"), 0;
    void *grown = reel_grow(*block, room, more, size);
    if (!grown) return (void)out_of_memory(m), 0;
    *block = grown;
    return more;
}

uint32_t reel_pickle_new_node(reel_pickle_machine *m, reel_pickle_kind kind)
{
    void *block = m->out->nodes;
    size_t room = grow(m, &block, m->out->node_count, m->node_room, sizeof *m->out->nodes, NODES);
    m->out->nodes = block;
    if (!room) return 0;
    m->node_room = room;
    m->out->nodes[m->out->node_count] = (reel_pickle_node){.kind = kind};
    return m->out->node_count++;
}

bool reel_pickle_add_item(reel_pickle_machine *m, uint32_t container, uint32_t item)
{
    void *block = m->out->cells;
    size_t room = grow(m, &block, m->out->cell_count, m->cell_room, sizeof *m->out->cells, ITEMS);
    m->out->cells = block;
    if (!room) return false;
    m->cell_room = room;
    uint32_t cell = m->out->cell_count++;
    reel_pickle_node *c = &m->out->nodes[container];
    m->out->cells[cell] = (reel_pickle_cell){.node = item};
    if (c->count)
        m->out->cells[c->tail].next = cell;
    else
        c->head = cell;
    c->tail = cell;
    c->count++;
    return true;
}

static bool set_number(reel_pickle_machine *m, reel_pickle_numbers *list, size_t at, uint32_t value, size_t limit)
{
    void *block = list->at;
    while (at >= list->room) {
        size_t room = grow(m, &block, list->room, list->room, sizeof *list->at, limit);
        list->at = block;
        if (!room) return false;
        list->room = room;
    }
    list->at[at] = value;
    if (at >= list->count) list->count = at + 1;
    return true;
}

bool reel_pickle_remember(reel_pickle_machine *m, size_t at, uint32_t node)
{
    return set_number(m, &m->memo, at, node, REEL_PICKLE_MEMO);
}

/* --- the stack --- */

bool reel_pickle_push(reel_pickle_machine *m, uint32_t node)
{
    return node && set_number(m, &m->stack, m->stack.count, node, STACK);
}

size_t reel_pickle_fence(const reel_pickle_machine *m)
{
    return m->mark_count ? m->marks[m->mark_count - 1] : 0;
}

uint32_t reel_pickle_top(reel_pickle_machine *m)
{
    if (m->stack.count > reel_pickle_fence(m)) return m->stack.at[m->stack.count - 1];
    return (void)reel_pickle_refuse(m, "it takes from an empty stack"), 0;
}

uint32_t reel_pickle_pop(reel_pickle_machine *m)
{
    uint32_t node = reel_pickle_top(m);
    m->stack.count -= node != 0;
    return node;
}

reel_pickle_node *reel_pickle_node_at(const reel_pickle_machine *m, uint32_t node)
{
    return &m->out->nodes[node];
}

bool reel_pickle_is(const reel_pickle_machine *m, uint32_t node, reel_pickle_kind kind)
{
    return node && reel_pickle_node_at(m, node)->kind == kind;
}

/* --- arguments of opcodes --- */

bool reel_pickle_take_bytes(reel_pickle_machine *m, size_t n, const unsigned char **bytes)
{
    if ((size_t)(m->end - m->at) < n) return reel_pickle_refuse(m, "it ends in the middle");
    *bytes = m->at;
    m->at += n;
    return true;
}

bool reel_pickle_take_number(reel_pickle_machine *m, size_t n, uint64_t *value)
{
    const unsigned char *b;
    if (!reel_pickle_take_bytes(m, n, &b)) return false;
    *value = 0;
    for (size_t i = n; i-- > 0;) *value = *value << 8 | b[i];
    return true;
}

bool reel_pickle_take_line(reel_pickle_machine *m, char word[REEL_PICKLE_WORD])
{
    size_t left = (size_t)(m->end - m->at);
    const unsigned char *newline = memchr(m->at, '\n', left < REEL_PICKLE_WORD ? left : REEL_PICKLE_WORD);
    if (!newline) return reel_pickle_refuse(m, "a function's name has no end");
    size_t n = (size_t)(newline - m->at);
    for (size_t i = 0; i < n; i++) word[i] = m->at[i] > 0x20 && m->at[i] < 0x7f ? (char)m->at[i] : '?';
    word[n] = 0;
    m->at = newline + 1;
    return true;
}
