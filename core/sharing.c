/* See sharing.h. */
#include "core/sharing.h"

#include "core/arena.h"

int reel_whole(const reel_home *home, int value, size_t *offset)
{
    for (*offset = 0; home[value].whole != value; value = home[value].whole) *offset += home[value].offset;
    return value;
}

static int whole_of(const reel_home *home, int value)
{
    size_t offset;
    return reel_whole(home, value, &offset);
}

static void put(reel_home *home, int value, int whole, size_t offset)
{
    home[value].whole = whole;
    home[value].offset = offset;
    whole = whole_of(home, whole);
    if (home[whole].last < home[value].last) home[whole].last = home[value].last;
}

void reel_find_home(reel_home *home, const reel_schedule *schedule, int step)
{
    const reel_step *s = &schedule->step[step];
    const reel_op *op = s->node->op;
    int shared = op->flags & REEL_OP_VIEW ? 1 : op->flags & REEL_OP_UPDATES ? op->outputs : 0;
    for (int k = 0; k < s->node->inputs; k++)
        if (s->input[k] >= 0) home[whole_of(home, s->input[k])].last = step;
    for (int k = 0; k < op->outputs; k++) {
        int out = s->output + k;
        home[out] = (reel_home){out, 0, step, step};
        if (k < shared && s->input[k] >= 0) put(home, out, s->input[k], 0);
    }
}

/* --- runs --- */

/* A copy made at `step` would hold x from then on; a piece holds all of `whole` for as long as x outlives it. One step
   longer, to the node that reads a slice made for it, costs nothing: the copy holds both for a step, too. */
static bool pays(const reel_home *home, const reel_schedule *schedule, int x, int whole, int step)
{
    double last = home[x].last, longer = last - home[whole].last;
    return longer <= 1 || (double)schedule->bytes[x] * (last - step) >= (double)schedule->bytes[whole] * longer;
}

/* Where a run begins, in bytes; false where there is none that kernels could work on. */
static bool aligned(int64_t start, const reel_tensor *x, size_t *offset)
{
    *offset = (size_t)start * reel_dtype_size(x->dtype);
    return start >= 0 && *offset % REEL_ALIGNMENT == 0;
}

static void share_with_input(reel_home *home, const reel_schedule *schedule, const reel_step *s)
{
    int x = s->output, whole = whole_of(home, s->input[0]);
    size_t offset;
    if (schedule->tensor[whole]->node->op != &reel_op_parameter &&
        aligned(s->node->op->run_of_input(s->node), schedule->tensor[x], &offset) &&
        pays(home, schedule, x, whole, home[x].first))
        put(home, x, s->input[0], offset);
}

static bool same_kind(const reel_tensor *a, const reel_tensor *b)
{
    return a->dtype == b->dtype && reel_shape_equal(&a->shape, &b->shape);
}

static bool alone(const reel_home *home, const reel_schedule *schedule, int x)
{
    return home[x].whole == x && !(schedule->tensor[x]->node->op->flags & REEL_OP_SOURCE);
}

/* The input that x, made element by element, is written over: it dies there. -1 for none. */
static int written_over(const reel_home *home, const reel_schedule *schedule, int x)
{
    const reel_step *s = &schedule->step[home[x].first];
    if (x != s->output || !s->node->inputs || !(s->node->op->flags & REEL_OP_INPLACE)) return -1;
    int in = s->input[0];
    const reel_tensor *out = schedule->tensor[x];
    bool fits = alone(home, schedule, in) && home[in].last == home[x].first && same_kind(s->node->input[0], out);
    for (int k = 1; fits && k < s->node->inputs; k++)
        fits = s->input[k] < 0 || whole_of(home, s->input[k]) != in || same_kind(s->node->input[k], out);
    return fits ? in : -1;
}

/* Moves input k to its place in the output, with all that it is written over. */
static void share_with_output(reel_home *home, const reel_schedule *schedule, const reel_step *s, int k)
{
    int y = s->output;
    size_t offset, within;
    int x = reel_whole(home, s->input[k], &within);
    if (within || schedule->bytes[x] != schedule->bytes[s->input[k]]) return;
    if (!alone(home, schedule, x) || x == y) return;
    if (!aligned(s->node->op->run_of_output(s->node, k), schedule->tensor[y], &offset)) return;
    if (!pays(home, schedule, x, whole_of(home, y), home[y].first)) return;
    put(home, x, y, offset);
    for (int before; (before = written_over(home, schedule, x)) >= 0; x = before) put(home, before, x, 0);
}

void reel_share_runs(reel_home *home, const reel_schedule *schedule, int step)
{
    const reel_step *s = &schedule->step[step];
    if (s->node->op->run_of_input) share_with_input(home, schedule, s);
    for (int k = 0; s->node->op->run_of_output && k < s->node->inputs; k++) share_with_output(home, schedule, s, k);
}
