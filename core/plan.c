/* See plan.h. Planning is passes over the nodes: in which order they run (schedule.c), how long values live and which
   memory they share (lives.c), where it lies, with which kernels; and, for a budget, the same once more with what is to
   be computed again (recompute.c). */
#include "core/plan.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/element.h"
#include "core/kernel.h"
#include "core/lives.h"
#include "core/memory.h"
#include "core/recompute.h"
#include "core/rng.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct {
    const reel_node *node;
    reel_kernel kernel;
    bool native;
    int threads;
    double seconds;
    reel_array *array; /* inputs, then outputs */
} planned;

struct reel_plan {
    reel_graph *graph;
    reel_backend *backend;
    int tensors; /* of the graph when it was planned */
    reel_wiring wiring;
    reel_schedule schedule;
    reel_lives lives;
    planned *step; /* one a step of the schedule */
    int steps;
    reel_array *arrays; /* of all steps */
    bool *wanted;       /* per tensor id */
    size_t arena_bytes, scratch_bytes;
    char *arena, *scratch;
    bool ready, timing;
    uint64_t random_key;
    reel_recording *recording; /* the backend's, of the runs so far */
};

/* --- where it lies, with which kernels --- */

static size_t bytes_of(const reel_tensor *t)
{
    return (size_t)reel_elements(&t->shape) * reel_dtype_size(t->dtype);
}

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

static reel_call call_of(const reel_plan *plan, const planned *p, reel_error *error)
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
static double work_of(const planned *p)
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
        planned *p = &plan->step[i];
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
        reel_call call = call_of(plan, p, error);
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

/* --- running --- */

static reel_status prepare_storage(reel_plan *plan, reel_storage *s, reel_error *error)
{
    const reel_node *node = s->tensor->node;
    if (s->where == REEL_IN_PARAMETER) {
        reel_status status = reel_parameter_prepare(node->source.parameter, error);
        s->data = node->source.parameter->data;
        return status;
    }
    if (s->where == REEL_IN_ARENA) {
        s->data = plan->arena + s->offset;
        return REEL_OK;
    }
    if (!s->data && !(s->data = plan->backend->allocate(plan->backend, s->bytes, error))) return REEL_ENVIRONMENT;
    if (node->op != &reel_op_constant) return REEL_OK;
    s->written = true;
    return plan->backend->write(plan->backend, s->data, node->source.constant, s->bytes, error);
}

static void *data_of(const reel_plan *plan, int value)
{
    size_t offset;
    reel_whole(plan->lives.home, value, &offset);
    return (char *)plan->lives.store[plan->lives.storage[value]].data + offset;
}

/* Asks for all memory and points every array at its own, once. */
static reel_status prepare(reel_plan *plan, reel_error *error)
{
    if (plan->ready) return REEL_OK;
    reel_backend *backend = plan->backend;
    if (!plan->arena && !(plan->arena = backend->allocate(backend, plan->arena_bytes, error))) return REEL_ENVIRONMENT;
    if (!plan->scratch && !(plan->scratch = backend->allocate(backend, plan->scratch_bytes, error)))
        return REEL_ENVIRONMENT;
    for (int s = 0; s < plan->lives.stores; s++) {
        reel_status status = prepare_storage(plan, &plan->lives.store[s], error);
        if (status) return status;
    }
    for (int i = 0; i < plan->steps; i++) {
        const reel_step *step = &plan->schedule.step[i];
        reel_array *a = plan->step[i].array;
        for (int k = 0; k < step->node->inputs; k++, a++)
            if (step->input[k] >= 0) a->data = data_of(plan, step->input[k]);
        for (int k = 0; k < step->node->op->outputs; k++, a++) a->data = data_of(plan, step->output + k);
    }
    plan->ready = true;
    return REEL_OK;
}

/* The value that a tensor has after its node's first run; -1 for a tensor that is not needed. */
static int value_of(const reel_plan *plan, const reel_tensor *x)
{
    int at = x->id < plan->tensors ? plan->wiring.at[x->node->id] : -1;
    return at >= 0 && plan->schedule.first[at] >= 0 ? plan->schedule.first[at] + x->output : -1;
}

static reel_storage *storage_of(const reel_plan *plan, const reel_tensor *x)
{
    int value = value_of(plan, x);
    return value >= 0 ? &plan->lives.store[plan->lives.storage[value]] : NULL;
}

typedef reel_status writer(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);

static reel_status write_by(writer *put, reel_plan *plan, reel_tensor *input, const void *data, reel_error *error)
{
    reel_storage *s = storage_of(plan, input);
    if (input->node->op != &reel_op_input) return reel_fail(error, REEL_USAGE, "only inputs can be written");
    if (!s) return REEL_OK; /* nothing wanted depends on it */
    reel_status status = prepare(plan, error);
    if (status) return status;
    s->written = true;
    return put(plan->backend, s->data, data, s->bytes, error);
}

reel_status reel_plan_write(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error)
{
    return write_by(plan->backend->write, plan, input, data, error);
}

reel_status reel_plan_write_ahead(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error)
{
    return write_by(plan->backend->write_ahead, plan, input, data, error);
}

reel_status reel_plan_arrive(reel_plan *plan, reel_error *error)
{
    return plan->backend->arrive(plan->backend, error);
}

static reel_status readable(const reel_plan *plan, const reel_tensor *x, reel_error *error)
{
    if (x->id < plan->tensors && plan->wanted[x->id] && plan->ready) return REEL_OK;
    return reel_fail(error, REEL_USAGE, "only tensors that the plan was made for can be read, after a run");
}

reel_status reel_plan_read(reel_plan *plan, reel_tensor *wanted, void *data, reel_error *error)
{
    reel_status status = readable(plan, wanted, error);
    if (status) return status;
    const void *from = data_of(plan, value_of(plan, wanted));
    return plan->backend->read(plan->backend, data, from, bytes_of(wanted), error);
}

reel_status reel_plan_carry(reel_plan *plan, reel_tensor *input, reel_tensor *wanted, reel_error *error)
{
    reel_storage *to = storage_of(plan, input);
    reel_status status = readable(plan, wanted, error);
    if (status) return status;
    if (!to || input->node->op != &reel_op_input || to->bytes != bytes_of(wanted))
        return reel_fail(error, REEL_USAGE, "a state is carried from a wanted tensor to an input of the same size");
    to->written = true;
    const void *from = data_of(plan, value_of(plan, wanted));
    return plan->backend->copy(plan->backend, to->data, from, to->bytes, error);
}

void reel_plan_random(reel_plan *plan, uint64_t seed, uint64_t step)
{
    plan->random_key = reel_key(reel_key(0, seed), step);
}

static bool all_finite(const void *data, reel_dtype dtype, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(reel_element(data, dtype, i))) return false;
    return true;
}

/* The first output of a step that is not finite, as an error. */
static reel_status check_step(reel_plan *plan, const planned *p, reel_error *error)
{
    char text[REEL_NODE_TEXT], shape[REEL_SHAPE_TEXT];
    for (int k = 0; k < p->node->op->outputs; k++) {
        const reel_array *a = &p->array[p->node->inputs + k];
        if (!reel_dtype_is_float(a->dtype)) continue;
        int64_t n = reel_elements(&a->shape);
        void *host = reel_alloc_raw((size_t)n, reel_dtype_size(a->dtype));
        if (!host) return reel_fail_memory(error);
        reel_status status =
            plan->backend->read(plan->backend, host, a->data, (size_t)n * reel_dtype_size(a->dtype), error);
        bool finite = status || all_finite(host, a->dtype, n);
        reel_free(host);
        if (status) return status;
        if (!finite)
            return reel_fail(error, REEL_NONFINITE, "%s%s%s: output %s is the first with a NaN or infinity",
                             reel_node_text(p->node, text), p->node->output[k].name ? " " : "",
                             p->node->output[k].name ? p->node->output[k].name : "", reel_shape_text(&a->shape, shape));
    }
    return REEL_OK;
}

static reel_status finish(reel_plan *plan, reel_error *error)
{
    return plan->backend->finish ? plan->backend->finish(plan->backend, error) : REEL_OK;
}

/* Runs one node; what its kernel refuses is told with the node's name and time step. A device refuses later, unless it
   is waited for. */
static reel_status run_step(reel_plan *plan, planned *p, bool wait, reel_error *error)
{
    char text[REEL_NODE_TEXT];
    reel_error refused = {REEL_OK, ""};
    if (!p->kernel.run) return REEL_OK;
    double start = plan->timing ? reel_seconds() : 0;
    reel_call call = call_of(plan, p, &refused);
    reel_status status = reel_kernel_run(&p->kernel, &call);
    if (wait && !status) status = finish(plan, &refused);
    if (plan->timing) p->seconds = reel_seconds() - start;
    return status ? reel_fail(error, status, "%s: %s", reel_node_text(p->node, text), refused.text) : REEL_OK;
}

static reel_status inputs_written(const reel_plan *plan, reel_error *error)
{
    for (int s = 0; s < plan->lives.stores; s++)
        if (plan->lives.store[s].where == REEL_IN_BLOCK && !plan->lives.store[s].written)
            return reel_fail(error, REEL_USAGE, "input '%s' was never written", plan->lives.store[s].tensor->name);
    return REEL_OK;
}

static reel_status start(reel_plan *plan, bool checked, reel_error *error)
{
    reel_backend *backend = plan->backend;
    bool one_by_one = checked || plan->timing;
    reel_run run = {.random_key = plan->random_key, .recording = one_by_one ? NULL : &plan->recording};
    reel_status status = prepare(plan, error);
    if (!status) status = inputs_written(plan, error);
    if (status) return status;
    if (backend->begin_run) status = backend->begin_run(backend, &run, error);
    for (int i = 0; !status && !run.replayed && i < plan->steps; i++) {
        status = run_step(plan, &plan->step[i], one_by_one, error);
        if (!status && checked) status = check_step(plan, &plan->step[i], error);
    }
    reel_status ended = backend->end_run ? backend->end_run(backend, &run, !status, error) : REEL_OK;
    return status ? status : ended;
}

reel_status reel_plan_start(reel_plan *plan, reel_error *error)
{
    return start(plan, false, error);
}

reel_status reel_plan_wait(reel_plan *plan, reel_error *error)
{
    return finish(plan, error);
}

reel_status reel_plan_run(reel_plan *plan, reel_error *error)
{
    reel_status status = start(plan, false, error);
    return status ? status : finish(plan, error);
}

reel_status reel_plan_run_checked(reel_plan *plan, reel_error *error)
{
    reel_status status = start(plan, true, error);
    return status ? status : finish(plan, error);
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

reel_status reel_eval(reel_tensor *x, void *out, reel_error *error)
{
    reel_backend *backend = reel_reference_backend();
    if (!backend) return reel_fail_memory(error);
    reel_plan *plan = reel_plan_new(x->graph, backend, &x, 1, error);
    reel_status status = plan ? reel_plan_run(plan, error) : REEL_USAGE;
    if (!status) status = reel_plan_read(plan, x, out, error);
    reel_plan_free(plan);
    backend->close(backend);
    return status;
}
