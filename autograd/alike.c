/* See alike.h. */
#include "autograd/alike.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

reel_samples reel_samples_of(const reel_node *node)
{
    reel_samples samples = {.inputs = 0};
    const reel_shape *y = &node->output[0].shape;
    if (node->op->samples) samples = node->op->samples(node);
    if (node->op->samples || !(node->op->flags & REEL_OP_ELEMENTWISE) || y->rank == 0) return samples;
    for (int k = 0; k < node->inputs && k < 31; k++) {
        const reel_tensor *x = node->input[k];
        if (x && x->shape.rank == y->rank && x->shape.size[0] == y->size[0]) samples.inputs |= 1U << k;
    }
    return samples;
}

/* All inputs made of samples have as many, and the node is at a time step. */
static bool can_be_joined(const reel_node *node)
{
    reel_samples samples = reel_samples_of(node);
    int64_t count = -1;
    if (node->time < 0 || !samples.inputs || node->op->flags & (REEL_OP_RANDOM | REEL_OP_UPDATES)) return false;
    for (int k = 0; k < node->inputs; k++) {
        const reel_tensor *x = node->input[k];
        if (!x || !reel_has_samples(samples, k)) continue;
        if (!x->shape.rank || (count >= 0 && x->shape.size[0] != count)) return false;
        count = x->shape.size[0];
    }
    return count > 0;
}

static bool same_place(const reel_node *a, const reel_node *b)
{
    return a->op == b->op && !strcmp(a->scope, b->scope);
}

static bool same_kind(const reel_tensor *a, const reel_tensor *b)
{
    return a->dtype == b->dtype && reel_shape_equal(&a->shape, &b->shape);
}

static bool alike(const reel_node *a, const reel_node *b)
{
    if (!same_place(a, b) || a->inputs != b->inputs || a->segment != b->segment) return false;
    if (!reel_attr_equal(a->op, a->attr, b->attr)) return false;
    reel_samples samples = reel_samples_of(a);
    for (int k = 0; k < a->inputs; k++) {
        const reel_tensor *x = a->input[k], *y = b->input[k];
        if (x == y) continue;
        if (!x || !y || !reel_has_samples(samples, k) || !same_kind(x, y)) return false;
        if (a->op->flags & REEL_OP_ELEMENTWISE && !same_place(x->node, y->node)) return false;
    }
    return true;
}

/* --- grouping --- */

/* A group that grows: the n-th such node of a time step joins the n-th group of its kind. */
typedef struct {
    int last, count; /* the node that came last, how many there are */
    int younger;     /* the next group of the same hash, -1 for none */
} growing;

typedef struct {
    growing *group;
    int groups;
    int *oldest; /* per hash: the first of its groups, -1 for none */
    int *before; /* per node: the one that came before it into its group, -1 for none */
    int buckets;
} grouping;

static int hash_of(const reel_node *node, int buckets)
{
    uint64_t h = (uint64_t)(uintptr_t)node->op;
    for (const char *c = node->scope; *c; c++) h = h * 31 + (unsigned char)*c;
    for (int k = 0; k < node->output[0].shape.rank; k++) h = h * 31 + (uint64_t)node->output[0].shape.size[k];
    return (int)((h ^ h >> 32) % (uint64_t)buckets);
}

static void join(grouping *g, const reel_node *node, const reel_graph *graph)
{
    int *link = &g->oldest[hash_of(node, g->buckets)];
    for (; *link >= 0; link = &g->group[*link].younger) {
        growing *group = &g->group[*link];
        const reel_node *last = reel_graph_node(graph, group->last);
        if (last->time == node->time || !alike(last, node)) continue;
        g->before[node->id] = group->last;
        group->last = node->id;
        group->count++;
        return;
    }
    *link = g->groups;
    g->group[g->groups++] = (growing){node->id, 1, -1};
}

/* Writes a group of two or more to the end of the list, sorted by time. */
static void settle(reel_alike *a, const grouping *g, const growing *from, const reel_graph *graph)
{
    int *member = a->member + a->start[a->groups], count = 0;
    for (int node = from->last; node >= 0; node = g->before[node]) {
        int at = count++;
        for (; at > 0 && reel_graph_node(graph, member[at - 1])->time > reel_graph_node(graph, node)->time; at--)
            member[at] = member[at - 1];
        member[at] = node;
    }
    for (int i = 0; i < count; i++) {
        a->group[member[i]] = a->groups;
        a->place[member[i]] = i;
    }
    a->start[a->groups + 1] = a->start[a->groups] + count;
    a->groups++;
}

bool reel_alike_find(reel_alike *a, const reel_dependence *d)
{
    size_t n = (size_t)d->nodes;
    *a = (reel_alike){.start = reel_alloc(n + 1, sizeof *a->start),
                      .member = reel_alloc(n, sizeof *a->member),
                      .group = reel_alloc(n, sizeof *a->group),
                      .place = reel_alloc(n, sizeof *a->place)};
    grouping g = {.group = reel_alloc(n, sizeof *g.group),
                  .oldest = reel_alloc(n, sizeof *g.oldest),
                  .before = reel_alloc(n, sizeof *g.before),
                  .buckets = d->nodes};
    bool ok = a->start && a->member && a->group && a->place && g.group && g.oldest && g.before;
    for (int i = 0; ok && i < d->nodes; i++) a->group[i] = g.oldest[i] = g.before[i] = -1;
    for (int i = 0; ok && i < d->nodes; i++)
        if (d->needed[i] && can_be_joined(reel_graph_node(d->graph, i)))
            join(&g, reel_graph_node(d->graph, i), d->graph);
    for (int i = 0; ok && i < g.groups; i++)
        if (g.group[i].count > 1) settle(a, &g, &g.group[i], d->graph);
    reel_free(g.group);
    reel_free(g.oldest);
    reel_free(g.before);
    return ok;
}

void reel_alike_free(reel_alike *a)
{
    reel_free(a->start);
    reel_free(a->member);
    reel_free(a->group);
    reel_free(a->place);
    *a = (reel_alike){0};
}
