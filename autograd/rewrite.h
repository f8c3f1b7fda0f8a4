/* Rewriting a graph: what is needed is defined once more, at the end of the same graph, with other nodes in place of
   some. Nothing is taken out; what nobody wants any more is not planned. */
#ifndef REEL_AUTOGRAD_REWRITE_H
#define REEL_AUTOGRAD_REWRITE_H

#include "core/graph.h"

typedef struct {
    reel_graph *graph;
    reel_tensor **now; /* per tensor of before: what stands for it, NULL until that is defined */
    reel_tensor **input;
} reel_rewrite;

/* False when memory is refused; end it either way. */
bool reel_rewrite_begin(reel_rewrite *r, reel_graph *graph);
void reel_rewrite_end(reel_rewrite *r);

/* The node with what now stands for its inputs; sources stay what they are. False when memory is refused. */
bool reel_rewrite_copy(reel_rewrite *r, reel_node *node);

/* Nodes defined between these two are where `node` is: scope and time (-1: none). */
void reel_rewrite_enter(reel_rewrite *r, const reel_node *node, int time);
void reel_rewrite_leave(reel_rewrite *r, const reel_node *node);

#endif
