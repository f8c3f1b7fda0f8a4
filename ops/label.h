/* What the ops that read class numbers share. Scores are x [N, K, ...], labels i32 [N, ...]; a label equal to the
   ignored index makes its element count as absent, any other must be 0..K-1. */
#ifndef REEL_OPS_LABEL_H
#define REEL_OPS_LABEL_H

#include "ops/losses.h"

/* The attribute rows of ops with a reel_label_attr. */
extern const reel_attr reel_label_attrs[];

/* [N, K, ...] as samples x classes x positions. */
typedef struct {
    int64_t samples, classes, positions;
} reel_label_extent;

reel_label_extent reel_label_extent_of(const reel_shape *scores);

/* The shape of the labels of scores, which have two axes at least; of the scores of labels. */
reel_shape reel_label_shape(const reel_shape *scores);
reel_shape reel_label_scores(const reel_shape *labels, int64_t classes);

/* Refuses labels that are not i32, scores that are no floats, or shapes that do not belong together. */
bool reel_label_fit(const reel_rule *rule, const reel_tensor *scores, const reel_tensor *labels);

/* Looks at every label once, and refuses the first bad one, naming value and position. */
reel_status reel_label_check(const reel_call *call, const reel_array *labels, int64_t classes, int ignore_index);

#endif
