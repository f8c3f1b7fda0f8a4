/* scale: y = factor * x, with a factor known when the graph is defined. A factor of 0 keeps NaN and makes NaN of
   infinity. Gradient: factor * dy. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"factor", REEL_ATTR_FLOAT, offsetof(reel_scale_attr, factor), 1, "1", NULL, "what x is multiplied by"}, {0}};

reel_tensor *reel_scale(reel_tensor *x, double factor)
{
    return reel_apply1(&reel_op_scale, &(reel_scale_attr){factor}, x);
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_scale(g->dy[0], ((const reel_scale_attr *)g->attr)->factor);
}

ELEMENTWISE1_WITH(scale, const T factor = (T)ATTR(reel_scale_attr)->factor, x, factor *x)

const reel_op reel_op_scale = {.name = "scale",
                               .summary = "factor * x",
                               .least_inputs = 1,
                               .most_inputs = 1,
                               .outputs = 1,
                               .flags = REEL_ELEMENTWISE,
                               .attr_size = sizeof(reel_scale_attr),
                               .attrs = attributes,
                               .shape = reel_elementwise_floats,
                               .gradient = gradient,
                               .reference = {scale_reference, NULL}};
