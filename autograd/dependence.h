/* Which nodes must run before which: what a rewrite of a graph asks before it changes the order.

   A node depends on those that make its inputs. One that changes a parameter in place depends on those defined before
   it that read the old value, and those defined after it depend on it. Nodes may be tied: they are going to be one
   node, so that whoever depends on one of them depends on all. */
#ifndef REEL_AUTOGRAD_DEPENDENCE_H
#define REEL_AUTOGRAD_DEPENDENCE_H

#include "core/graph.h"

typedef struct {
    int from, to; /* ids of nodes; `from` runs first */
} reel_edge;

typedef struct {
    reel_graph *graph;
    int nodes, tensors;  /* of the graph when it was looked at; what is defined later is not known here */
    bool *needed;        /* per node: something wanted depends on it */
    int *uses;           /* per tensor: by how many inputs of needed nodes it is read, one more if it is wanted */
    reel_edge *out, *in; /* the same edges, sorted by `from` and by `to` */
    int edges, room;
    int *first_out, *first_in; /* per node: its first edge there; one more entry at the end */
    int *tied;                 /* per node: the next of those tied to it, in a ring */
    int *mark;                 /* per node: the last search that reached it */
    int *stack, search;
} reel_dependence;

/* Of what is needed for `wanted`. False when memory is refused; free it either way. */
bool reel_dependence_find(reel_dependence *d, reel_graph *graph, reel_tensor *const *wanted, int count);
void reel_dependence_free(reel_dependence *d);

/* Finds all that depends on one of these nodes; reel_reached asks about the last search. */
void reel_reach(reel_dependence *d, const int *node, int count);
bool reel_reached(const reel_dependence *d, int node);

/* None of the nodes depends on another of them. */
bool reel_independent(reel_dependence *d, const int *node, int count);

void reel_tie(reel_dependence *d, const int *node, int count);

#endif
