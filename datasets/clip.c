/* See clip.h. Everything random about sample n is drawn from the key (seed, n), by purpose, so that adding an
   augmentation does not move the other draws, and threads and order cannot.

   A draw whose first frame does not show the object (it is hidden, out of sight, or lost in the resize or the affine
   map) is thrown away and made again: first elsewhere in the same video, since pairs should stay uniform, then with
   another pair. Counting the pairs scans the lists, 0.1 ms for the largest data set known; the rest of the cost is
   reading the frames. */
#include "datasets/clip.h"

#include "core/memory.h"
#include "core/rng.h"
#include "datasets/resize.h"
#include "datasets/warp.h"

#include <string.h>

const float reel_imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
const float reel_imagenet_deviation[3] = {0.229f, 0.224f, 0.225f};

enum { MOST_PAIRS_TRIED = 16, PLACES_TRIED = 8, MOST_FRAMES = 1 << 16 };
typedef enum { DRAW_PAIR, DRAW_STEP, DRAW_START, DRAW_REVERSE, DRAW_FLIP, DRAW_ANGLE, DRAW_SCALE } purpose;

/* What is decided before any pixel is read. */
typedef struct {
    int video;
    const reel_video_object *object;
    bool flip;
    int angle, percent; /* of the affine map: degrees, and scale in hundredths */
} plan;

reel_status reel_frame_to_planes(const reel_image *image, int height, int width, float *planes, reel_error *error)
{
    reel_image resized;
    reel_status status = reel_image_new(&resized, width, height, error);
    if (status == REEL_OK) status = reel_resize_bilinear(image, &resized, error);
    size_t plane = (size_t)height * width;
    for (int c = 0; c < 3 && status == REEL_OK; c++) {
        float gain = 1 / (255 * reel_imagenet_deviation[c]),
              offset = reel_imagenet_mean[c] / reel_imagenet_deviation[c];
        for (size_t p = 0; p < plane; p++) planes[c * plane + p] = gain * resized.rgb[3 * p + (size_t)c] - offset;
    }
    reel_image_free(&resized);
    return status;
}

void reel_mask_to_plane(const reel_mask *mask, int id, int height, int width, float *plane)
{
    reel_nearest_walk down = reel_nearest_start(mask->height, height);
    for (int y = 0; y < height; y++) {
        const uint8_t *row = mask->id + (size_t)reel_nearest_next(&down) * mask->width;
        reel_nearest_walk across = reel_nearest_start(mask->width, width);
        for (int x = 0; x < width; x++) *plane++ = row[reel_nearest_next(&across)] == id;
    }
}

/* A frame whose mask is only asked for, as those of a test split are, would teach nothing. */
static bool teaches(const reel_video *video, const reel_video_object *object, int frame)
{
    return object->listed[frame] && (!video->mask_path || video->mask_path[frame]);
}

static int teaching_frames(const reel_video *video, const reel_video_object *object)
{
    int count = 0;
    for (int f = 0; f < video->frames; f++) count += teaches(video, object, f);
    return count;
}

/* The `wanted`-th pair of video and object that a clip can be made of; returns how many were passed before. */
static uint64_t find_pair(const reel_dataset *set, uint64_t wanted, plan *found)
{
    uint64_t passed = 0;
    for (int v = 0; v < set->videos; v++) {
        for (int k = 0; k < set->video[v].objects; k++) {
            if (teaching_frames(&set->video[v], &set->video[v].object[k]) < 2) continue;
            if (passed == wanted) {
                found->video = v;
                found->object = &set->video[v].object[k];
                return passed;
            }
            passed++;
        }
    }
    return passed;
}

/* Position k of a walk of `step` from `start` that turns around at both ends of 0..n-1. */
static int back_and_forth(int64_t position, int n)
{
    int64_t period = 2 * ((int64_t)n - 1), at = ((position % period) + period) % period;
    return (int)(at < n ? at : period - at);
}

/* Frame numbers: every step-th frame that teaches from a random start, perhaps backward. */
static void place_frames(reel_clip *clip, const reel_video *video, const plan *p, const reel_clip_options *options,
                         uint64_t key)
{
    int n = teaching_frames(video, p->object), count = clip->frames;
    int longest_step = count > 1 ? (n - 1) / (count - 1) : 1;
    bool fits = longest_step > 0;
    int most = fits && options->max_step > longest_step ? longest_step : options->max_step;
    int step = fits ? 1 + (int)reel_below(key, DRAW_STEP, (uint64_t)most) : 1;
    int64_t span = (int64_t)step * (count - 1);
    int64_t start = (int64_t)reel_below(key, DRAW_START, (uint64_t)(fits ? n - span : n));
    bool backward = options->reverse && reel_below(key, DRAW_REVERSE, 2);
    if (backward && fits) start += span;
    for (int k = 0; k < count; k++) {
        int left = back_and_forth(start + (int64_t)(backward ? -step : step) * k, n), f = 0;
        while (!teaches(video, p->object, f) || left-- > 0) f++;
        clip->frame[k] = f;
    }
}

/* False when there is no pair to draw. */
static bool draw_plan(plan *p, const reel_dataset *set, const reel_clip_options *options, uint64_t pairs,
                      uint64_t pair_key, uint64_t key)
{
    *p = (plan){.percent = 100};
    if (pairs) find_pair(set, reel_below(pair_key, DRAW_PAIR, pairs), p);
    p->flip = options->flip && reel_below(key, DRAW_FLIP, 2);
    if (options->affine) {
        p->angle = (int)reel_below(key, DRAW_ANGLE, 40) - 20;
        p->percent = 75 + (int)reel_below(key, DRAW_SCALE, 50);
    }
    return p->object != NULL;
}

/* Applies the plan's geometry to planes; `shape`: see reel_warp_about_centre. */
static void augment(const plan *p, float *planes, float *scratch, int count, const reel_clip *clip, double shape)
{
    size_t area = (size_t)clip->height * clip->width;
    bool mask = count == 1, warped = p->angle || p->percent != 100;
    reel_warp warp = reel_warp_about_centre(p->angle, 0.01 * p->percent, shape);
    for (int c = 0; c < count; c++) {
        float black = mask ? 0 : -reel_imagenet_mean[c] / reel_imagenet_deviation[c],
              *plane = planes + area * (size_t)c;
        if (warped) reel_warp_plane(plane, scratch, clip->height, clip->width, &warp, mask, black);
        if (p->flip) reel_mirror_plane(plane, clip->height, clip->width);
    }
}

/* How much more height than width a network pixel stands for. */
static double pixel_shape(const reel_clip *clip, int height, int width)
{
    return ((double)height / clip->height) / ((double)width / clip->width);
}

static reel_status load_mask(reel_clip *clip, const reel_dataset *set, const plan *p, int k, float *scratch,
                             reel_error *error)
{
    size_t area = (size_t)clip->height * clip->width;
    float *plane = clip->mask + area * (size_t)k;
    reel_mask mask = {0};
    reel_status status = set->read_mask(set, p->video, clip->frame[k], &mask, error);
    clip->valid[k] = status == REEL_OK && mask.width > 0;
    if (clip->valid[k]) {
        reel_mask_to_plane(&mask, p->object->id, clip->height, clip->width, plane);
        augment(p, plane, scratch, 1, clip, pixel_shape(clip, mask.height, mask.width));
    } else {
        memset(plane, 0, area * sizeof *plane);
    }
    reel_mask_free(&mask);
    return status;
}

static reel_status load_frame(reel_clip *clip, const reel_dataset *set, const plan *p, int k, float *scratch,
                              reel_error *error)
{
    float *planes = clip->rgb + (size_t)3 * clip->height * clip->width * k;
    reel_image image = {0};
    reel_status status = set->read_frame(set, p->video, clip->frame[k], &image, error);
    if (status == REEL_OK) status = reel_frame_to_planes(&image, clip->height, clip->width, planes, error);
    if (status == REEL_OK) augment(p, planes, scratch, 3, clip, pixel_shape(clip, image.height, image.width));
    reel_image_free(&image);
    return status;
}

static bool shows_object(const reel_clip *clip)
{
    size_t area = (size_t)clip->height * clip->width;
    for (size_t i = 0; i < area; i++)
        if (clip->mask[i] > 0) return true;
    return false;
}

static reel_status fill(reel_clip *clip, const reel_dataset *set, const reel_clip_options *options, uint64_t n,
                        float *scratch, reel_error *error)
{
    uint64_t key = reel_key(reel_key(options->seed, 0x636c6970), n);
    plan p = {0};
    uint64_t pairs = find_pair(set, UINT64_MAX, &p);
    for (uint64_t try = 0; try < (uint64_t)MOST_PAIRS_TRIED * PLACES_TRIED; try++) {
        uint64_t pair_key = reel_key(key, try / PLACES_TRIED), place_key = reel_key(key, MOST_PAIRS_TRIED + try);
        if (!draw_plan(&p, set, options, pairs, pair_key, place_key))
            return reel_fail(error, REEL_BAD_DATA,
                             "%s: none of the %d videos has an object with two annotated frames, so no clip can be "
                             "made; check the split and its lists",
                             set->name, set->videos);
        place_frames(clip, &set->video[p.video], &p, options, place_key);
        reel_status status = load_mask(clip, set, &p, 0, scratch, error);
        if (status == REEL_OK && !shows_object(clip)) continue;
        clip->video = p.video;
        clip->object = p.object->id;
        for (int k = 1; k < clip->frames && status == REEL_OK; k++)
            status = load_mask(clip, set, &p, k, scratch, error);
        for (int k = 0; k < clip->frames && status == REEL_OK; k++)
            status = load_frame(clip, set, &p, k, scratch, error);
        return status;
    }
    return reel_fail(error, REEL_BAD_DATA,
                     "%s: clip %llu was drawn %d times and its first frame never showed the object "
                     "at %d x %d; use larger frames, or check the masks (the last one: video %s)",
                     set->name, (unsigned long long)n, MOST_PAIRS_TRIED * PLACES_TRIED, clip->width, clip->height,
                     set->video[p.video].name);
}

static reel_status check_options(const reel_clip_options *o, reel_error *error)
{
    if (o->frames < 1 || o->frames > MOST_FRAMES || o->max_step < 1)
        return reel_fail(error, REEL_USAGE,
                         "a clip of %d frames with steps up to %d was asked for; frames must be 1..%d "
                         "and the largest step at least 1",
                         o->frames, o->max_step, MOST_FRAMES);
    if (o->height < 1 || o->width < 1 || o->height > REEL_IMAGE_MAX_SIDE || o->width > REEL_IMAGE_MAX_SIDE ||
        (int64_t)o->height * o->width > REEL_IMAGE_MAX_PIXELS)
        return reel_fail(error, REEL_USAGE,
                         "clips of %d x %d pixels were asked for; sides must be 1..%d and the area at "
                         "most %d pixels",
                         o->width, o->height, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_PIXELS);
    return REEL_OK;
}

reel_status reel_clip_sample(reel_clip *clip, const reel_dataset *set, const reel_clip_options *options, uint64_t n,
                             reel_error *error)
{
    *clip = (reel_clip){0};
    reel_status status = check_options(options, error);
    if (status != REEL_OK) return status;
    *clip = (reel_clip){.frames = options->frames, .height = options->height, .width = options->width};
    size_t area = (size_t)clip->height * clip->width, count = (size_t)clip->frames;
    clip->frame = reel_alloc(count, sizeof *clip->frame);
    clip->valid = reel_alloc(count, sizeof *clip->valid);
    clip->rgb = reel_alloc_raw(count * 3 * area, sizeof *clip->rgb);
    clip->mask = reel_alloc_raw(count * area, sizeof *clip->mask);
    float *scratch = reel_alloc_raw(area, sizeof *scratch);
    bool ready = clip->frame && clip->valid && clip->rgb && clip->mask && scratch;
    status = ready ? fill(clip, set, options, n, scratch, error) : reel_fail_memory(error);
    reel_free(scratch);
    if (status != REEL_OK) reel_clip_free(clip);
    return status;
}

void reel_clip_free(reel_clip *clip)
{
    reel_free(clip->frame);
    reel_free(clip->valid);
    reel_free(clip->rgb);
    reel_free(clip->mask);
    *clip = (reel_clip){0};
}
