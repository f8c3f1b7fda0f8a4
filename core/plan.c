/* See plan.h. Planning is four passes over the nodes, each a function below: what is needed, how long it lives, which
   memory it shares, where it lies. Which tensors are pieces of others is settled in sharing.h. */
#include "core/plan.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/element.h"
#include "core/kernel.h"
#include "core/memory.h"
#include "core/rng.h"
#include "core/sharing.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef enum { IN_ARENA, IN_BLOCK, IN_PARAMETER } place;

/* The memory of one or several tensors: views, and results written over a dying input. */
typedef struct {
    const reel_tensor *tensor; /* the first to use it */
    place where;
    size_t bytes;
    int first, last;
    size_t offset;
    void *data; /* IN_BLOCK: owned; IN_PARAMETER: the parameter's */
    bool written;
} storage;

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
    planned *step;
    int steps;
    int *memory;     /* per tensor id: its storage, -1 when not needed */
    reel_home *home; /* per tensor id: what it is a piece of, and its life */
    int tensors;
    storage *store;
    int stores;
    reel_array *arrays; /* of all steps */
    bool *wanted;       /* per tensor id */
    size_t arena_bytes, scratch_bytes;
    char *arena, *scratch;
    bool ready, timing;
    uint64_t random_key;
};

/* --- pass 1: what is needed --- */

static bool find_needed(reel_plan *plan, reel_tensor *const *wanted, int count)
{
    int nodes = reel_graph_nodes(plan->graph), used = 0;
    bool *needed = reel_alloc((size_t)nodes, sizeof *needed);
    if (!needed) return false;
    for (int i = 0; i < count; i++) {
        needed[wanted[i]->node->id] = true;
        plan->wanted[wanted[i]->id] = true;
    }
    for (int i = nodes - 1; i >= 0; i--) {
        if (!needed[i]) continue;
        used++;
        const reel_node *node = reel_graph_node(plan->graph, i);
        for (int k = 0; k < node->inputs; k++)
            if (node->input[k]) needed[node->input[k]->node->id] = true;
    }
    plan->step = reel_alloc((size_t)used, sizeof *plan->step);
    for (int i = 0; plan->step && i < nodes; i++)
        if (needed[i]) plan->step[plan->steps++].node = reel_graph_node(plan->graph, i);
    reel_free(needed);
    return plan->step != NULL;
}

/* --- pass 2: how long it lives --- */

static void find_lives(reel_plan *plan)
{
    size_t offset;
    for (int i = 0; i < plan->steps; i++) reel_find_home(plan->home, plan->step[i].node, i);
    for (int i = 0; i < plan->steps; i++)
        for (int k = 0; k < plan->step[i].node->op->outputs; k++) {
            const reel_tensor *t = &plan->step[i].node->output[k];
            if (plan->wanted[t->id]) plan->home[reel_whole(plan->home, t, &offset)->id].last = INT_MAX;
        }
    for (int i = 0; i < plan->steps; i++) reel_share_runs(plan->home, plan->step[i].node);
}

/* --- pass 3: which memory it shares --- */

static size_t bytes_of(const reel_tensor *t)
{
    return (size_t)reel_elements(&t->shape) * reel_dtype_size(t->dtype);
}

static int new_storage(reel_plan *plan, const reel_tensor *t, int step)
{
    storage *s = &plan->store[plan->stores];
    *s = (storage){.tensor = t, .bytes = bytes_of(t), .first = step, .last = plan->home[t->id].last};
    if (t->node->op == &reel_op_parameter)
        s->where = IN_PARAMETER;
    else if (t->node->op->flags & REEL_OP_SOURCE)
        s->where = IN_BLOCK;
    return plan->stores++;
}

/* The storage of an input that fills it, dies at this step and may be written over, or -1. */
static int dying_input(const reel_plan *plan, const reel_node *node, int step)
{
    const reel_tensor *out = &node->output[0];
    for (int k = 0; k < node->inputs; k++) {
        const reel_tensor *in = node->input[k];
        if (!in || in->dtype != out->dtype || !reel_shape_equal(&in->shape, &out->shape)) continue;
        int s = plan->memory[in->id];
        bool fits =
            plan->store[s].where == IN_ARENA && plan->store[s].last == step && plan->store[s].bytes == bytes_of(in);
        for (int j = 0; fits && j < node->inputs; j++)
            if (node->input[j] && plan->memory[node->input[j]->id] == s)
                fits = reel_shape_equal(&node->input[j]->shape, &out->shape);
        if (fits) return s;
    }
    return -1;
}

static void share_memory(reel_plan *plan)
{
    for (int i = 0; i < plan->steps; i++) {
        const reel_node *node = plan->step[i].node;
        for (int k = 0; k < node->op->outputs; k++) {
            size_t offset;
            const reel_tensor *t = &node->output[k], *whole = reel_whole(plan->home, t, &offset);
            int *memory = &plan->memory[whole->id];
            if (*memory < 0 && k == 0 && whole == t && node->op->flags & REEL_OP_INPLACE &&
                (*memory = dying_input(plan, node, i)) >= 0)
                plan->store[*memory].last = plan->home[t->id].last;
            if (*memory < 0) *memory = new_storage(plan, whole, i);
            plan->memory[t->id] = *memory;
        }
    }
}

/* --- pass 4: where it lies, with which kernels --- */

static reel_status lay_out(reel_plan *plan, reel_error *error)
{
    reel_piece *piece = reel_alloc((size_t)plan->stores, sizeof *piece);
    int *owner = reel_alloc((size_t)plan->stores, sizeof *owner), pieces = 0;
    bool ok = piece && owner;
    for (int s = 0; ok && s < plan->stores; s++) {
        const storage *st = &plan->store[s];
        if (st->where != IN_ARENA) continue;
        owner[pieces] = s;
        piece[pieces++] = (reel_piece){.bytes = st->bytes, .first = st->first, .last = st->last};
    }
    ok = ok && reel_arena_layout(piece, pieces, &plan->arena_bytes);
    for (int i = 0; ok && i < pieces; i++) plan->store[owner[i]].offset = piece[i].offset;
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
                       .threads = p->threads,
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
static bool is_view(const reel_plan *plan, const reel_node *node)
{
    return !(node->op->flags & REEL_OP_UPDATES) && node->inputs &&
           plan->home[node->output[0].id].whole == node->input[0];
}

static reel_status choose_kernels(reel_plan *plan, reel_error *error)
{
    size_t arrays = 0;
    char text[REEL_NODE_TEXT];
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
        if (p->node->op->flags & REEL_OP_SOURCE || is_view(plan, p->node)) continue;
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

static reel_status make_plan(reel_plan *plan, reel_tensor *const *wanted, int count, reel_error *error)
{
    size_t n = (size_t)plan->tensors;
    plan->home = reel_alloc(n, sizeof *plan->home);
    plan->memory = reel_alloc(n, sizeof *plan->memory);
    plan->store = reel_alloc(n, sizeof *plan->store);
    plan->wanted = reel_alloc(n, sizeof *plan->wanted);
    reel_status status = REEL_ENVIRONMENT;
    if (plan->home && plan->memory && plan->store && plan->wanted && find_needed(plan, wanted, count)) {
        for (size_t t = 0; t < n; t++) plan->memory[t] = -1;
        find_lives(plan);
        share_memory(plan);
        status = lay_out(plan, error);
        if (!status) status = choose_kernels(plan, error);
    }
    if (status == REEL_ENVIRONMENT && !reel_failed(error)) reel_fail_memory(error);
    return status;
}

reel_plan *reel_plan_new(reel_graph *graph, reel_backend *backend, reel_tensor *const *wanted, int count,
                         reel_error *error)
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
    if (make_plan(plan, wanted, count, error) == REEL_OK) return plan;
    reel_plan_free(plan);
    return NULL;
}

void reel_plan_free(reel_plan *plan)
{
    if (!plan) return;
    for (int s = 0; s < plan->stores; s++)
        if (plan->store[s].where == IN_BLOCK && plan->store[s].data)
            plan->backend->release(plan->backend, plan->store[s].data);
    if (plan->arena) plan->backend->release(plan->backend, plan->arena);
    if (plan->scratch) plan->backend->release(plan->backend, plan->scratch);
    reel_free(plan->step);
    reel_free(plan->memory);
    reel_free(plan->home);
    reel_free(plan->store);
    reel_free(plan->arrays);
    reel_free(plan->wanted);
    reel_free(plan);
}

/* --- running --- */

static reel_status prepare_storage(reel_plan *plan, storage *s, reel_error *error)
{
    const reel_node *node = s->tensor->node;
    if (s->where == IN_PARAMETER) {
        reel_status status = reel_parameter_prepare(node->source.parameter, error);
        s->data = node->source.parameter->data;
        return status;
    }
    if (s->where == IN_ARENA) {
        s->data = plan->arena + s->offset;
        return REEL_OK;
    }
    if (!s->data && !(s->data = plan->backend->allocate(plan->backend, s->bytes))) return reel_fail_memory(error);
    if (node->op != &reel_op_constant) return REEL_OK;
    s->written = true;
    return plan->backend->write(plan->backend, s->data, node->source.constant, s->bytes, error);
}

static void *data_of(const reel_plan *plan, const reel_tensor *x)
{
    size_t offset;
    reel_whole(plan->home, x, &offset);
    return (char *)plan->store[plan->memory[x->id]].data + offset;
}

/* Asks for all memory and points every array at its own, once. */
static reel_status prepare(reel_plan *plan, reel_error *error)
{
    if (plan->ready) return REEL_OK;
    if (!plan->arena) plan->arena = plan->backend->allocate(plan->backend, plan->arena_bytes);
    if (!plan->scratch) plan->scratch = plan->backend->allocate(plan->backend, plan->scratch_bytes);
    if (!plan->arena || !plan->scratch) return reel_fail_memory(error);
    for (int s = 0; s < plan->stores; s++) {
        reel_status status = prepare_storage(plan, &plan->store[s], error);
        if (status) return status;
    }
    for (int i = 0; i < plan->steps; i++) {
        const reel_node *node = plan->step[i].node;
        reel_array *a = plan->step[i].array;
        for (int k = 0; k < node->inputs; k++, a++)
            if (node->input[k]) a->data = data_of(plan, node->input[k]);
        for (int k = 0; k < node->op->outputs; k++, a++) a->data = data_of(plan, &node->output[k]);
    }
    plan->ready = true;
    return REEL_OK;
}

static storage *storage_of(const reel_plan *plan, const reel_tensor *x)
{
    return x->id < plan->tensors && plan->memory[x->id] >= 0 ? &plan->store[plan->memory[x->id]] : NULL;
}

reel_status reel_plan_write(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error)
{
    storage *s = storage_of(plan, input);
    if (input->node->op != &reel_op_input) return reel_fail(error, REEL_USAGE, "only inputs can be written");
    if (!s) return REEL_OK; /* nothing wanted depends on it */
    reel_status status = prepare(plan, error);
    if (status) return status;
    s->written = true;
    return plan->backend->write(plan->backend, s->data, data, s->bytes, error);
}

static reel_status readable(const reel_plan *plan, const reel_tensor *x, reel_error *error)
{
    if (x->id < plan->tensors && plan->wanted[x->id] && plan->ready) return REEL_OK;
    return reel_fail(error, REEL_USAGE, "only tensors that the plan was made for can be read, after a run");
}

reel_status reel_plan_read(reel_plan *plan, reel_tensor *wanted, void *data, reel_error *error)
{
    reel_status status = readable(plan, wanted, error);
    return status ? status : plan->backend->read(plan->backend, data, data_of(plan, wanted), bytes_of(wanted), error);
}

reel_status reel_plan_carry(reel_plan *plan, reel_tensor *input, reel_tensor *wanted, reel_error *error)
{
    storage *to = storage_of(plan, input);
    reel_status status = readable(plan, wanted, error);
    if (status) return status;
    if (!to || input->node->op != &reel_op_input || to->bytes != bytes_of(wanted))
        return reel_fail(error, REEL_USAGE, "a state is carried from a wanted tensor to an input of the same size");
    to->written = true;
    return plan->backend->copy(plan->backend, to->data, data_of(plan, wanted), to->bytes, error);
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

/* Runs one node; what its kernel refuses is told with the node's name and time step. */
static reel_status run_step(reel_plan *plan, planned *p, reel_error *error)
{
    char text[REEL_NODE_TEXT];
    reel_error refused = {REEL_OK, ""};
    if (!p->kernel.run) return REEL_OK;
    double start = plan->timing ? reel_seconds() : 0;
    reel_call call = call_of(plan, p, &refused);
    reel_status status = reel_kernel_run(&p->kernel, &call);
    if (plan->timing) p->seconds = reel_seconds() - start;
    return status ? reel_fail(error, status, "%s: %s", reel_node_text(p->node, text), refused.text) : REEL_OK;
}

static reel_status run(reel_plan *plan, bool checked, reel_error *error)
{
    reel_status status = prepare(plan, error);
    for (int s = 0; !status && s < plan->stores; s++)
        if (plan->store[s].where == IN_BLOCK && !plan->store[s].written)
            status = reel_fail(error, REEL_USAGE, "input '%s' was never written", plan->store[s].tensor->name);
    if (plan->backend->begin_run) plan->backend->begin_run(plan->backend);
    for (int i = 0; !status && i < plan->steps; i++) {
        status = run_step(plan, &plan->step[i], error);
        if (!status && checked) status = check_step(plan, &plan->step[i], error);
    }
    if (plan->backend->end_run) plan->backend->end_run(plan->backend);
    return status;
}

reel_status reel_plan_run(reel_plan *plan, reel_error *error)
{
    return run(plan, false, error);
}
reel_status reel_plan_run_checked(reel_plan *plan, reel_error *error)
{
    return run(plan, true, error);
}

/* --- what it costs --- */

reel_cost reel_plan_cost(const reel_plan *plan)
{
    reel_cost cost = {.arena = plan->arena_bytes, .scratch = plan->scratch_bytes, .nodes = plan->steps};
    for (int s = 0; s < plan->stores; s++) {
        const storage *st = &plan->store[s];
        if (st->where == IN_BLOCK) cost.inputs += st->bytes;
        if (st->where == IN_PARAMETER && st->tensor->node->source.parameter->trained) cost.parameters += st->bytes;
        if (st->where == IN_PARAMETER && !st->tensor->node->source.parameter->trained) cost.state += st->bytes;
    }
    for (int i = 0; i < plan->steps; i++) cost.flops += reel_node_flops(plan->step[i].node);
    cost.total = cost.parameters + cost.state + cost.inputs + cost.arena + cost.scratch;
    return cost;
}

int reel_plan_blocks(const reel_plan *plan)
{
    return plan->stores;
}

reel_block reel_plan_block(const reel_plan *plan, int i)
{
    const storage *s = &plan->store[i];
    int last = s->last == INT_MAX ? plan->steps - 1 : s->last;
    return (reel_block){.tensor = s->tensor,
                        .offset = s->offset,
                        .bytes = s->where == IN_ARENA ? s->bytes : 0,
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
