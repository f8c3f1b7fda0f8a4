/* See schedule.h. Runs are numbered node by node: first[node] is the node's first run, the one after its k-th cut is
   first[node] + k + 1. Readers are defined after what they read, so that going from the last node to the first finds
   all readers of a run before the run itself. */
#include "core/schedule.h"

#include "core/memory.h"

#include <limits.h>
#include <string.h>

enum { NEVER = INT_MAX };

/* --- cuts --- */

bool reel_cuts_add(reel_cuts *list, reel_cut cut)
{
    if (!reel_make_room(&list->cut, list->cuts, &list->room, 64, sizeof *list->cut)) return false;
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
static int run_at(const reel_runs *r, int node, int place)
{
    int run = r->first[node];
    const reel_cut *cut = r->cuts->cut + (run - node);
    while (run + 1 < r->first[node + 1] && cut++->after < place) run++;
    return run;
}

static void number_runs(reel_runs *r)
{
    int nodes = r->wiring->nodes;
    for (int n = 0, k = 0; n < nodes; n++) {
        r->first[n] = n + k;
        while (k < r->cuts->cuts && r->cuts->cut[k].node == n) k++;
    }
    r->first[nodes] = r->count;
    for (int i = 0; i < r->count; i++) r->place[i] = NEVER;
}

static void find_places(reel_runs *r)
{
    const reel_wiring *w = r->wiring;
    for (int i = 0; i < w->wanted_count; i++) r->place[r->first[w->wanted[i].at]] = w->wanted[i].at;
    for (int n = w->nodes - 1; n >= 0; n--)
        for (int i = r->first[n]; i < r->first[n + 1]; i++)
            for (int k = w->first_input[n]; r->place[i] != NEVER && k < w->first_input[n + 1]; k++) {
                int read = w->input[k].at;
                if (read < 0) continue;
                int run = run_at(r, read, r->place[i]), place = run == r->first[read] ? read : r->place[i];
                if (place < r->place[run]) r->place[run] = place;
            }
}

bool reel_runs_find(reel_runs *runs, const reel_wiring *wiring, const reel_cuts *cuts)
{
    *runs = (reel_runs){.wiring = wiring, .cuts = cuts, .count = wiring->nodes + cuts->cuts};
    runs->first = reel_alloc_raw((size_t)wiring->nodes + 1, sizeof *runs->first);
    runs->place = reel_alloc_raw((size_t)runs->count, sizeof *runs->place);
    if (!runs->first || !runs->place) {
        reel_runs_free(runs);
        return false;
    }
    number_runs(runs);
    find_places(runs);
    return true;
}

double reel_runs_sum(const reel_runs *r, const double *of_node)
{
    double sum = 0;
    for (int n = 0; n < r->wiring->nodes; n++)
        for (int i = r->first[n]; i < r->first[n + 1]; i++)
            if (r->place[i] != NEVER) sum += of_node[n];
    return sum;
}

void reel_runs_free(reel_runs *runs)
{
    reel_free(runs->first);
    reel_free(runs->place);
    *runs = (reel_runs){0};
}

/* --- their order --- */

/* Sorts the runs by place; at one place they stay in the order of their nodes. A step's output is its run as yet. */
static void sort_runs(const reel_runs *r, reel_schedule *s, int *next)
{
    const reel_wiring *w = r->wiring;
    for (int i = 0; i < r->count; i++)
        if (r->place[i] != NEVER) next[r->place[i] + 1]++;
    for (int n = 0; n < w->nodes; n++) next[n + 1] += next[n];
    s->steps = next[w->nodes];
    for (int n = 0; n < w->nodes; n++)
        for (int i = r->first[n]; i < r->first[n + 1]; i++)
            if (r->place[i] != NEVER)
                s->step[next[r->place[i]]++] =
                    (reel_step){.node = w->node[n], .at = n, .place = r->place[i], .output = i};
}

/* Numbers the values in the order in which they are made, and finds those that each step reads. `value` takes the
   value of output 0 of each run. */
static void link_values(const reel_runs *r, reel_schedule *s, int *value)
{
    const reel_wiring *w = r->wiring;
    int *input = s->inputs;
    for (int i = 0; i < s->steps; i++) {
        reel_step *step = &s->step[i];
        int run = step->output, at = step->at;
        step->again = s->first[at] >= 0;
        step->output = value[run] = s->values;
        step->input = input;
        if (!step->again) s->first[at] = s->values;
        for (int k = w->first_input[at]; k < w->first_input[at + 1]; k++) {
            reel_source x = w->input[k];
            *input++ = x.at >= 0 ? value[run_at(r, x.at, step->place)] + x.output : -1;
        }
        for (int k = w->first_output[at]; k < w->first_output[at + 1]; k++, s->values++) {
            s->tensor[s->values] = &step->node->output[k - w->first_output[at]];
            s->bytes[s->values] = w->bytes[k];
        }
    }
}

static bool allocate(reel_schedule *s, const reel_runs *r)
{
    const reel_wiring *w = r->wiring;
    size_t runs = (size_t)r->count, nodes = (size_t)w->nodes;
    size_t inputs = (size_t)w->first_input[nodes], values = (size_t)w->first_output[nodes];
    for (int k = 0; k < r->cuts->cuts; k++) {
        int n = r->cuts->cut[k].node;
        inputs += (size_t)(w->first_input[n + 1] - w->first_input[n]);
        values += (size_t)(w->first_output[n + 1] - w->first_output[n]);
    }
    *s = (reel_schedule){.step = reel_alloc_raw(runs, sizeof *s->step),
                         .inputs = reel_alloc_raw(inputs, sizeof *s->inputs),
                         .tensor = reel_alloc_raw(values, sizeof(reel_tensor *)),
                         .bytes = reel_alloc_raw(values, sizeof *s->bytes),
                         .first = reel_alloc_raw(nodes, sizeof *s->first)};
    return s->step && s->inputs && s->tensor && s->bytes && s->first;
}

bool reel_schedule_make(reel_schedule *schedule, const reel_runs *runs)
{
    size_t nodes = (size_t)runs->wiring->nodes;
    int *next = reel_alloc(nodes + 1, sizeof *next), *value = reel_alloc_raw((size_t)runs->count, sizeof *value);
    bool ok = allocate(schedule, runs) && next && value;
    if (ok) {
        memset(schedule->first, -1, nodes * sizeof *schedule->first);
        sort_runs(runs, schedule, next);
        link_values(runs, schedule, value);
    } else
        reel_schedule_free(schedule);
    reel_free(next);
    reel_free(value);
    return ok;
}

void reel_schedule_free(reel_schedule *schedule)
{
    reel_free(schedule->step);
    reel_free(schedule->tensor);
    reel_free(schedule->bytes);
    reel_free(schedule->first);
    reel_free(schedule->inputs);
    *schedule = (reel_schedule){0};
}
