/* The table of CUDA kernels, made from kernels.def and elementwise.def: which function serves which op. */
#include "backends/cuda/device.cuh"

static size_t no_scratch(const reel_call *)
{
    return 0;
}

/* The lists say NULL for a kernel without scratch. Read as a function, every line can be declared the same way. */
#undef NULL
#define NULL no_scratch

#define MAP1(op, attributes, x, result) CUDA_KERNEL(op, cuda_##op, NULL)
#define MAP2(op, attributes, a, b, result) CUDA_KERNEL(op, cuda_##op, NULL)
#define MAP2_NUMBERS(op, attributes, a, b, result) CUDA_KERNEL(op, cuda_##op, NULL)

#define CUDA_KERNEL(op, run, scratch)                                                                                  \
    reel_status run(const reel_call *call);                                                                            \
    size_t scratch(const reel_call *call);
#include "backends/cuda/elementwise.def"
#include "backends/cuda/kernels.def"
#undef CUDA_KERNEL

struct entry {
    const reel_op *op;
    reel_kernel kernel;
};

#define CUDA_KERNEL(op, run, scratch) {&reel_op_##op, {run, scratch}},
static const entry entries[] = {
#include "backends/cuda/elementwise.def"
#include "backends/cuda/kernels.def"
};

reel_kernel cuda_find_kernel(const reel_op *op)
{
    for (const entry &e : entries)
        if (e.op == op) return e.kernel;
    return reel_kernel{};
}
