/* moving_shapes promises that videos are functions of (seed, video, frame), that masks lie on the pixels of their
   objects, and that following an object is not trivial. The last two are measured. */
#include "core/memory.h"
#include "datasets/dataset.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const reel_moving_shapes small = {
    .seed = 5, .videos = 60, .frames = 40, .width = 112, .height = 64, .objects = 4};

static reel_dataset open_set(reel_moving_shapes options)
{
    reel_error error = {0};
    reel_dataset set;
    ck_assert_msg(reel_moving_shapes_open(&set, &options, &error) == REEL_OK, "%s", error.text);
    return set;
}

static reel_image frame_of(const reel_dataset *set, int video, int frame)
{
    reel_image image;
    ck_assert_int_eq(set->read_frame(set, video, frame, &image, NULL), REEL_OK);
    return image;
}

static reel_mask mask_of(const reel_dataset *set, int video, int frame)
{
    reel_mask mask;
    ck_assert_int_eq(set->read_mask(set, video, frame, &mask, NULL), REEL_OK);
    return mask;
}

static int area_of(const reel_mask *mask, int id)
{
    int area = 0;
    for (int p = 0; p < mask->width * mask->height; p++) area += mask->id[p] == id;
    return area;
}

/* J of one object between two masks; two empty ones agree. */
static double overlap(const reel_mask *a, const reel_mask *b, int id)
{
    int both = 0, either = 0;
    for (int p = 0; p < a->width * a->height; p++) {
        both += a->id[p] == id && b->id[p] == id;
        either += a->id[p] == id || b->id[p] == id;
    }
    return either ? (double)both / either : 1;
}

START_TEST(lists_tell_what_masks_show)
{
    reel_dataset set = open_set(small);
    ck_assert_str_eq(set.name, "moving_shapes");
    ck_assert_int_eq(set.videos, small.videos);
    int most = 0, late = 0;
    for (int v = 0; v < set.videos; v++) {
        const reel_video *video = &set.video[v];
        ck_assert_int_ge(video->objects, 1);
        ck_assert_str_eq(video->frame[7], "00007");
        if (video->objects > most) most = video->objects;
        for (int k = 0; k < video->objects; k++) {
            const reel_video_object *object = &video->object[k];
            reel_mask first = mask_of(&set, v, object->first);
            ck_assert_int_eq(object->id, k + 1);
            ck_assert_int_ge(area_of(&first, object->id), (object->first ? 1 : 60));
            for (int f = 0; f < video->frames; f++) ck_assert_int_eq(object->listed[f], f >= object->first);
            reel_mask_free(&first);
            if (!object->first) continue;
            late++;
            reel_mask before = mask_of(&set, v, object->first - 1);
            ck_assert_int_eq(area_of(&before, object->id), 0);
            reel_mask_free(&before);
        }
    }
    ck_assert_str_eq(set.video[59].name, "shapes_00059");
    ck_assert_int_eq(most, small.objects);
    ck_assert_int_ge(late, 3);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(a_frame_depends_on_seed_video_and_frame_only)
{
    reel_moving_shapes longer = small, other = small;
    longer.videos = 3, longer.frames = 90;
    other.seed = 6;
    reel_dataset a = open_set(small), b = open_set(longer), c = open_set(other);
    size_t bytes = 3u * 112 * 64;
    for (int f = 0; f < 40; f += 13) {
        reel_image first = frame_of(&a, 2, f), again = frame_of(&a, 2, f), in_b = frame_of(&b, 2, f);
        reel_image in_c = frame_of(&c, 2, f), neighbour = frame_of(&a, 1, f);
        reel_mask mask = mask_of(&a, 2, f), mask_b = mask_of(&b, 2, f);
        ck_assert(!memcmp(first.rgb, again.rgb, bytes) && !memcmp(first.rgb, in_b.rgb, bytes));
        ck_assert(!memcmp(mask.id, mask_b.id, bytes / 3));
        ck_assert(memcmp(first.rgb, in_c.rgb, bytes) && memcmp(first.rgb, neighbour.rgb, bytes));
        reel_image_free(&first), reel_image_free(&again), reel_image_free(&in_b), reel_image_free(&in_c);
        reel_image_free(&neighbour), reel_mask_free(&mask), reel_mask_free(&mask_b);
    }
    reel_dataset_close(&a), reel_dataset_close(&b), reel_dataset_close(&c);
}
END_TEST

START_TEST(a_scene_is_the_same_at_every_resolution)
{
    reel_moving_shapes large = small;
    large.width *= 3, large.height *= 3;
    reel_dataset a = open_set(small), b = open_set(large);
    for (int v = 0; v < 5; v++) {
        reel_mask coarse = mask_of(&a, v, 4), fine = mask_of(&b, v, 4);
        /* The centre of a coarse pixel is the centre of the middle one of its nine fine pixels. */
        int differ = 0;
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 112; x++) differ += coarse.id[y * 112 + x] != fine.id[(3 * y + 1) * 336 + 3 * x + 1];
        ck_assert_int_le(differ, 8); /* ties of float rounding on an outline */
        reel_mask_free(&coarse), reel_mask_free(&fine);
    }
    reel_dataset_close(&a), reel_dataset_close(&b);
}
END_TEST

/* Brightness jumps at an object's outline far more than a pixel beside it: mean absolute step between horizontal
   neighbours whose ids differ, over the same where the mask is moved by two pixels. A mask off by a pixel fails. */
static double edge_contrast(const reel_image *image, const reel_mask *mask, int shift)
{
    double sum = 0;
    int n = 0;
    for (int y = 0; y < mask->height; y++) {
        for (int x = 4; x < mask->width - 6; x++) {
            if (mask->id[y * mask->width + x] == mask->id[y * mask->width + x + 1]) continue;
            const uint8_t *p = image->rgb + 3 * (y * mask->width + x + shift);
            for (int c = 0; c < 3; c++) sum += abs(p[c] - p[3 + c]);
            n++;
        }
    }
    return n ? sum / n : 0;
}

START_TEST(masks_lie_on_the_pixels_of_their_objects)
{
    reel_dataset set = open_set(small);
    double at[5] = {0};
    for (int v = 0; v < 30; v++) {
        for (int f = 0; f < 40; f += 10) {
            reel_image image = frame_of(&set, v, f);
            reel_mask mask = mask_of(&set, v, f);
            for (int shift = -2; shift <= 2; shift++) at[shift + 2] += edge_contrast(&image, &mask, shift);
            reel_image_free(&image), reel_mask_free(&mask);
        }
    }
    for (int shift = 0; shift < 5; shift++)
        if (shift != 2) ck_assert_msg(at[2] > 1.3 * at[shift], "shift %d: %g against %g", shift - 2, at[shift], at[2]);
    ck_assert_msg(fabs(at[1] - at[3]) < 0.15 * at[2], "lopsided: %g and %g around %g", at[1], at[3], at[2]);
    reel_dataset_close(&set);
}
END_TEST

typedef struct {
    double copy_first, step;
    int copied, steps, objects, left, returned, empty;
} difficulty;

static void measure_object(const reel_mask *mask, int frames, const reel_video_object *object, difficulty *d)
{
    bool gone = false, returned = false;
    d->objects++;
    for (int f = object->first + 1; f < frames; f++) {
        if (f - object->first < 20) d->copy_first += overlap(&mask[object->first], &mask[f], object->id), d->copied++;
        d->step += overlap(&mask[f - 1], &mask[f], object->id), d->steps++;
        bool seen = area_of(&mask[f], object->id) > 0;
        returned |= gone && seen;
        gone |= !seen;
        d->empty += !seen;
    }
    d->left += gone;
    d->returned += returned;
}

START_TEST(following_is_hard_but_possible)
{
    reel_dataset set = open_set(small);
    difficulty d = {0};
    for (int v = 0; v < set.videos; v++) {
        reel_mask mask[40];
        for (int f = 0; f < 40; f++) mask[f] = mask_of(&set, v, f);
        for (int k = 0; k < set.video[v].objects; k++) measure_object(mask, 40, &set.video[v].object[k], &d);
        for (int f = 0; f < 40; f++) reel_mask_free(&mask[f]);
    }
    ck_assert_msg(d.copy_first / d.copied < 0.3, "copying the first mask scores %g", d.copy_first / d.copied);
    ck_assert_msg(d.step / d.steps > 0.5, "frame to frame only %g is kept", d.step / d.steps);
    ck_assert_msg(d.left > d.objects / 8 && d.returned > d.objects / 16, "%d of %d left, %d returned", d.left,
                  d.objects, d.returned);
    ck_assert_msg(d.empty < d.steps / 4, "%d of %d object frames are empty", d.empty, d.steps);
    reel_dataset_close(&set);
}
END_TEST

/* Where one object hides a part of another, they touch in the mask. */
START_TEST(objects_hide_each_other)
{
    reel_dataset set = open_set(small);
    int hiding = 0;
    for (int v = 0; v < set.videos; v++) {
        for (int f = 0; f < 40; f += 4) {
            reel_mask m = mask_of(&set, v, f);
            int touching = 0;
            for (int p = 0; p + m.width < m.width * m.height; p++)
                touching += m.id[p] && m.id[p + m.width] && m.id[p] != m.id[p + m.width];
            hiding += touching > 3;
            reel_mask_free(&m);
        }
    }
    ck_assert_int_ge(hiding, set.videos * 10 / 12);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(refusals_say_what_is_allowed)
{
    reel_moving_shapes bad[] = {{.videos = 0, .frames = 5, .width = 32, .height = 32, .objects = 1},
                                {.videos = 1, .frames = 0, .width = 32, .height = 32, .objects = 1},
                                {.videos = 1, .frames = 5, .width = 4, .height = 32, .objects = 1},
                                {.videos = 1, .frames = 5, .width = 16384, .height = 16384, .objects = 1},
                                {.videos = 1, .frames = 5, .width = 32, .height = 32, .objects = 9},
                                {.videos = 1, .frames = 5, .width = 32, .height = 32, .objects = 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reel_error error = {0};
        reel_dataset set;
        ck_assert_int_eq(reel_moving_shapes_open(&set, &bad[i], &error), REEL_USAGE);
        ck_assert_ptr_nonnull(strstr(error.text, "must be"));
    }
    reel_dataset set = open_set((reel_moving_shapes){.videos = 2, .frames = 3, .width = 8, .height = 64, .objects = 8});
    reel_error error = {0};
    reel_image image;
    reel_mask mask;
    ck_assert_int_eq(set.read_frame(&set, 2, 0, &image, &error), REEL_USAGE);
    ck_assert_int_eq(set.read_mask(&set, 0, 3, &mask, NULL), REEL_USAGE);
    ck_assert_str_eq(error.text, "moving_shapes has no frame 0 of video 2; it has 2 videos of 3 frames");
    reel_dataset_close(&set);
}
END_TEST

START_TEST(every_refused_allocation_is_survived)
{
    reel_moving_shapes tiny = {.videos = 2, .frames = 3, .width = 16, .height = 16, .objects = 3};
    reel_status status = REEL_ENVIRONMENT;
    for (uint64_t n = 1; status != REEL_OK; n++) {
        reel_error error = {0};
        reel_dataset set;
        reel_image image = {0};
        reel_mask mask = {0};
        reel_alloc_fail(n, false);
        status = reel_moving_shapes_open(&set, &tiny, &error);
        bool opened = status == REEL_OK;
        if (status == REEL_OK) status = set.read_frame(&set, 0, 0, &image, &error);
        if (status == REEL_OK) status = set.read_mask(&set, 0, 0, &mask, &error);
        reel_alloc_fail(0, false);
        if (status != REEL_OK) ck_assert_int_eq(status, REEL_ENVIRONMENT);
        reel_image_free(&image);
        reel_mask_free(&mask);
        if (opened) reel_dataset_close(&set);
        ck_assert_uint_lt(n, 1000);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        lists_tell_what_masks_show,
        a_frame_depends_on_seed_video_and_frame_only,
        a_scene_is_the_same_at_every_resolution,
        masks_lie_on_the_pixels_of_their_objects,
        following_is_hard_but_possible,
        objects_hide_each_other,
        refusals_say_what_is_allowed,
        every_refused_allocation_is_survived,
    };
    return tiny_suite("moving_shapes", tests, sizeof tests / sizeof *tests);
}
