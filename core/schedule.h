/* In which order the nodes of a graph run, and how often. As a rule every node that is needed runs once, in the order
   of definition. A cut lets a node run again: what reads it after the cut reads the values of a new run, which is put
   right before the first reader, so that its values need no memory in between. Recomputation is a list of cuts; any
   list is correct, as the same kernel sees the same numbers, and the choice is one of cost alone (core/recompute.h).

   A value is what one run of a node makes for one of its outputs. A run is at the place of the node that it serves:
   the first run of a node at its own position (core/wiring.h), a later one at that of its first reader, or where the
   reader's run is when the reader runs again, too. At one place runs are in the order of definition, and no node has
   two. */
#ifndef REEL_CORE_SCHEDULE_H
#define REEL_CORE_SCHEDULE_H

#include "core/wiring.h"

typedef struct {
    int node;  /* its position; not a source, an update, nor what is wanted */
    int after; /* readers at a later place read a new run */
} reel_cut;

/* A growing list; {0} is empty. */
typedef struct {
    reel_cut *cut;
    int cuts, room;
} reel_cuts;
bool reel_cuts_add(reel_cuts *list, reel_cut cut);
void reel_cuts_free(reel_cuts *list);

/* Which nodes run, and at which places. */
typedef struct {
    const reel_wiring *wiring;
    const reel_cuts *cuts; /* sorted by node, then by where */
    int count;
    int *first; /* per position, and one more: its runs */
    int *place; /* per run; INT_MAX when nobody reads it, so that it is left out */
} reel_runs;

/* False when out of memory. Cost: one pass back over nodes and their inputs. Wiring and cuts must outlive the runs. */
bool reel_runs_find(reel_runs *runs, const reel_wiring *wiring, const reel_cuts *cuts);
/* The sum of a figure of nodes, by position, over all runs. */
double reel_runs_sum(const reel_runs *runs, const double *of_node);
void reel_runs_free(reel_runs *runs);

typedef struct {
    const reel_node *node;
    int at; /* position of the node */
    int place;
    bool again;       /* this node has run before */
    const int *input; /* values; -1 for an input left out */
    int output;       /* output k is value output + k */
} reel_step;

typedef struct {
    reel_step *step;
    int steps;
    const reel_tensor **tensor; /* of each value */
    size_t *bytes;              /* of each value */
    int values;
    int *first; /* per position: the value of output 0 of the node's first run, -1 when it never runs */
    int *inputs;
} reel_schedule;

/* The runs in order. False when out of memory. Cost: one pass over them and their inputs. */
bool reel_schedule_make(reel_schedule *schedule, const reel_runs *runs);
void reel_schedule_free(reel_schedule *schedule);

#endif
