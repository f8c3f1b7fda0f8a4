/* Kernels for f32 and f64 run on bf16: on float copies in scratch memory, widened before and narrowed after, as
   core/kernel.h does it on the host. What moves bytes takes bf16 as it is. */
#include "backends/cuda/bf16.cuh"

extern "C" {
#include "core/arena.h"
}

static const reel_array *array_at(const reel_call *call, int k)
{
    return k < call->inputs ? &call->input[k] : &call->output[k - call->inputs];
}

bool cuda_has_bf16(const reel_call *call)
{
    for (int k = 0; k < call->inputs + call->outputs; k++)
        if (array_at(call, k)->dtype == REEL_BF16) return true;
    return false;
}

/* The call on float copies, which lie at the beginning of its scratch memory (NULL while only shapes are known), and
   whose descriptions go to `array`. Returns their bytes. */
static size_t widen_call(const reel_call *call, reel_array *array, reel_call *wide)
{
    char *room = (char *)call->scratch;
    size_t used = 0;
    for (int k = 0; k < call->inputs + call->outputs; k++) {
        array[k] = *array_at(call, k);
        if (array[k].dtype != REEL_BF16) continue;
        array[k].dtype = REEL_F32;
        if (k >= call->inputs && call->op->flags & REEL_OP_UPDATES) {
            array[k].data = array[k - call->inputs].data; /* one memory, as the op expects */
            continue;
        }
        array[k].data = room ? room + used : NULL;
        size_t bytes = (size_t)reel_elements(&array[k].shape) * sizeof(float);
        used += (bytes + REEL_ALIGNMENT - 1) / REEL_ALIGNMENT * REEL_ALIGNMENT;
    }
    *wide = *call;
    wide->input = array;
    wide->output = array + call->inputs;
    wide->scratch = room ? room + used : NULL;
    return used;
}

static reel_array *descriptions(const reel_call *call)
{
    return (reel_array *)reel_alloc((size_t)(call->inputs + call->outputs), sizeof(reel_array));
}

size_t cuda_wide_scratch(const reel_kernel *kernel, const reel_call *call)
{
    reel_call shapes = *call, wide;
    reel_array *array = descriptions(call);
    if (!array) return 0; /* there will be no memory for the run either, which says so */
    shapes.scratch = NULL;
    size_t bytes = widen_call(&shapes, array, &wide) + kernel->scratch(&wide);
    reel_free(array);
    return bytes;
}

reel_status cuda_wide_run(const reel_kernel *kernel, const reel_call *call)
{
    reel_call wide;
    reel_array *array = descriptions(call);
    if (!array) return reel_fail_memory(call->error);
    reel_status status = REEL_OK;
    widen_call(call, array, &wide);
    for (int k = 0; !status && k < call->inputs; k++)
        if (call->input[k].dtype == REEL_BF16) status = cuda_widen(call, &call->input[k], &array[k]);
    if (!status) status = kernel->run(&wide);
    for (int k = 0; !status && k < call->outputs; k++)
        if (call->output[k].dtype == REEL_BF16) status = cuda_narrow(call, &wide.output[k], &call->output[k]);
    reel_free(array);
    return status;
}
