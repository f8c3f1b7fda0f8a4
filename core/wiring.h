/* The part of a graph that some wanted tensors need, laid out flat: its nodes at positions 0, 1, 2 in order of
   definition, and for each input the position of the node that makes it. It is taken once and then gone over for every
   schedule that is tried; a graph's own nodes lie scattered in memory, among many that are not needed. */
#ifndef REEL_CORE_WIRING_H
#define REEL_CORE_WIRING_H

#include "core/graph.h"

/* An output of the node at a position; position -1 for an input left out. */
typedef struct {
    int at, output;
} reel_source;

typedef struct {
    int nodes;
    const reel_node **node; /* per position */
    int *at;                /* per node of the graph: its position, -1 when it is not needed */
    int *first_input;       /* per position, and one more: where its inputs begin in `input` */
    reel_source *input;
    int *first_output; /* per position, and one more: where its outputs begin in `bytes` */
    size_t *bytes;     /* per output */
    reel_source *wanted;
    int wanted_count;
} reel_wiring;

/* False when out of memory. Cost: one pass back and one forth over nodes and their inputs. */
bool reel_wiring_take(reel_wiring *wiring, const reel_graph *graph, reel_tensor *const *wanted, int count);
void reel_wiring_free(reel_wiring *wiring);

#endif
