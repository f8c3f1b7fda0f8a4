/* See op_costs.h. A node reads each input once and writes each output once; what is updated in place is both read and
   written. That is the least a kernel of its own can do, and what ops that share memory (a view, a join whose parts
   were computed in their places) may fall below. A node's least time is the longer of the times for its bytes and for
   its operations, and these add up, as one node runs after the other. */
#include "tools/op_costs.h"

#include "core/memory.h"

#include <stdlib.h>

typedef struct {
    const reel_op *op;
    reel_dtype dtype; /* of the first input */
    int nodes;
    double flops, bytes, seconds;
} kind;

static double bytes_of(const reel_tensor *x)
{
    return x ? (double)reel_elements(&x->shape) * (double)reel_dtype_size(x->dtype) : 0;
}

static kind cost_of(const reel_node *node, reel_ceilings ceilings)
{
    kind k = {node->op, node->inputs && node->input[0] ? node->input[0]->dtype : node->output[0].dtype,
              1,        reel_node_flops(node),
              0,        0};
    for (int i = 0; i < node->inputs; i++) k.bytes += bytes_of(node->input[i]);
    for (int i = 0; i < node->op->outputs; i++) k.bytes += bytes_of(&node->output[i]);
    double moving = ceilings.bytes > 0 ? k.bytes / ceilings.bytes : 0;
    double computing = ceilings.flops > 0 ? k.flops / ceilings.flops : 0;
    k.seconds = moving > computing ? moving : computing;
    return k;
}

static void add(kind *sum, const kind *k)
{
    sum->nodes += k->nodes;
    sum->flops += k->flops;
    sum->bytes += k->bytes;
    sum->seconds += k->seconds;
}

/* Kinds in the order in which they first run; `list` has room for a kind a node. Returns their number. */
static int collect(const reel_plan *plan, reel_ceilings ceilings, kind *list)
{
    int kinds = 0;
    for (int i = 0; i < reel_plan_nodes(plan); i++) {
        if (!reel_plan_computes(plan, i)) continue;
        kind one = cost_of(reel_plan_node(plan, i), ceilings);
        int k = 0;
        while (k < kinds && (list[k].op != one.op || list[k].dtype != one.dtype)) k++;
        if (k == kinds)
            list[kinds++] = one;
        else
            add(&list[k], &one);
    }
    return kinds;
}

static int more_bytes_first(const void *a, const void *b)
{
    const kind *p = a, *q = b;
    return (p->bytes < q->bytes) - (p->bytes > q->bytes);
}

static void print_row(FILE *to, const char *op, const char *dtype, const kind *k, reel_ceilings c)
{
    fprintf(to, "%-24s %-5s %6d %12.3f %12.1f %9.1f", op, dtype, k->nodes, k->flops / 1e9, k->bytes / 1e6,
            k->bytes > 0 ? k->flops / k->bytes : 0);
    if (c.bytes > 0) fprintf(to, " %10.3f", k->bytes / c.bytes * 1e3);
    if (c.flops > 0) fprintf(to, " %10.3f", k->flops / c.flops * 1e3);
    if (c.bytes > 0 && c.flops > 0) fprintf(to, " %10.3f", k->seconds * 1e3);
    fprintf(to, "\n");
}

static void print_text(FILE *to, const kind *list, int kinds, const kind *total, reel_ceilings c)
{
    fprintf(to, "%-24s %-5s %6s %12s %12s %9s", "op", "of", "nodes", "GFLOP", "MB", "FLOP/byte");
    if (c.bytes > 0) fprintf(to, " %10s", "memory ms");
    if (c.flops > 0) fprintf(to, " %10s", "FLOP ms");
    if (c.bytes > 0 && c.flops > 0) fprintf(to, " %10s", "least ms");
    fprintf(to, "\n");
    for (int k = 0; k < kinds; k++) print_row(to, list[k].op->name, reel_dtype_name(list[k].dtype), &list[k], c);
    print_row(to, "all", "", total, c);
}

static void print_json(FILE *to, const kind *list, int kinds, const kind *total)
{
    fprintf(to, "{\"ops\": [");
    for (int k = 0; k < kinds; k++)
        fprintf(to,
                "%s{\"op\": \"%s\", \"dtype\": \"%s\", \"nodes\": %d, \"flops\": %.17g, \"bytes\": %.17g, "
                "\"seconds\": %.17g}",
                k ? ", " : "", list[k].op->name, reel_dtype_name(list[k].dtype), list[k].nodes, list[k].flops,
                list[k].bytes, list[k].seconds);
    fprintf(to, "], \"all\": {\"nodes\": %d, \"flops\": %.17g, \"bytes\": %.17g, \"seconds\": %.17g}}\n", total->nodes,
            total->flops, total->bytes, total->seconds);
}

reel_status reel_op_costs_print(FILE *to, const reel_plan *plan, reel_ceilings ceilings, bool json, reel_error *error)
{
    kind *list = reel_alloc((size_t)reel_plan_nodes(plan), sizeof *list), total = {0};
    if (!list) return reel_fail_memory(error);
    int kinds = collect(plan, ceilings, list);
    qsort(list, (size_t)kinds, sizeof *list, more_bytes_first);
    for (int k = 0; k < kinds; k++) add(&total, &list[k]);
    if (json)
        print_json(to, list, kinds, &total);
    else
        print_text(to, list, kinds, &total, ceilings);
    reel_free(list);
    return REEL_OK;
}
