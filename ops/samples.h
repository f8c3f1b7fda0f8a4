/* What most ops say of their samples (core/op.h). */
#ifndef REEL_OPS_SAMPLES_H
#define REEL_OPS_SAMPLES_H

#include "core/graph.h"

/* Input 0 alone has samples: it is convolved, pooled or resized; a weight is shared by them. */
static inline reel_samples reel_samples_of_first(const reel_node *node)
{
    (void)node;
    return (reel_samples){.inputs = 1};
}

static inline reel_samples reel_samples_of_all(const reel_node *node)
{
    (void)node;
    return (reel_samples){.inputs = ~0U};
}

/* The op works along `axis` and leaves all others alone. */
static inline reel_samples reel_samples_beside(const reel_node *node, int axis)
{
    int at = reel_shape_axis(&node->input[0]->shape, axis);
    return (reel_samples){.inputs = at > 0 ? ~0U : 0};
}

#endif
