/* What the derivatives of conv2d share, and conv_transpose2d, which is the adjoint of a convolution in x as
   conv2d_input_gradient is. */
#ifndef REEL_OPS_CONV2D_ADJOINT_H
#define REEL_OPS_CONV2D_ADJOINT_H

#include "ops/conv2d_geometry.h"

/* The attribute rows of both derivatives. */
extern const reel_attr reel_conv2d_adjoint_attributes[];

/* The plain loops of the adjoint in x, whose inputs are dy, w and, where there is one, a bias. Attributes begin with
   the convolution's. */
reel_status reel_conv2d_adjoint(const reel_call *call);
double reel_conv2d_adjoint_flops(const reel_node *node);

#endif
