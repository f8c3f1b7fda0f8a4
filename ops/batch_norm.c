/* batch_norm: y = (x - mean) / sqrt(variance + epsilon) * scale + shift, channel by channel (Ioffe and Szegedy 2015)

   x [N, C, ...] of rank 2 or more; scale, shift, mean and variance [C], of the dtype of x or, where that is bf16, all
   four f32. The op takes the statistics as they are given.
   Evaluation gives it the running ones; training gives it those of the batch, which are ops like any others, so that
   the gradient through them, and the gradient of that, need no rule of their own.

   Gradient, with r = 1 / sqrt(variance + epsilon), and sums over all axes but that of the channels:
       dx = dy * scale * r        dscale = r * sum(dy * (x - mean))      dshift = sum(dy)
       dmean = -scale * r * sum(dy)      dvariance = -1/2 scale r^3 sum(dy * (x - mean))
   Cost: 2 operations an element. */
#include "ops/ops.h"
#include "ops/value.h"

#include <math.h>
#include <stddef.h>

static const reel_attr attributes[] = {
    {"epsilon", REEL_ATTR_FLOAT, offsetof(reel_batch_norm_attr, epsilon), 1, "1e-5", NULL, "added to the variance"},
    {0}};

reel_tensor *reel_batch_norm(reel_tensor *x, reel_tensor *scale, reel_tensor *shift, reel_tensor *mean,
                             reel_tensor *variance, reel_batch_norm_attr attr)
{
    return reel_apply(x->graph, &reel_op_batch_norm, (reel_tensor *[]){x, scale, shift, mean, variance}, 5, &attr);
}

static bool shape(reel_rule *r)
{
    static const char *const names[] = {"x", "scale", "shift", "mean", "variance"};
    const reel_tensor *x = r->input[0];
    double epsilon = ((const reel_batch_norm_attr *)r->attr)->epsilon;
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(r, "takes floats; reel_cast converts");
    if (x->shape.rank < 2) return reel_reject(r, "x has rank %d, expected [N, C, ...]", x->shape.rank);
    if (!(epsilon >= 0)) return reel_reject(r, "epsilon is %g, expected 0 or more", epsilon);
    reel_dtype dtype = r->input[1]->dtype == x->dtype ? x->dtype : reel_dtype_of_sum(x->dtype);
    for (int i = 1; i < 5; i++) {
        const reel_tensor *t = r->input[i];
        if (t->dtype != dtype || t->shape.rank != 1 || t->shape.size[0] != x->shape.size[1])
            return reel_reject(r, "%s must be %s [%lld], one value a channel of x", names[i], reel_dtype_name(dtype),
                               (long long)x->shape.size[1]);
    }
    r->dtype[0] = x->dtype;
    r->shape[0] = x->shape;
    return true;
}

/* --- channels --- */

/* t [C] as [1, C, 1, ...], to broadcast over x. */
static reel_tensor *by_channel(reel_tensor *t, const reel_tensor *x)
{
    reel_shape wanted = {.rank = x->shape.rank};
    for (int i = 0; i < wanted.rank; i++) wanted.size[i] = i == 1 ? x->shape.size[1] : 1;
    return reel_reshape(t, wanted);
}

/* All axes but that of the channels. */
static reel_ints other_axes(const reel_tensor *x)
{
    reel_ints axes = {0};
    for (int i = 0; i < x->shape.rank; i++)
        if (i != 1) axes.at[axes.count++] = i;
    return axes;
}

static void gradient(reel_gradient *g)
{
    reel_tensor *x = g->x[0], *scale = g->x[1], *mean = g->x[3], *variance = g->x[4], *dy = g->dy[0];
    double epsilon = ((const reel_batch_norm_attr *)g->attr)->epsilon;
    reel_tensor *spread = reel_sqrt(reel_add(variance, reel_scalar_like(variance, epsilon)));
    reel_tensor *factor = reel_div(scale, spread);
    if (g->wanted[0]) g->dx[0] = reel_mul(dy, by_channel(reel_cast(factor, x->dtype), x));
    dy = reel_cast(dy, scale->dtype);
    if (g->wanted[2] || g->wanted[3]) g->dx[2] = reel_cast(reel_sum(dy, other_axes(x), false), scale->dtype);
    if (g->wanted[3]) g->dx[3] = reel_neg(reel_mul(factor, g->dx[2]));
    if (!g->wanted[1] && !g->wanted[4]) return;
    reel_tensor *centred = reel_sub(reel_cast(x, mean->dtype), by_channel(mean, x));
    reel_tensor *moment = reel_sum(reel_mul(dy, centred), other_axes(x), false);
    g->dx[1] = reel_div(reel_cast(moment, scale->dtype), spread);
    if (g->wanted[4]) g->dx[4] = reel_scale(reel_div(reel_mul(factor, g->dx[1]), spread), -0.5);
}

/* --- training --- */

static reel_tensor *follow(reel_tensor *running, reel_tensor *batch, double momentum)
{
    return reel_add(reel_scale(running, 1 - momentum), reel_scale(batch, momentum));
}

reel_batch_norm_result reel_batch_norm_train(reel_tensor *x, reel_tensor *scale, reel_tensor *shift, reel_tensor *mean,
                                             reel_tensor *variance, reel_batch_norm_training how)
{
    reel_ints axes = other_axes(x);
    int64_t n = x->shape.rank > 1 && x->shape.size[1] ? reel_elements(&x->shape) / x->shape.size[1] : 0;
    if (!reel_poisoned(x) && (n < 1 || (how.unbiased && n < 2)))
        x = reel_poison(x->graph,
                        "batch_norm '%s': training needs x [N, C, ...] with %d or more values a channel, not %lld",
                        reel_scope(x->graph), how.unbiased ? 2 : 1, (long long)n);
    if (reel_poisoned(x)) return (reel_batch_norm_result){x, x, x};
    reel_tensor *own_mean = reel_cast(reel_mean(x, axes, false), scale->dtype);
    reel_tensor *centred = reel_sub(reel_cast(x, scale->dtype), by_channel(own_mean, x));
    reel_tensor *own_variance = reel_cast(reel_mean(reel_square(centred), axes, false), scale->dtype);
    double correction = how.unbiased ? (double)n / (double)(n - 1) : 1;
    return (reel_batch_norm_result){
        .y = reel_batch_norm(x, scale, shift, own_mean, own_variance, (reel_batch_norm_attr){how.epsilon}),
        .mean = follow(mean, own_mean, how.momentum),
        .variance = follow(variance, reel_scale(own_variance, correction), how.momentum)};
}

/* --- reference --- */

static reel_status batch_norm_reference(const reel_call *call)
{
    const reel_array *in = call->input;
    double epsilon = ((const reel_batch_norm_attr *)call->attr)->epsilon;
    int64_t channels = in[0].shape.size[1], inner = 1, elements = reel_elements(&in[0].shape);
    for (int i = 2; i < in[0].shape.rank; i++) inner *= in[0].shape.size[i];
    for (int64_t i = 0; i < elements; i++) {
        int64_t c = i / inner % channels;
        double centred = reel_value(&in[0], i) - reel_value(&in[3], c);
        double normal = centred / sqrt(reel_value(&in[4], c) + epsilon);
        reel_set_value(&call->output[0], i, normal * reel_value(&in[1], c) + reel_value(&in[2], c));
    }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    return 2.0 * (double)reel_elements(&node->output[0].shape);
}

const reel_op reel_op_batch_norm = {.name = "batch_norm",
                                    .summary = "(x - mean) / sqrt(variance + epsilon) * scale + shift",
                                    .least_inputs = 5,
                                    .most_inputs = 5,
                                    .outputs = 1,
                                    .flags = REEL_OP_INPLACE,
                                    .attr_size = sizeof(reel_batch_norm_attr),
                                    .attrs = attributes,
                                    .shape = shape,
                                    .gradient = gradient,
                                    .reference = {batch_norm_reference, NULL},
                                    .flops = flops};
