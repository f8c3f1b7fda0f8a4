/* See channel_split.h. */
#include "autograd/channel_split.h"

#include "autograd/alike.h"
#include "autograd/rewrite.h"
#include "core/memory.h"
#include "ops/ops.h"
#include "ops/slice_range.h"

enum { MOST_PARTS = 16 };

/* How a weight is split: into runs of input channels, start[i] to start[i + 1], which are whole inputs of the
   concatenation, from part[i] on, and alike in whether they are recurrent. */
typedef struct {
    const reel_tensor *weight;
    int runs, part[MOST_PARTS + 1];
    int64_t start[MOST_PARTS + 1];
    reel_tensor *slice[2][MOST_PARTS]; /* for the forward and the backward pass */
} split;

typedef struct {
    reel_dependence dependence;
    reel_alike alike;
    reel_rewrite rewrite;
    split *list;
    int count;
    size_t most;
} splitting;

/* --- what is split --- */

/* The concatenation of channels that a convolution reads and is linear in; NULL for any other node. */
static const reel_node *joined_channels(const reel_node *conv)
{
    if (conv->op != &reel_op_conv2d) return NULL;
    const reel_conv2d_attr *how = conv->attr;
    if (how->groups != 1 || how->relu) return NULL;
    const reel_node *concat = conv->input[0]->node;
    if (concat->op != &reel_op_concat || concat->inputs > MOST_PARTS) return NULL;
    const reel_concat_attr *attr = concat->attr;
    return reel_shape_axis(&concat->output[0].shape, attr->axis) == 1 ? concat : NULL;
}

/* Part k of what is concatenated depends, at some time step, on one of the convolutions of the last search. */
static bool recurrent_part(const splitting *s, int group, int k)
{
    const int *member = reel_alike_members(&s->alike, group);
    for (int i = 0; i < reel_alike_count(&s->alike, group); i++) {
        const reel_node *concat = reel_graph_node(s->rewrite.graph, member[i])->input[0]->node;
        if (reel_reached(&s->dependence, concat->input[k]->node->id)) return true;
    }
    return false;
}

/* All time steps concatenate as many parts of the same channels. */
static bool same_parts(const splitting *s, int group, const reel_node *like)
{
    const int *member = reel_alike_members(&s->alike, group);
    for (int i = 0; i < reel_alike_count(&s->alike, group); i++) {
        const reel_node *concat = joined_channels(reel_graph_node(s->rewrite.graph, member[i]));
        if (!concat || concat->inputs != like->inputs) return false;
        for (int k = 0; k < like->inputs; k++)
            if (!reel_shape_equal(&concat->input[k]->shape, &like->input[k]->shape)) return false;
    }
    return true;
}

static size_t bytes_of(const reel_tensor *x)
{
    return (size_t)reel_elements(&x->shape) * reel_dtype_size(x->dtype);
}

static void consider(splitting *s, int group)
{
    const int *member = reel_alike_members(&s->alike, group);
    size_t steps = (size_t)reel_alike_count(&s->alike, group);
    const reel_node *conv = reel_graph_node(s->rewrite.graph, member[0]);
    const reel_node *concat = joined_channels(conv);
    if (!concat || !same_parts(s, group, concat)) return;
    if (steps * (bytes_of(conv->input[0]) + bytes_of(&conv->output[0])) > s->most) return;
    reel_reach(&s->dependence, member, (int)steps);
    split found = {.weight = conv->input[1]};
    bool last = false;
    int64_t channel = 0;
    for (int k = 0; k < concat->inputs; k++) {
        bool recurrent = recurrent_part(s, group, k);
        if (k == 0 || recurrent != last) {
            found.part[found.runs] = k;
            found.start[found.runs++] = channel;
        }
        last = recurrent;
        channel += concat->input[k]->shape.size[1];
    }
    found.part[found.runs] = concat->inputs;
    found.start[found.runs] = channel;
    if (found.runs > 1) s->list[s->count++] = found;
}

static split *split_of(const splitting *s, const reel_tensor *weight)
{
    for (int i = 0; i < s->count; i++)
        if (s->list[i].weight == weight) return &s->list[i];
    return NULL;
}

/* The split of a convolution whose concatenation has parts where its weight's runs begin and end; else NULL. */
static split *split_of_convolution(const splitting *s, const reel_node *conv)
{
    const reel_node *concat = joined_channels(conv);
    split *p = concat ? split_of(s, conv->input[1]) : NULL;
    int64_t channel = 0;
    if (!p || concat->inputs != p->part[p->runs]) return NULL;
    for (int k = 0, run = 0; k < concat->inputs; k++) {
        if (k == p->part[run] && channel != p->start[run++]) return NULL;
        channel += concat->input[k]->shape.size[1];
    }
    return p;
}

/* --- what is put in its place --- */

static reel_tensor *weight_of(const splitting *s, split *p, int run, bool backward)
{
    reel_tensor **slice = &p->slice[backward][run];
    if (!*slice) *slice = reel_slice1(s->rewrite.now[p->weight->id], 1, p->start[run], p->start[run + 1]);
    return *slice;
}

static reel_tensor *run_of_parts(const splitting *s, const reel_node *concat, const split *p, int run)
{
    reel_tensor *part[MOST_PARTS] = {NULL};
    int count = 0;
    for (int k = p->part[run]; k < p->part[run + 1]; k++) part[count++] = s->rewrite.now[concat->input[k]->id];
    return count == 1 ? part[0] : reel_concat(part, count, 1);
}

/* The sum of the convolutions of the runs; the first has the bias. */
static reel_tensor *sum_of_halves(const splitting *s, const reel_node *conv, split *p)
{
    reel_tensor *bias = conv->inputs > 2 && conv->input[2] ? s->rewrite.now[conv->input[2]->id] : NULL, *sum = NULL;
    for (int run = 0; run < p->runs; run++) {
        reel_tensor *input[] = {run_of_parts(s, conv->input[0]->node, p, run), weight_of(s, p, run, false), bias};
        reel_tensor *y = reel_apply(s->rewrite.graph, conv->op, input, bias && !run ? 3 : 2, conv->attr);
        sum = sum ? reel_add(sum, y) : y;
    }
    return sum;
}

/* A slice that takes just the channels of one run from a gradient for all of them. NULL for any other node. */
static reel_tensor *gradient_of_half(const splitting *s, const reel_node *slice)
{
    if (slice->op != &reel_op_slice || slice->input[0]->node->op != &reel_op_conv2d_input_gradient) return NULL;
    const reel_node *whole = slice->input[0]->node;
    reel_slice_range range = {.step = {0}};
    split *p = split_of(s, whole->input[1]);
    if (!p || reel_slice_ranges(slice->attr, &slice->input[0]->shape, &range)) return NULL;
    for (int k = 0; k < 4; k++)
        if (k != 1 && range.count[k] != slice->input[0]->shape.size[k]) return NULL;
    for (int run = 0; run < p->runs; run++)
        if (range.first[1] == p->start[run] && range.count[1] == p->start[run + 1] - p->start[run] &&
            range.step[1] == 1)
            return reel_apply2(whole->op, whole->attr, s->rewrite.now[whole->input[0]->id], weight_of(s, p, run, true));
    return NULL;
}

static bool emit(splitting *s, reel_node *node)
{
    split *p = split_of_convolution(s, node);
    reel_rewrite_enter(&s->rewrite, node, node->time);
    reel_tensor *y = p ? sum_of_halves(s, node, p) : gradient_of_half(s, node);
    reel_rewrite_leave(&s->rewrite, node);
    if (!y) return reel_rewrite_copy(&s->rewrite, node);
    s->rewrite.now[node->output[0].id] = y;
    return !reel_poisoned(y);
}

static bool rewrite(splitting *s)
{
    for (int i = 0; i < s->dependence.nodes; i++)
        if (s->dependence.needed[i] && !emit(s, reel_graph_node(s->rewrite.graph, i))) return false;
    return true;
}

void reel_split_recurrent_channels(reel_graph *graph, reel_tensor **wanted, int count, size_t most)
{
    splitting s = {.most = most};
    bool ok = reel_rewrite_begin(&s.rewrite, graph) && reel_dependence_find(&s.dependence, graph, wanted, count) &&
              reel_alike_find(&s.alike, &s.dependence) && (s.list = reel_alloc((size_t)s.alike.groups, sizeof *s.list));
    for (int i = 0; ok && i < s.alike.groups; i++) consider(&s, i);
    if (ok && s.count) ok = rewrite(&s);
    for (int i = 0; ok && s.count && i < count; i++) wanted[i] = s.rewrite.now[wanted[i]->id];
    if (!ok) reel_poison_memory(graph);
    reel_free(s.list);
    reel_alike_free(&s.alike);
    reel_dependence_free(&s.dependence);
    reel_rewrite_end(&s.rewrite);
}
