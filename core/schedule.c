/* See schedule.h. Runs are numbered node by node: first[node] is the node's first run, the one after its k-th cut is
   first[node] + k + 1. Readers are defined after what they read, so that going from the last node to the first finds
   all readers of a run before the run itself. */
#include "core/schedule.h"

#include "core/memory.h"

#include <limits.h>
#include <string.h>

enum { NEVER = INT_MAX };

typedef struct {
    const reel_graph *graph;
    const reel_cuts *cuts;
    int nodes, runs;
    int *first; /* per node, and one more: its runs */
    int *place; /* per run, NEVER when nobody reads it */
    int *value; /* per run: that of output 0 */
} ordering;

/* --- cuts --- */

bool reel_cuts_add(reel_cuts *list, reel_cut cut)
{
    if (list->cuts == list->room) {
        int room = list->room ? 2 * list->room : 64;
        reel_cut *grown = reel_grow(list->cut, (size_t)list->room, (size_t)room, sizeof *grown);
        if (!grown) return false;
        list->cut = grown;
        list->room = room;
    }
    list->cut[list->cuts++] = cut;
    return true;
}

void reel_cuts_free(reel_cuts *list)
{
    reel_free(list->cut);
    *list = (reel_cuts){0};
}

/* --- runs --- */

/* The run of `node` whose values are read at a place. */
static int run_at(const ordering *o, int node, int place)
{
    int run = o->first[node];
    const reel_cut *cut = o->cuts->cut + (run - node);
    while (run + 1 < o->first[node + 1] && cut++->after < place) run++;
    return run;
}

static void number_runs(ordering *o)
{
    for (int n = 0, k = 0; n < o->nodes; n++) {
        o->first[n] = n + k;
        while (k < o->cuts->cuts && o->cuts->cut[k].node == n) k++;
    }
    o->first[o->nodes] = o->runs;
    for (int r = 0; r < o->runs; r++) o->place[r] = NEVER;
}

static void find_places(ordering *o, reel_tensor *const *wanted, int count)
{
    for (int i = 0; i < count; i++) o->place[o->first[wanted[i]->node->id]] = wanted[i]->node->id;
    for (int n = o->nodes - 1; n >= 0; n--) {
        const reel_node *node = reel_graph_node(o->graph, n);
        for (int r = o->first[n]; r < o->first[n + 1]; r++)
            for (int k = 0; o->place[r] != NEVER && k < node->inputs; k++) {
                if (!node->input[k]) continue;
                int read = node->input[k]->node->id, run = run_at(o, read, o->place[r]);
                int place = run == o->first[read] ? read : o->place[r];
                if (place < o->place[run]) o->place[run] = place;
            }
    }
}

/* Sorts the runs by place; at one place they stay in the order of their nodes. */
static void sort_runs(ordering *o, reel_schedule *s, int *next)
{
    for (int r = 0; r < o->runs; r++)
        if (o->place[r] != NEVER) next[o->place[r] + 1]++;
    for (int n = 0; n < o->nodes; n++) next[n + 1] += next[n];
    s->steps = next[o->nodes];
    for (int n = 0; n < o->nodes; n++)
        for (int r = o->first[n]; r < o->first[n + 1]; r++)
            if (o->place[r] != NEVER)
                s->step[next[o->place[r]]++] =
                    (reel_step){.node = reel_graph_node(o->graph, n), .place = o->place[r], .output = r};
}

/* Numbers the values in the order in which they are made, and finds those that each step reads. */
static void link_values(const ordering *o, reel_schedule *s)
{
    int *input = s->inputs;
    for (int i = 0; i < s->steps; i++) {
        reel_step *step = &s->step[i];
        int run = step->output;
        step->again = s->first[step->node->output[0].id] >= 0;
        step->output = o->value[run] = s->values;
        step->input = input;
        for (int k = 0; k < step->node->inputs; k++) {
            const reel_tensor *x = step->node->input[k];
            *input++ = x ? o->value[run_at(o, x->node->id, step->place)] + x->output : -1;
        }
        for (int k = 0; k < step->node->op->outputs; k++) {
            const reel_tensor *y = &step->node->output[k];
            s->tensor[s->values] = y;
            if (s->first[y->id] < 0) s->first[y->id] = s->values;
            s->values++;
        }
    }
}

static bool allocate(ordering *o, reel_schedule *s)
{
    size_t runs = (size_t)o->runs, values = (size_t)reel_graph_tensors(o->graph), inputs = 0;
    for (int n = 0; n < o->nodes; n++) inputs += (size_t)reel_graph_node(o->graph, n)->inputs;
    for (int k = 0; k < o->cuts->cuts; k++) {
        const reel_node *node = reel_graph_node(o->graph, o->cuts->cut[k].node);
        inputs += (size_t)node->inputs;
        values += (size_t)node->op->outputs;
    }
    o->first = reel_alloc((size_t)o->nodes + 1, sizeof *o->first);
    o->place = reel_alloc(runs, sizeof *o->place);
    o->value = reel_alloc(runs, sizeof *o->value);
    s->step = reel_alloc(runs, sizeof *s->step);
    s->inputs = reel_alloc(inputs, sizeof *s->inputs);
    s->tensor = reel_alloc(values, sizeof(reel_tensor *));
    s->first = reel_alloc((size_t)reel_graph_tensors(o->graph), sizeof *s->first);
    return o->first && o->place && o->value && s->step && s->inputs && s->tensor && s->first;
}

bool reel_schedule_make(reel_schedule *schedule, const reel_graph *graph, reel_tensor *const *wanted, int count,
                        const reel_cuts *cuts)
{
    ordering o = {.graph = graph, .cuts = cuts, .nodes = reel_graph_nodes(graph)};
    o.runs = o.nodes + cuts->cuts;
    *schedule = (reel_schedule){0};
    int *next = reel_alloc((size_t)o.nodes + 1, sizeof *next);
    bool ok = allocate(&o, schedule) && next;
    if (ok) {
        memset(schedule->first, -1, (size_t)reel_graph_tensors(graph) * sizeof *schedule->first);
        number_runs(&o);
        find_places(&o, wanted, count);
        sort_runs(&o, schedule, next);
        link_values(&o, schedule);
    }
    reel_free(next);
    reel_free(o.first);
    reel_free(o.place);
    reel_free(o.value);
    if (!ok) reel_schedule_free(schedule);
    return ok;
}

void reel_schedule_free(reel_schedule *schedule)
{
    reel_free(schedule->step);
    reel_free(schedule->tensor);
    reel_free(schedule->first);
    reel_free(schedule->inputs);
    *schedule = (reel_schedule){0};
}
