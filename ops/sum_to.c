/* sum_to: x summed to a shape that broadcasts to x's: the axes that would be stretched are added up. Floats are added
   in double; the sum of bf16 is f32. Gradient: broadcast_to, its adjoint. */
#include "ops/ops.h"
#include "ops/fold.h"

static const reel_attr attributes[] = {
    {"shape", REEL_ATTR_INTS, offsetof(reel_to_shape_attr, shape), 1, "", NULL, "of the result; empty: a scalar"}, {0}};

reel_tensor *reel_sum_to(reel_tensor *x, reel_shape shape)
{
    reel_to_shape_attr attr = {{.count = shape.rank}};
    for (int i = 0; i < shape.rank; i++) attr.shape.at[i] = shape.size[i];
    return reel_apply1(&reel_op_sum_to, &attr, x);
}

static bool shape_rule(reel_rule *r)
{
    const reel_ints *wanted = &((const reel_to_shape_attr *)r->attr)->shape;
    const reel_tensor *x = r->input[0];
    char text[REEL_SHAPE_TEXT];
    reel_shape *y = &r->shape[0], both;
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "sums floats; reel_cast converts");
    y->rank = wanted->count;
    for (int i = 0; i < y->rank; i++) y->size[i] = wanted->at[i];
    if (!reel_shape_broadcast(y, &x->shape, &both) || !reel_shape_equal(&both, &x->shape))
        return reel_reject(r, "cannot sum to %s, which does not broadcast to the input", reel_shape_text(y, text));
    r->dtype[0] = reel_dtype_of_sum(x->dtype);
    return true;
}

static void gradient(reel_gradient *g)
{
    g->dx[0] = reel_broadcast_to(reel_cast(g->dy[0], g->x[0]->dtype), g->x[0]->shape);
}

static reel_status sum_to_reference(const reel_call *call)
{
    return reel_fold_run(call, 0, reel_fold_plus, false);
}

/* Axes that the output lacks are summed over; an axis 0 that it has may be the samples, or have been stretched. */
static reel_samples samples(const reel_node *node)
{
    bool lacks = node->output[0].shape.rank < node->input[0]->shape.rank;
    return (reel_samples){.inputs = lacks, .summed = lacks};
}

const reel_op reel_op_sum_to = {.name = "sum_to",
                                .summary = "x added up to a shape that would broadcast to its own",
                                .least_inputs = 1,
                                .most_inputs = 1,
                                .outputs = 1,
                                .attr_size = sizeof(reel_to_shape_attr),
                                .attrs = attributes,
                                .shape = shape_rule,
                                .gradient = gradient,
                                .reference = {sum_to_reference, NULL},
                                .samples = samples,
                                .flops = reel_fold_flops};
