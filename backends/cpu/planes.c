/* bf16 for kernels that take each plane of a picture by itself.

   Float copies of whole arrays (core/kernel.h) go to memory and come back, three times the traffic of the arrays
   themselves. Here a few planes at a time are copied, which stay in the second-level cache, and the kernel runs on them
   in one thread. Without bf16 it runs on the whole. */
#include "backends/cpu/cpu.h"
#include "core/kernel.h"

#include <omp.h>

enum {
    ELEMENTS = 1 << 15, /* of all arrays of a part, about */
    ARRAYS = 4,         /* of a call, at most */
};

typedef struct {
    reel_kernel kernel;
    int64_t planes, count; /* in all, and of a part */
    size_t room;           /* bytes of scratch memory for a part */
} cutting;

reel_array cpu_planes_of(const reel_array *a, int64_t from, int64_t count)
{
    const int64_t *size = a->shape.size;
    reel_array part = *a;
    if (from) part.data = (char *)a->data + (size_t)(from * size[2] * size[3]) * reel_dtype_size(a->dtype);
    part.shape = REEL_SHAPE(1, count, size[2], size[3]);
    return part;
}

/* The call for some planes; shapes alone, in float, where `room` is NULL. */
static reel_call part_of(const reel_call *call, int64_t from, int64_t count, char *room, reel_array *array)
{
    reel_call part = *call;
    for (int k = 0; k < call->inputs + call->outputs; k++) {
        array[k] = cpu_planes_of(k < call->inputs ? &call->input[k] : &call->output[k - call->inputs], from, count);
        if (!room && array[k].dtype == REEL_BF16) array[k].dtype = REEL_F32;
    }
    part.input = array;
    part.output = array + call->inputs;
    part.scratch = room;
    part.threads = 1;
    return part;
}

static cutting cut(const reel_call *call)
{
    const int64_t *size = call->input[0].shape.size;
    cutting c = {.kernel = cpu_planes_kernel(call->op), .planes = size[0] * size[1]};
    reel_array array[ARRAYS];
    reel_call part = part_of(call, 0, 1, NULL, array);
    int64_t elements = 0;
    for (int k = 0; k < call->inputs + call->outputs; k++) elements += reel_elements(&array[k].shape);
    c.count = elements < ELEMENTS && elements > 0 ? ELEMENTS / elements : 1;
    if (c.count > c.planes) c.count = c.planes;
    part = part_of(call, 0, c.count, NULL, array);
    c.room = REEL_KERNEL_COPIES(ARRAYS, (size_t)(elements * c.count)) + c.kernel.scratch(&part);
    c.room = (c.room + REEL_ALIGNMENT - 1) / REEL_ALIGNMENT * REEL_ALIGNMENT;
    return c;
}

size_t cpu_planes_scratch(const reel_call *call)
{
    if (!reel_call_has_bf16(call)) return cpu_planes_kernel(call->op).scratch(call);
    return cut(call).room * (size_t)call->threads;
}

reel_status cpu_planes(const reel_call *call)
{
    if (!reel_call_has_bf16(call)) return cpu_planes_kernel(call->op).run(call);
    cutting c = cut(call);
    int worst = REEL_OK;
#pragma omp parallel for num_threads(call->threads) schedule(static) reduction(max : worst)
    for (int64_t from = 0; from < c.planes; from += c.count) {
        int64_t count = from + c.count < c.planes ? c.count : c.planes - from;
        reel_array array[ARRAYS];
        reel_call part =
            part_of(call, from, count, (char *)call->scratch + c.room * (size_t)omp_get_thread_num(), array);
        int status = (int)reel_kernel_run(&c.kernel, &part);
        if (status > worst) worst = status;
    }
    return (reel_status)worst;
}
