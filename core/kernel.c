/* See kernel.h. */
#include "core/kernel.h"

#include "core/bf16.h"
#include "core/memory.h"

/* Input or output k of a call, outputs counted after the inputs. */
static const reel_array *array_at(const reel_call *call, int k)
{
    return k < call->inputs ? &call->input[k] : &call->output[k - call->inputs];
}

static int arrays_of(const reel_call *call)
{
    return call->inputs + call->outputs;
}

bool reel_call_has_bf16(const reel_call *call)
{
    for (int k = 0; k < arrays_of(call); k++)
        if (array_at(call, k)->dtype == REEL_BF16) return true;
    return false;
}

static bool wants_copies(const reel_kernel *kernel, const reel_call *call)
{
    return !kernel->bf16 && reel_call_has_bf16(call);
}

static size_t aligned(size_t bytes)
{
    return (bytes + REEL_ALIGNMENT - 1) / REEL_ALIGNMENT * REEL_ALIGNMENT;
}

size_t reel_call_widen(const reel_call *call, reel_array *array, char *room, reel_call *wide)
{
    size_t used = 0;
    for (int k = 0; k < arrays_of(call); k++) {
        array[k] = *array_at(call, k);
        if (array[k].dtype != REEL_BF16) continue;
        array[k].dtype = REEL_F32;
        if (k >= call->inputs && call->op->flags & REEL_OP_UPDATES) {
            array[k].data = array[k - call->inputs].data; /* one memory, as the op expects */
            continue;
        }
        array[k].data = room ? room + used : NULL;
        used += aligned((size_t)reel_elements(&array[k].shape) * sizeof(float));
    }
    *wide = *call;
    wide->input = array;
    wide->output = array + call->inputs;
    wide->scratch = room ? room + used : NULL;
    return used;
}

reel_status reel_kernel_scratch(const reel_kernel *kernel, const reel_call *call, size_t *bytes)
{
    reel_call wide;
    if (!wants_copies(kernel, call)) {
        *bytes = kernel->scratch ? kernel->scratch(call) : 0;
        return REEL_OK;
    }
    reel_array *array = reel_alloc((size_t)arrays_of(call), sizeof *array);
    if (!array) return reel_fail_memory(call->error);
    *bytes = aligned((size_t)arrays_of(call) * sizeof *array) + reel_call_widen(call, array, NULL, &wide);
    if (kernel->scratch) *bytes += kernel->scratch(&wide);
    reel_free(array);
    return REEL_OK;
}

reel_status reel_kernel_run(const reel_kernel *kernel, const reel_call *call)
{
    if (!wants_copies(kernel, call)) return kernel->run(call);
    reel_call wide;
    reel_array *array = call->scratch;
    reel_call_widen(call, array, (char *)call->scratch + aligned((size_t)arrays_of(call) * sizeof *array), &wide);
    for (int k = 0; k < call->inputs; k++)
        if (call->input[k].dtype == REEL_BF16)
            reel_bf16_widen(call->input[k].data, array[k].data, reel_elements(&array[k].shape), call->threads);
    reel_status status = kernel->run(&wide);
    for (int k = 0; !status && k < call->outputs; k++)
        if (call->output[k].dtype == REEL_BF16)
            reel_bf16_narrow(wide.output[k].data, call->output[k].data, reel_elements(&wide.output[k].shape),
                             call->threads);
    return status;
}
