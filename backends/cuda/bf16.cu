/* Kernels for f32 and f64 run on bf16: on float copies in scratch memory, widened before and narrowed after, as
   core/kernel.h does it on the host. What moves bytes takes bf16 as it is. */
#include "backends/cuda/bf16.cuh"

static reel_array *descriptions(const reel_call *call)
{
    return (reel_array *)reel_alloc((size_t)(call->inputs + call->outputs), sizeof(reel_array));
}

size_t cuda_wide_scratch(const reel_kernel *kernel, const reel_call *call)
{
    reel_call wide;
    reel_array *array = descriptions(call);
    if (!array) return 0; /* there will be no memory for the run either, which says so */
    size_t bytes = reel_call_widen(call, array, NULL, &wide) + kernel->scratch(&wide);
    reel_free(array);
    return bytes;
}

reel_status cuda_wide_run(const reel_kernel *kernel, const reel_call *call)
{
    reel_call wide;
    reel_array *array = descriptions(call);
    if (!array) return reel_fail_memory(call->error);
    reel_status status = REEL_OK;
    reel_call_widen(call, array, (char *)call->scratch, &wide);
    for (int k = 0; !status && k < call->inputs; k++)
        if (call->input[k].dtype == REEL_BF16) status = cuda_widen(call, &call->input[k], &array[k]);
    if (!status) status = kernel->run(&wide);
    for (int k = 0; !status && k < call->outputs; k++)
        if (call->output[k].dtype == REEL_BF16) status = cuda_narrow(call, &wide.output[k], &call->output[k]);
    reel_free(array);
    return status;
}
