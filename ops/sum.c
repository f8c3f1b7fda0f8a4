/* sum: y = the sum of x over some axes, of all of them when none is named. The sum of no elements is 0. Floats are
   added in double; the sum of bf16 is f32. Gradient: dy, stretched back over what was added up. */
#include "ops/ops.h"
#include "ops/fold.h"

reel_tensor *reel_sum(reel_tensor *x, reel_ints axes, bool keep)
{
    return reel_apply1(&reel_op_sum, (&(reel_reduce_attr){axes, keep}), x);
}

reel_tensor *reel_sum_all(reel_tensor *x)
{
    return reel_sum(x, (reel_ints){0}, false);
}

static bool shape(reel_rule *r)
{
    return reel_fold_shape(r) && reel_fold_sums(r);
}

static void gradient(reel_gradient *g)
{
    const reel_tensor *x = g->x[0];
    reel_tensor *dy = reel_cast(g->dy[0], x->dtype);
    g->dx[0] = reel_broadcast_to(reel_reshape(dy, reel_fold_kept_shape(&x->shape, g->attr)), x->shape);
}

static reel_status sum_reference(const reel_call *call)
{
    return reel_fold_run(call, 0, reel_fold_plus, false);
}

static reel_samples samples(const reel_node *node)
{
    const reel_reduce_attr *a = node->attr;
    bool over_samples = !a->axes.count;
    for (int i = 0; i < a->axes.count; i++) over_samples |= reel_shape_axis(&node->input[0]->shape, a->axes.at[i]) == 0;
    return (reel_samples){.inputs = node->input[0]->shape.rank > 0, .summed = over_samples};
}

const reel_op reel_op_sum = {.name = "sum",
                             .summary = "the sum of x over some axes",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .attr_size = sizeof(reel_reduce_attr),
                             .attrs = reel_fold_attrs,
                             .shape = shape,
                             .gradient = gradient,
                             .reference = {sum_reference, NULL},
                             .samples = samples,
                             .flops = reel_fold_flops};
