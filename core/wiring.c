/* See wiring.h. */
#include "core/wiring.h"

#include "core/memory.h"

enum { NEEDED = 1, NOT_NEEDED = -1 };

/* Marks what the wanted tensors depend on, from the last node to the first; returns how many nodes that are. */
static int mark_needed(reel_wiring *w, const reel_graph *graph, reel_tensor *const *wanted, int count)
{
    int nodes = 0;
    for (int n = 0; n < reel_graph_nodes(graph); n++) w->at[n] = NOT_NEEDED;
    for (int i = 0; i < count; i++) w->at[wanted[i]->node->id] = NEEDED;
    for (int n = reel_graph_nodes(graph) - 1; n >= 0; n--) {
        if (w->at[n] == NOT_NEEDED) continue;
        const reel_node *node = reel_graph_node(graph, n);
        nodes++;
        for (int k = 0; k < node->inputs; k++)
            if (node->input[k]) w->at[node->input[k]->node->id] = NEEDED;
    }
    return nodes;
}

static bool allocate(reel_wiring *w, const reel_graph *graph, int nodes)
{
    size_t n = (size_t)nodes, inputs = 0, outputs = 0;
    for (int i = 0; i < reel_graph_nodes(graph); i++) {
        if (w->at[i] == NOT_NEEDED) continue;
        inputs += (size_t)reel_graph_node(graph, i)->inputs;
        outputs += (size_t)reel_graph_node(graph, i)->op->outputs;
    }
    w->node = reel_alloc(n, sizeof *w->node);
    w->first_input = reel_alloc(n + 1, sizeof *w->first_input);
    w->input = reel_alloc(inputs, sizeof *w->input);
    w->first_output = reel_alloc(n + 1, sizeof *w->first_output);
    w->bytes = reel_alloc(outputs, sizeof *w->bytes);
    return w->node && w->first_input && w->input && w->first_output && w->bytes;
}

static reel_source source_of(const reel_wiring *w, const reel_tensor *x)
{
    return x ? (reel_source){w->at[x->node->id], x->output} : (reel_source){-1, 0};
}

static void add(reel_wiring *w, const reel_node *node)
{
    int at = w->nodes++, input = w->first_input[at], output = w->first_output[at];
    w->node[at] = node;
    w->at[node->id] = at;
    for (int k = 0; k < node->inputs; k++) w->input[input++] = source_of(w, node->input[k]);
    for (int k = 0; k < node->op->outputs; k++) {
        const reel_tensor *y = &node->output[k];
        w->bytes[output++] = (size_t)reel_elements(&y->shape) * reel_dtype_size(y->dtype);
    }
    w->first_input[at + 1] = input;
    w->first_output[at + 1] = output;
}

bool reel_wiring_take(reel_wiring *wiring, const reel_graph *graph, reel_tensor *const *wanted, int count)
{
    *wiring = (reel_wiring){.at = reel_alloc((size_t)reel_graph_nodes(graph), sizeof *wiring->at),
                            .wanted = reel_alloc((size_t)count, sizeof *wiring->wanted),
                            .wanted_count = count};
    if (!wiring->at || !wiring->wanted || !allocate(wiring, graph, mark_needed(wiring, graph, wanted, count))) {
        reel_wiring_free(wiring);
        return false;
    }
    for (int n = 0; n < reel_graph_nodes(graph); n++)
        if (wiring->at[n] != NOT_NEEDED) add(wiring, reel_graph_node(graph, n));
    for (int i = 0; i < count; i++) wiring->wanted[i] = source_of(wiring, wanted[i]);
    return true;
}

void reel_wiring_free(reel_wiring *wiring)
{
    reel_free(wiring->node);
    reel_free(wiring->at);
    reel_free(wiring->first_input);
    reel_free(wiring->input);
    reel_free(wiring->first_output);
    reel_free(wiring->bytes);
    reel_free(wiring->wanted);
    *wiring = (reel_wiring){0};
}
