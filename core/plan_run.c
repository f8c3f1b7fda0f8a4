/* See plan.h. Running a plan: memory is asked for at the first need and every array pointed at its own, once; then the
   kernels are called in order, or the backend does again what it recorded. */
#include "core/planned.h"

#include "core/clock.h"
#include "core/element.h"
#include "core/memory.h"
#include "core/rng.h"

#include <math.h>

/* --- memory, values in and out --- */

static size_t bytes_of(const reel_tensor *t)
{
    return (size_t)reel_elements(&t->shape) * reel_dtype_size(t->dtype);
}

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

/* --- runs --- */

static bool all_finite(const void *data, reel_dtype dtype, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(reel_element(data, dtype, i))) return false;
    return true;
}

/* The first output of a step that is not finite, as an error. */
static reel_status check_step(reel_plan *plan, const reel_planned *p, reel_error *error)
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
static reel_status run_step(reel_plan *plan, reel_planned *p, bool wait, reel_error *error)
{
    char text[REEL_NODE_TEXT];
    reel_error refused = {REEL_OK, ""};
    if (!p->kernel.run) return REEL_OK;
    double start = plan->timing ? reel_seconds() : 0;
    reel_call call = reel_planned_call(plan, p, &refused);
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
