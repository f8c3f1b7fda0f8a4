/* See short_training.h. */
#include "tests/support/short_training.h"

#include <check.h>

const reel_training short_training = {
    .model = {.memory = true, .distance = true, .top = REEL_TOP_COMPACT, .width = 0.001, .border = 20, .bin = 5},
    .height = SHORT_SIDE,
    .width = SHORT_SIDE,
    .frames = SHORT_FRAMES - 1,
    .batch = 1,
    .dtype = REEL_F32,
    .clip_batch = true,
    .seed = 5};

void short_clip(reel_clip *clip, uint64_t n)
{
    reel_error error = {REEL_OK, ""};
    reel_dataset set;
    reel_moving_shapes shapes = {
        .seed = 2, .videos = 3, .frames = 6, .width = SHORT_SIDE, .height = SHORT_SIDE, .objects = 2};
    reel_clip_options options = {
        .frames = SHORT_FRAMES, .height = SHORT_SIDE, .width = SHORT_SIDE, .max_step = 2, .seed = 4};
    ck_assert_msg(reel_moving_shapes_open(&set, &shapes, &error) == REEL_OK, "%s", error.text);
    ck_assert_msg(reel_clip_sample(clip, &set, &options, n, &error) == REEL_OK, "%s", error.text);
    reel_dataset_close(&set);
}
