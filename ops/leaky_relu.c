/* leaky_relu: y = x where x > 0, slope * x elsewhere. NaN stays NaN.
   Gradient: dy where x > 0, slope * dy elsewhere, at the kink too; from x, because with a negative slope the sign of y
   does not tell the side. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"slope", REEL_ATTR_FLOAT, offsetof(reel_leaky_relu_attr, slope), 1, "0.01", NULL, "factor where x <= 0"}, {0}};

reel_tensor *reel_leaky_relu(reel_tensor *x, double slope)
{
    return reel_apply1(&reel_op_leaky_relu, &(reel_leaky_relu_attr){slope}, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_leaky_relu_gradient(g->dy[0], g->x[0], ((const reel_leaky_relu_attr *)g->attr)->slope);
}

ELEMENTWISE1_WITH(leaky_relu, const T slope = (T)ATTR(reel_leaky_relu_attr)->slope, x, x > 0 ? x : slope * x)

const reel_op reel_op_leaky_relu = {.name = "leaky_relu",
                                    .summary = "x where x > 0, else slope * x",
                                    .least_inputs = 1,
                                    .most_inputs = 1,
                                    .outputs = 1,
                                    .flags = REEL_ELEMENTWISE,
                                    .attr_size = sizeof(reel_leaky_relu_attr),
                                    .attrs = attributes,
                                    .shape = reel_elementwise_floats,
                                    .gradient = gradient,
                                    .reference = {leaky_relu_reference, NULL}};
