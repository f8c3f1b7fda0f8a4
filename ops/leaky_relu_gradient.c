/* leaky_relu_gradient: dx = dy where x > 0, slope * dy elsewhere; x is the input of leaky_relu.
   Gradient: the same op for dy, in which it is linear; x only chooses, so that none reaches it. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"slope", REEL_ATTR_FLOAT, offsetof(reel_leaky_relu_attr, slope), 1, "0.01", NULL, "factor where x <= 0"}, {0}};

reel_tensor *reel_leaky_relu_gradient(reel_tensor *dy, reel_tensor *x, double slope)
{
    return reel_apply2(&reel_op_leaky_relu_gradient, &(reel_leaky_relu_attr){slope}, dy, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_leaky_relu_gradient(g->dy[0], g->x[1], ((const reel_leaky_relu_attr *)g->attr)->slope);
}

ELEMENTWISE2_WITH(leaky_relu_gradient, const T slope = (T)ATTR(reel_leaky_relu_attr)->slope, dy, x,
                  x > 0 ? dy : slope * dy)

const reel_op reel_op_leaky_relu_gradient = {.name = "leaky_relu_gradient",
                                             .summary = "dy where x > 0, else slope * dy",
                                             .least_inputs = 2,
                                             .most_inputs = 2,
                                             .outputs = 1,
                                             .flags = REEL_ELEMENTWISE,
                                             .attr_size = sizeof(reel_leaky_relu_attr),
                                             .attrs = attributes,
                                             .shape = reel_elementwise_floats,
                                             .gradient = gradient,
                                             .reference = {leaky_relu_gradient_reference, NULL}};
