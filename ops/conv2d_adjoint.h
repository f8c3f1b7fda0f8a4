/* What conv2d_input_gradient and conv_transpose2d share: both are the adjoint of a convolution in x. */
#ifndef REEL_OPS_CONV2D_ADJOINT_H
#define REEL_OPS_CONV2D_ADJOINT_H

#include "ops/conv2d_geometry.h"

/* Fills x from dy and w, bias[c] (may be NULL) added: the plain loops. */
void reel_conv2d_adjoint(const reel_conv2d_geometry *g, const reel_array *dy, const reel_array *w,
                         const reel_array *bias, const reel_array *x);

#endif
