/* The arena of a plan over time: what kind of tensor lies where and when, and where the peak is. */
#ifndef REEL_TOOLS_TIMELINE_H
#define REEL_TOOLS_TIMELINE_H

#include "core/plan.h"

typedef enum {
    REEL_KIND_FORWARD,   /* made on the way forward: activations */
    REEL_KIND_AGAIN,     /* activations made on the way back: computed again */
    REEL_KIND_GRADIENT,  /* of activations */
    REEL_KIND_PARAMETER, /* gradients of parameters, and the parts they are summed from */
    REEL_KINDS
} reel_kind;

typedef struct {
    reel_block block; /* of the arena */
    reel_kind kind;
} reel_span;

typedef struct {
    const reel_plan *plan;
    reel_span *span; /* the largest first */
    int spans;
    size_t *live; /* per step: bytes that live together */
    int steps;    /* of the run */
    int backward; /* the first step of the backward pass; `steps` when there is none */
    int peak;     /* the step where most bytes live */
    size_t arena; /* bytes */
} reel_timeline;

/* False when out of memory. */
bool reel_timeline_new(reel_timeline *timeline, const reel_plan *plan);
void reel_timeline_free(reel_timeline *timeline);

const char *reel_kind_name(reel_kind kind);
/* Whether a node computes gradients. */
bool reel_timeline_backward(const reel_node *node);

/* Draws it as SVG: steps from left to right, offsets from bottom to top. */
reel_status reel_timeline_draw(const reel_timeline *timeline, const char *path, reel_error *error);

#endif
