/* mean: y = the mean of x over some axes, of all of them when none is named; the mean of no elements is refused. Floats
   are added in double; the mean of bf16 is f32.
   Gradient: dy / n, stretched back over the n elements that made one. */
#include "ops/ops.h"
#include "ops/fold.h"

reel_tensor *reel_mean(reel_tensor *x, reel_ints axes, bool keep)
{
    return reel_apply1(&reel_op_mean, (&(reel_reduce_attr){axes, keep}), x);
}

reel_tensor *reel_mean_all(reel_tensor *x)
{
    return reel_mean(x, (reel_ints){0}, false);
}

static bool shape(reel_rule *r)
{
    return reel_fold_shape_nonempty(r) && reel_fold_sums(r);
}

static void gradient(reel_gradient *g)
{
    const reel_tensor *x = g->x[0];
    int64_t all = reel_elements(&x->shape), made = reel_elements(&g->y[0]->shape);
    reel_tensor *share = reel_scale(g->dy[0], all ? (double)made / (double)all : 0);
    share = reel_reshape(reel_cast(share, x->dtype), reel_fold_kept_shape(&x->shape, g->attr));
    g->dx[0] = reel_broadcast_to(share, x->shape);
}

static reel_status mean_reference(const reel_call *call)
{
    return reel_fold_run(call, 0, reel_fold_plus, true);
}

const reel_op reel_op_mean = {.name = "mean",
                              .summary = "the mean of x over some axes",
                              .least_inputs = 1,
                              .most_inputs = 1,
                              .outputs = 1,
                              .attr_size = sizeof(reel_reduce_attr),
                              .attrs = reel_fold_attrs,
                              .shape = shape,
                              .gradient = gradient,
                              .reference = {mean_reference, NULL},
                              .flops = reel_fold_flops};
