/* See faults.h. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "tests/cuda/faults.h"
}

__global__ static void write_byte(unsigned char *at)
{
    *at = 1;
}

reel_status fault_launch(const reel_call *call)
{
    return cuda_launch(call, 1, 2048, write_byte, (unsigned char *)call->output->data);
}

reel_status fault_write_behind(const reel_call *call)
{
    const reel_array *y = call->output;
    unsigned char *end = (unsigned char *)y->data + (size_t)reel_elements(&y->shape) * reel_dtype_size(y->dtype);
    return cuda_launch(call, 1, 1, write_byte, end);
}

reel_status fault_write_before(const reel_call *call)
{
    return cuda_launch(call, 1, 1, write_byte, (unsigned char *)call->output->data - 1);
}
