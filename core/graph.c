/* See graph.h. Nodes, tensors, names and attributes live in chunks that die with the graph, so that building needs no
   release code and freeing is one loop; two arrays of pointers give nodes and tensors by id. */
#include "core/graph.h"

#include "core/element.h"
#include "core/memory.h"
#include "core/parameters.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 1 << 16, MAX_SCOPE_DEPTH = 32 };

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char data[];
} chunk;

struct reel_graph {
    chunk *chunks;
    reel_node **node;
    int nodes, node_room, tensors;
    reel_tensor **parameter; /* those asked for so far */
    int parameters, parameter_room;
    reel_error error;
    reel_tensor poison;
    const char *scope[MAX_SCOPE_DEPTH]; /* full paths; scope[0] is "" */
    int scope_depth;
    int time, segment, segments;
    uint64_t random_nodes; /* how many nodes with a random key so far */
};

static bool source_shape(reel_rule *rule)
{
    return reel_reject(rule, "a source is not applied to inputs");
}
#define SOURCE(n, text)                                                                                                \
    const reel_op reel_op_##n = {                                                                                      \
        .name = #n, .summary = text, .outputs = 1, .flags = REEL_OP_SOURCE, .shape = source_shape}
SOURCE(input, "values written before a run");
SOURCE(constant, "values known when the graph is defined");
SOURCE(parameter, "values that outlive the graph");

/* --- memory --- */

static void *take(reel_graph *graph, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    chunk *c = graph->chunks;
    if (!c || c->size - c->used < bytes) {
        size_t size = bytes > CHUNK ? bytes : CHUNK;
        c = reel_alloc(1, sizeof *c + size);
        if (!c) {
            reel_fail_memory(&graph->error);
            return NULL;
        }
        c->size = size;
        c->next = graph->chunks;
        graph->chunks = c;
    }
    void *block = c->data + c->used;
    c->used += bytes;
    return block;
}

static const char *keep_text(reel_graph *graph, const char *text)
{
    char *copy = take(graph, strlen(text) + 1);
    return copy ? strcpy(copy, text) : "";
}

reel_graph *reel_graph_new(void)
{
    reel_graph *graph = reel_alloc(1, sizeof *graph);
    if (!graph) return NULL;
    graph->poison.graph = graph;
    graph->scope[0] = "";
    graph->time = graph->segment = -1;
    return graph;
}

void reel_graph_free(reel_graph *graph)
{
    if (!graph) return;
    for (chunk *c = graph->chunks, *next; c; c = next) {
        next = c->next;
        reel_free(c);
    }
    reel_free(graph->node);
    reel_free(graph->parameter);
    reel_free(graph);
}

const reel_error *reel_graph_error(const reel_graph *graph)
{
    return &graph->error;
}
int reel_graph_nodes(const reel_graph *graph)
{
    return graph->nodes;
}
reel_node *reel_graph_node(const reel_graph *graph, int id)
{
    return graph->node[id];
}
int reel_graph_tensors(const reel_graph *graph)
{
    return graph->tensors;
}
int reel_segments(const reel_graph *graph)
{
    return graph->segments;
}

/* --- errors --- */

bool reel_poisoned(const reel_tensor *x)
{
    return x == &x->graph->poison;
}

reel_tensor *reel_poison(reel_graph *graph, const char *format, ...)
{
    char text[sizeof graph->error.text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reel_fail(&graph->error, REEL_USAGE, "%s", text);
    return &graph->poison;
}

reel_tensor *reel_poison_memory(reel_graph *graph)
{
    reel_fail_memory(&graph->error);
    return &graph->poison;
}

reel_tensor *reel_poison_with(reel_graph *graph, const reel_error *error)
{
    reel_fail(&graph->error, error->status, "%s", error->text);
    return &graph->poison;
}

static void place_text(char *text, size_t size, const char *op, const char *scope, int time)
{
    int n = snprintf(text, size, *scope ? "%s '%s'" : "%s%s", op, scope);
    if (time >= 0 && n > 0 && (size_t)n < size) snprintf(text + n, size - (size_t)n, " (frame %d)", time);
}

char *reel_node_text(const reel_node *node, char text[REEL_NODE_TEXT])
{
    place_text(text, REEL_NODE_TEXT, node->op->name, node->scope, node->time);
    return text;
}

bool reel_reject(const reel_rule *rule, const char *format, ...)
{
    char place[REEL_NODE_TEXT], inputs[512] = "", why[512], shape[REEL_SHAPE_TEXT];
    place_text(place, sizeof place, rule->op->name, reel_scope(rule->graph), rule->graph->time);
    size_t used = 0;
    for (int i = 0; i < rule->inputs && used < sizeof inputs - 64; i++) {
        const reel_tensor *x = rule->input[i];
        if (!x) continue;
        int n = snprintf(inputs + used, sizeof inputs - used, "%s%s%s%s %s", used ? ", " : "", x->name ? x->name : "",
                         x->name ? " " : "", reel_dtype_name(x->dtype), reel_shape_text(&x->shape, shape));
        used += n > 0 ? (size_t)n : 0;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    reel_fail(&rule->graph->error, REEL_USAGE, "%s: %s (inputs: %s)", place, why, inputs);
    return false;
}

/* --- nodes --- */

static reel_node *append(reel_graph *graph, const reel_op *op, int inputs)
{
    if (!reel_make_room(&graph->node, graph->nodes, &graph->node_room, 256, sizeof *graph->node))
        return reel_fail_memory(&graph->error), NULL;
    reel_node *node = take(graph, sizeof *node);
    if (!node) return NULL;
    node->op = op;
    node->inputs = inputs;
    node->input = take(graph, sizeof *node->input * (size_t)inputs);
    node->output = take(graph, sizeof *node->output * (size_t)op->outputs);
    node->attr = op->attr_size ? take(graph, op->attr_size) : NULL;
    node->scope = reel_scope(graph);
    node->time = graph->time;
    node->segment = graph->segment;
    if (!node->input || !node->output || (op->attr_size && !node->attr)) return NULL;
    node->id = graph->nodes;
    graph->node[graph->nodes++] = node;
    return node;
}

static void set_output(reel_node *node, int k, reel_graph *graph, reel_dtype dtype, const reel_shape *shape)
{
    node->output[k] = (reel_tensor){
        .graph = graph, .node = node, .output = k, .id = graph->tensors++, .dtype = dtype, .shape = *shape};
}

static reel_tensor *source(reel_graph *graph, const reel_op *op, const char *name, reel_dtype dtype, reel_shape shape)
{
    int64_t elements;
    size_t bytes;
    char text[REEL_SHAPE_TEXT];
    if (!reel_shape_measure(&shape, dtype, &elements, &bytes))
        return reel_poison(graph, "%s '%s': shape %s is negative, has a rank above %d or is too large", op->name, name,
                           shape.rank >= 0 && shape.rank <= REEL_MAX_RANK ? reel_shape_text(&shape, text) : "?",
                           REEL_MAX_RANK);
    reel_node *node = append(graph, op, 0);
    if (!node) return &graph->poison;
    set_output(node, 0, graph, dtype, &shape);
    if (*name) node->output[0].name = keep_text(graph, name);
    return &node->output[0];
}

reel_tensor *reel_input(reel_graph *graph, const char *name, reel_dtype dtype, reel_shape shape)
{
    return source(graph, &reel_op_input, name, dtype, shape);
}

reel_tensor *reel_constant(reel_graph *graph, reel_dtype dtype, reel_shape shape, const void *data)
{
    reel_tensor *x = source(graph, &reel_op_constant, "", dtype, shape);
    if (reel_poisoned(x)) return x;
    size_t bytes = (size_t)reel_elements(&shape) * reel_dtype_size(dtype);
    void *copy = take(graph, bytes);
    if (!copy) return &graph->poison;
    memcpy(copy, data, bytes);
    x->node->source.constant = copy;
    return x;
}

reel_tensor *reel_scalar_like(reel_tensor *like, double value)
{
    if (reel_poisoned(like)) return like;
    double scalar; /* the widest of all dtypes */
    reel_set_element(&scalar, like->dtype, 0, value);
    return reel_constant(like->graph, like->dtype, REEL_SCALAR_SHAPE, &scalar);
}

reel_tensor *reel_parameter_in(reel_graph *graph, reel_parameter *parameter)
{
    for (int i = 0; i < graph->parameters; i++)
        if (graph->parameter[i]->node->source.parameter == parameter) return graph->parameter[i];
    if (!reel_make_room(&graph->parameter, graph->parameters, &graph->parameter_room, 64, sizeof *graph->parameter))
        return reel_poison_memory(graph);
    reel_tensor *x = source(graph, &reel_op_parameter, parameter->name, parameter->dtype, parameter->shape);
    if (reel_poisoned(x)) return x;
    x->node->source.parameter = parameter;
    return graph->parameter[graph->parameters++] = x;
}

static bool reject_count(reel_rule *rule)
{
    const reel_op *op = rule->op;
    char most[16] = "";
    if (op->most_inputs > op->least_inputs) snprintf(most, sizeof most, " to %d", op->most_inputs);
    return reel_reject(rule, "takes %d%s inputs, was given %d", op->least_inputs, op->most_inputs ? most : " or more",
                       rule->inputs);
}

/* Checks and measures what a shape rule has filled in. */
static bool infer(reel_rule *rule)
{
    const reel_op *op = rule->op;
    if (rule->inputs < op->least_inputs || (op->most_inputs && rule->inputs > op->most_inputs))
        return reject_count(rule);
    for (int i = 0; i < op->least_inputs; i++)
        if (!rule->input[i]) return reel_reject(rule, "input %d is required", i);
    if (!op->shape(rule)) return false;
    for (int k = 0; k < op->outputs; k++) {
        int64_t elements;
        size_t bytes;
        if (!reel_shape_measure(&rule->shape[k], rule->dtype[k], &elements, &bytes))
            return reel_reject(rule, "output %d would be negative or too large for this machine", k);
    }
    return true;
}

reel_tensor *reel_apply(reel_graph *graph, const reel_op *op, reel_tensor *const *inputs, int count, const void *attr)
{
    if (reel_failed(&graph->error)) return &graph->poison;
    for (int i = 0; i < count; i++) {
        if (inputs[i] && reel_poisoned(inputs[i])) return &graph->poison;
        if (inputs[i] && inputs[i]->graph != graph)
            return reel_poison(
                graph, "%s: input %d belongs to another graph; share values through parameters or inputs", op->name, i);
    }
    reel_rule rule = {.graph = graph, .op = op, .attr = attr, .inputs = count, .input = inputs};
    _Alignas(16) char defaults[512];
    if (!attr && op->attr_size) {
        reel_attr_defaults(op, defaults);
        rule.attr = defaults;
    }
    if (!infer(&rule)) return &graph->poison;
    reel_node *node = append(graph, op, count);
    if (!node) return &graph->poison;
    if (count) memcpy(node->input, inputs, sizeof *inputs * (size_t)count);
    if (node->attr && rule.attr) memcpy(node->attr, rule.attr, op->attr_size);
    if (op->flags & REEL_OP_RANDOM) node->random_key = reel_key(0x5eed, ++graph->random_nodes);
    for (int k = 0; k < op->outputs; k++) set_output(node, k, graph, rule.dtype[k], &rule.shape[k]);
    return &node->output[0];
}

reel_tensor *reel_output(reel_tensor *first, int k)
{
    return reel_poisoned(first) ? first : &first->node->output[k];
}

reel_node *reel_clone_node(reel_node *node, reel_tensor *const *inputs)
{
    reel_graph *graph = node->output[0].graph;
    reel_node *copy = append(graph, node->op, node->inputs);
    if (!copy) return NULL;
    if (node->inputs) memcpy(copy->input, inputs, sizeof *inputs * (size_t)node->inputs);
    if (copy->attr && node->attr) memcpy(copy->attr, node->attr, node->op->attr_size);
    copy->random_key = node->random_key;
    copy->source = node->source;
    copy->scope = node->scope;
    copy->time = node->time;
    for (int k = 0; k < node->op->outputs; k++)
        set_output(copy, k, graph, node->output[k].dtype, &node->output[k].shape);
    return copy;
}

reel_tensor *reel_name(reel_tensor *x, const char *name)
{
    if (!reel_poisoned(x)) x->name = keep_text(x->graph, name);
    return x;
}

/* --- where nodes are --- */

const char *reel_scope(const reel_graph *graph)
{
    return graph->scope[graph->scope_depth];
}

void reel_scope_push(reel_graph *graph, const char *name)
{
    if (graph->scope_depth + 1 >= MAX_SCOPE_DEPTH) {
        reel_poison(graph, "scope '%s': scopes are nested deeper than %d", name, MAX_SCOPE_DEPTH);
        return;
    }
    char path[512];
    const char *outer = reel_scope(graph);
    snprintf(path, sizeof path, *outer ? "%s.%s" : "%s%s", outer, name);
    graph->scope[++graph->scope_depth] = keep_text(graph, path);
}

void reel_scope_pop(reel_graph *graph)
{
    if (graph->scope_depth) graph->scope_depth--;
}

void reel_set_time(reel_graph *graph, int time)
{
    graph->time = time;
}
void reel_segment_begin(reel_graph *graph)
{
    graph->segment = graph->segments++;
}
void reel_segment_end(reel_graph *graph)
{
    graph->segment = -1;
}

double reel_node_flops(const reel_node *node)
{
    if (node->op->flags & (REEL_OP_SOURCE | REEL_OP_VIEW)) return 0;
    return node->op->flops ? node->op->flops(node) : (double)reel_elements(&node->output[0].shape);
}
