/* The loader: the same samples for any number of workers, errors at their place, and no way to hang. */
#include "core/memory.h"
#include "core/rng.h"
#include "datasets/clip.h"
#include "tests/support/stub_set.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <string.h>

static const stub_options stub = {
    .videos = 4, .frames = 12, .objects = 2, .width = 30, .height = 20, .list_every = 1, .fail_video = -1};
static const reel_clip_options small = {
    .frames = 2, .height = 10, .width = 16, .flip = true, .affine = true, .reverse = true, .max_step = 2, .seed = 21};

static reel_dataset open_shapes(void)
{
    reel_moving_shapes options = {.seed = 2, .videos = 8, .frames = 10, .width = 48, .height = 28, .objects = 3};
    reel_error error = {0};
    reel_dataset set;
    ck_assert_msg(reel_moving_shapes_open(&set, &options, &error) == REEL_OK, "%s", error.text);
    return set;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_clip(uint64_t hash, const reel_clip *clip)
{
    size_t area = (size_t)clip->height * clip->width * clip->frames;
    hash = hash_bytes(hash, &clip->video, sizeof clip->video);
    hash = hash_bytes(hash, &clip->object, sizeof clip->object);
    hash = hash_bytes(hash, clip->frame, (size_t)clip->frames * sizeof *clip->frame);
    hash = hash_bytes(hash, clip->valid, (size_t)clip->frames * sizeof *clip->valid);
    hash = hash_bytes(hash, clip->rgb, 3 * area * sizeof *clip->rgb);
    return hash_bytes(hash, clip->mask, area * sizeof *clip->mask);
}

static uint64_t hash_of_loaded(const reel_dataset *set, uint64_t first, int samples, int workers, int ahead)
{
    reel_error error = {0};
    uint64_t hash = 1;
    reel_loader *loader = reel_loader_start(set, &small, first, workers, ahead, &error);
    ck_assert_msg(loader != NULL, "%s", error.text);
    for (int n = 0; n < samples; n++) {
        reel_clip clip;
        ck_assert_msg(reel_loader_next(loader, &clip, &error) == REEL_OK, "%s", error.text);
        hash = hash_clip(hash, &clip);
        reel_clip_free(&clip);
    }
    reel_loader_stop(loader);
    return hash;
}

START_TEST(workers_do_not_change_the_sequence)
{
    static const int workers[] = {1, 2, 8, 3, 8}, ahead[] = {1, 4, 16, 64, 2};
    reel_dataset set = open_shapes();
    uint64_t alone = 1;
    for (uint64_t n = 0; n < 200; n++) {
        reel_clip clip;
        ck_assert_int_eq(reel_clip_sample(&clip, &set, &small, 1000 + n, NULL), REEL_OK);
        alone = hash_clip(alone, &clip);
        reel_clip_free(&clip);
    }
    for (int i = 0; i < 5; i++) ck_assert_uint_eq(hash_of_loaded(&set, 1000, 200, workers[i], ahead[i]), alone);
    ck_assert_uint_ne(hash_of_loaded(&set, 1001, 200, 2, 4), alone);
    reel_dataset_close(&set);
}
END_TEST

static int first_that_fails(const reel_dataset *set, reel_error *found)
{
    for (int n = 0;; n++) {
        reel_error error = {0};
        reel_clip clip;
        ck_assert_int_lt(n, 1000);
        if (reel_clip_sample(&clip, set, &small, (uint64_t)n, &error) == REEL_OK) {
            reel_clip_free(&clip);
            continue;
        }
        *found = error;
        return n;
    }
}

START_TEST(an_error_comes_out_at_its_sample_and_stays)
{
    stub_options broken = stub;
    broken.fail_video = 2, broken.fail_frame = 11;
    reel_dataset set;
    stub_open(&set, &broken);
    reel_error expected;
    int at = first_that_fails(&set, &expected);
    ck_assert_int_gt(at, 2);
    ck_assert_ptr_nonnull(strstr(expected.text, "video_00002/00011"));
    for (int workers = 1; workers <= 8; workers *= 2) {
        reel_loader *loader = reel_loader_start(&set, &small, 0, workers, 2 * workers + at, NULL);
        reel_clip clip;
        for (int n = 0; n < at; n++) {
            ck_assert_int_eq(reel_loader_next(loader, &clip, NULL), REEL_OK);
            reel_clip_free(&clip);
        }
        for (int again = 0; again < 3; again++) {
            reel_error error = {0};
            ck_assert_int_eq(reel_loader_next(loader, &clip, &error), REEL_BAD_DATA);
            ck_assert_str_eq(error.text, expected.text);
            ck_assert_ptr_null(clip.rgb);
        }
        reel_loader_stop(loader);
    }
    reel_dataset_close(&set);
}
END_TEST

/* A data set whose reader fails without a word must not pass for an empty sample. */
static reel_status silent_failure(const reel_dataset *set, int video, int frame, reel_image *image, reel_error *error)
{
    (void)set, (void)video, (void)frame, (void)error;
    *image = (reel_image){0};
    return REEL_IO;
}

START_TEST(a_silent_failure_is_given_words)
{
    reel_dataset set;
    stub_open(&set, &stub);
    set.read_frame = silent_failure;
    reel_error error = {0};
    reel_clip clip;
    reel_loader *loader = reel_loader_start(&set, &small, 5, 2, 3, NULL);
    ck_assert_int_eq(reel_loader_next(loader, &clip, &error), REEL_IO);
    ck_assert_str_eq(error.text, "stub: sample 5 could not be read");
    reel_loader_stop(loader);
    reel_dataset_close(&set);
}
END_TEST

/* Stopped after 0, 1, 2, ... samples, with workers starting, fetching, or waiting for room. */
START_TEST(a_thousand_starts_and_stops)
{
    reel_dataset set;
    stub_open(&set, &stub);
    for (uint64_t cycle = 0; cycle < 1000; cycle++) {
        int workers = 1 + (int)reel_below(1, cycle, 8), ahead = 1 + (int)reel_below(2, cycle, 5);
        reel_loader *loader = reel_loader_start(&set, &small, cycle, workers, ahead, NULL);
        ck_assert_ptr_nonnull(loader);
        for (uint64_t n = reel_below(3, cycle, 4); n > 0; n--) {
            reel_clip clip;
            ck_assert_int_eq(reel_loader_next(loader, &clip, NULL), REEL_OK);
            reel_clip_free(&clip);
        }
        reel_loader_stop(loader);
    }
    reel_loader_stop(NULL);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(bad_numbers_are_refused)
{
    static const int bad[][2] = {{0, 1}, {-3, 1}, {5000, 1}, {1, 0}, {1, 1 << 30}};
    reel_dataset set;
    stub_open(&set, &stub);
    for (int i = 0; i < 5; i++) {
        reel_error error = {0};
        ck_assert_ptr_null(reel_loader_start(&set, &small, 0, bad[i][0], bad[i][1], &error));
        ck_assert_int_eq(error.status, REEL_USAGE);
        ck_assert_ptr_nonnull(strstr(error.text, "must be"));
    }
    reel_dataset_close(&set);
}
END_TEST

/* Refusals hit the start or, in a worker, a sample; either way they come out as out of memory. */
START_TEST(every_refused_allocation_is_survived)
{
    reel_dataset set;
    stub_open(&set, &stub);
    for (uint64_t n = 1; n < 60; n++) {
        reel_error error = {0};
        reel_status status = REEL_OK;
        reel_alloc_fail(n, true);
        reel_loader *loader = reel_loader_start(&set, &small, 0, 2, 2, &error);
        while (loader && status == REEL_OK) {
            reel_clip clip;
            status = reel_loader_next(loader, &clip, &error);
            reel_clip_free(&clip);
        }
        reel_loader_stop(loader);
        reel_alloc_fail(0, false);
        ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    }
    reel_dataset_close(&set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        workers_do_not_change_the_sequence,
        an_error_comes_out_at_its_sample_and_stays,
        a_silent_failure_is_given_words,
        a_thousand_starts_and_stops,
        bad_numbers_are_refused,
        every_refused_allocation_is_survived,
    };
    return tiny_suite("loader", tests, sizeof tests / sizeof *tests);
}
