/* See dependence.h. */
#include "autograd/dependence.h"

#include "core/memory.h"

#include <stdlib.h>

static bool add_edge(reel_dependence *d, int from, int to)
{
    if (!reel_make_room(&d->out, d->edges, &d->room, 1024, sizeof *d->out)) return false;
    d->out[d->edges++] = (reel_edge){from, to};
    return true;
}

static void find_needed(reel_dependence *d, reel_tensor *const *wanted, int count)
{
    for (int i = 0; i < count; i++) {
        d->needed[wanted[i]->node->id] = true;
        d->uses[wanted[i]->id]++;
    }
    for (int i = d->nodes - 1; i >= 0; i--) {
        const reel_node *node = reel_graph_node(d->graph, i);
        for (int k = 0; d->needed[i] && k < node->inputs; k++)
            if (node->input[k]) {
                d->needed[node->input[k]->node->id] = true;
                d->uses[node->input[k]->id]++;
            }
    }
}

/* The tensor whose memory x is, through views and updates. */
static const reel_tensor *memory_of(const reel_tensor *x)
{
    while (x && (x->node->op->flags & REEL_OP_UPDATES || (x->node->op->flags & REEL_OP_VIEW && x->output == 0)))
        x = x->node->input[x->output];
    return x;
}

/* Who reads which memory, listed by the tensor whose memory it is. */
typedef struct {
    int node, before; /* the read that was listed before it for the same memory, -1 for none */
} read_of_memory;

typedef struct {
    read_of_memory *read;
    int *newest; /* per tensor: the read that was listed last, -1 for none */
} memory_reads;

static bool list_reads(memory_reads *m, const reel_dependence *d)
{
    int reads = 0;
    for (int t = 0; t < d->tensors; t++) reads += d->uses[t];
    m->read = reel_alloc_raw((size_t)reads, sizeof *m->read);
    m->newest = reel_alloc_raw((size_t)d->tensors, sizeof *m->newest);
    if (!m->read || !m->newest) return false;
    for (int t = 0; t < d->tensors; t++) m->newest[t] = -1;
    reads = 0;
    for (int i = 0; i < d->nodes; i++) {
        const reel_node *node = reel_graph_node(d->graph, i);
        for (int k = 0; d->needed[i] && k < node->inputs; k++) {
            const reel_tensor *memory = memory_of(node->input[k]);
            if (!memory) continue;
            int *newest = &m->newest[memory->id];
            m->read[reads] = (read_of_memory){i, *newest};
            *newest = reads++;
        }
    }
    return true;
}

/* Reading the memory that node u changes: before it, if defined before, else after it. */
static bool add_edges_of_update(reel_dependence *d, const memory_reads *m, const reel_node *u)
{
    for (int k = 0; k < u->op->outputs; k++) {
        const reel_tensor *changed = memory_of(u->input[k]);
        for (int r = changed ? m->newest[changed->id] : -1; r >= 0; r = m->read[r].before) {
            int i = m->read[r].node;
            if (i != u->id && !(i < u->id ? add_edge(d, i, u->id) : add_edge(d, u->id, i))) return false;
        }
    }
    return true;
}

static bool find_edges(reel_dependence *d)
{
    memory_reads m = {0};
    bool ok = list_reads(&m, d);
    for (int i = 0; ok && i < d->nodes; i++) {
        const reel_node *node = reel_graph_node(d->graph, i);
        if (!d->needed[i]) continue;
        for (int k = 0; ok && k < node->inputs; k++)
            if (node->input[k]) ok = add_edge(d, node->input[k]->node->id, i);
        if (ok && node->op->flags & REEL_OP_UPDATES) ok = add_edges_of_update(d, &m, node);
    }
    reel_free(m.read);
    reel_free(m.newest);
    return ok;
}

static int by_from(const void *a, const void *b)
{
    const reel_edge *p = a, *q = b;
    return p->from != q->from ? (p->from > q->from) - (p->from < q->from) : (p->to > q->to) - (p->to < q->to);
}
static int by_to(const void *a, const void *b)
{
    const reel_edge *p = a, *q = b;
    return p->to != q->to ? (p->to > q->to) - (p->to < q->to) : (p->from > q->from) - (p->from < q->from);
}

static bool sort_edges(reel_dependence *d)
{
    size_t edges = (size_t)d->edges, nodes = (size_t)d->nodes;
    d->in = reel_alloc(edges, sizeof *d->in);
    d->first_out = reel_alloc(nodes + 1, sizeof *d->first_out);
    d->first_in = reel_alloc(nodes + 1, sizeof *d->first_in);
    if (!d->in || !d->first_out || !d->first_in) return false;
    for (size_t e = 0; e < edges; e++) {
        d->in[e] = d->out[e];
        d->first_out[d->out[e].from + 1]++;
        d->first_in[d->out[e].to + 1]++;
    }
    for (size_t i = 0; i < nodes; i++) {
        d->first_out[i + 1] += d->first_out[i];
        d->first_in[i + 1] += d->first_in[i];
    }
    if (edges) qsort(d->out, edges, sizeof *d->out, by_from);
    qsort(d->in, edges, sizeof *d->in, by_to);
    return true;
}

bool reel_dependence_find(reel_dependence *d, reel_graph *graph, reel_tensor *const *wanted, int count)
{
    *d = (reel_dependence){.graph = graph, .nodes = reel_graph_nodes(graph), .tensors = reel_graph_tensors(graph)};
    size_t nodes = (size_t)d->nodes;
    d->needed = reel_alloc(nodes, sizeof *d->needed);
    d->uses = reel_alloc((size_t)d->tensors, sizeof *d->uses);
    d->tied = reel_alloc(nodes, sizeof *d->tied);
    d->mark = reel_alloc(nodes, sizeof *d->mark);
    d->stack = reel_alloc(nodes, sizeof *d->stack);
    if (!d->needed || !d->uses || !d->tied || !d->mark || !d->stack) return false;
    find_needed(d, wanted, count);
    for (int i = 0; i < d->nodes; i++) d->tied[i] = i;
    return find_edges(d) && sort_edges(d);
}

void reel_dependence_free(reel_dependence *d)
{
    reel_free(d->needed);
    reel_free(d->uses);
    reel_free(d->out);
    reel_free(d->in);
    reel_free(d->first_out);
    reel_free(d->first_in);
    reel_free(d->tied);
    reel_free(d->mark);
    reel_free(d->stack);
    *d = (reel_dependence){0};
}

/* --- searching --- */

bool reel_reached(const reel_dependence *d, int node)
{
    return d->mark[node] == d->search;
}

/* Marks the node and all that are tied to it, once; the stack holds those whose edges are still to be followed. */
static int push(reel_dependence *d, int node, int height)
{
    for (int i = node; !reel_reached(d, i); i = d->tied[i]) {
        d->mark[i] = d->search;
        d->stack[height++] = i;
    }
    return height;
}

static int push_dependents(reel_dependence *d, int node, int height)
{
    for (int e = d->first_out[node]; e < d->first_out[node + 1]; e++) height = push(d, d->out[e].to, height);
    return height;
}

void reel_reach(reel_dependence *d, const int *node, int count)
{
    int height = 0;
    d->search++;
    for (int i = 0; i < count; i++) height = push_dependents(d, node[i], height);
    while (height) height = push_dependents(d, d->stack[height - 1], height - 1);
}

bool reel_independent(reel_dependence *d, const int *node, int count)
{
    reel_reach(d, node, count);
    for (int i = 0; i < count; i++)
        if (reel_reached(d, node[i])) return false;
    return true;
}

void reel_tie(reel_dependence *d, const int *node, int count)
{
    for (int i = 0; i < count; i++) d->tied[node[i]] = node[(i + 1) % count];
}
