/* See pickle.h. One small function an opcode; a table finds it. The machine that they work on is in
   models/pickle_machine.h. */
#include "models/pickle_machine.h"

#include "core/memory.h"

#include <stdio.h>
#include <string.h>

enum { STRING = 1 << 20 };

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

/* --- opcodes: plain values --- */

static bool push_integer(reel_pickle_machine *m, reel_pickle_kind kind, int64_t value)
{
    uint32_t node = reel_pickle_new_node(m, kind);
    if (!node) return false;
    reel_pickle_node_at(m, node)->integer = value;
    return reel_pickle_push(m, node);
}

static bool op_proto(reel_pickle_machine *m)
{
    uint64_t version;
    return reel_pickle_take_number(m, 1, &version) && (version == 2 || reel_pickle_refuse(m, "expected protocol 2"));
}

static bool op_stop(reel_pickle_machine *m)
{
    m->stopped = true;
    m->out->root = reel_pickle_pop(m);
    return m->out->root && (m->stack.count == 0 || reel_pickle_refuse(m, "it leaves values behind"));
}

static bool op_none(reel_pickle_machine *m)
{
    return push_integer(m, REEL_PICKLE_NONE, 0);
}
static bool op_true(reel_pickle_machine *m)
{
    return push_integer(m, REEL_PICKLE_BOOL, 1);
}
static bool op_false(reel_pickle_machine *m)
{
    return push_integer(m, REEL_PICKLE_BOOL, 0);
}

static bool push_unsigned(reel_pickle_machine *m, size_t bytes)
{
    uint64_t value;
    return reel_pickle_take_number(m, bytes, &value) && push_integer(m, REEL_PICKLE_INT, (int64_t)value);
}

static bool op_binint1(reel_pickle_machine *m)
{
    return push_unsigned(m, 1);
}
static bool op_binint2(reel_pickle_machine *m)
{
    return push_unsigned(m, 2);
}

static bool op_binint(reel_pickle_machine *m)
{
    uint64_t value;
    return reel_pickle_take_number(m, 4, &value) && push_integer(m, REEL_PICKLE_INT, (int32_t)(uint32_t)value);
}

static bool op_long1(reel_pickle_machine *m)
{
    uint64_t n, value;
    const unsigned char *skipped;
    if (!reel_pickle_take_number(m, 1, &n)) return false;
    if (n > 8) return reel_pickle_take_bytes(m, (size_t)n, &skipped) && push_integer(m, REEL_PICKLE_BIG, 0);
    if (!reel_pickle_take_number(m, (size_t)n, &value)) return false;
    if (n > 0 && n < 8 && value >> (8 * n - 1)) value |= ~(uint64_t)0 << 8 * n;
    return push_integer(m, REEL_PICKLE_INT, (int64_t)value);
}

static bool op_binfloat(reel_pickle_machine *m)
{
    const unsigned char *b;
    uint64_t bits = 0;
    uint32_t node;
    if (!reel_pickle_take_bytes(m, 8, &b) || !(node = reel_pickle_new_node(m, REEL_PICKLE_REAL))) return false;
    for (int i = 0; i < 8; i++) bits = bits << 8 | b[i];
    memcpy(&reel_pickle_node_at(m, node)->real, &bits, sizeof bits);
    return reel_pickle_push(m, node);
}

static bool push_string(reel_pickle_machine *m, size_t length_bytes)
{
    uint64_t n;
    const unsigned char *text;
    uint32_t node;
    if (!reel_pickle_take_number(m, length_bytes, &n)) return false;
    if (n > STRING) return reel_pickle_refuse(m, "a string is longer than 1 MiB");
    if (!reel_pickle_take_bytes(m, (size_t)n, &text) || !(node = reel_pickle_new_node(m, REEL_PICKLE_STRING)))
        return false;
    reel_pickle_node_at(m, node)->text = (const char *)text;
    reel_pickle_node_at(m, node)->count = (uint32_t)n;
    return reel_pickle_push(m, node);
}

static bool op_binunicode(reel_pickle_machine *m)
{
    return push_string(m, 4);
}
static bool op_short_binstring(reel_pickle_machine *m)
{
    return push_string(m, 1);
}

/* --- opcodes: containers --- */

static bool op_empty_tuple(reel_pickle_machine *m)
{
    return reel_pickle_push(m, reel_pickle_new_node(m, REEL_PICKLE_TUPLE));
}
static bool op_empty_list(reel_pickle_machine *m)
{
    return reel_pickle_push(m, reel_pickle_new_node(m, REEL_PICKLE_LIST));
}
static bool op_empty_dict(reel_pickle_machine *m)
{
    return reel_pickle_push(m, reel_pickle_new_node(m, REEL_PICKLE_DICT));
}
static bool op_empty_set(reel_pickle_machine *m)
{
    return reel_pickle_push(m, reel_pickle_new_node(m, REEL_PICKLE_SET));
}

static bool op_mark(reel_pickle_machine *m)
{
    if (m->mark_count == REEL_PICKLE_MARKS) return reel_pickle_refuse(m, "it nests deeper than 64");
    m->marks[m->mark_count++] = m->stack.count;
    return true;
}

/* Moves everything from stack place `from` on into the container. */
static bool move_items(reel_pickle_machine *m, uint32_t container, size_t from)
{
    for (size_t i = from; i < m->stack.count; i++)
        if (!reel_pickle_add_item(m, container, m->stack.at[i])) return false;
    m->stack.count = from;
    return true;
}

static bool make_tuple(reel_pickle_machine *m, size_t from)
{
    uint32_t node = reel_pickle_new_node(m, REEL_PICKLE_TUPLE);
    return node && move_items(m, node, from) && reel_pickle_push(m, node);
}

static bool take_mark(reel_pickle_machine *m, size_t *from)
{
    if (m->mark_count == 0) return reel_pickle_refuse(m, "it closes what was not opened");
    *from = m->marks[--m->mark_count];
    return true;
}

static bool op_tuple(reel_pickle_machine *m)
{
    size_t from;
    return take_mark(m, &from) && make_tuple(m, from);
}

static bool short_tuple(reel_pickle_machine *m, size_t n)
{
    return m->stack.count - reel_pickle_fence(m) < n ? reel_pickle_refuse(m, "it takes from an empty stack")
                                                     : make_tuple(m, m->stack.count - n);
}

static bool op_tuple1(reel_pickle_machine *m)
{
    return short_tuple(m, 1);
}
static bool op_tuple2(reel_pickle_machine *m)
{
    return short_tuple(m, 2);
}
static bool op_tuple3(reel_pickle_machine *m)
{
    return short_tuple(m, 3);
}

/* Adds what lies from `from` on to the container just below it. */
static bool extend(reel_pickle_machine *m, size_t from, reel_pickle_kind kind)
{
    if (from <= reel_pickle_fence(m) || !reel_pickle_is(m, m->stack.at[from - 1], kind))
        return reel_pickle_refuse(m, "it adds to what cannot hold items");
    if (kind == REEL_PICKLE_DICT && (m->stack.count - from) % 2) return reel_pickle_refuse(m, "a key has no value");
    return move_items(m, m->stack.at[from - 1], from);
}

static bool op_append(reel_pickle_machine *m)
{
    if (m->stack.count - reel_pickle_fence(m) < 2) return reel_pickle_refuse(m, "it takes from an empty stack");
    return extend(m, m->stack.count - 1, REEL_PICKLE_LIST);
}

static bool op_appends(reel_pickle_machine *m)
{
    size_t from;
    return take_mark(m, &from) && extend(m, from, REEL_PICKLE_LIST);
}

static bool op_setitem(reel_pickle_machine *m)
{
    if (m->stack.count - reel_pickle_fence(m) < 3) return reel_pickle_refuse(m, "it takes from an empty stack");
    return extend(m, m->stack.count - 2, REEL_PICKLE_DICT);
}

static bool op_setitems(reel_pickle_machine *m)
{
    size_t from;
    return take_mark(m, &from) && extend(m, from, REEL_PICKLE_DICT);
}

/* --- opcodes: memory of earlier values --- */

static bool put(reel_pickle_machine *m, size_t length)
{
    uint64_t at;
    uint32_t node = reel_pickle_top(m);
    return node && reel_pickle_take_number(m, length, &at) &&
           (at < REEL_PICKLE_MEMO ? reel_pickle_remember(m, (size_t)at, node)
                                  : reel_pickle_refuse(m, "it remembers more than 2^20 values"));
}

static bool get(reel_pickle_machine *m, size_t length)
{
    uint64_t at;
    if (!reel_pickle_take_number(m, length, &at)) return false;
    if (at >= m->memo.count || !m->memo.at[at]) return reel_pickle_refuse(m, "it recalls what was not remembered");
    return reel_pickle_push(m, m->memo.at[at]);
}

static bool op_binput(reel_pickle_machine *m)
{
    return put(m, 1);
}
static bool op_long_binput(reel_pickle_machine *m)
{
    return put(m, 4);
}
static bool op_binget(reel_pickle_machine *m)
{
    return get(m, 1);
}
static bool op_long_binget(reel_pickle_machine *m)
{
    return get(m, 4);
}

/* --- opcodes: functions, recorded and not called --- */

static bool op_global(reel_pickle_machine *m)
{
    char module[REEL_PICKLE_WORD], name[REEL_PICKLE_WORD];
    if (!reel_pickle_take_line(m, module) || !reel_pickle_take_line(m, name)) return false;
    snprintf(m->name, sizeof m->name, "%s.%s", module, name);
    for (int i = 0; i < REEL_GLOBAL_END; i++)
        if (strcmp(globals[i], m->name) == 0) {
            m->name[0] = 0;
            return push_integer(m, REEL_PICKLE_GLOBAL, i);
        }
    return reel_pickle_refuse(m, "it calls a function that weights do not need");
}

/* A new node with the items of another, which must not change afterwards. */
static bool push_with_items_of(reel_pickle_machine *m, reel_pickle_kind kind, uint32_t items, int64_t integer)
{
    uint32_t node = reel_pickle_new_node(m, kind);
    if (!node) return false;
    const reel_pickle_node *from = reel_pickle_node_at(m, items);
    *reel_pickle_node_at(m, node) = (reel_pickle_node){kind, from->count, from->head, from->tail, {integer}};
    return reel_pickle_push(m, node);
}

/* OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]). */
static bool ordered_dict(reel_pickle_machine *m, uint32_t arguments)
{
    uint32_t dict = reel_pickle_new_node(m, REEL_PICKLE_DICT);
    if (!dict) return false;
    const reel_pickle_node *list = reel_pickle_item(m->out, reel_pickle_node_at(m, arguments), 0);
    if (list && list->kind != REEL_PICKLE_LIST)
        return reel_pickle_refuse(m, "a dictionary is made of something else than a list");
    uint32_t cell = list ? list->head : 0;
    for (uint32_t left = list ? list->count : 0; left > 0; left--, cell = m->out->cells[cell].next) {
        const reel_pickle_node pair = *reel_pickle_node_at(m, m->out->cells[cell].node);
        if ((pair.kind != REEL_PICKLE_TUPLE && pair.kind != REEL_PICKLE_LIST) || pair.count != 2)
            return reel_pickle_refuse(m, "a dictionary is made of something else than pairs");
        if (!reel_pickle_add_item(m, dict, m->out->cells[pair.head].node) ||
            !reel_pickle_add_item(m, dict, m->out->cells[pair.tail].node))
            return false;
    }
    return reel_pickle_push(m, dict);
}

static bool op_reduce(reel_pickle_machine *m)
{
    uint32_t arguments = reel_pickle_pop(m), function = arguments ? reel_pickle_pop(m) : 0;
    if (!function) return false;
    if (!reel_pickle_is(m, arguments, REEL_PICKLE_TUPLE) || !reel_pickle_is(m, function, REEL_PICKLE_GLOBAL))
        return reel_pickle_refuse(m, "it calls what is no function");
    int64_t which = reel_pickle_node_at(m, function)->integer;
    if (which == REEL_GLOBAL_ORDERED_DICT) return ordered_dict(m, arguments);
    return push_with_items_of(m, REEL_PICKLE_CALL, arguments, which);
}

/* The attributes of a dictionary (PyTorch's `_metadata`) do not matter for weights. */
static bool op_build(reel_pickle_machine *m)
{
    return reel_pickle_pop(m) && (reel_pickle_is(m, reel_pickle_top(m), REEL_PICKLE_DICT) ||
                                  reel_pickle_refuse(m, "it sets attributes of something else than a dictionary"));
}

static bool op_binpersid(reel_pickle_machine *m)
{
    uint32_t id = reel_pickle_pop(m);
    if (!id) return false;
    if (!reel_pickle_is(m, id, REEL_PICKLE_TUPLE)) return reel_pickle_refuse(m, "a persistent id is no tuple");
    return push_with_items_of(m, REEL_PICKLE_PERSISTENT, id, 0);
}

static bool (*const operations[256])(reel_pickle_machine *) = {
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

/* --- running --- */

static reel_status report(const reel_pickle_machine *m, size_t at, const char *path, reel_error *error)
{
    if (m->memory) return reel_fail_memory(error);
    return reel_fail(error, REEL_BAD_DATA, "%s: its pickle is refused at byte %zu: %s%s%s", path, at,
                     m->wrong ? m->wrong : "an opcode that weights do not need", m->name[0] ? ": " : "", m->name);
}

reel_status reel_pickle_read(reel_pickle *pickle, const unsigned char *bytes, size_t size, size_t *used,
                             const char *path, reel_error *error)
{
    reel_pickle_machine m = {.out = pickle, .at = bytes, .end = bytes + size};
    *pickle = (reel_pickle){.node_count = 1, .cell_count = 1};
    bool going = true;
    size_t at = 0;
    while (going && !m.stopped) {
        const unsigned char *opcode;
        at = (size_t)(m.at - bytes);
        going = reel_pickle_take_bytes(&m, 1, &opcode) && operations[*opcode] && operations[*opcode](&m);
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
