/* broadcast_to: x repeated until it has a shape, by the rule of broadcasting: aligned at the last axis, sizes of 1
   stretched. Kernels broadcast by themselves; this op is for those that do not, and for gradients.
   Gradient: sum_to, its adjoint. */
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"shape", REEL_ATTR_INTS, offsetof(reel_to_shape_attr, shape), 1, "", NULL, "of the result; empty: a scalar"}, {0}};

reel_tensor *reel_broadcast_to(reel_tensor *x, reel_shape shape)
{
    reel_to_shape_attr attr = {{.count = shape.rank}};
    for (int i = 0; i < shape.rank; i++) attr.shape.at[i] = shape.size[i];
    return reel_apply1(&reel_op_broadcast_to, &attr, x);
}

static bool shape_rule(reel_rule *r)
{
    const reel_ints *wanted = &((const reel_to_shape_attr *)r->attr)->shape;
    const reel_tensor *x = r->input[0];
    char text[REEL_SHAPE_TEXT];
    reel_shape *y = &r->shape[0], both;
    y->rank = wanted->count;
    for (int i = 0; i < y->rank; i++) y->size[i] = wanted->at[i];
    if (!reel_shape_broadcast(y, &x->shape, &both) || !reel_shape_equal(&both, y))
        return reel_reject(r, "the input does not broadcast to %s", reel_shape_text(y, text));
    r->dtype[0] = x->dtype;
    return true;
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_sum_to(g->dy[0], g->x[0]->shape);
}

ELEMENTWISE_ROW1(copy_f32, float, , x, x)
ELEMENTWISE_ROW1(copy_f64, double, , x, x)
ELEMENTWISE_ROW1(copy_i32, int32_t, , x, x)
ELEMENTWISE_ROW1(copy_u8, uint8_t, , x, x)

static reel_status broadcast_to_reference(const reel_call *call)
{
    if (call->output[0].dtype == REEL_U8) return reel_elementwise_rows(call, copy_u8);
    return reel_elementwise_run(call, copy_f32, copy_f64, copy_i32);
}

/* The attribute says how many there are, whatever comes in. */
static reel_samples samples(const reel_node *node)
{
    (void)node;
    return (reel_samples){.inputs = 0};
}

const reel_op reel_op_broadcast_to = {.name = "broadcast_to",
                                      .summary = "x repeated until it has a shape",
                                      .least_inputs = 1,
                                      .most_inputs = 1,
                                      .outputs = 1,
                                      .flags = REEL_OP_ELEMENTWISE,
                                      .attr_size = sizeof(reel_to_shape_attr),
                                      .attrs = attributes,
                                      .shape = shape_rule,
                                      .gradient = gradient,
                                      .reference = {broadcast_to_reference, NULL},
                                      .samples = samples};
