/* See order.h. */
#include "autograd/order.h"

#include "core/memory.h"

typedef struct {
    int *item, height, room;
} stack;

typedef struct {
    const reel_dependence *d;
    bool *done;    /* per node */
    int *left;     /* per tensor: readers that are still to run, one more if it is wanted */
    stack waiting; /* for what lies above it */
    stack freed;   /* may have come to be worth running at once */
    int *order, count;
} ordering;

static bool push(stack *s, int item)
{
    if (!reel_make_room(&s->item, s->height, &s->room, 256, sizeof *s->item)) return false;
    s->item[s->height++] = item;
    return true;
}

static const reel_node *node_at(const ordering *o, int id)
{
    return reel_graph_node(o->d->graph, id);
}

/* Bytes in the arena. */
static double bytes_of(const reel_tensor *x)
{
    if (!x || x->node->op->flags & REEL_OP_SOURCE) return 0;
    return (double)reel_elements(&x->shape) * (double)reel_dtype_size(x->dtype);
}

/* --- what runs at once --- */

static bool is_ready(const ordering *o, int id)
{
    int member = id;
    do {
        for (int e = o->d->first_in[member]; e < o->d->first_in[member + 1]; e++)
            if (!o->done[o->d->in[e].from]) return false;
        member = o->d->tied[member];
    } while (member != id);
    return true;
}

/* What it makes takes no more memory than what dies with it, or little beside what it reads. */
static bool saves_memory(const ordering *o, int id)
{
    enum { LITTLE = 16 };
    double made = 0, read = 0, dying = 0;
    int member = id;
    do {
        const reel_node *node = node_at(o, member);
        for (int k = 0; k < node->op->outputs; k++) made += bytes_of(&node->output[k]);
        for (int k = 0; k < node->inputs; k++) {
            read += bytes_of(node->input[k]);
            if (node->input[k] && o->left[node->input[k]->id] == 1) dying += bytes_of(node->input[k]);
        }
        member = o->d->tied[member];
    } while (member != id);
    return made <= dying || LITTLE * made <= read;
}

/* The readers of x may now be ready, or the last of them. */
static bool look_at_readers(ordering *o, const reel_tensor *x)
{
    const reel_dependence *d = o->d;
    if (!x || x->node->op->flags & REEL_OP_SOURCE) return true;
    for (int e = d->first_out[x->node->id]; e < d->first_out[x->node->id + 1]; e++)
        if (!o->done[d->out[e].to] && !push(&o->freed, d->out[e].to)) return false;
    return true;
}

/* --- running --- */

static bool run(ordering *o, int id)
{
    int member = id;
    o->order[o->count++] = id;
    do {
        const reel_node *node = node_at(o, member);
        o->done[member] = true;
        for (int k = 0; k < node->inputs; k++)
            if (node->input[k]) o->left[node->input[k]->id]--;
        member = o->d->tied[member];
    } while (member != id);
    do {
        const reel_node *node = node_at(o, member);
        for (int k = 0; k < node->inputs; k++)
            if (!look_at_readers(o, node->input[k])) return false;
        if (!look_at_readers(o, &node->output[0])) return false;
        member = o->d->tied[member];
    } while (member != id);
    return true;
}

static bool run_with_freed(ordering *o, int id)
{
    if (!run(o, id)) return false;
    while (o->freed.height) {
        int next = o->freed.item[--o->freed.height];
        if (!o->done[next] && is_ready(o, next) && saves_memory(o, next) && !run(o, next)) return false;
    }
    return true;
}

/* Pushes what a node, or one that is tied to it, still waits for, the first on top. */
static bool push_missing(ordering *o, int id)
{
    const reel_dependence *d = o->d;
    int member = id;
    do {
        for (int e = d->first_in[member + 1] - 1; e >= d->first_in[member]; e--)
            if (!o->done[d->in[e].from] && !push(&o->waiting, d->in[e].from)) return false;
        member = d->tied[member];
    } while (member != id);
    return true;
}

/* A loop and not a recursion: a clip may be long. */
static bool run_after_missing(ordering *o, int id)
{
    if (!push(&o->waiting, id)) return false;
    while (o->waiting.height) {
        int height = o->waiting.height, top = o->waiting.item[height - 1];
        if (!o->done[top] && !push_missing(o, top)) return false;
        if (o->waiting.height > height) continue;
        o->waiting.height--;
        if (!o->done[top] && !run_with_freed(o, top)) return false;
    }
    return true;
}

bool reel_order_find(const reel_dependence *d, int *order, int *count)
{
    ordering o = {.d = d,
                  .done = reel_alloc((size_t)d->nodes, sizeof *o.done),
                  .left = reel_alloc((size_t)d->tensors, sizeof *o.left),
                  .order = order};
    bool ok = o.done && o.left;
    for (int t = 0; ok && t < d->tensors; t++) o.left[t] = d->uses[t];
    for (int i = 0; ok && i < d->nodes; i++)
        if (d->needed[i]) ok = run_after_missing(&o, i);
    *count = o.count;
    reel_free(o.done);
    reel_free(o.left);
    reel_free(o.waiting.item);
    reel_free(o.freed.item);
    return ok;
}
