/* Clips: which frames they take, what augmentation does to picture and mask together, and every way to fail. */
#include "core/memory.h"
#include "datasets/clip.h"
#include "tests/support/stub_set.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const stub_options plain = {
    .videos = 3, .frames = 30, .objects = 2, .width = 60, .height = 40, .list_every = 1, .fail_video = -1};
static const reel_clip_options four = {.frames = 4, .height = 40, .width = 60, .max_step = 1, .seed = 9};

static reel_clip sample(const reel_dataset *set, const reel_clip_options *options, uint64_t n)
{
    reel_error error = {0};
    reel_clip clip;
    ck_assert_msg(reel_clip_sample(&clip, set, options, n, &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(clip.frames, options->frames);
    return clip;
}

static void expect_failure(const reel_dataset *set, const reel_clip_options *options, reel_status status,
                           const char *said)
{
    reel_error error = {0};
    reel_clip clip;
    ck_assert_int_eq(reel_clip_sample(&clip, set, options, 0, &error), status);
    ck_assert_msg(strstr(error.text, said) != NULL, "'%s' lacks '%s'", error.text, said);
    ck_assert(!clip.frame && !clip.valid && !clip.rgb && !clip.mask && clip.frames == 0);
}

static size_t area_of(const reel_clip *clip)
{
    return (size_t)clip->height * clip->width;
}

START_TEST(a_sample_is_a_function_of_its_number)
{
    reel_moving_shapes shapes = {.seed = 1, .videos = 6, .frames = 12, .width = 64, .height = 36, .objects = 3};
    reel_clip_options options = {.frames = 3,
                                 .height = 32,
                                 .width = 48,
                                 .flip = true,
                                 .affine = true,
                                 .reverse = true,
                                 .max_step = 3,
                                 .seed = 4};
    reel_dataset set;
    ck_assert_int_eq(reel_moving_shapes_open(&set, &shapes, NULL), REEL_OK);
    int differ = 0;
    for (uint64_t n = 0; n < 20; n++) {
        reel_clip a = sample(&set, &options, n), b = sample(&set, &options, n), c = sample(&set, &options, n + 1);
        ck_assert_mem_eq(a.rgb, b.rgb, 9 * area_of(&a) * sizeof(float));
        ck_assert_mem_eq(a.mask, b.mask, 3 * area_of(&a) * sizeof(float));
        ck_assert_mem_eq(a.frame, b.frame, 3 * sizeof(int));
        differ += memcmp(a.rgb, c.rgb, 9 * area_of(&a) * sizeof(float)) != 0;
        reel_clip_free(&a), reel_clip_free(&b), reel_clip_free(&c);
    }
    ck_assert_int_eq(differ, 20);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(pairs_are_drawn_uniformly)
{
    reel_dataset set;
    stub_open(&set, &plain);
    reel_clip_options options = {.frames = 1, .height = 20, .width = 30, .max_step = 1, .seed = 3};
    int drawn[3][2] = {{0}};
    for (uint64_t n = 0; n < 1200; n++) {
        reel_clip clip = sample(&set, &options, n);
        drawn[clip.video][clip.object / 10 - 1]++;
        reel_clip_free(&clip);
    }
    for (int v = 0; v < 3; v++)
        for (int k = 0; k < 2; k++) ck_assert_msg(abs(drawn[v][k] - 200) < 60, "pair %d %d: %d", v, k, drawn[v][k]);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(steps_and_directions_all_occur)
{
    reel_dataset set;
    stub_open(&set, &plain);
    reel_clip_options options = four;
    options.max_step = 5, options.reverse = true;
    int seen[11] = {0}, earliest = 99, latest = 0;
    for (uint64_t n = 0; n < 600; n++) {
        reel_clip clip = sample(&set, &options, n);
        int step = clip.frame[1] - clip.frame[0];
        ck_assert(step && abs(step) <= 5);
        for (int k = 1; k < 4; k++) ck_assert_int_eq(clip.frame[k] - clip.frame[k - 1], step);
        for (int k = 0; k < 4; k++) {
            earliest = clip.frame[k] < earliest ? clip.frame[k] : earliest;
            latest = clip.frame[k] > latest ? clip.frame[k] : latest;
        }
        seen[step + 5]++;
        reel_clip_free(&clip);
    }
    for (int step = -5; step <= 5; step++)
        ck_assert_msg(!step || seen[step + 5] > 30, "step %d: %d", step, seen[step + 5]);
    ck_assert_int_eq(earliest, 0);
    ck_assert_int_eq(latest, 29);
    reel_dataset_close(&set);
}
END_TEST

/* 30 frames listed every fourth leave 8 (or 8 from frame 1 on): a step of 5 listed frames cannot be had for 4 frames,
   and 12 frames not even with steps of one, so the clip turns around at the ends. */
START_TEST(short_videos_step_less_then_run_back_and_forth)
{
    stub_options sparse = plain;
    sparse.list_every = 4;
    reel_dataset set;
    stub_open(&set, &sparse);
    reel_clip_options options = four;
    options.max_step = 5, options.reverse = true;
    bool double_step = false, turned = false;
    for (uint64_t n = 0; n < 100; n++) {
        options.frames = n % 2 ? 12 : 4;
        reel_clip clip = sample(&set, &options, n);
        for (int k = 0; k < clip.frames; k++) {
            ck_assert_int_eq(clip.frame[k] % 4, clip.object / 10 - 1);
            if (k)
                ck_assert(abs(clip.frame[k] - clip.frame[k - 1]) == (n % 2 ? 4 : abs(clip.frame[1] - clip.frame[0])));
            turned |= k > 1 && clip.frame[k] == clip.frame[k - 2];
        }
        ck_assert_int_le(abs(clip.frame[1] - clip.frame[0]), 8);
        double_step |= abs(clip.frame[1] - clip.frame[0]) == 8;
        reel_clip_free(&clip);
    }
    ck_assert(double_step && turned);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(unknown_masks_are_not_valid_and_empty)
{
    stub_options gaps = plain;
    gaps.mask_every = 2;
    reel_dataset set;
    stub_open(&set, &gaps);
    for (uint64_t n = 0; n < 40; n++) {
        reel_clip clip = sample(&set, &four, n);
        for (int k = 0; k < 4; k++) {
            float sum = 0;
            for (size_t p = 0; p < area_of(&clip); p++) sum += clip.mask[area_of(&clip) * (size_t)k + p];
            ck_assert_int_eq(clip.valid[k], clip.frame[k] % 2 == 0);
            ck_assert(clip.valid[k] || sum == 0);
            ck_assert(k || sum > 0);
        }
        reel_clip_free(&clip);
    }
    reel_dataset_close(&set);
}
END_TEST

static bool equal(const float *a, const float *b, size_t rows, size_t width, bool mirrored)
{
    for (size_t i = 0; i < rows * width; i++)
        if (a[i] != b[mirrored ? i / width * width + width - 1 - i % width : i]) return false;
    return true;
}

/* The flip is drawn apart from the rest, so the same clip can be had with and without it. */
START_TEST(half_of_the_clips_are_mirrored_picture_and_mask_alike)
{
    reel_dataset set;
    stub_open(&set, &plain);
    reel_clip_options flipping = four;
    flipping.flip = true;
    int count = 0;
    for (uint64_t n = 0; n < 200; n++) {
        reel_clip straight = sample(&set, &four, n), clip = sample(&set, &flipping, n);
        bool mirrored = !equal(straight.mask, clip.mask, 4 * 40, 60, false);
        count += mirrored;
        ck_assert_mem_eq(straight.frame, clip.frame, 4 * sizeof(int));
        ck_assert(equal(straight.mask, clip.mask, 4 * 40, 60, mirrored));
        ck_assert(equal(straight.rgb, clip.rgb, 4 * 3 * 40, 60, mirrored));
        reel_clip_free(&straight), reel_clip_free(&clip);
    }
    ck_assert_msg(abs(count - 100) < 35, "%d of 200 are mirrored", count);
    reel_dataset_close(&set);
}
END_TEST

typedef struct {
    double weight, x, y;
} centroid;

static void weigh(centroid *c, const reel_clip *clip, size_t pixel, double weight)
{
    c->weight += weight;
    c->x += weight * (double)(pixel % (size_t)clip->width);
    c->y += weight * (double)(pixel / (size_t)clip->width);
}

/* Objects are white on black: where brightness has its centre, the mask must have its own. Single clips are off by the
   mask's rounding; a shift of all, even by a third of a pixel, shows in the mean. */
START_TEST(picture_and_mask_stay_together)
{
    stub_options single = plain;
    single.objects = 1;
    reel_dataset set;
    stub_open(&set, &single);
    reel_clip_options options = {.frames = 3,
                                 .height = 80,
                                 .width = 90,
                                 .flip = true,
                                 .affine = true,
                                 .reverse = true,
                                 .max_step = 3,
                                 .seed = 8};
    double smallest = 1e9, largest = 0, off_x = 0, off_y = 0;
    int seen = 0, out_of_range = 0;
    for (uint64_t n = 0; n < 100; n++) {
        reel_clip clip = sample(&set, &options, n);
        for (size_t k = 0; k < 3; k++) {
            centroid light = {0}, object = {0};
            for (size_t p = 0; p < area_of(&clip); p++) {
                float red = clip.rgb[3 * area_of(&clip) * k + p];
                float bright = red * reel_imagenet_deviation[0] + reel_imagenet_mean[0];
                out_of_range += bright < -1e-4f || bright > 1.0001f;
                weigh(&light, &clip, p, bright);
                weigh(&object, &clip, p, clip.mask[area_of(&clip) * k + p]);
            }
            if (k == 0) smallest = fmin(smallest, object.weight), largest = fmax(largest, object.weight);
            if (object.weight < 20) continue; /* turned out of sight */
            double x = light.x / light.weight - object.x / object.weight;
            double y = light.y / light.weight - object.y / object.weight;
            ck_assert_msg(hypot(x, y) < 1, "clip %d: the mask is %g, %g beside the picture", (int)n, x, y);
            off_x += x, off_y += y, seen++;
        }
        reel_clip_free(&clip);
    }
    ck_assert_int_eq(out_of_range, 0);
    ck_assert_int_gt(seen, 200);
    ck_assert_msg(hypot(off_x, off_y) / seen < 0.1, "masks are %g, %g beside", off_x / seen, off_y / seen);
    ck_assert_msg(largest > 1.8 * smallest, "affine scale has no effect: areas %g to %g", smallest, largest);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(planes_are_normalised_and_ids_told_apart)
{
    uint8_t rgb[12] = {255, 0, 51, 255, 0, 51, 255, 0, 51, 255, 0, 51}, id[4] = {1, 2, 2, 255};
    reel_image image = {2, 2, rgb};
    reel_mask mask = {.width = 2, .height = 2, .id = id};
    float planes[27], plane[16];
    static const float level[3] = {1, 0, 0.2f};
    ck_assert_int_eq(reel_frame_to_planes(&image, 3, 3, planes, NULL), REEL_OK);
    for (int i = 0; i < 27; i++)
        ck_assert_float_eq_tol(planes[i], (level[i / 9] - reel_imagenet_mean[i / 9]) / reel_imagenet_deviation[i / 9],
                               1e-5f);
    reel_mask_to_plane(&mask, 2, 4, 4, plane);
    for (int i = 0; i < 16; i++) ck_assert_float_eq(plane[i], (i % 4 >= 2) != (i / 4 >= 2));
}
END_TEST

START_TEST(what_cannot_be_sampled_is_refused)
{
    reel_dataset set;
    stub_options one_frame = plain, hidden = plain, broken = plain;
    one_frame.frames = 2, one_frame.list_every = 2;
    hidden.show_from = 99;
    broken.videos = 1, broken.frames = 4, broken.objects = 1, broken.fail_video = 0, broken.fail_frame = 2;
    stub_open(&set, &one_frame);
    expect_failure(&set, &four, REEL_BAD_DATA, "stub: none of the 3 videos");
    reel_dataset_close(&set);
    stub_open(&set, &hidden);
    expect_failure(&set, &four, REEL_BAD_DATA, "never showed the object");
    reel_dataset_close(&set);
    stub_open(&set, &broken);
    expect_failure(&set, &four, REEL_BAD_DATA, "stub/video_00000/00002.jpg: broken on purpose");
    reel_clip_options bad[] = {four, four, four, four, four};
    bad[0].frames = 0, bad[1].max_step = 0, bad[2].height = 0, bad[3].width = 1 << 20, bad[4].frames = 1 << 20;
    for (int i = 0; i < 5; i++) expect_failure(&set, &bad[i], REEL_USAGE, "must be");
    reel_dataset_close(&set);
}
END_TEST

/* An object that shows in the last third only: draws are repeated until the first frame shows it. */
START_TEST(the_first_frame_always_shows_the_object)
{
    stub_options late = plain;
    late.show_from = 20;
    reel_dataset set;
    stub_open(&set, &late);
    for (uint64_t n = 0; n < 100; n++) {
        reel_clip clip = sample(&set, &four, n);
        ck_assert_int_ge(clip.frame[0], 20);
        reel_clip_free(&clip);
    }
    reel_dataset_close(&set);
}
END_TEST

START_TEST(every_refused_allocation_is_survived)
{
    reel_dataset set;
    stub_open(&set, &plain);
    reel_clip_options options = four;
    options.affine = true, options.height = 16, options.width = 24;
    reel_status status = REEL_ENVIRONMENT;
    uint64_t n = 0;
    while (status != REEL_OK) {
        reel_error error = {0};
        reel_clip clip;
        n++;
        reel_alloc_fail(n, n % 2);
        status = reel_clip_sample(&clip, &set, &options, 7, &error);
        reel_alloc_fail(0, false);
        ck_assert_int_eq(error.status, status);
        ck_assert(status == REEL_OK || status == REEL_ENVIRONMENT);
        ck_assert(status == REEL_OK || !clip.rgb);
        reel_clip_free(&clip);
    }
    ck_assert_uint_gt(n, 20);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(film_gives_clips)
{
    const char *folder = "../shared/data/davis";
    if (access(folder, R_OK)) {
        printf("SKIP film_gives_clips: %s is absent\n", folder);
        return;
    }
    reel_error error = {0};
    reel_dataset set;
    ck_assert_msg(reel_dataset_open(&set, folder, REEL_DAVIS2016, "train", &error) == REEL_OK, "%s", error.text);
    reel_clip_options options = {.frames = 3, .height = 128, .width = 224, .flip = true, .affine = true, .max_step = 4};
    for (uint64_t n = 0; n < 6; n++) {
        reel_clip clip = sample(&set, &options, n);
        double sum = 0, squares = 0, count = 9.0 * (double)area_of(&clip);
        for (size_t i = 0; i < 9 * area_of(&clip); i++) sum += clip.rgb[i], squares += clip.rgb[i] * clip.rgb[i];
        ck_assert(fabs(sum / count) < 2.2 && squares / count < 6 && squares / count > 0.05);
        for (int k = 0; k < 3; k++) ck_assert(clip.valid[k]);
        reel_clip_free(&clip);
    }
    reel_dataset_close(&set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_sample_is_a_function_of_its_number,  pairs_are_drawn_uniformly,
        steps_and_directions_all_occur,        short_videos_step_less_then_run_back_and_forth,
        unknown_masks_are_not_valid_and_empty, half_of_the_clips_are_mirrored_picture_and_mask_alike,
        picture_and_mask_stay_together,        planes_are_normalised_and_ids_told_apart,
        what_cannot_be_sampled_is_refused,     the_first_frame_always_shows_the_object,
        every_refused_allocation_is_survived,  film_gives_clips,
    };
    return tiny_suite("clips", tests, sizeof tests / sizeof *tests);
}
