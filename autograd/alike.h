/* Nodes that do the same at different time steps: of one op with the same attributes and scope, on inputs of the same
   shapes, with the same tensors where an input is not made of samples. They could be one node on joined samples, unless
   one depends on another. Of several such in a time step, the n-th belongs to the n-th of others; those of elements,
   which carry no name of a layer, must also read what comes from the same places. */
#ifndef REEL_AUTOGRAD_ALIKE_H
#define REEL_AUTOGRAD_ALIKE_H

#include "autograd/dependence.h"

typedef struct {
    int groups;
    int *start;         /* per group: where it begins in `member`; one more entry at the end */
    int *member;        /* ids of nodes, two at least a group, by time */
    int *group, *place; /* per node: its group, -1 for none, and its position there */
} reel_alike;

/* Groups what is needed. False when memory is refused; free it either way. */
bool reel_alike_find(reel_alike *a, const reel_dependence *d);
void reel_alike_free(reel_alike *a);

static inline int reel_alike_count(const reel_alike *a, int group)
{
    return a->start[group + 1] - a->start[group];
}
static inline const int *reel_alike_members(const reel_alike *a, int group)
{
    return a->member + a->start[group];
}

/* What the node does with samples, for ops of elements, too: their inputs with an axis 0 of the output's size. */
reel_samples reel_samples_of(const reel_node *node);
static inline bool reel_has_samples(reel_samples samples, int input)
{
    return samples.inputs >> (input < 31 ? input : 31) & 1;
}

#endif
