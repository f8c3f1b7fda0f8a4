/* See pickle.h. One small function an opcode; a table finds it. A function returns false after setting `wrong`. */
#include "models/pickle.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

enum { NODES = 1 << 19, ITEMS = 1 << 20, STACK = 1 << 20, MEMO = 1 << 20, STRING = 1 << 20, MARKS = 64, WORD = 200 };

static const char *const globals[REEL_GLOBAL_END] = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.nn.parameter.Parameter",
    "torch.Size",
    "torch.FloatStorage",
    "torch.DoubleStorage",
    "torch.HalfStorage",
    "torch.BFloat16Storage",
    "torch.LongStorage",
    "torch.IntStorage",
    "torch.ShortStorage",
    "torch.CharStorage",
    "torch.ByteStorage",
    "torch.BoolStorage",
};

typedef struct {
    uint32_t *at;
    size_t count, room;
} numbers;

typedef struct {
    reel_pickle *out;
    size_t node_room, cell_room;
    const unsigned char *at, *end;
    numbers stack, memo;
    size_t marks[MARKS], mark_count;
    const char *wrong;
    char name[2 * WORD + 1]; /* the function refused, else empty */
    bool memory, stopped;
} machine;

static bool refuse(machine *m, const char *why)
{
    if (!m->wrong) m->wrong = why;
    return false;
}

static bool out_of_memory(machine *m)
{
    m->memory = true;
    return refuse(m, "out of memory");
}

/* ---- memory ---- */

/* Room for one more of `count`; the new room, or 0 when the limit is met or memory refused. */
static size_t grow(machine *m, void **block, size_t count, size_t room, size_t size, size_t limit)
{
    if (count < room) return room;
    size_t more = room ? room * 2 : 256;
    if (more > limit) more = limit;
    if (count >= more) return (void)refuse(m, "it builds more values than a weight file has"), 0;
    void *grown = reel_grow(*block, room, more, size);
    if (!grown) return (void)out_of_memory(m), 0;
    *block = grown;
    return more;
}

static uint32_t new_node(machine *m, reel_pickle_kind kind)
{
    void *block = m->out->nodes;
    size_t room = grow(m, &block, m->out->node_count, m->node_room, sizeof *m->out->nodes, NODES);
    m->out->nodes = block;
    if (!room) return 0;
    m->node_room = room;
    m->out->nodes[m->out->node_count] = (reel_pickle_node){.kind = kind};
    return m->out->node_count++;
}

static bool add_item(machine *m, uint32_t container, uint32_t item)
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

static bool set_number(machine *m, numbers *list, size_t at, uint32_t value, size_t limit)
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

/* ---- the stack ---- */

static bool push(machine *m, uint32_t node)
{
    return node && set_number(m, &m->stack, m->stack.count, node, STACK);
}

/* What lies below the last mark is out of reach until the mark is taken. */
static size_t fence(const machine *m)
{
    return m->mark_count ? m->marks[m->mark_count - 1] : 0;
}

static uint32_t top(machine *m)
{
    if (m->stack.count > fence(m)) return m->stack.at[m->stack.count - 1];
    return (void)refuse(m, "it takes from an empty stack"), 0;
}

static uint32_t pop(machine *m)
{
    uint32_t node = top(m);
    m->stack.count -= node != 0;
    return node;
}

static reel_pickle_node *node_at(const machine *m, uint32_t node)
{
    return &m->out->nodes[node];
}

static bool is(const machine *m, uint32_t node, reel_pickle_kind kind)
{
    return node && node_at(m, node)->kind == kind;
}

/* ---- reading arguments ---- */

static bool take_bytes(machine *m, size_t n, const unsigned char **bytes)
{
    if ((size_t)(m->end - m->at) < n) return refuse(m, "it ends in the middle");
    *bytes = m->at;
    m->at += n;
    return true;
}

static bool take_number(machine *m, size_t n, uint64_t *value)
{
    const unsigned char *b;
    if (!take_bytes(m, n, &b)) return false;
    *value = 0;
    for (size_t i = n; i-- > 0;) *value = *value << 8 | b[i];
    return true;
}

static bool take_line(machine *m, char word[WORD])
{
    size_t left = (size_t)(m->end - m->at);
    const unsigned char *newline = memchr(m->at, '\n', left < WORD ? left : WORD);
    if (!newline) return refuse(m, "a function's name has no end");
    size_t n = (size_t)(newline - m->at);
    for (size_t i = 0; i < n; i++) word[i] = m->at[i] > 0x20 && m->at[i] < 0x7f ? (char)m->at[i] : '?';
    word[n] = 0;
    m->at = newline + 1;
    return true;
}

/* ---- opcodes: plain values ---- */

static bool push_integer(machine *m, reel_pickle_kind kind, int64_t value)
{
    uint32_t node = new_node(m, kind);
    if (!node) return false;
    node_at(m, node)->integer = value;
    return push(m, node);
}

static bool op_proto(machine *m)
{
    uint64_t version;
    return take_number(m, 1, &version) && (version == 2 || refuse(m, "expected protocol 2"));
}

static bool op_stop(machine *m)
{
    m->stopped = true;
    m->out->root = pop(m);
    return m->out->root && (m->stack.count == 0 || refuse(m, "it leaves values behind"));
}

static bool op_none(machine *m)
{
    return push_integer(m, REEL_PICKLE_NONE, 0);
}
static bool op_true(machine *m)
{
    return push_integer(m, REEL_PICKLE_BOOL, 1);
}
static bool op_false(machine *m)
{
    return push_integer(m, REEL_PICKLE_BOOL, 0);
}

static bool push_unsigned(machine *m, size_t bytes)
{
    uint64_t value;
    return take_number(m, bytes, &value) && push_integer(m, REEL_PICKLE_INT, (int64_t)value);
}

static bool op_binint1(machine *m)
{
    return push_unsigned(m, 1);
}
static bool op_binint2(machine *m)
{
    return push_unsigned(m, 2);
}

static bool op_binint(machine *m)
{
    uint64_t value;
    return take_number(m, 4, &value) && push_integer(m, REEL_PICKLE_INT, (int32_t)(uint32_t)value);
}

static bool op_long1(machine *m)
{
    uint64_t n, value;
    const unsigned char *skipped;
    if (!take_number(m, 1, &n)) return false;
    if (n > 8) return take_bytes(m, (size_t)n, &skipped) && push_integer(m, REEL_PICKLE_BIG, 0);
    if (!take_number(m, (size_t)n, &value)) return false;
    if (n > 0 && n < 8 && value >> (8 * n - 1)) value |= ~(uint64_t)0 << 8 * n;
    return push_integer(m, REEL_PICKLE_INT, (int64_t)value);
}

static bool op_binfloat(machine *m)
{
    const unsigned char *b;
    uint64_t bits = 0;
    uint32_t node;
    if (!take_bytes(m, 8, &b) || !(node = new_node(m, REEL_PICKLE_REAL))) return false;
    for (int i = 0; i < 8; i++) bits = bits << 8 | b[i];
    memcpy(&node_at(m, node)->real, &bits, sizeof bits);
    return push(m, node);
}

static bool push_string(machine *m, size_t length_bytes)
{
    uint64_t n;
    const unsigned char *text;
    uint32_t node;
    if (!take_number(m, length_bytes, &n)) return false;
    if (n > STRING) return refuse(m, "a string is longer than 1 MiB");
    if (!take_bytes(m, (size_t)n, &text) || !(node = new_node(m, REEL_PICKLE_STRING))) return false;
    node_at(m, node)->text = (const char *)text;
    node_at(m, node)->count = (uint32_t)n;
    return push(m, node);
}

static bool op_binunicode(machine *m)
{
    return push_string(m, 4);
}
static bool op_short_binstring(machine *m)
{
    return push_string(m, 1);
}

/* ---- opcodes: containers ---- */

static bool op_empty_tuple(machine *m)
{
    return push(m, new_node(m, REEL_PICKLE_TUPLE));
}
static bool op_empty_list(machine *m)
{
    return push(m, new_node(m, REEL_PICKLE_LIST));
}
static bool op_empty_dict(machine *m)
{
    return push(m, new_node(m, REEL_PICKLE_DICT));
}
static bool op_empty_set(machine *m)
{
    return push(m, new_node(m, REEL_PICKLE_SET));
}

static bool op_mark(machine *m)
{
    if (m->mark_count == MARKS) return refuse(m, "it nests deeper than 64");
    m->marks[m->mark_count++] = m->stack.count;
    return true;
}

/* Moves everything from stack place `from` on into the container. */
static bool move_items(machine *m, uint32_t container, size_t from)
{
    for (size_t i = from; i < m->stack.count; i++)
        if (!add_item(m, container, m->stack.at[i])) return false;
    m->stack.count = from;
    return true;
}

static bool make_tuple(machine *m, size_t from)
{
    uint32_t node = new_node(m, REEL_PICKLE_TUPLE);
    return node && move_items(m, node, from) && push(m, node);
}

static bool take_mark(machine *m, size_t *from)
{
    if (m->mark_count == 0) return refuse(m, "it closes what was not opened");
    *from = m->marks[--m->mark_count];
    return true;
}

static bool op_tuple(machine *m)
{
    size_t from;
    return take_mark(m, &from) && make_tuple(m, from);
}

static bool short_tuple(machine *m, size_t n)
{
    return m->stack.count - fence(m) < n ? refuse(m, "it takes from an empty stack")
                                         : make_tuple(m, m->stack.count - n);
}

static bool op_tuple1(machine *m)
{
    return short_tuple(m, 1);
}
static bool op_tuple2(machine *m)
{
    return short_tuple(m, 2);
}
static bool op_tuple3(machine *m)
{
    return short_tuple(m, 3);
}

/* Adds what lies from `from` on to the container just below it. */
static bool extend(machine *m, size_t from, reel_pickle_kind kind)
{
    if (from <= fence(m) || !is(m, m->stack.at[from - 1], kind)) return refuse(m, "it adds to what cannot hold items");
    if (kind == REEL_PICKLE_DICT && (m->stack.count - from) % 2) return refuse(m, "a key has no value");
    return move_items(m, m->stack.at[from - 1], from);
}

static bool op_append(machine *m)
{
    if (m->stack.count - fence(m) < 2) return refuse(m, "it takes from an empty stack");
    return extend(m, m->stack.count - 1, REEL_PICKLE_LIST);
}

static bool op_appends(machine *m)
{
    size_t from;
    return take_mark(m, &from) && extend(m, from, REEL_PICKLE_LIST);
}

static bool op_setitem(machine *m)
{
    if (m->stack.count - fence(m) < 3) return refuse(m, "it takes from an empty stack");
    return extend(m, m->stack.count - 2, REEL_PICKLE_DICT);
}

static bool op_setitems(machine *m)
{
    size_t from;
    return take_mark(m, &from) && extend(m, from, REEL_PICKLE_DICT);
}

/* ---- opcodes: memory of earlier values ---- */

static bool put(machine *m, size_t length)
{
    uint64_t at;
    uint32_t node = top(m);
    return node && take_number(m, length, &at) &&
           (at < MEMO ? set_number(m, &m->memo, (size_t)at, node, MEMO)
                      : refuse(m, "it remembers more than 2^20 values"));
}

static bool get(machine *m, size_t length)
{
    uint64_t at;
    if (!take_number(m, length, &at)) return false;
    if (at >= m->memo.count || !m->memo.at[at]) return refuse(m, "it recalls what was not remembered");
    return push(m, m->memo.at[at]);
}

static bool op_binput(machine *m)
{
    return put(m, 1);
}
static bool op_long_binput(machine *m)
{
    return put(m, 4);
}
static bool op_binget(machine *m)
{
    return get(m, 1);
}
static bool op_long_binget(machine *m)
{
    return get(m, 4);
}

/* ---- opcodes: functions, recorded and not called ---- */

static bool op_global(machine *m)
{
    char module[WORD], name[WORD];
    if (!take_line(m, module) || !take_line(m, name)) return false;
    snprintf(m->name, sizeof m->name, "%s.%s", module, name);
    for (int i = 0; i < REEL_GLOBAL_END; i++)
        if (strcmp(globals[i], m->name) == 0) {
            m->name[0] = 0;
            return push_integer(m, REEL_PICKLE_GLOBAL, i);
        }
    return refuse(m, "it calls a function that weights do not need");
}

/* A new node with the items of another, which must not change afterwards. */
static bool push_with_items_of(machine *m, reel_pickle_kind kind, uint32_t items, int64_t integer)
{
    uint32_t node = new_node(m, kind);
    if (!node) return false;
    const reel_pickle_node *from = node_at(m, items);
    *node_at(m, node) = (reel_pickle_node){kind, from->count, from->head, from->tail, {integer}};
    return push(m, node);
}

/* OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]). */
static bool ordered_dict(machine *m, uint32_t arguments)
{
    uint32_t dict = new_node(m, REEL_PICKLE_DICT);
    if (!dict) return false;
    const reel_pickle_node *list = reel_pickle_item(m->out, node_at(m, arguments), 0);
    if (list && list->kind != REEL_PICKLE_LIST) return refuse(m, "a dictionary is made of something else than a list");
    uint32_t cell = list ? list->head : 0;
    for (uint32_t left = list ? list->count : 0; left > 0; left--, cell = m->out->cells[cell].next) {
        const reel_pickle_node pair = *node_at(m, m->out->cells[cell].node);
        if ((pair.kind != REEL_PICKLE_TUPLE && pair.kind != REEL_PICKLE_LIST) || pair.count != 2)
            return refuse(m, "a dictionary is made of something else than pairs");
        if (!add_item(m, dict, m->out->cells[pair.head].node) || !add_item(m, dict, m->out->cells[pair.tail].node))
            return false;
    }
    return push(m, dict);
}

static bool op_reduce(machine *m)
{
    uint32_t arguments = pop(m), function = arguments ? pop(m) : 0;
    if (!function) return false;
    if (!is(m, arguments, REEL_PICKLE_TUPLE) || !is(m, function, REEL_PICKLE_GLOBAL))
        return refuse(m, "it calls what is no function");
    int64_t which = node_at(m, function)->integer;
    if (which == REEL_GLOBAL_ORDERED_DICT) return ordered_dict(m, arguments);
    return push_with_items_of(m, REEL_PICKLE_CALL, arguments, which);
}

/* The attributes of a dictionary (PyTorch's `_metadata`) do not matter for weights. */
static bool op_build(machine *m)
{
    return pop(m) &&
           (is(m, top(m), REEL_PICKLE_DICT) || refuse(m, "it sets attributes of something else than a dictionary"));
}

static bool op_binpersid(machine *m)
{
    uint32_t id = pop(m);
    if (!id) return false;
    if (!is(m, id, REEL_PICKLE_TUPLE)) return refuse(m, "a persistent id is no tuple");
    return push_with_items_of(m, REEL_PICKLE_PERSISTENT, id, 0);
}

static bool (*const operations[256])(machine *) = {
    [0x80] = op_proto,          ['.'] = op_stop,       ['('] = op_mark,        ['N'] = op_none,
    [0x88] = op_true,           [0x89] = op_false,     ['J'] = op_binint,      ['K'] = op_binint1,
    ['M'] = op_binint2,         [0x8a] = op_long1,     ['G'] = op_binfloat,    ['X'] = op_binunicode,
    ['U'] = op_short_binstring, ['}'] = op_empty_dict, [']'] = op_empty_list,  [')'] = op_empty_tuple,
    [0x8f] = op_empty_set,      ['t'] = op_tuple,      [0x85] = op_tuple1,     [0x86] = op_tuple2,
    [0x87] = op_tuple3,         ['a'] = op_append,     ['e'] = op_appends,     ['s'] = op_setitem,
    ['u'] = op_setitems,        ['q'] = op_binput,     ['r'] = op_long_binput, ['h'] = op_binget,
    ['j'] = op_long_binget,     ['c'] = op_global,     ['R'] = op_reduce,      ['b'] = op_build,
    [0x81] = op_reduce,         ['Q'] = op_binpersid,
};

/* ---- the machine ---- */

static reel_status report(const machine *m, size_t at, const char *path, reel_error *error)
{
    if (m->memory) return reel_fail_memory(error);
    return reel_fail(error, REEL_BAD_DATA, "%s: its pickle is refused at byte %zu: %s%s%s", path, at,
                     m->wrong ? m->wrong : "an opcode that weights do not need", m->name[0] ? ": " : "", m->name);
}

reel_status reel_pickle_read(reel_pickle *pickle, const unsigned char *bytes, size_t size, size_t *used,
                             const char *path, reel_error *error)
{
    machine m = {.out = pickle, .at = bytes, .end = bytes + size};
    *pickle = (reel_pickle){.node_count = 1, .cell_count = 1};
    bool going = true;
    size_t at = 0;
    while (going && !m.stopped) {
        const unsigned char *opcode;
        at = (size_t)(m.at - bytes);
        going = take_bytes(&m, 1, &opcode) && operations[*opcode] && operations[*opcode](&m);
    }
    *used = (size_t)(m.at - bytes);
    reel_free(m.stack.at);
    reel_free(m.memo.at);
    if (going) return REEL_OK;
    reel_pickle_free(pickle);
    return report(&m, at, path, error);
}

void reel_pickle_free(reel_pickle *pickle)
{
    reel_free(pickle->nodes);
    reel_free(pickle->cells);
    *pickle = (reel_pickle){.nodes = NULL};
}

const reel_pickle_node *reel_pickle_item(const reel_pickle *pickle, const reel_pickle_node *container, uint32_t i)
{
    if (container->kind == REEL_PICKLE_STRING || i >= container->count) return NULL;
    uint32_t cell = container->head;
    while (i-- > 0) cell = pickle->cells[cell].next;
    return &pickle->nodes[pickle->cells[cell].node];
}
