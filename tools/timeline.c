/* See timeline.h. */
#include "tools/timeline.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

const char *reel_kind_name(reel_kind kind)
{
    static const char *const name[REEL_KINDS] = {"activations", "computed again", "gradients", "weights' gradients"};
    return name[kind];
}

/* Nodes of the backward pass are defined in a scope of that name (autograd/gradient.c). */
bool reel_timeline_backward(const reel_node *node)
{
    return strncmp(node->scope, "gradient", strlen("gradient")) == 0;
}

/* The step with most nodes of the forward pass before and of the backward pass after it, since gradients of losses may
   run early. With segments, forward nodes are defined once more among the gradients: the first of these it is, then. */
static int first_backward(const reel_plan *plan, bool segments)
{
    int first = 0, lead = 0, most = 0;
    for (int i = 0; i < reel_plan_nodes(plan); i++) {
        const reel_node *node = reel_plan_node(plan, i);
        bool backward = reel_timeline_backward(node);
        if (backward && segments) return i;
        if (!(node->op->flags & REEL_OP_SOURCE)) lead += backward ? -1 : 1;
        if (lead <= most) continue;
        most = lead;
        first = i + 1;
    }
    return first;
}

/* Per tensor: an update reads it in the shape of what it updates, or it is summed, cast or viewed into one that is. */
static void mark_parameter_gradients(const reel_plan *plan, bool *marked)
{
    for (int i = reel_plan_nodes(plan) - 1; i >= 0; i--) {
        const reel_node *node = reel_plan_node(plan, i);
        const reel_tensor *y = &node->output[0];
        bool update = node->op->flags & REEL_OP_UPDATES;
        for (int k = 0; k < node->inputs; k++) {
            const reel_tensor *x = node->input[k];
            if (x && (update || marked[y->id]) && reel_timeline_backward(x->node) &&
                reel_shape_equal(&x->shape, &y->shape))
                marked[x->id] = true;
        }
    }
}

static reel_kind kind_of(const reel_timeline *t, const reel_block *block, const bool *parameter)
{
    if (parameter[block->tensor->id]) return REEL_KIND_PARAMETER;
    if (reel_timeline_backward(block->tensor->node)) return REEL_KIND_GRADIENT;
    return block->first < t->backward ? REEL_KIND_FORWARD : REEL_KIND_AGAIN;
}

static int larger_first(const void *a, const void *b)
{
    const reel_block *p = &((const reel_span *)a)->block, *q = &((const reel_span *)b)->block;
    if (p->bytes != q->bytes) return p->bytes < q->bytes ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first);
}

static void find_peak(reel_timeline *t)
{
    for (int i = 0; i < t->spans; i++)
        for (int step = t->span[i].block.first; step <= t->span[i].block.last; step++)
            t->live[step] += t->span[i].block.bytes;
    for (int step = 0; step < t->steps; step++)
        if (t->live[step] > t->live[t->peak]) t->peak = step;
}

bool reel_timeline_new(reel_timeline *t, const reel_plan *plan)
{
    int blocks = reel_plan_blocks(plan), steps = reel_plan_nodes(plan);
    const reel_graph *graph = steps ? reel_plan_node(plan, 0)->output[0].graph : NULL;
    bool *parameter = reel_alloc(graph ? (size_t)reel_graph_tensors(graph) : 0, sizeof *parameter);
    *t = (reel_timeline){.plan = plan,
                         .span = reel_alloc((size_t)blocks, sizeof *t->span),
                         .live = reel_alloc((size_t)steps, sizeof *t->live),
                         .steps = steps,
                         .backward = first_backward(plan, graph && reel_segments(graph)),
                         .arena = reel_plan_cost(plan).arena};
    bool ok = parameter && t->span && t->live;
    if (ok) mark_parameter_gradients(plan, parameter);
    for (int i = 0; ok && i < blocks; i++) {
        reel_block block = reel_plan_block(plan, i);
        if (block.bytes) t->span[t->spans++] = (reel_span){block, kind_of(t, &block, parameter)};
    }
    reel_free(parameter);
    if (!ok) return reel_timeline_free(t), false;
    if (t->spans) qsort(t->span, (size_t)t->spans, sizeof *t->span, larger_first);
    find_peak(t);
    return true;
}

void reel_timeline_free(reel_timeline *t)
{
    reel_free(t->span);
    reel_free(t->live);
    *t = (reel_timeline){0};
}
