/* distance_classes: how far each pixel is from the border of the object, and on which side, as a class number: the
   second task of S2S++ (Azimi et al. 2020), after Bischke et al. 2019.

   mask [N, 1, H, W], float or u8, object where it is not zero; y: i32 [N, H, W]. With B = border, s = bin,
   T = B / s rounded down, there are 2T + 2 classes. d is the distance to the nearest pixel of the other side, rounded
   down, at least 1:

       background:  T - d / s  for d <= B, else 0           object:  T + 1 + d / s  for d <= B, else 2T + 1

   so classes rise from far outside (0) to deep inside (2T + 1). Trap: with s = 1 the classes T and T + 1, d = 0, are
   never used. A frame without an object, or full of it, has no border: every pixel is far.

   Only squares are compared, so no rounding is involved: d <= B is d^2 < (B + 1)^2. Cost: two distance transforms,
   O(H W). No gradient. */
#include "ops/ops.h"
#include "ops/squared_distance.h"

#include <math.h>
#include <stddef.h>

static const reel_attr attrs[] = {
    {"border", REEL_ATTR_INT, offsetof(reel_distance_classes_attr, border), 1, "20", NULL,
     "farthest distance told apart"},
    {"bin", REEL_ATTR_INT, offsetof(reel_distance_classes_attr, bin), 1, "1", NULL, "pixels a class"},
    {0},
};

reel_tensor *reel_distance_classes(reel_tensor *mask, reel_distance_classes_attr attr)
{
    return reel_apply1(&reel_op_distance_classes, &attr, mask);
}

reel_tensor *reel_distance_loss(reel_tensor *logits, reel_tensor *mask, int border, int bin)
{
    reel_tensor *classes = reel_distance_classes(mask, (reel_distance_classes_attr){border, bin});
    int64_t count = bin > 0 ? 2 * (border / bin) + 2 : 0;
    if (!reel_poisoned(classes) && !reel_poisoned(logits) &&
        (logits->shape.rank != 4 || logits->shape.size[1] != count))
        return reel_poison(logits->graph,
                           "distance_loss: border %d in bins of %d makes %lld classes; the logits must be"
                           " [N, %lld, H, W]",
                           border, bin, (long long)count, (long long)count);
    return reel_cross_entropy(logits, classes, NULL, (reel_cross_entropy_attr){.ignore_index = REEL_IGNORE_NOTHING});
}

static bool shape_rule(reel_rule *r)
{
    const reel_distance_classes_attr *a = r->attr;
    const reel_shape *x = &r->input[0]->shape;
    if (x->rank != 4 || x->size[1] != 1) return reel_reject(r, "the mask must be [N, 1, H, W]");
    if (r->input[0]->dtype == REEL_I32) return reel_reject(r, "the mask must be float or u8; compare labels first");
    if (x->size[2] > INT16_MAX || x->size[3] > INT16_MAX)
        return reel_reject(r, "a plane may be %d pixels high and wide at most", INT16_MAX);
    if (a->border < 1 || a->border > INT16_MAX || a->bin < 1)
        return reel_reject(r, "border %d and bin %d must be at least 1, border %d at most", a->border, a->bin,
                           INT16_MAX);
    r->shape[0] = (reel_shape){.rank = 3, .size = {x->size[0], x->size[2], x->size[3]}};
    r->dtype[0] = REEL_I32;
    return true;
}

static bool is_object(const reel_array *mask, int64_t i)
{
    return mask->dtype == REEL_U8    ? ((const uint8_t *)mask->data)[i] != 0
           : mask->dtype == REEL_F32 ? ((const float *)mask->data)[i] != 0
                                     : ((const double *)mask->data)[i] != 0;
}

static int32_t class_of(const reel_distance_classes_attr *a, bool object, int64_t squared)
{
    int32_t most = a->border / a->bin, beyond = a->border + 1;
    if (squared >= (int64_t)beyond * beyond) return object ? 2 * most + 1 : 0;
    int32_t d = (int32_t)sqrt((double)squared);
    return object ? most + 1 + d / a->bin : most - d / a->bin;
}

static size_t scratch(const reel_call *call)
{
    const reel_shape *s = &call->input[0].shape;
    return (size_t)(s->size[2] * s->size[3] + 3 * s->size[3]) * sizeof(int64_t) + (size_t)(s->size[2] * s->size[3]);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *mask = &call->input[0];
    int64_t height = mask->shape.size[2], width = mask->shape.size[3];
    int64_t *column = call->scratch, *squared = column + height * width, *work = squared + width;
    uint8_t *other = (uint8_t *)(work + 2 * width);
    int32_t *y = call->output[0].data;
    for (int64_t n = 0; n < mask->shape.size[0]; n++)
        for (int object = 0; object < 2; object++) { /* distances of one side's pixels to the other side */
            for (int64_t i = 0; i < height * width; i++) other[i] = is_object(mask, n * height * width + i) != object;
            reel_column_distances(other, height, width, 0, width, column);
            for (int64_t row = 0; row < height; row++) {
                reel_squared_distance_row(column + row * width, squared, width, work);
                for (int64_t i = 0; i < width; i++) {
                    int64_t at = (n * height + row) * width + i;
                    if (is_object(mask, at) == object) y[at] = class_of(call->attr, object, squared[i]);
                }
            }
        }
    return REEL_OK;
}

const reel_op reel_op_distance_classes = {.name = "distance_classes",
                                          .summary = "signed distance to the border of a mask, as classes",
                                          .least_inputs = 1,
                                          .most_inputs = 1,
                                          .outputs = 1,
                                          .flags = REEL_OP_NO_GRADIENT,
                                          .attr_size = sizeof(reel_distance_classes_attr),
                                          .attrs = attrs,
                                          .shape = shape_rule,
                                          .reference = {reference, scratch}};
