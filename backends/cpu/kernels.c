/* The table of CPU kernels, made from kernels.def: which function serves which op. */
#include "backends/cpu/cpu.h"
#include "ops/ops.h"

static size_t no_scratch(const reel_call *call)
{
    (void)call;
    return 0;
}

/* The list says NULL for a kernel without scratch. Read as a function, every line can be declared the same way. */
#undef NULL
#define NULL no_scratch

#define CPU_KERNEL(op, run, scratch)                                                                                   \
    reel_status run(const reel_call *call);                                                                            \
    size_t scratch(const reel_call *call);
#define CPU_KERNEL_BF16 CPU_KERNEL
#define CPU_KERNEL_PLANES CPU_KERNEL
#include "backends/cpu/kernels.def"
#undef CPU_KERNEL
#undef CPU_KERNEL_BF16
#undef CPU_KERNEL_PLANES

typedef struct {
    const reel_op *op;
    reel_kernel kernel;
} entry;

#define CPU_KERNEL(op, run, scratch) {&reel_op_##op, {run, scratch, .bf16 = false}},
#define CPU_KERNEL_BF16(op, run, scratch) {&reel_op_##op, {run, scratch, .bf16 = true}},
#define CPU_KERNEL_PLANES(op, run, scratch) {&reel_op_##op, {cpu_planes, cpu_planes_scratch, .bf16 = true}},
static const entry entries[] = {
#include "backends/cpu/kernels.def"
    {&reel_op_input, {0}}, /* so that the table is never empty */
};
#undef CPU_KERNEL
#undef CPU_KERNEL_BF16
#undef CPU_KERNEL_PLANES

#define CPU_KERNEL(op, run, scratch)
#define CPU_KERNEL_BF16(op, run, scratch)
#define CPU_KERNEL_PLANES(op, run, scratch) {&reel_op_##op, {run, scratch, .bf16 = false}},
static const entry inside_planes[] = {
#include "backends/cpu/kernels.def"
    {&reel_op_input, {0}},
};
#undef CPU_KERNEL
#undef CPU_KERNEL_BF16
#undef CPU_KERNEL_PLANES

/* The entry of an op, or the last one of the table. */
static const entry *find(const entry *table, const reel_op *op)
{
    while (table->kernel.run && table->op != op) table++;
    return table;
}

reel_kernel cpu_find_kernel(const reel_op *op)
{
    reel_kernel found = find(entries, op)->kernel;
    if (!found.run && (op->flags & REEL_OP_ELEMENTWISE)) found = (reel_kernel){cpu_elementwise, .bf16 = true};
    return found;
}

reel_kernel cpu_planes_kernel(const reel_op *op)
{
    return find(inside_planes, op)->kernel;
}
