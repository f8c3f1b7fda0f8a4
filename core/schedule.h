/* In which order the nodes of a graph run, and how often. As a rule every node that is needed runs once, in the order
   of definition. A cut lets a node run again: what reads it after the cut reads the values of a new run, which is put
   right before the first reader, so that its values need no memory in between. Recomputation is a list of cuts; any
   list is correct, as the same kernel sees the same numbers, and the choice is one of cost alone (core/recompute.h).

   A value is what one run of a node makes for one of its outputs. A run is at the place of the node that it serves:
   the first run of a node at its own id, a later one at that of its first reader, or where the reader's run is when
   the reader runs again, too. At one place runs are in the order of definition, and no node has two. */
#ifndef REEL_CORE_SCHEDULE_H
#define REEL_CORE_SCHEDULE_H

#include "core/graph.h"

typedef struct {
    int node;  /* not a source, an update, nor what is wanted */
    int after; /* readers at a later place read a new run */
} reel_cut;

/* A growing list; {0} is empty. */
typedef struct {
    reel_cut *cut;
    int cuts, room;
} reel_cuts;
bool reel_cuts_add(reel_cuts *list, reel_cut cut);
void reel_cuts_free(reel_cuts *list);

typedef struct {
    const reel_node *node;
    int place;
    bool again;       /* this node has run before */
    const int *input; /* values; -1 for an input left out */
    int output;       /* output k is value output + k */
} reel_step;

typedef struct {
    reel_step *step;
    int steps;
    const reel_tensor **tensor; /* of each value */
    int values;
    int *first; /* per tensor of the graph: the value of its node's first run, -1 when it is not needed */
    int *inputs;
} reel_schedule;

/* The nodes that the wanted tensors depend on. `cuts` are sorted by node, then by place. False when out of memory.
   Cost: one pass back and one forth over nodes and their inputs. */
bool reel_schedule_make(reel_schedule *schedule, const reel_graph *graph, reel_tensor *const *wanted, int count,
                        const reel_cuts *cuts);
void reel_schedule_free(reel_schedule *schedule);

#endif
