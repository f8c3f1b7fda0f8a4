/* The sizes of one convolution, whichever of the trilinear family's arrays is being computed (convolution.h), and the
   checks that the family shares. */
#ifndef REEL_OPS_CONV2D_GEOMETRY_H
#define REEL_OPS_CONV2D_GEOMETRY_H

#include "ops/convolution.h"

typedef struct {
    int64_t n, groups;
    int64_t c, h, w; /* x: channels in all groups, rows, columns */
    int64_t k, p, q; /* y: channels in all groups, rows, columns */
    int64_t kh, kw;  /* kernel */
    int64_t cg, kg;  /* channels of x and y in one group */
    int64_t stride[2], dilation[2], top, left;
} reel_conv2d_geometry;

/* From three shapes that have been checked. */
static inline reel_conv2d_geometry reel_conv2d_measure(const reel_shape *x, const reel_shape *w, const reel_shape *y,
                                                       const reel_conv2d_attr *attr)
{
    return (reel_conv2d_geometry){.n = x->size[0],
                                  .groups = attr->groups,
                                  .c = x->size[1],
                                  .h = x->size[2],
                                  .w = x->size[3],
                                  .k = y->size[1],
                                  .p = y->size[2],
                                  .q = y->size[3],
                                  .kh = w->size[2],
                                  .kw = w->size[3],
                                  .cg = x->size[1] / attr->groups,
                                  .kg = y->size[1] / attr->groups,
                                  .stride = {attr->stride[0], attr->stride[1]},
                                  .dilation = {attr->dilation[0], attr->dilation[1]},
                                  .top = attr->pad[0],
                                  .left = attr->pad[1]};
}

/* Two operations a product: N K P Q C/groups kh kw of them. */
static inline double reel_conv2d_work(const reel_conv2d_geometry *g)
{
    return 2.0 * (double)g->n * (double)g->k * (double)g->p * (double)g->q * (double)g->cg * (double)(g->kh * g->kw);
}

/* Ranks, dtypes and attributes that every member demands of its first two inputs and its optional bias. */
bool reel_conv2d_check(const reel_rule *r, const reel_conv2d_attr *attr);
/* Rows (axis 0) or columns (axis 1) of y; 0 after a rejection. */
int64_t reel_conv2d_extent(const reel_rule *r, const reel_conv2d_attr *attr, int axis, int64_t size, int64_t kernel);

#endif
