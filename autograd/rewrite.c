/* See rewrite.h. */
#include "autograd/rewrite.h"

#include "core/memory.h"

bool reel_rewrite_begin(reel_rewrite *r, reel_graph *graph)
{
    int most = 1;
    for (int i = 0; i < reel_graph_nodes(graph); i++)
        if (reel_graph_node(graph, i)->inputs > most) most = reel_graph_node(graph, i)->inputs;
    *r = (reel_rewrite){.graph = graph,
                        .now = reel_alloc((size_t)reel_graph_tensors(graph), sizeof(reel_tensor *)),
                        .input = reel_alloc((size_t)most, sizeof(reel_tensor *))};
    return r->now && r->input;
}

void reel_rewrite_end(reel_rewrite *r)
{
    reel_free(r->now);
    reel_free(r->input);
    *r = (reel_rewrite){0};
}

bool reel_rewrite_copy(reel_rewrite *r, reel_node *node)
{
    reel_node *copy = node;
    for (int k = 0; k < node->inputs; k++) r->input[k] = node->input[k] ? r->now[node->input[k]->id] : NULL;
    if (!(node->op->flags & REEL_OP_SOURCE)) copy = reel_clone_node(node, r->input);
    for (int k = 0; copy && k < node->op->outputs; k++) {
        copy->output[k].name = node->output[k].name;
        r->now[node->output[k].id] = &copy->output[k];
    }
    return copy != NULL;
}

void reel_rewrite_enter(reel_rewrite *r, const reel_node *node, int time)
{
    reel_set_time(r->graph, time);
    if (*node->scope) reel_scope_push(r->graph, node->scope);
}

void reel_rewrite_leave(reel_rewrite *r, const reel_node *node)
{
    if (*node->scope) reel_scope_pop(r->graph);
    reel_set_time(r->graph, -1);
}
