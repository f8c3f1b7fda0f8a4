/* pad_gradient: dx[i] = sum over the padded positions that show element i of dy

   dy has the padded shape, dx that of the unpadded tensor: dy's sizes less `before` and `after`. Elements that were
   cropped get 0; what a constant filled is dropped. The adjoint of pad with value 0, whose attributes it has.

   Sums run in the order of dy, on one thread, so that their bits are fixed; only edge and reflect have any sums.
   Cost: one pass over dy. */
#include "ops/ops.h"
#include "ops/pad_source.h"
#include "ops/value.h"

#include <string.h>

reel_tensor *reel_pad_gradient(reel_tensor *dy, reel_pad_attr attr)
{
    return reel_apply1(&reel_op_pad_gradient, &attr, dy);
}

static bool shape(reel_rule *r)
{
    const reel_pad_attr *attr = r->attr;
    const reel_tensor *dy = r->input[0];
    reel_shape x = dy->shape, y;
    if (!reel_dtype_is_float(dy->dtype)) return reel_reject(r, "dy should be float");
    for (int a = 0; a < x.rank && a < attr->before.count && a < attr->after.count; a++) {
        x.size[a] -= attr->before.at[a] + attr->after.at[a];
        if (x.size[a] < 0) return reel_reject(r, "axis %d of dy is shorter than the padding", a);
    }
    r->dtype[0] = dy->dtype;
    r->shape[0] = x;
    return reel_pad_shape(r, attr, &x, &y);
}

static void gradient(reel_gradient *g)
{
    reel_pad_attr attr = *(const reel_pad_attr *)g->attr;
    attr.value = 0;
    if (g->wanted[0]) g->dx[0] = reel_pad(g->dy[0], attr);
}

static reel_status run(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    memset(dx->data, 0, (size_t)reel_elements(&dx->shape) * reel_dtype_size(dx->dtype));
    int64_t count = reel_elements(&dy->shape);
    for (int64_t at = 0; at < count; at++) {
        int64_t to = reel_pad_element(call->attr, &dx->shape, &dy->shape, at);
        if (to >= 0) reel_set_value(dx, to, reel_value(dx, to) + reel_value(dy, at));
    }
    return REEL_OK;
}

const reel_op reel_op_pad_gradient = {.name = "pad_gradient",
                                      .summary = "the adjoint of pad",
                                      .least_inputs = 1,
                                      .most_inputs = 1,
                                      .outputs = 1,
                                      .attr_size = sizeof(reel_pad_attr),
                                      .attrs = reel_pad_attributes,
                                      .shape = shape,
                                      .gradient = gradient,
                                      .reference = {run, NULL},
                                      .samples = reel_pad_samples};
