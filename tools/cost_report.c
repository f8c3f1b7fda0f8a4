/* See cost_report.h. */
#include "tools/cost_report.h"

#include "core/memory.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { LARGEST = 10, FRAMES = 64 };

size_t reel_peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024;
}

static double mib(size_t bytes)
{
    return (double)bytes / 1048576;
}

static int64_t trained_elements(const reel_parameters *set)
{
    int64_t sum = 0;
    for (int i = 0; i < reel_parameters_count(set); i++)
        if (reel_parameter_at(set, i)->trained) sum += reel_elements(&reel_parameter_at(set, i)->shape);
    return sum;
}

static int larger_first(const void *a, const void *b)
{
    const reel_block *p = a, *q = b;
    return (p->bytes < q->bytes) - (p->bytes > q->bytes);
}

static void print_largest(FILE *to, const reel_plan *plan)
{
    int count = reel_plan_blocks(plan);
    reel_block *block = reel_alloc((size_t)count, sizeof *block);
    if (!block) return;
    for (int i = 0; i < count; i++) block[i] = reel_plan_block(plan, i);
    qsort(block, (size_t)count, sizeof *block, larger_first);
    fprintf(to, "largest tensors of the arena:\n");
    for (int i = 0; i < count && i < LARGEST && block[i].bytes; i++) {
        char text[REEL_NODE_TEXT], shape[REEL_SHAPE_TEXT];
        fprintf(to, "  %8.1f MiB  %s %s\n", mib(block[i].bytes), reel_node_text(block[i].tensor->node, text),
                reel_shape_text(&block[i].tensor->shape, shape));
    }
    reel_free(block);
}

/* Bytes that each frame adds to the arena, were nothing shared. */
static void print_frames(FILE *to, const reel_plan *plan)
{
    size_t bytes[FRAMES + 1] = {0};
    int last = -1;
    for (int i = 0; i < reel_plan_blocks(plan); i++) {
        reel_block b = reel_plan_block(plan, i);
        int t = b.tensor->node->time;
        if (t < 0) continue;
        t = t < FRAMES ? t : FRAMES;
        bytes[t] += b.bytes;
        last = t > last ? t : last;
    }
    if (last < 0) return;
    fprintf(to, "tensors by frame, before sharing memory:\n");
    for (int t = 0; t <= last; t++)
        fprintf(to, "  frame %d%s  %.1f MiB\n", t, t == FRAMES ? " and later" : "", mib(bytes[t]));
}

void reel_cost_report(FILE *to, const reel_plan *plan, const reel_parameters *set, size_t host, bool json)
{
    reel_cost c = reel_plan_cost(plan);
    c.total += host;
    if (json) {
        fprintf(
            to,
            "{\"parameters\": %lld, \"flops\": %.17g, \"nodes\": %d, \"bytes\": {\"parameters\": %zu, \"state\": %zu, "
            "\"inputs\": %zu, \"arena\": %zu, \"scratch\": %zu, \"host\": %zu, \"total\": %zu}}\n",
            (long long)trained_elements(set), c.flops, c.nodes, c.parameters, c.state, c.inputs, c.arena, c.scratch,
            host, c.total);
        return;
    }
    fprintf(to, "parameters  %lld\noperations  %.3f GFLOP a run, in %d nodes\nmemory      %.1f MiB at the peak:\n",
            (long long)trained_elements(set), c.flops / 1e9, c.nodes, mib(c.total));
    fprintf(to,
            "  %8.1f MiB  parameters\n  %8.1f MiB  optimiser state\n  %8.1f MiB  inputs and constants\n"
            "  %8.1f MiB  arena: activations and gradients\n  %8.1f MiB  scratch of kernels\n"
            "  %8.1f MiB  host: clips read ahead and buffers\n",
            mib(c.parameters), mib(c.state), mib(c.inputs), mib(c.arena), mib(c.scratch), mib(host));
    print_frames(to, plan);
    print_largest(to, plan);
}
