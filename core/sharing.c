/* See sharing.h. */
#include "core/sharing.h"

#include "core/arena.h"

const reel_tensor *reel_whole(const reel_home *home, const reel_tensor *x, size_t *offset)
{
    for (*offset = 0; home[x->id].whole != x; x = home[x->id].whole) *offset += home[x->id].offset;
    return x;
}

static const reel_tensor *whole_of(const reel_home *home, const reel_tensor *x)
{
    size_t offset;
    return reel_whole(home, x, &offset);
}

static void put(reel_home *home, const reel_tensor *x, const reel_tensor *whole, size_t offset)
{
    home[x->id].whole = whole;
    home[x->id].offset = offset;
    whole = whole_of(home, whole);
    if (home[whole->id].last < home[x->id].last) home[whole->id].last = home[x->id].last;
}

void reel_find_home(reel_home *home, const reel_node *node, int step)
{
    int shared = node->op->flags & REEL_OP_VIEW ? 1 : node->op->flags & REEL_OP_UPDATES ? node->op->outputs : 0;
    for (int k = 0; k < node->inputs; k++)
        if (node->input[k]) home[whole_of(home, node->input[k])->id].last = step;
    for (int k = 0; k < node->op->outputs; k++) {
        const reel_tensor *out = &node->output[k];
        home[out->id] = (reel_home){out, 0, step, step};
        if (k < shared && node->input[k]) put(home, out, node->input[k], 0);
    }
}

/* --- runs --- */

static size_t bytes_of(const reel_tensor *x)
{
    return (size_t)reel_elements(&x->shape) * reel_dtype_size(x->dtype);
}

/* A copy made at `step` would hold x from then on; a piece holds all of `whole` for as long as x outlives it. One step
   longer, to the node that reads a slice made for it, costs nothing: the copy holds both for a step, too. */
static bool pays(const reel_home *home, const reel_tensor *x, const reel_tensor *whole, int step)
{
    double last = home[x->id].last, longer = last - home[whole->id].last;
    return longer <= 1 || (double)bytes_of(x) * (last - step) >= (double)bytes_of(whole) * longer;
}

/* Where a run begins, in bytes; false where there is none that kernels could work on. */
static bool aligned(int64_t start, const reel_tensor *x, size_t *offset)
{
    *offset = (size_t)start * reel_dtype_size(x->dtype);
    return start >= 0 && *offset % REEL_ALIGNMENT == 0;
}

static void share_with_input(reel_home *home, const reel_node *node)
{
    const reel_tensor *x = &node->output[0], *whole = whole_of(home, node->input[0]);
    size_t offset;
    if (whole->node->op != &reel_op_parameter && aligned(node->op->run_of_input(node), x, &offset) &&
        pays(home, x, whole, home[x->id].first))
        put(home, x, node->input[0], offset);
}

static bool same_kind(const reel_tensor *a, const reel_tensor *b)
{
    return a->dtype == b->dtype && reel_shape_equal(&a->shape, &b->shape);
}

static bool alone(const reel_home *home, const reel_tensor *x)
{
    return home[x->id].whole == x && !(x->node->op->flags & REEL_OP_SOURCE);
}

/* The input that x, made element by element, is written over: it dies there. NULL for none. */
static const reel_tensor *written_over(const reel_home *home, const reel_tensor *x)
{
    const reel_node *node = x->node;
    if (x->output || !node->inputs || !(node->op->flags & REEL_OP_INPLACE)) return NULL;
    const reel_tensor *in = node->input[0];
    bool fits = alone(home, in) && home[in->id].last == home[x->id].first && same_kind(in, x);
    for (int k = 1; fits && k < node->inputs; k++)
        fits = !node->input[k] || whole_of(home, node->input[k]) != in || same_kind(node->input[k], x);
    return fits ? in : NULL;
}

/* Moves input k to its place in the output, with all that it is written over. */
static void share_with_output(reel_home *home, const reel_node *node, int k)
{
    const reel_tensor *y = &node->output[0], *before;
    size_t offset, within;
    const reel_tensor *x = reel_whole(home, node->input[k], &within);
    if (within || bytes_of(x) != bytes_of(node->input[k]) || !alone(home, x) || x == y) return;
    if (!aligned(node->op->run_of_output(node, k), y, &offset)) return;
    if (!pays(home, x, whole_of(home, y), home[y->id].first)) return;
    put(home, x, y, offset);
    for (; (before = written_over(home, x)); x = before) put(home, before, x, 0);
}

void reel_share_runs(reel_home *home, const reel_node *node)
{
    if (node->op->run_of_input) share_with_input(home, node);
    for (int k = 0; node->op->run_of_output && k < node->inputs; k++) share_with_output(home, node, k);
}
