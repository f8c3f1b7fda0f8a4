/* See eviction.h. */
#include "core/eviction.h"

#include "core/memory.h"

#include <limits.h>

/* --- when memory is touched --- */

bool reel_survey_new(reel_survey *v, const reel_node_facts *facts, int values)
{
    enum { PER_VALUE = 9 };
    size_t n = (size_t)values, nodes = (size_t)facts->nodes;
    int *block = reel_alloc(PER_VALUE * n + nodes, sizeof *block);
    *v = (reel_survey){.facts = facts, .maker = block};
    if (!block) return false;
    int **part[PER_VALUE] = {&v->maker, &v->head,  &v->next, &v->before, &v->after,
                             &v->stack, &v->rerun, &v->kept, &v->gone};
    for (int i = 0; i < PER_VALUE; i++) *part[i] = block + (size_t)i * n;
    v->last_run = block + PER_VALUE * n;
    return true;
}

void reel_survey_free(reel_survey *v)
{
    reel_free(v->maker);
    *v = (reel_survey){0};
}

static void touch(reel_survey *v, int value, int step)
{
    int home = v->layout->lives.storage[value], place = v->layout->schedule.step[step].place;
    if (step < v->layout->peak_step) v->before[home] = place;
    if (step > v->layout->peak_step && v->after[home] == INT_MAX) v->after[home] = place;
}

void reel_survey_take(reel_survey *v, const reel_layout *layout)
{
    const reel_schedule *schedule = &layout->schedule;
    v->layout = layout;
    v->place = schedule->step[layout->peak_step].place;
    for (int i = 0; i < layout->lives.stores; i++) v->head[i] = v->before[i] = -1, v->after[i] = INT_MAX;
    for (int i = 0; i < schedule->steps; i++) {
        const reel_step *step = &schedule->step[i];
        v->last_run[step->at] = step->place;
        for (int k = 0; k < step->node->inputs; k++)
            if (step->input[k] >= 0) touch(v, step->input[k], i);
        for (int k = 0; k < step->node->op->outputs; k++) {
            int value = step->output + k, home = layout->lives.storage[value];
            touch(v, value, i);
            v->maker[value] = i;
            v->next[value] = v->head[home];
            v->head[home] = value;
        }
    }
}

/* --- an eviction --- */

/* Memory that is alive at the peak without being used there. */
static bool idle(const reel_survey *v, int storage)
{
    const reel_storage *s = &v->layout->lives.store[storage];
    int peak = v->layout->peak_step;
    return s->where == REEL_IN_ARENA && s->first < peak && s->last > peak && s->last != INT_MAX &&
           v->after[storage] > v->place;
}

static void push(reel_survey *v, int step, int *depth)
{
    if (v->rerun[step] == v->stamp) return;
    v->rerun[step] = v->stamp;
    v->stack[(*depth)++] = step;
}

/* Drops what lies in a storage and is read after the peak: all, or a given root alone, past which the others stay. */
static void drop(reel_survey *v, reel_eviction *e, int storage, int alone, int *depth)
{
    const reel_lives *lives = &v->layout->lives;
    size_t bytes = lives->store[storage].bytes, stay = 0;
    for (int value = v->head[storage]; value >= 0; value = v->next[value]) {
        int root = lives->root[value];
        if (v->maker[value] >= v->layout->peak_step || lives->last[root] <= v->layout->peak_step) continue;
        if (alone >= 0 && root != alone) {
            if (root == value) stay += v->layout->schedule.bytes[value];
            continue;
        }
        v->gone[root] = v->stamp;
        push(v, v->maker[value], depth);
    }
    e->saved += bytes > stay ? bytes - stay : 0;
}

/* Frees the memory and, as nodes run with all of their outputs, what else its makers hold idle. Returns the place of
   the first reader afterwards. */
static int drop_all(reel_survey *v, reel_eviction *e, int *depth)
{
    const reel_lives *lives = &v->layout->lives;
    int until = INT_MAX;
    drop(v, e, e->storage, e->alone, depth);
    for (int i = 0; i < *depth; i++) {
        const reel_step *step = &v->layout->schedule.step[v->stack[i]];
        for (int k = 0; k < step->node->op->outputs; k++) {
            int value = step->output + k, root = lives->root[value], storage = lives->storage[value];
            if (lives->last[root] <= v->layout->peak_step) continue;
            if (v->after[storage] < until) until = v->after[storage];
            if (v->gone[root] != v->stamp && idle(v, storage)) drop(v, e, storage, -1, depth);
        }
    }
    return until;
}

/* The place up to which readers of a step's outputs, all before the peak, keep the values that are there. */
static int read_until(const reel_survey *v, const reel_step *step)
{
    const reel_lives *lives = &v->layout->lives;
    int until = step->place;
    for (int k = 0; k < step->node->op->outputs; k++) {
        int value = step->output + k, last = lives->last[lives->root[value]];
        bool dead = last < v->layout->peak_step;
        int place = dead ? v->layout->schedule.step[last].place : v->before[lives->storage[value]];
        if (place > until) until = place;
    }
    return until;
}

/* Sees to it that a value is there for a step that runs again: it is, or it is kept longer at the cost of its bytes, or
   its maker runs again as well. */
static void provide(reel_survey *v, reel_eviction *e, int value, int *depth)
{
    const reel_lives *lives = &v->layout->lives;
    const reel_storage *home = &lives->store[lives->storage[value]];
    int root = lives->root[value];
    size_t bytes = v->layout->schedule.bytes[root];
    bool there = lives->last[root] > v->layout->peak_step && v->gone[root] != v->stamp;
    if (home->where != REEL_IN_ARENA || there || v->kept[root] == v->stamp) return;
    if (v->rerun[v->maker[value]] != v->stamp && bytes < e->saved) {
        e->saved -= bytes;
        v->kept[root] = v->stamp;
    } else
        push(v, v->maker[value], depth);
}

int reel_survey_whole(const reel_survey *v, int storage)
{
    const reel_lives *lives = &v->layout->lives;
    int whole = -1, others = 0;
    for (int value = v->head[storage]; value >= 0; value = v->next[value]) {
        if (lives->root[value] != value || lives->last[value] <= v->layout->peak_step) continue;
        if (v->layout->schedule.bytes[value] == lives->store[storage].bytes && whole < 0)
            whole = value;
        else
            others++;
    }
    return others ? whole : -1;
}

bool reel_survey_judge(reel_survey *v, reel_eviction *e)
{
    const reel_node_facts *facts = v->facts;
    int depth = 0;
    v->stamp++;
    e->saved = 0;
    e->work = 0;
    e->cuts.cuts = 0;
    if (!idle(v, e->storage)) return false;
    int until = drop_all(v, e, &depth);
    if (until <= v->place || until >= facts->update) return false;
    while (depth) {
        const reel_step *step = &v->layout->schedule.step[v->stack[--depth]];
        int node = step->at;
        if (facts->fixed[node]) return false;
        if (!reel_cuts_add(&e->cuts, (reel_cut){node, read_until(v, step)})) return v->out_of_memory = true, false;
        if (v->last_run[node] < until) e->work += facts->work[node];
        for (int k = 0; k < step->node->inputs; k++)
            if (step->input[k] >= 0) provide(v, e, step->input[k], &depth);
    }
    return e->saved > 0;
}
