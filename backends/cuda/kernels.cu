/* The table of CUDA kernels, made from kernels.def and elementwise.def: which function serves which op. */
#include "backends/cuda/bf16.cuh"

static size_t no_scratch(const reel_call *)
{
    return 0;
}

/* The lists say NULL for a kernel without scratch. Read as a function, every line can be declared the same way. */
#undef NULL
#define NULL no_scratch

#define MAP1(op, attributes, x, result) CUDA_KERNEL_BF16(op, cuda_##op, NULL)
#define MAP2(op, attributes, a, b, result) CUDA_KERNEL_BF16(op, cuda_##op, NULL)
#define MAP2_NUMBERS(op, attributes, a, b, result) CUDA_KERNEL_BF16(op, cuda_##op, NULL)

#define CUDA_KERNEL(op, run, scratch)                                                                                  \
    reel_status run(const reel_call *call);                                                                            \
    size_t scratch(const reel_call *call);
#define CUDA_KERNEL_BF16 CUDA_KERNEL
#include "backends/cuda/elementwise.def"
#include "backends/cuda/kernels.def"
#undef CUDA_KERNEL
#undef CUDA_KERNEL_BF16

struct entry {
    const reel_op *op;
    reel_kernel kernel;
};

#define CUDA_KERNEL(op, run, scratch) {&reel_op_##op, {run, scratch, false}},
#define CUDA_KERNEL_BF16(op, run, scratch) {&reel_op_##op, {run, scratch, true}},
static const entry entries[] = {
#include "backends/cuda/elementwise.def"
#include "backends/cuda/kernels.def"
};

static const reel_kernel *find(const reel_op *op)
{
    for (const entry &e : entries)
        if (e.op == op) return &e.kernel;
    return nullptr;
}

/* What core sees takes bf16 in every op: its own copies would be made by the host. */
static reel_status run(const reel_call *call)
{
    const reel_kernel *kernel = find(call->op);
    return kernel->bf16 || !reel_call_has_bf16(call) ? kernel->run(call) : cuda_wide_run(kernel, call);
}

static size_t scratch(const reel_call *call)
{
    const reel_kernel *kernel = find(call->op);
    return kernel->bf16 || !reel_call_has_bf16(call) ? kernel->scratch(call) : cuda_wide_scratch(kernel, call);
}

reel_kernel cuda_find_kernel(const reel_op *op)
{
    return find(op) ? reel_kernel{run, scratch, true} : reel_kernel{};
}
