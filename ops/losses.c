/* The losses, as functions that call builders: there is no op here, and their gradients come from the ops'.

   Sums over a whole batch are one number; a loss of the mean kind divides by what counts, never by what is ignored. */
#include "ops/losses.h"

#include "ops/label.h"
#include "ops/ops.h"

/* Losses of elements, 0 where ignored, into one number: with class weights w,
   none: w y      sum: sum of w y      mean: sum of w y / sum of w over the elements that count. */
static reel_tensor *reduced(reel_tensor *each, reel_tensor *scores, reel_tensor *target, reel_tensor *weight,
                            reel_cross_entropy_attr attr)
{
    if (reel_poisoned(each)) return each;
    reel_tensor *scale = NULL;
    if (weight && !reel_poisoned(weight) && (weight->shape.rank != 1 || weight->shape.size[0] != scores->shape.size[1]))
        return reel_poison(each->graph, "class weights must be [%lld], one a class", (long long)scores->shape.size[1]);
    if (weight || attr.reduction == REEL_REDUCE_MEAN) {
        reel_tensor *w = weight;
        if (!w) w = reel_broadcast_to(reel_scalar_like(scores, 1), REEL_SHAPE(scores->shape.size[1]));
        scale = reel_class_weights(w, target, attr.ignore_index);
    }
    if (weight) each = reel_mul(each, scale);
    if (attr.reduction == REEL_REDUCE_NONE) return each;
    reel_tensor *sum = reel_sum_all(each);
    return attr.reduction == REEL_REDUCE_SUM ? sum : reel_div(sum, reel_sum_all(scale));
}

reel_tensor *reel_cross_entropy(reel_tensor *logits, reel_tensor *target, reel_tensor *weight,
                                reel_cross_entropy_attr attr)
{
    reel_tensor *each = reel_apply2(&reel_op_cross_entropy, &(reel_label_attr){attr.ignore_index}, logits, target);
    return reduced(each, logits, target, weight, attr);
}

reel_tensor *reel_nll_loss(reel_tensor *log_probability, reel_tensor *target, reel_tensor *weight,
                           reel_cross_entropy_attr attr)
{
    reel_tensor *each = reel_neg(reel_pick(log_probability, target, attr.ignore_index));
    return reduced(each, log_probability, target, weight, attr);
}

/* --- binary --- */

static reel_tensor *one_minus(reel_tensor *x)
{
    return reel_sub(reel_scalar_like(x, 1), x);
}

/* -log s(x) = softplus(-x) and -log(1 - s(x)) = softplus(x), neither of which cancels however large x is:
       y = pos_weight t softplus(-x) + (1 - t) softplus(x). */
reel_tensor *reel_bce_with_logits(reel_tensor *logits, reel_tensor *target, reel_tensor *pos_weight,
                                  reel_reduction reduction)
{
    reel_tensor *positive = reel_mul(target, reel_softplus(reel_neg(logits)));
    if (pos_weight) positive = reel_mul(pos_weight, positive);
    reel_tensor *each = reel_add(positive, reel_mul(one_minus(target), reel_softplus(logits)));
    return reduction == REEL_REDUCE_NONE  ? each
           : reduction == REEL_REDUCE_SUM ? reel_sum_all(each)
                                          : reel_mean_all(each);
}

/* y = (N_neg / N sum over positives of e + N_pos / N sum over negatives of e) / N, e the binary cross-entropy of an
   element, N elements in the whole batch: the few pixels of a small object weigh as much as all the others (OSVOS,
   Caelles et al. 2017). Without positives, or without negatives, it is 0. */
reel_tensor *reel_balanced_bce(reel_tensor *logits, reel_tensor *target)
{
    if (reel_poisoned(logits) || reel_poisoned(target)) return reel_poisoned(logits) ? logits : target;
    double n = (double)reel_elements(&target->shape);
    if (!reel_shape_equal(&logits->shape, &target->shape) || n == 0)
        return reel_poison(logits->graph, "balanced_bce: logits and target must have one shape, and not be empty");
    reel_tensor *each = reel_bce_with_logits(logits, target, NULL, REEL_REDUCE_NONE);
    reel_tensor *share = reel_mean_all(target); /* of positives */
    reel_tensor *positive = reel_sum_all(reel_mul(each, target));
    reel_tensor *negative = reel_sum_all(reel_mul(each, one_minus(target)));
    return reel_scale(reel_add(reel_mul(one_minus(share), positive), reel_mul(share, negative)), 1 / n);
}

/* y = -log((I + e) / (U - I + e)), I = sum of p t, U = sum of p + sum of t, p = s(x), e = 1e-15, over the whole batch.
   With an empty target it is about 34.5 + log U: large, but its gradient only pushes U down. */
reel_tensor *reel_soft_iou_loss(reel_tensor *logits, reel_tensor *target)
{
    if (reel_poisoned(logits) || reel_poisoned(target)) return reel_poisoned(logits) ? logits : target;
    if (!reel_shape_equal(&logits->shape, &target->shape))
        return reel_poison(logits->graph, "soft_iou_loss: logits and target must have one shape");
    reel_tensor *p = reel_sigmoid(logits), *shared = reel_sum_all(reel_mul(p, target));
    reel_tensor *tiny = reel_scalar_like(shared, 1e-15);
    reel_tensor *both = reel_sub(reel_add(reel_sum_all(p), reel_sum_all(target)), shared);
    return reel_neg(reel_log(reel_div(reel_add(shared, tiny), reel_add(both, tiny))));
}
