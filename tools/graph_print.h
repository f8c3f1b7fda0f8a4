/* A graph as text, a line a node, and as a picture for Graphviz. */
#ifndef REEL_TOOLS_GRAPH_PRINT_H
#define REEL_TOOLS_GRAPH_PRINT_H

#include "core/graph.h"

#include <stdio.h>

typedef struct {
    reel_tensor *const *wanted; /* only what these need is shown */
    int count;
    bool fold; /* one line or box for all nodes of a scope in a time step */
} reel_graph_view;

/* id, time step, scope, op, attributes, shape, inputs; then how many nodes of which op, and the operations. False when
   out of memory. */
bool reel_graph_print_text(FILE *to, reel_graph *graph, const reel_graph_view *view);

/* A digraph: a cluster a time step, within it one a scope; weights once, outside; backward nodes red. */
bool reel_graph_print_dot(FILE *to, reel_graph *graph, const reel_graph_view *view);

#endif
