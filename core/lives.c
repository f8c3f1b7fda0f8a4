/* See lives.h. */
#include "core/lives.h"

#include "core/memory.h"

#include <limits.h>

static void find_homes(reel_lives *lives, const reel_schedule *schedule, const reel_wiring *wiring)
{
    size_t offset;
    for (int i = 0; i < schedule->steps; i++) reel_find_home(lives->home, schedule, i);
    for (int i = 0; i < wiring->wanted_count; i++) {
        int value = schedule->first[wiring->wanted[i].at] + wiring->wanted[i].output;
        lives->home[reel_whole(lives->home, value, &offset)].last = INT_MAX;
    }
    for (int v = 0; v < schedule->values; v++) {
        lives->root[v] = reel_whole(lives->home, v, &offset);
        lives->last[v] = lives->home[v].last;
    }
    for (int i = 0; i < schedule->steps; i++) reel_share_runs(lives->home, schedule, i);
}

static int new_storage(reel_lives *lives, const reel_schedule *schedule, int value, int step)
{
    const reel_tensor *t = schedule->tensor[value];
    reel_storage *s = &lives->store[lives->stores];
    *s = (reel_storage){.tensor = t, .bytes = schedule->bytes[value], .first = step, .last = lives->home[value].last};
    if (t->node->op == &reel_op_parameter)
        s->where = REEL_IN_PARAMETER;
    else if (t->node->op->flags & REEL_OP_SOURCE)
        s->where = REEL_IN_BLOCK;
    return lives->stores++;
}

/* The storage of an input that fills it, dies at step i and may be written over, or -1. */
static int dying_input(const reel_lives *lives, const reel_schedule *schedule, int i)
{
    const reel_step *step = &schedule->step[i];
    const reel_node *node = step->node;
    const reel_tensor *out = &node->output[0];
    for (int k = 0; k < node->inputs; k++) {
        const reel_tensor *in = node->input[k];
        if (!in || in->dtype != out->dtype || !reel_shape_equal(&in->shape, &out->shape)) continue;
        int s = lives->storage[step->input[k]];
        const reel_storage *st = &lives->store[s];
        bool fits = st->where == REEL_IN_ARENA && st->last == i && st->bytes == schedule->bytes[step->input[k]];
        for (int j = 0; fits && j < node->inputs; j++)
            if (node->input[j] && lives->storage[step->input[j]] == s)
                fits = reel_shape_equal(&node->input[j]->shape, &out->shape);
        if (fits) return s;
    }
    return -1;
}

static void share_memory(reel_lives *lives, const reel_schedule *schedule)
{
    for (int v = 0; v < schedule->values; v++) lives->storage[v] = -1;
    for (int i = 0; i < schedule->steps; i++) {
        const reel_step *step = &schedule->step[i];
        for (int k = 0; k < step->node->op->outputs; k++) {
            size_t offset;
            int value = step->output + k, whole = reel_whole(lives->home, value, &offset);
            int *storage = &lives->storage[whole];
            if (*storage < 0 && k == 0 && whole == value && step->node->op->flags & REEL_OP_INPLACE &&
                (*storage = dying_input(lives, schedule, i)) >= 0)
                lives->store[*storage].last = lives->home[whole].last;
            if (*storage < 0) *storage = new_storage(lives, schedule, whole, i);
            lives->storage[value] = *storage;
        }
    }
}

bool reel_lives_find(reel_lives *lives, const reel_schedule *schedule, const reel_wiring *wiring)
{
    size_t values = (size_t)schedule->values;
    *lives = (reel_lives){.home = reel_alloc_raw(values, sizeof *lives->home),
                          .root = reel_alloc_raw(values, sizeof *lives->root),
                          .last = reel_alloc_raw(values, sizeof *lives->last),
                          .storage = reel_alloc_raw(values, sizeof *lives->storage),
                          .store = reel_alloc_raw(values, sizeof *lives->store)};
    if (!lives->home || !lives->root || !lives->last || !lives->storage || !lives->store) {
        reel_lives_free(lives);
        return false;
    }
    find_homes(lives, schedule, wiring);
    share_memory(lives, schedule);
    return true;
}

void reel_lives_free(reel_lives *lives)
{
    reel_free(lives->home);
    reel_free(lives->root);
    reel_free(lives->last);
    reel_free(lives->storage);
    reel_free(lives->store);
    *lives = (reel_lives){0};
}
