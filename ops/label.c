/* See label.h. */
#include "ops/label.h"

#include <stddef.h>

const reel_attr reel_label_attrs[] = {
    {"ignore_index", REEL_ATTR_INT, offsetof(reel_label_attr, ignore_index), 1, "-100", NULL,
     "label that counts as absent"},
    {0},
};

reel_label_extent reel_label_extent_of(const reel_shape *scores)
{
    reel_label_extent e = {.samples = scores->size[0], .classes = scores->size[1], .positions = 1};
    for (int k = 2; k < scores->rank; k++) e.positions *= scores->size[k];
    return e;
}

reel_shape reel_label_shape(const reel_shape *scores)
{
    reel_shape labels = {.rank = scores->rank - 1, .size = {scores->size[0]}};
    for (int k = 1; k < labels.rank; k++) labels.size[k] = scores->size[k + 1];
    return labels;
}

reel_shape reel_label_scores(const reel_shape *labels, int64_t classes)
{
    reel_shape scores = {.rank = labels->rank + 1, .size = {labels->size[0], classes}};
    for (int k = 1; k < labels->rank; k++) scores.size[k + 1] = labels->size[k];
    return scores;
}

bool reel_label_fit(const reel_rule *rule, const reel_tensor *scores, const reel_tensor *labels)
{
    if (!reel_dtype_is_float(scores->dtype)) return reel_reject(rule, "scores must be float; reel_cast converts");
    if (labels->dtype != REEL_I32) return reel_reject(rule, "labels must be i32; reel_cast converts");
    if (scores->shape.rank < 2) return reel_reject(rule, "scores must be [N, K, ...], one row of K classes a sample");
    if (scores->shape.size[1] < 1) return reel_reject(rule, "there must be one class at least");
    reel_shape expected = reel_label_shape(&scores->shape);
    if (reel_shape_equal(&expected, &labels->shape)) return true;
    char text[REEL_SHAPE_TEXT];
    return reel_reject(rule, "labels must have the shape of the scores without the classes, %s",
                       reel_shape_text(&expected, text));
}

static reel_status refuse(const reel_call *call, const reel_array *labels, int64_t i, int64_t classes, int ignore_index)
{
    int32_t label = ((const int32_t *)labels->data)[i];
    reel_shape place = labels->shape; /* position of the element, one number an axis */
    char text[REEL_SHAPE_TEXT];
    for (int k = place.rank - 1; k >= 0; k--) {
        place.size[k] = i % labels->shape.size[k];
        i /= labels->shape.size[k];
    }
    return reel_fail(call->error, REEL_BAD_DATA, "%s: label %d at %s is neither 0..%lld nor the ignored %d",
                     call->op->name, label, reel_shape_text(&place, text), (long long)classes - 1, ignore_index);
}

reel_status reel_label_check(const reel_call *call, const reel_array *labels, int64_t classes, int ignore_index)
{
    const int32_t *label = labels->data;
    int64_t elements = reel_elements(&labels->shape);
    for (int64_t i = 0; i < elements; i++)
        if (label[i] != ignore_index && (label[i] < 0 || label[i] >= classes))
            return refuse(call, labels, i, classes, ignore_index);
    return REEL_OK;
}
