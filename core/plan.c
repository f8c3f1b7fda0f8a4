/* See plan.h. Planning is passes over the nodes: in which order they run (schedule.c), how long values live and which
   memory they share (lives.c), where it lies, with which kernels; and, for a budget, the same once more with what is to
   be computed again (recompute.c). */
#include "core/planned.h"

#include "core/arena.h"
#include "core/memory.h"
#include "core/recompute.h"
#include "core/rng.h"

#include <limits.h>
#include <math.h>

/* --- where it lies, with which kernels --- */

static reel_status lay_out(reel_plan *plan, reel_error *error)
{
    reel_lives *lives = &plan->lives;
    reel_piece *piece = reel_alloc((size_t)lives->stores, sizeof *piece);
    int *owner = reel_alloc((size_t)lives->stores, sizeof *owner), pieces = 0;
    bool ok = piece && owner;
    for (int s = 0; ok && s < lives->stores; s++) {
        const reel_storage *st = &lives->store[s];
        if (st->where != REEL_IN_ARENA) continue;
        owner[pieces] = s;
        piece[pieces++] = (reel_piece){.bytes = st->bytes, .first = st->first, .last = st->last};
    }
    ok = ok && reel_arena_layout(piece, pieces, &plan->arena_bytes);
    for (int i = 0; ok && i < pieces; i++) lives->store[owner[i]].offset = piece[i].offset;
    reel_free(piece);
    reel_free(owner);
    return ok ? REEL_OK : reel_fail_memory(error);
}

reel_call reel_planned_call(const reel_plan *plan, const reel_planned *p, reel_error *error)
{
    const reel_node *node = p->node;
    return (reel_call){.op = node->op,
                       .attr = node->attr,
                       .inputs = node->inputs,
                       .outputs = node->op->outputs,
                       .input = p->array,
                       .output = p->array + node->inputs,
                       .scratch = plan->scratch,
                       .random_key = reel_key(plan->random_key, node->random_key),
                       .node_key = node->random_key,
                       .threads = p->threads,
                       .backend = plan->backend,
                       .error = error};
}

/* Elements that a node touches, or its operations where those weigh more: some sixteen are done while one element
   comes from memory. */
static double work_of(const reel_planned *p)
{
    double elements = 0;
    for (int k = 0; k < p->node->inputs + p->node->op->outputs; k++)
        elements += (double)reel_elements(&p->array[k].shape);
    return elements + reel_node_flops(p->node) / 16;
}

/* Its output is a piece of its input as it stands. */
static bool is_view(const reel_plan *plan, const reel_step *step)
{
    return !(step->node->op->flags & REEL_OP_UPDATES) && step->node->inputs &&
           plan->lives.home[step->output].whole == step->input[0];
}

static reel_status choose_kernels(reel_plan *plan, reel_error *error)
{
    size_t arrays = 0;
    char text[REEL_NODE_TEXT];
    plan->scratch_bytes = 0;
    for (int i = 0; i < plan->steps; i++)
        arrays += (size_t)plan->step[i].node->inputs + (size_t)plan->step[i].node->op->outputs;
    reel_array *a = plan->arrays = reel_alloc(arrays, sizeof *a);
    if (!a) return reel_fail_memory(error);
    for (int i = 0; i < plan->steps; i++) {
        reel_planned *p = &plan->step[i];
        p->array = a;
        for (int k = 0; k < p->node->inputs; k++, a++)
            if (p->node->input[k])
                *a = (reel_array){.dtype = p->node->input[k]->dtype, .shape = p->node->input[k]->shape};
        for (int k = 0; k < p->node->op->outputs; k++, a++)
            *a = (reel_array){.dtype = p->node->output[k].dtype, .shape = p->node->output[k].shape};
        if (p->node->op->flags & REEL_OP_SOURCE || is_view(plan, &plan->schedule.step[i])) continue;
        if (!plan->backend->kernel(plan->backend, p->node, &p->kernel, &p->native))
            return reel_fail(error, REEL_ENVIRONMENT, "%s: the %s backend has no kernel for it; use --device cpu",
                             reel_node_text(p->node, text), plan->backend->name);
        p->threads = work_of(p) < plan->backend->serial_below ? 1 : plan->backend->threads;
        reel_call call = reel_planned_call(plan, p, error);
        size_t scratch;
        reel_status status = reel_kernel_scratch(&p->kernel, &call, &scratch);
        if (status) return status;
        if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
    }
    return REEL_OK;
}

static void forget(reel_plan *plan)
{
    reel_lives_free(&plan->lives);
    reel_schedule_free(&plan->schedule);
    reel_free(plan->step);
    reel_free(plan->arrays);
    plan->step = NULL;
    plan->arrays = NULL;
    plan->steps = 0;
}

/* A plan with these cuts, in place of the one that is there. */
static reel_status arrange(reel_plan *plan, const reel_cuts *cuts, reel_error *error)
{
    reel_runs runs;
    forget(plan);
    bool ok = reel_runs_find(&runs, &plan->wiring, cuts) && reel_schedule_make(&plan->schedule, &runs);
    reel_runs_free(&runs);
    if (!ok || !reel_lives_find(&plan->lives, &plan->schedule, &plan->wiring) ||
        !(plan->step = reel_alloc((size_t)plan->schedule.steps, sizeof *plan->step)))
        return reel_fail_memory(error);
    plan->steps = plan->schedule.steps;
    for (int i = 0; i < plan->steps; i++) plan->step[i].node = plan->schedule.step[i].node;
    reel_status status = lay_out(plan, error);
    return status ? status : choose_kernels(plan, error);
}

/* --- a budget --- */

/* Lays out anew with values computed again, within the budget. What lives together says how large the arena must be at
   least; gaps come on top, so that a second round may have to aim lower. */
static reel_status fit(reel_plan *plan, reel_budget budget, reel_error *error)
{
    enum { ROUNDS = 6 };
    size_t before = plan->arena_bytes, total = reel_plan_cost(plan).total + budget.beside, outside = total - before;
    reel_recompute_goal goal = {.extra = budget.bytes ? INFINITY : budget.extra, .tries = budget.tries};
    if (budget.bytes > outside) goal.bytes = budget.bytes - outside;
    reel_recompute chosen = {0};
    reel_status status = REEL_OK;
    bool fits = budget.bytes && total <= budget.bytes, least = false;
    for (int round = 0; !status && !fits && !least && round < ROUNDS; round++) {
        bool chose = reel_recompute_choose(&chosen, &plan->wiring, goal);
        status = chose ? arrange(plan, &chosen.cuts, error) : reel_fail_memory(error);
        if (status) break;
        total = plan->arena_bytes + outside;
        fits = budget.bytes ? total <= budget.bytes : plan->arena_bytes <= before;
        least = chosen.peak > goal.bytes;
        size_t over = fits ? 0 : total - budget.bytes + plan->arena_bytes / 128;
        goal.bytes = over < goal.bytes ? goal.bytes - over : 0;
    }
    reel_cuts_free(&chosen.cuts);
    if (status) return status;
    if (fits) return REEL_OK;
    if (!budget.bytes) return arrange(plan, &(reel_cuts){0}, error);
    return reel_fail(error, REEL_USAGE,
                     "a memory budget of %.1f MiB cannot be met: %.1f MiB are needed even when all that can be is "
                     "computed again",
                     (double)budget.bytes / 1048576, (double)total / 1048576);
}

reel_plan *reel_plan_new(reel_graph *graph, reel_backend *backend, reel_tensor *const *wanted, int count,
                         reel_error *error)
{
    return reel_plan_new_within(graph, backend, wanted, count, (reel_budget){0}, error);
}

reel_plan *reel_plan_new_within(reel_graph *graph, reel_backend *backend, reel_tensor *const *wanted, int count,
                                reel_budget budget, reel_error *error)
{
    const reel_error *wrong = reel_graph_error(graph);
    if (reel_failed(wrong)) return reel_fail(error, wrong->status, "%s", wrong->text), NULL;
    for (int i = 0; i < count; i++)
        if (!wanted[i] || reel_poisoned(wanted[i]) || wanted[i]->graph != graph)
            return reel_fail(error, REEL_USAGE, "plan: wanted tensor %d is missing or belongs to another graph", i),
                   NULL;
    reel_plan *plan = reel_alloc(1, sizeof *plan);
    if (!plan) return reel_fail_memory(error), NULL;
    plan->graph = graph;
    plan->backend = backend;
    plan->tensors = reel_graph_tensors(graph);
    plan->wanted = reel_alloc((size_t)plan->tensors, sizeof *plan->wanted);
    bool taken = plan->wanted && reel_wiring_take(&plan->wiring, graph, wanted, count);
    reel_status status = taken ? REEL_OK : reel_fail_memory(error);
    for (int i = 0; !status && i < count; i++) plan->wanted[wanted[i]->id] = true;
    if (!status) status = arrange(plan, &(reel_cuts){0}, error);
    if (!status && (budget.bytes || budget.extra > 0)) status = fit(plan, budget, error);
    if (!status) return plan;
    reel_plan_free(plan);
    return NULL;
}

void reel_plan_free(reel_plan *plan)
{
    if (!plan) return;
    if (plan->recording) plan->backend->forget(plan->backend, plan->recording);
    for (int s = 0; s < plan->lives.stores; s++)
        if (plan->lives.store[s].where == REEL_IN_BLOCK && plan->lives.store[s].data)
            plan->backend->release(plan->backend, plan->lives.store[s].data);
    if (plan->arena) plan->backend->release(plan->backend, plan->arena);
    if (plan->scratch) plan->backend->release(plan->backend, plan->scratch);
    forget(plan);
    reel_wiring_free(&plan->wiring);
    reel_free(plan->wanted);
    reel_free(plan);
}

/* --- what it costs --- */

reel_cost reel_plan_cost(const reel_plan *plan)
{
    reel_cost cost = {.arena = plan->arena_bytes, .scratch = plan->scratch_bytes, .nodes = plan->steps};
    for (int s = 0; s < plan->lives.stores; s++) {
        const reel_storage *st = &plan->lives.store[s];
        if (st->where == REEL_IN_BLOCK) cost.inputs += st->bytes;
        if (st->where == REEL_IN_PARAMETER && st->tensor->node->source.parameter->trained) cost.parameters += st->bytes;
        if (st->where == REEL_IN_PARAMETER && !st->tensor->node->source.parameter->trained) cost.state += st->bytes;
    }
    for (int i = 0; i < plan->steps; i++) cost.flops += reel_node_flops(plan->step[i].node);
    cost.total = cost.parameters + cost.state + cost.inputs + cost.arena + cost.scratch;
    return cost;
}

int reel_plan_blocks(const reel_plan *plan)
{
    return plan->lives.stores;
}

reel_block reel_plan_block(const reel_plan *plan, int i)
{
    const reel_storage *s = &plan->lives.store[i];
    int last = s->last == INT_MAX ? plan->steps - 1 : s->last;
    return (reel_block){.tensor = s->tensor,
                        .offset = s->offset,
                        .bytes = s->where == REEL_IN_ARENA ? s->bytes : 0,
                        .first = s->first,
                        .last = last};
}

int reel_plan_nodes(const reel_plan *plan)
{
    return plan->steps;
}
const reel_node *reel_plan_node(const reel_plan *plan, int i)
{
    return plan->step[i].node;
}
void reel_plan_time(reel_plan *plan, bool on)
{
    plan->timing = on;
}
double reel_plan_seconds(const reel_plan *plan, int i)
{
    return plan->step[i].seconds;
}
bool reel_plan_native(const reel_plan *plan, int i)
{
    return plan->step[i].native;
}
bool reel_plan_computes(const reel_plan *plan, int i)
{
    return plan->step[i].kernel.run != NULL;
}
