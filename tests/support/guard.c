/* See guard.h. */
#include "tests/support/guard.h"

#include "backends/cuda/cuda.h"
#include "core/memory.h"

#include <string.h>

enum { MOST = 32, SENTINEL = 0xa5, UNWRITTEN = 0xff };

static size_t guard;
static bool (*find_kernel)(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native);
static reel_status (*replacement)(const reel_call *call);

typedef struct {
    const reel_call *call;
    int count;
    const reel_array *array[MOST]; /* the call's */
    reel_array copy[MOST];
    bool own[MOST]; /* has a block; else it is the memory of an array before it */
} guarded_call;

static size_t bytes_of(const reel_array *a)
{
    return (size_t)reel_elements(&a->shape) * reel_dtype_size(a->dtype);
}

/* The first array of the call that is the memory of array i. (An array of no elements may begin where another does.) */
static int same_memory(const guarded_call *g, int i)
{
    for (int k = 0; k < i; k++)
        if (g->array[k]->data == g->array[i]->data && bytes_of(g->array[k]) == bytes_of(g->array[i])) return k;
    return i;
}

/* A block of guard, bytes, guard; where the bytes are, and NULL with the call's error. */
static void *make_block(const reel_call *call, size_t bytes)
{
    size_t all = bytes + 2 * guard;
    char *block = call->backend->allocate(call->backend, all, call->error);
    if (!block || !guard) return block;
    unsigned char *text = reel_alloc(all, 1);
    if (text) {
        memset(text, SENTINEL, all);
        memset(text + guard, UNWRITTEN, bytes);
        call->backend->write(call->backend, block, text, all, call->error);
    } else {
        reel_fail_memory(call->error);
    }
    reel_free(text);
    return block + guard;
}

static void free_block(const reel_call *call, void *at)
{
    if (at) call->backend->release(call->backend, (char *)at - guard);
}

/* The guards of a block are as they were. */
static reel_status check_block(const reel_call *call, void *at, size_t bytes, const char *what, int number)
{
    size_t all = bytes + 2 * guard;
    if (!at || !guard) return REEL_OK;
    unsigned char *seen = reel_alloc(all, 1);
    if (!seen) return reel_fail_memory(call->error);
    reel_status status = call->backend->read(call->backend, seen, (char *)at - guard, all, call->error);
    for (size_t k = 0; !status && k < guard; k++) {
        bool before = seen[guard - 1 - k] != SENTINEL, behind = seen[guard + bytes + k] != SENTINEL;
        if (before || behind)
            status = reel_fail(call->error, REEL_BAD_DATA, "%s: byte %zu %s %s %d was written", call->op->name, k + 1,
                               before ? "before" : "behind", what, number);
    }
    reel_free(seen);
    return status;
}

static reel_status copy_arrays(guarded_call *g)
{
    const reel_call *call = g->call;
    for (int i = 0; i < g->count; i++) {
        g->array[i] = i < call->inputs ? &call->input[i] : &call->output[i - call->inputs];
        g->copy[i] = *g->array[i];
        if (!g->copy[i].data) continue;
        int first = same_memory(g, i);
        g->own[i] = first == i;
        g->copy[i].data = g->own[i] ? make_block(call, bytes_of(g->array[i])) : g->copy[first].data;
        if (!call->error->status && g->own[i] && i < call->inputs)
            call->backend->copy(call->backend, g->copy[i].data, g->array[i]->data, bytes_of(g->array[i]), call->error);
        if (call->error->status) return call->error->status;
    }
    return REEL_OK;
}

/* Looks at the guards, and puts what was written where the plan has it. */
static reel_status take_back(const guarded_call *g)
{
    const reel_call *call = g->call;
    reel_status status = REEL_OK;
    for (int i = 0; !status && i < g->count; i++) {
        size_t bytes = bytes_of(g->array[i]);
        bool input = i < call->inputs;
        if (g->own[i])
            status =
                check_block(call, g->copy[i].data, bytes, input ? "input" : "output", input ? i : i - call->inputs);
        if (!status && g->copy[i].data)
            status = call->backend->copy(call->backend, g->array[i]->data, g->copy[i].data, bytes, call->error);
    }
    return status;
}

static reel_status run_guarded(const reel_call *call)
{
    guarded_call g = {.call = call, .count = call->inputs + call->outputs};
    reel_kernel kernel = cuda_find_kernel(call->op);
    if (g.count > MOST) return reel_fail(call->error, REEL_USAGE, "more arrays than a guarded call holds");
    reel_status status = copy_arrays(&g);
    reel_call inner = *call;
    inner.input = g.copy;
    inner.output = g.copy + call->inputs;
    size_t scratch = status || !kernel.scratch ? 0 : kernel.scratch(&inner);
    inner.scratch = scratch ? make_block(call, scratch) : NULL;
    if (!status) status = call->error->status;
    if (!status) status = replacement ? replacement(&inner) : kernel.run(&inner);
    if (!status) status = check_block(call, inner.scratch, scratch, "scratch memory", 0);
    if (!status) status = take_back(&g);
    free_block(call, inner.scratch);
    for (int i = 0; i < g.count; i++)
        if (g.own[i]) free_block(call, g.copy[i].data);
    return status;
}

static bool find_guarded(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native)
{
    if (!find_kernel(backend, node, kernel, native)) return false;
    kernel->run = run_guarded;
    return true;
}

void guard_kernels(reel_backend *cuda, size_t bytes)
{
    guard = bytes;
    find_kernel = cuda->kernel;
    cuda->kernel = find_guarded;
}

void guard_replace(reel_status (*run)(const reel_call *call))
{
    replacement = run;
}
