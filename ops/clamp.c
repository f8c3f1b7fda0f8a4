/* clamp: x, but low where it is below low, and high where it is above high. NaN stays NaN.
   Gradient: dy where low <= x <= high, bounds included as in torch, 0 elsewhere. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"low", REEL_ATTR_FLOAT, offsetof(reel_clamp_attr, low), 1, "-inf", NULL, "the least result"},
    {"high", REEL_ATTR_FLOAT, offsetof(reel_clamp_attr, high), 1, "inf", NULL, "the greatest result"},
    {0}};

reel_tensor *reel_clamp(reel_tensor *x, double low, double high)
{
    return reel_apply1(&reel_op_clamp, (&(reel_clamp_attr){low, high}), x);
}

static bool shape(reel_rule *r)
{
    const reel_clamp_attr *attr = r->attr;
    if (!(attr->low <= attr->high))
        return reel_reject(r, "low is %g and high is %g; low must not be above high", attr->low, attr->high);
    return reel_elementwise_floats(r);
}

static void gradient(reel_gradient *g)
{
    const reel_clamp_attr *attr = g->attr;
    reel_tensor *x = g->x[0], *inside = reel_greater_equal(x, reel_scalar_like(x, attr->low));
    inside = reel_mul(inside, reel_less_equal(x, reel_scalar_like(x, attr->high)));
    g->dx[0] = reel_where(inside, g->dy[0], reel_scalar_like(x, 0));
}

ELEMENTWISE1_WITH(clamp, const T low = (T)ATTR(reel_clamp_attr)->low;
                  const T high = (T)ATTR(reel_clamp_attr)->high, x, x < low ? low : (x > high ? high : x))

const reel_op reel_op_clamp = {.name = "clamp",
                               .summary = "x held between low and high",
                               .least_inputs = 1,
                               .most_inputs = 1,
                               .outputs = 1,
                               .flags = REEL_ELEMENTWISE,
                               .attr_size = sizeof(reel_clamp_attr),
                               .attrs = attributes,
                               .shape = shape,
                               .gradient = gradient,
                               .reference = {clamp_reference, NULL}};
