/* See recompute.h. A search holds a list of cuts and what follows from it. An eviction is judged by an estimate and,
   when it is the best, tried: what does not lower the memory at the peak is taken back. */
#include "core/recompute.h"

#include "core/eviction.h"
#include "core/memory.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Work is counted in floating-point operations. Moving a byte takes a core as long as some 25 of a convolution's. */
static const double work_of_byte = 25;
/* What frees less than this part of the peak is not worth a cut. */
enum { LEAST_PART = 4096 };
/* Cuts are tried together that should lower the peak by one part of so many. */
enum { STEPS = 64 };
/* Steps of all the schedules that are made to see which cuts can be taken back. */
enum { TAKE_BACK = 1 << 20 };

typedef struct {
    const reel_wiring *wiring;
    reel_recompute_goal goal;
    reel_node_facts facts;
    reel_cuts cuts;
    reel_layout now; /* of the cuts */
    double needed;   /* work of a run without cuts */
    int tries;       /* of cuts so far */
    bool *tried;     /* per output in the wiring: freeing its memory was no good */
} search;

/* --- a list of cuts, laid out --- */

static int by_node(const void *a, const void *b)
{
    const reel_cut *p = a, *q = b;
    int node = (p->node > q->node) - (p->node < q->node);
    return node ? node : (p->after > q->after) - (p->after < q->after);
}

/* Sorts, and drops doubles. */
static void tidy(reel_cuts *list)
{
    int kept = 0;
    if (list->cuts) qsort(list->cut, (size_t)list->cuts, sizeof *list->cut, by_node);
    for (int i = 0; i < list->cuts; i++)
        if (!kept || by_node(&list->cut[i], &list->cut[kept - 1]) != 0) list->cut[kept++] = list->cut[i];
    list->cuts = kept;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static bool find_peak(reel_layout *l)
{
    int steps = l->schedule.steps;
    size_t *begins = reel_alloc(2 * (size_t)steps, sizeof *begins), alive = 0;
    if (!begins) return false;
    size_t *ends = begins + steps;
    for (int s = 0; s < l->lives.stores; s++) {
        const reel_storage *st = &l->lives.store[s];
        if (st->where != REEL_IN_ARENA) continue;
        begins[st->first] += aligned(st->bytes);
        if (st->last < steps) ends[st->last] += aligned(st->bytes);
    }
    for (int i = 0; i < steps; i++) {
        alive += begins[i];
        if (alive > l->peak) l->peak = alive, l->peak_step = i;
        alive -= ends[i];
    }
    reel_free(begins);
    return true;
}

static void free_layout(reel_layout *l)
{
    reel_lives_free(&l->lives);
    reel_schedule_free(&l->schedule);
}

/* Lays out these cuts, unless they take more work than may be: then *fits is false and there is no layout. */
static bool lay_out(const search *s, const reel_cuts *cuts, double most_work, reel_layout *l, bool *fits)
{
    reel_runs runs;
    *l = (reel_layout){.peak = 0};
    if (!reel_runs_find(&runs, s->wiring, cuts)) return false;
    l->work = reel_runs_sum(&runs, s->facts.work);
    *fits = l->work <= most_work;
    bool ok = !*fits || (reel_schedule_make(&l->schedule, &runs) &&
                         reel_lives_find(&l->lives, &l->schedule, s->wiring) && find_peak(l));
    reel_runs_free(&runs);
    if (!ok) free_layout(l);
    return ok;
}

/* Bytes alive when a node runs at a place. */
static size_t alive_at(const reel_layout *l, int node, int place)
{
    size_t alive = 0;
    int at = 0;
    while (at < l->schedule.steps && (l->schedule.step[at].place != place || l->schedule.step[at].at != node)) at++;
    for (int s = 0; s < l->lives.stores; s++) {
        const reel_storage *st = &l->lives.store[s];
        if (st->where == REEL_IN_ARENA && st->first <= at && at <= st->last) alive += aligned(st->bytes);
    }
    return alive;
}

/* --- the search --- */

static double traffic(const reel_tensor *t)
{
    return work_of_byte * (double)reel_elements(&t->shape) * (double)reel_dtype_size(t->dtype);
}

static bool learn_nodes(search *s)
{
    const reel_wiring *w = s->wiring;
    reel_node_facts *f = &s->facts;
    *f = (reel_node_facts){.nodes = w->nodes,
                           .work = reel_alloc((size_t)w->nodes, sizeof *f->work),
                           .fixed = reel_alloc((size_t)w->nodes, sizeof *f->fixed),
                           .update = w->nodes};
    if (!f->work || !f->fixed) return false;
    for (int n = w->nodes - 1; n >= 0; n--) {
        const reel_node *node = w->node[n];
        if (node->op->flags & REEL_OP_UPDATES) f->update = n;
        f->fixed[n] = node->op->flags & (REEL_OP_SOURCE | REEL_OP_UPDATES);
        if (node->op->flags & (REEL_OP_SOURCE | REEL_OP_VIEW)) continue;
        f->work[n] = reel_node_flops(node);
        for (int k = 0; k < node->inputs; k++)
            if (node->input[k]) f->work[n] += traffic(node->input[k]);
        for (int k = 0; k < node->op->outputs; k++) f->work[n] += traffic(&node->output[k]);
    }
    for (int i = 0; i < w->wanted_count; i++) f->fixed[w->wanted[i].at] = true;
    for (int n = 0; n < w->nodes; n++) s->needed += f->work[n];
    return true;
}

typedef struct {
    int storage, alone;
    size_t saved;
    double work;
} option;

/* Most bytes for the least work first. */
static int cheaper_first(const void *a, const void *b)
{
    const option *p = a, *q = b;
    double left = (double)p->saved * q->work, right = (double)q->saved * p->work;
    return left != right ? (left < right) - (left > right) : p->storage - q->storage;
}

/* All that can be evicted at the present peak, the cheapest first. */
static int find_options(search *s, reel_survey *survey, option *list)
{
    reel_eviction e = {.storage = 0};
    int count = 0;
    for (; e.storage < s->now.lives.stores; e.storage++) {
        const reel_storage *st = &s->now.lives.store[e.storage];
        if (st->bytes < s->now.peak / LEAST_PART) continue;
        option best = {.saved = 0};
        int whole = reel_survey_whole(survey, e.storage);
        for (int way = 0; way < (whole < 0 ? 1 : 2); way++) {
            e.alone = way ? whole : -1;
            option o = {e.storage, e.alone, 0, 0};
            if (!reel_survey_judge(survey, &e) || e.saved < s->now.peak / LEAST_PART) continue;
            o.saved = e.saved, o.work = e.work;
            if (!best.saved || cheaper_first(&o, &best) < 0) best = o;
        }
        if (best.saved) list[count++] = best;
    }
    if (count) qsort(list, (size_t)count, sizeof *list, cheaper_first);
    reel_cuts_free(&e.cuts);
    return count;
}

/* The present cuts with those of the first options, as many as lower the peak by `bytes`, and one at least. */
static bool add_options(search *s, reel_survey *survey, const option *list, int count, size_t bytes, reel_cuts *cuts)
{
    size_t saved = 0;
    int used = 0;
    bool ok = true;
    reel_eviction e = {.storage = 0};
    for (int i = 0; ok && i < s->cuts.cuts; i++) ok = reel_cuts_add(cuts, s->cuts.cut[i]);
    while (ok && used < count && (!used || saved < bytes)) {
        e.storage = list[used].storage;
        e.alone = list[used++].alone;
        reel_survey_judge(survey, &e);
        saved += e.saved;
        for (int i = 0; ok && i < e.cuts.cuts; i++) ok = reel_cuts_add(cuts, e.cuts.cut[i]);
    }
    reel_cuts_free(&e.cuts);
    tidy(cuts);
    return ok && !survey->out_of_memory;
}

static void take_over(search *s, reel_layout *next, reel_cuts *cuts)
{
    reel_layout old = s->now;
    reel_cuts old_cuts = s->cuts;
    s->now = *next;
    s->cuts = *cuts;
    *next = old;
    *cuts = old_cuts;
}

/* Takes over these cuts if they lower the memory at the peak for no more work than may be. False when out of memory. */
static bool try_cuts(search *s, reel_cuts *cuts, bool *better)
{
    const reel_step *peak = &s->now.schedule.step[s->now.peak_step];
    reel_layout next;
    bool fits;
    *better = false;
    s->tries++;
    if (!lay_out(s, cuts, s->needed * (1 + s->goal.extra), &next, &fits)) return false;
    *better = fits && next.peak <= s->now.peak && alive_at(&next, peak->at, peak->place) < s->now.peak;
    if (*better) take_over(s, &next, cuts);
    free_layout(&next);
    return true;
}

/* Tries the first options, as many as lower the peak by `bytes`, and one at least. False when out of memory. */
static bool try_options(search *s, reel_survey *survey, const option *list, int count, size_t bytes, bool *better)
{
    reel_cuts cuts = {0};
    bool ok = add_options(s, survey, list, count, bytes, &cuts) && try_cuts(s, &cuts, better);
    reel_cuts_free(&cuts);
    return ok;
}

static bool used_up(const search *s)
{
    return s->goal.tries && s->tries >= s->goal.tries;
}

/* For the tensor whose memory an option would free: it was tried in vain. */
static bool *tried(const search *s, const option *o)
{
    const reel_tensor *x = s->now.lives.store[o->storage].tensor;
    return &s->tried[s->wiring->first_output[s->wiring->at[x->node->id]] + x->output];
}

/* One step down from the present peak: several evictions together, else the cheapest alone that is any good. */
static bool step_down(search *s, reel_survey *survey, option *list, bool *better)
{
    size_t high = s->now.peak - s->goal.bytes, step = s->now.peak / STEPS < high ? s->now.peak / STEPS : high;
    reel_survey_take(survey, &s->now);
    int count = find_options(s, survey, list);
    bool ok = !survey->out_of_memory;
    memset(s->tried, 0, (size_t)s->wiring->first_output[s->wiring->nodes] * sizeof *s->tried);
    if (ok && count) ok = try_options(s, survey, list, count, step, better);
    for (int i = 0; ok && !*better && i < count && !used_up(s); i++) {
        bool *mark = tried(s, &list[i]);
        if (!*mark) ok = try_options(s, survey, &list[i], 1, 0, better);
        if (!*better) *mark = true;
    }
    return ok;
}

static bool lower_peak(search *s)
{
    bool better = true, ok = true;
    while (ok && better && s->now.peak > s->goal.bytes && !used_up(s)) {
        reel_survey survey;
        option *list = reel_alloc_raw((size_t)s->now.lives.stores, sizeof *list);
        better = false;
        ok =
            reel_survey_new(&survey, &s->facts, s->now.schedule.values) && list && step_down(s, &survey, list, &better);
        reel_survey_free(&survey);
        reel_free(list);
    }
    return ok;
}

typedef struct {
    reel_cut cut;
    double work;
} priced;

static int dearer_first(const void *a, const void *b)
{
    const priced *p = a, *q = b;
    return p->work != q->work ? (p->work < q->work) - (p->work > q->work) : by_node(&p->cut, &q->cut);
}

/* Drops a cut if it saves work and the peak stays below a bound. False when out of memory. */
static bool try_without(search *s, const reel_cut *cut, size_t bound)
{
    s->tries++;
    reel_cuts cuts = {0};
    reel_layout next;
    bool ok = true, fits;
    for (int i = 0; ok && i < s->cuts.cuts; i++)
        if (by_node(&s->cuts.cut[i], cut) != 0) ok = reel_cuts_add(&cuts, s->cuts.cut[i]);
    if (ok && (ok = lay_out(s, &cuts, s->now.work, &next, &fits))) {
        if (fits && next.peak <= bound) take_over(s, &next, &cuts);
        free_layout(&next);
    }
    reel_cuts_free(&cuts);
    return ok;
}

/* Takes back what turned out unnecessary, the dearest cuts first. */
static bool take_back(search *s)
{
    size_t bound = s->now.peak > s->goal.bytes ? s->now.peak : s->goal.bytes;
    int count = s->cuts.cuts, tries = TAKE_BACK / (s->now.schedule.steps + 1);
    priced *list = reel_alloc((size_t)count, sizeof *list);
    bool ok = list != NULL;
    for (int i = 0; ok && i < count; i++) list[i] = (priced){s->cuts.cut[i], s->facts.work[s->cuts.cut[i].node]};
    if (ok && count) qsort(list, (size_t)count, sizeof *list, dearer_first);
    for (int i = 0; ok && i < count && i < tries && !used_up(s); i++) ok = try_without(s, &list[i].cut, bound);
    reel_free(list);
    return ok;
}

bool reel_recompute_choose(reel_recompute *chosen, const reel_wiring *wiring, reel_recompute_goal goal)
{
    search s = {.wiring = wiring, .goal = goal, .cuts = chosen->cuts};
    bool fits;
    s.tried = reel_alloc((size_t)wiring->first_output[wiring->nodes], sizeof *s.tried);
    bool ok = s.tried && learn_nodes(&s) && lay_out(&s, &s.cuts, INFINITY, &s.now, &fits);
    if (ok) {
        ok = lower_peak(&s) && take_back(&s);
        chosen->peak = s.now.peak;
        chosen->extra = s.now.work / s.needed - 1;
    }
    chosen->cuts = s.cuts;
    free_layout(&s.now);
    reel_free(s.tried);
    reel_free(s.facts.work);
    reel_free(s.facts.fixed);
    return ok;
}
