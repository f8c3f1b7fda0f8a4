/* See time_batch.h. */
#include "autograd/time_batch.h"

#include "autograd/alike.h"
#include "autograd/channel_split.h"
#include "autograd/order.h"
#include "autograd/rewrite.h"
#include "core/memory.h"
#include "ops/ops.h"

#include <string.h>

typedef enum { APART, JOINED, SUMMED } fate;

/* Tensors that were joined on axis 0, so that the same are joined once. */
typedef struct {
    reel_tensor **part, *whole;
    int count;
} joint;

typedef struct {
    reel_dependence dependence;
    reel_alike alike;
    reel_rewrite rewrite;
    fate *fate;           /* per group */
    reel_tensor **merged; /* per group: the first output of the node that stands for it, once defined */
    int *total;           /* per node: the last addition of a sum that has merged terms, for the additions in it */
    reel_tensor **list;   /* as long as the graph has nodes, as is `term` */
    const reel_tensor **term;
    int *order, ordered; /* the nodes in their new order, of each merged group one */
    joint *joint;
    int joints, joint_room;
    size_t most;
} batching;

static reel_node *node_at(const batching *b, int id)
{
    return reel_graph_node(b->rewrite.graph, id);
}

static reel_tensor *input_of(const batching *b, int group, int i, int k)
{
    return node_at(b, reel_alike_members(&b->alike, group)[i])->input[k];
}

/* --- what is merged --- */

/* Input k is the same tensor for all, and may stay so: it has no samples, or is stretched over them. */
static bool is_shared(const batching *b, int group, int k)
{
    const reel_node *first = node_at(b, reel_alike_members(&b->alike, group)[0]);
    const reel_tensor *x = first->input[k];
    if (!x || !reel_has_samples(reel_samples_of(first), k)) return true;
    if (!(first->op->flags & REEL_OP_ELEMENTWISE) || x->shape.size[0] != 1) return false;
    for (int i = 1; i < reel_alike_count(&b->alike, group); i++)
        if (input_of(b, group, i, k) != x) return false;
    return true;
}

/* The inputs k follow one another in what a merged group makes: returns the group, -1 for none, and the first. */
static int follows_in(const batching *b, int group, int k, int *first)
{
    const reel_tensor *x = input_of(b, group, 0, k);
    int made = b->alike.group[x->node->id];
    if (made < 0 || b->fate[made] != JOINED) return -1;
    *first = b->alike.place[x->node->id];
    for (int i = 1; i < reel_alike_count(&b->alike, group); i++) {
        const reel_tensor *next = input_of(b, group, i, k);
        int id = next->node->id;
        if (b->alike.group[id] != made || b->alike.place[id] != *first + i || next->output != x->output) return -1;
    }
    return made;
}

static size_t elements_of(const reel_tensor *x)
{
    return (size_t)reel_elements(&x->shape);
}

/* Elements that would have to be joined for input k of one node. */
static size_t elements_to_join(const batching *b, int group, int k)
{
    int first;
    if (is_shared(b, group, k) || follows_in(b, group, k, &first) >= 0) return 0;
    return elements_of(input_of(b, group, 0, k));
}

/* Bytes that one node reads and writes for its samples. */
static size_t sample_bytes(const reel_node *node)
{
    reel_samples samples = reel_samples_of(node);
    size_t bytes = 0;
    for (int k = 0; k < node->inputs; k++)
        if (node->input[k] && reel_has_samples(samples, k))
            bytes += elements_of(node->input[k]) * reel_dtype_size(node->input[k]->dtype);
    for (int k = 0; !samples.summed && k < node->op->outputs; k++)
        bytes += elements_of(&node->output[k]) * reel_dtype_size(node->output[k].dtype);
    return bytes;
}

/* An addition of two tensors of one shape. */
static bool is_plain_sum(const reel_node *node)
{
    const reel_shape *y = &node->output[0].shape;
    return node->op == &reel_op_add && reel_shape_equal(&node->input[0]->shape, y) &&
           reel_shape_equal(&node->input[1]->shape, y);
}

/* The one node that reads x, if it adds x to another; -1 for none. */
static int adder_of(const batching *b, const reel_tensor *x)
{
    const reel_dependence *d = &b->dependence;
    if (d->uses[x->id] != 1) return -1;
    for (int e = d->first_out[x->node->id]; e < d->first_out[x->node->id + 1]; e++) {
        const reel_node *user = node_at(b, d->out[e].to);
        int group = b->alike.group[user->id];
        if (is_plain_sum(user) && (user->input[0] == x || user->input[1] == x) && (group < 0 || !b->fate[group]))
            return user->id;
    }
    return -1;
}

/* The last addition of the sum that this node is a term of, and of nothing else; -1 when it is none. */
static int total_of(const batching *b, const reel_node *node)
{
    int last = -1;
    for (int add = adder_of(b, &node->output[0]); add >= 0; add = adder_of(b, &node_at(b, add)->output[0])) last = add;
    return last;
}

static bool have_one_total(const batching *b, int group)
{
    const int *member = reel_alike_members(&b->alike, group);
    int total = total_of(b, node_at(b, member[0]));
    for (int i = 1; total >= 0 && i < reel_alike_count(&b->alike, group); i++)
        if (total_of(b, node_at(b, member[i])) != total) return false;
    return total >= 0;
}

/* Marks the additions between these terms and the total. */
static void mark_total(batching *b, int group)
{
    const int *member = reel_alike_members(&b->alike, group);
    int total = total_of(b, node_at(b, member[0]));
    for (int i = 0; i < reel_alike_count(&b->alike, group); i++)
        for (int add = adder_of(b, &node_at(b, member[i])->output[0]); add >= 0;
             add = adder_of(b, &node_at(b, add)->output[0]))
            b->total[add] = total;
}

/* Joining an element may mean to copy it, which must be little beside the operations that it is joined for. */
static void decide(batching *b, int group)
{
    enum { WORTH = 16 };
    const int *member = reel_alike_members(&b->alike, group);
    int count = reel_alike_count(&b->alike, group);
    const reel_node *node = node_at(b, member[0]);
    bool summed = reel_samples_of(node).summed;
    bool shared = true;
    size_t to_join = 0;
    for (int k = 0; k < node->inputs; k++) {
        shared &= is_shared(b, group, k);
        to_join += elements_to_join(b, group, k);
    }
    if (shared || reel_node_flops(node) < WORTH * (double)to_join || sample_bytes(node) * (size_t)count > b->most)
        return;
    if (summed && !have_one_total(b, group)) return;
    for (int i = 0; i < count; i++)
        if (b->total[member[i]] >= 0) return;
    if (to_join && !reel_independent(&b->dependence, member, count)) return;
    b->fate[group] = summed ? SUMMED : JOINED;
    reel_tie(&b->dependence, member, count);
    if (summed) mark_total(b, group);
}

/* --- what is put in its place --- */

static int64_t samples_in(const reel_tensor *x)
{
    return x->shape.size[0];
}

/* What stands for one tensor: itself, or its slice of what was merged. */
static reel_tensor *now(batching *b, const reel_tensor *x)
{
    reel_tensor **known = &b->rewrite.now[x->id];
    int group = b->alike.group[x->node->id];
    if (*known || group < 0 || b->fate[group] != JOINED) return *known;
    int64_t n = samples_in(x), place = b->alike.place[x->node->id];
    *known = reel_slice1(reel_output(b->merged[group], x->output), 0, place * n, (place + 1) * n);
    return *known;
}

static reel_tensor *keep_joint(batching *b, int count)
{
    if (!reel_make_room(&b->joint, b->joints, &b->joint_room, 64, sizeof *b->joint))
        return reel_poison_memory(b->rewrite.graph);
    joint *made = &b->joint[b->joints];
    *made = (joint){.count = count, .part = reel_alloc((size_t)count, sizeof *made->part)};
    if (!made->part) return reel_poison_memory(b->rewrite.graph);
    memcpy(made->part, b->list, (size_t)count * sizeof *made->part);
    b->joints++;
    return made->whole = reel_concat(made->part, count, 0);
}

/* The first `count` of the list, joined on axis 0. */
static reel_tensor *join_list(batching *b, int count)
{
    for (int i = 0; i < b->joints; i++)
        if (b->joint[i].count == count && !memcmp(b->joint[i].part, b->list, (size_t)count * sizeof *b->list))
            return b->joint[i].whole;
    return keep_joint(b, count);
}

static reel_tensor *merged_input(batching *b, int group, int k)
{
    int count = reel_alike_count(&b->alike, group), first;
    reel_tensor *x = input_of(b, group, 0, k);
    if (!x || is_shared(b, group, k)) return x ? now(b, x) : NULL;
    int made = follows_in(b, group, k, &first);
    if (made >= 0) {
        reel_tensor *whole = reel_output(b->merged[made], x->output);
        if (count == reel_alike_count(&b->alike, made)) return whole;
        return reel_slice1(whole, 0, first * samples_in(x), (first + count) * samples_in(x));
    }
    for (int i = 0; i < count; i++) b->list[i] = now(b, input_of(b, group, i, k));
    return join_list(b, count);
}

static bool merge(batching *b, int group)
{
    const reel_node *node = node_at(b, reel_alike_members(&b->alike, group)[0]);
    reel_rewrite_enter(&b->rewrite, node, -1);
    for (int k = 0; k < node->inputs; k++) b->rewrite.input[k] = merged_input(b, group, k);
    b->merged[group] = reel_apply(b->rewrite.graph, node->op, b->rewrite.input, node->inputs, node->attr);
    reel_rewrite_leave(&b->rewrite, node);
    return !reel_poisoned(b->merged[group]);
}

/* Fills the list with the terms of a sum, in order, each merged one once; returns how many. */
static int find_terms(batching *b, const reel_node *total)
{
    int count = 0, height = 0;
    b->term[height++] = &total->output[0];
    while (height) {
        const reel_tensor *x = b->term[--height];
        int group = b->alike.group[x->node->id], known = 0;
        if (b->total[x->node->id] == total->id) {
            b->term[height++] = x->node->input[1];
            b->term[height++] = x->node->input[0];
        } else if (group < 0 || b->fate[group] != SUMMED) {
            b->list[count++] = now(b, x);
        } else {
            while (known < count && b->list[known] != b->merged[group]) known++;
            if (known == count) b->list[count++] = b->merged[group];
        }
    }
    return count;
}

static bool add_up(batching *b, const reel_node *total)
{
    reel_rewrite_enter(&b->rewrite, total, total->time);
    int count = find_terms(b, total);
    reel_tensor *sum = b->list[0];
    for (int i = 1; i < count; i++) sum = reel_add(sum, b->list[i]);
    reel_rewrite_leave(&b->rewrite, total);
    b->rewrite.now[total->output[0].id] = sum;
    return !reel_poisoned(sum);
}

static bool copy(batching *b, reel_node *node)
{
    reel_rewrite_enter(&b->rewrite, node, node->time);
    for (int k = 0; k < node->inputs; k++)
        if (node->input[k]) (void)now(b, node->input[k]);
    reel_rewrite_leave(&b->rewrite, node);
    return reel_rewrite_copy(&b->rewrite, node) && !reel_failed(reel_graph_error(b->rewrite.graph));
}

/* Defines what stands for a node, or for all that are merged with it. */
static bool define(batching *b, int id)
{
    int group = b->alike.group[id];
    if (group >= 0 && b->fate[group] != APART) return merge(b, group);
    if (b->total[id] < 0) return copy(b, node_at(b, id));
    return b->total[id] != id || add_up(b, node_at(b, id));
}

static bool rewrite(batching *b, reel_tensor **wanted, int count)
{
    if (!reel_order_find(&b->dependence, b->order, &b->ordered)) return false;
    for (int i = 0; i < b->ordered; i++)
        if (!define(b, b->order[i])) return false;
    for (int i = 0; i < count; i++) wanted[i] = now(b, wanted[i]);
    return !reel_failed(reel_graph_error(b->rewrite.graph));
}

/* --- all of it --- */

static bool begin(batching *b, reel_graph *graph, reel_tensor **wanted, int count)
{
    if (!reel_rewrite_begin(&b->rewrite, graph) || !reel_dependence_find(&b->dependence, graph, wanted, count) ||
        !reel_alike_find(&b->alike, &b->dependence))
        return false;
    size_t nodes = (size_t)b->dependence.nodes, groups = (size_t)b->alike.groups;
    b->fate = reel_alloc(groups, sizeof *b->fate);
    b->merged = reel_alloc(groups, sizeof *b->merged);
    b->total = reel_alloc(nodes, sizeof *b->total);
    b->list = reel_alloc(nodes, sizeof *b->list);
    b->term = reel_alloc(nodes, sizeof *b->term);
    b->order = reel_alloc(nodes, sizeof *b->order);
    for (size_t i = 0; b->total && i < nodes; i++) b->total[i] = -1;
    return b->fate && b->merged && b->total && b->list && b->term && b->order;
}

static void end(batching *b)
{
    for (int i = 0; i < b->joints; i++) reel_free(b->joint[i].part);
    reel_free(b->joint);
    reel_free(b->fate);
    reel_free(b->merged);
    reel_free(b->total);
    reel_free(b->list);
    reel_free(b->term);
    reel_free(b->order);
    reel_alike_free(&b->alike);
    reel_dependence_free(&b->dependence);
    reel_rewrite_end(&b->rewrite);
}

void reel_batch_over_time(reel_graph *graph, reel_tensor **wanted, int count, size_t most)
{
    batching b = {.most = most};
    if (reel_failed(reel_graph_error(graph)) || reel_segments(graph)) return;
    reel_split_recurrent_channels(graph, wanted, count, most);
    if (reel_failed(reel_graph_error(graph))) return;
    bool ok = begin(&b, graph, wanted, count);
    for (int i = 0; ok && i < b.alike.groups; i++) decide(&b, i);
    if (!ok || !rewrite(&b, wanted, count)) reel_poison_memory(graph);
    end(&b);
}
