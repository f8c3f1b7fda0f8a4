/* Where an element of a padded tensor comes from: what pad and its adjoint share. */
#ifndef REEL_OPS_PAD_SOURCE_H
#define REEL_OPS_PAD_SOURCE_H

#include "core/inline.h"
#include "ops/layout.h"

/* Position along one axis of size n that padded position o shows; -1: the constant. */
REEL_INLINE int64_t reel_pad_source(int mode, int64_t o, int64_t before, int64_t n)
{
    int64_t i = o - before;
    if (i >= 0 && i < n) return i;
    if (mode == REEL_PAD_CONSTANT) return -1;
    if (mode == REEL_PAD_EDGE) return i < 0 ? 0 : n - 1;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

/* Element of x [inner] that element `at` of y [outer] shows, both row-major; -1: the constant. */
static inline int64_t reel_pad_element(const reel_pad_attr *attr, const reel_shape *x, const reel_shape *y, int64_t at)
{
    int64_t element = 0, step = 1;
    for (int a = x->rank - 1; a >= 0; a--) {
        int64_t i = reel_pad_source(attr->mode, at % y->size[a], attr->before.at[a], x->size[a]);
        if (i < 0) return -1;
        element += i * step;
        step *= x->size[a];
        at /= y->size[a];
    }
    return element;
}

/* The attribute rows of both. */
extern const reel_attr reel_pad_attributes[];
/* Checks the attributes against an unpadded shape and gives the padded one. */
bool reel_pad_shape(const reel_rule *r, const reel_pad_attr *attr, const reel_shape *x, reel_shape *y);
/* Samples are kept apart where their axis is not padded. */
reel_samples reel_pad_samples(const reel_node *node);

#endif
