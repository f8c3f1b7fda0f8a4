/* See segmenter.h. */
#include "tools/segmenter.h"

#include "core/memory.h"
#include "datasets/clip.h"
#include "tools/options.h"
#include "tools/signals.h"

#include <math.h>
#include <string.h>

typedef struct {
    reel_s2s_session *session;
    const reel_dataset *set;
    const reel_video *video;
    int index, height, width; /* of the network's frames */
    reel_size size;           /* of the video's frames; 0 before the first */
    reel_s2s_object **state;  /* one an object; NULL before its first frame */
    float *rgb, *plane;       /* at the network's size */
    float *best;              /* at the frame's size: the largest score so far */
    reel_error *error;
} segmenter;

/* A frame, which must be as large as the first one. */
static reel_status read_frame(const reel_dataset *set, int video, int frame, reel_size *size, reel_image *image,
                              reel_error *error)
{
    const reel_video *v = &set->video[video];
    reel_status status = set->read_frame(set, video, frame, image, error);
    if (status) return status;
    if (!size->height) *size = (reel_size){image->height, image->width};
    if (image->height == size->height && image->width == size->width) return REEL_OK;
    return reel_fail(error, REEL_BAD_DATA, "%s: the frame is %d x %d, expected %d x %d as the first of its video",
                     v->frame_path ? v->frame_path[frame] : v->frame[frame], image->width, image->height, size->width,
                     size->height);
}

static bool allocate(segmenter *s)
{
    size_t pixels = (size_t)s->height * (size_t)s->width;
    s->state = reel_alloc((size_t)s->video->objects, sizeof *s->state);
    s->rgb = reel_alloc(3 * pixels, sizeof *s->rgb);
    s->plane = reel_alloc(pixels, sizeof *s->plane);
    return s->state && s->rgb && s->plane;
}

static void release(segmenter *s)
{
    for (int o = 0; s->state && o < s->video->objects; o++) reel_free(s->state[o]);
    reel_free(s->state);
    reel_free(s->rgb);
    reel_free(s->plane);
}

/* Where row or column `at` of `out` falls among `in`, half-pixel centres: the lower neighbour and the share of the
   upper one. */
static int neighbour(int at, int out, int in, float *share)
{
    double x = (at + 0.5) * in / out - 0.5;
    x = fmin(fmax(x, 0), in - 1);
    int low = (int)x < in - 1 ? (int)x : in - 2;
    if (in == 1) low = 0;
    *share = (float)(x - low);
    return low;
}

/* Gives `id` the pixels of `found` where its resized probability beats the best so far. */
static void claim(const segmenter *s, int id, reel_mask *found)
{
    int across = s->width > 1, down = s->height > 1;
#pragma omp parallel for schedule(static)
    for (int y = 0; y < found->height; y++) {
        float v, u;
        const float *top = s->plane + (size_t)neighbour(y, found->height, s->height, &v) * (size_t)s->width;
        const float *bottom = top + (down ? s->width : 0);
        for (int x = 0; x < found->width; x++) {
            int left = neighbour(x, found->width, s->width, &u), right = left + across;
            float p =
                (1 - v) * ((1 - u) * top[left] + u * top[right]) + v * ((1 - u) * bottom[left] + u * bottom[right]);
            size_t at = (size_t)y * (size_t)found->width + (size_t)x;
            if (p <= s->best[at]) continue;
            s->best[at] = p;
            found->id[at] = (uint8_t)id;
        }
    }
}

/* Objects that are given in this frame: their state starts, their pixels are theirs. */
static reel_status begin_objects(segmenter *s, int frame, reel_mask *found)
{
    reel_mask given = {0};
    reel_status status = REEL_OK;
    for (int o = 0; !status && o < s->video->objects; o++) {
        const reel_video_object *object = &s->video->object[o];
        if (object->first != frame) continue;
        if (!given.id) status = s->set->read_mask(s->set, s->index, frame, &given, s->error);
        if (!status && !given.id)
            status = reel_fail(s->error, REEL_BAD_DATA, "%s/%s: object %d begins in frame %s, which has no mask",
                               s->set->name, s->video->name, object->id, s->video->frame[frame]);
        if (status) break;
        reel_mask_to_plane(&given, object->id, s->height, s->width, s->plane);
        s->state[o] = reel_s2s_object_new(s->session, s->error);
        status = s->state[o] ? reel_s2s_begin(s->session, s->state[o], s->rgb, s->plane, s->error) : REEL_ENVIRONMENT;
        for (size_t i = 0; i < (size_t)found->width * (size_t)found->height; i++)
            if (given.id[i] == object->id) found->id[i] = given.id[i];
        if (given.has_palette) memcpy(found->palette, given.palette, sizeof found->palette);
    }
    reel_mask_free(&given);
    return status;
}

static reel_status segment_frame(segmenter *s, int frame, const reel_image *image, reel_mask *found)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    reel_status status = reel_frame_to_planes(image, s->height, s->width, s->rgb, s->error);
    for (size_t i = 0; i < pixels; i++) s->best[i] = 0.5f;
    for (int o = 0; !status && o < s->video->objects; o++) {
        if (!s->state[o]) continue;
        status = reel_s2s_continue(s->session, s->state[o], s->rgb, s->plane, s->error);
        if (!status) claim(s, s->video->object[o].id, found);
    }
    return status ? status : begin_objects(s, frame, found);
}

static reel_status one_frame(segmenter *s, int frame, uint8_t palette[768], reel_segment_sink sink)
{
    reel_image image = {0};
    reel_mask found = {0};
    reel_status status = read_frame(s->set, s->index, frame, &s->size, &image, s->error);
    if (!status) status = reel_mask_new(&found, image.width, image.height, s->error);
    if (!status) {
        s->best = reel_alloc_raw((size_t)image.width * (size_t)image.height, sizeof *s->best);
        if (!s->best) status = reel_fail_memory(s->error);
        found.has_palette = true;
        memcpy(found.palette, palette, sizeof found.palette);
    }
    if (!status) status = segment_frame(s, frame, &image, &found);
    if (!status) memcpy(palette, found.palette, sizeof found.palette);
    if (!status) status = sink.frame(sink.to, frame, &image, &found, s->error);
    reel_free(s->best);
    s->best = NULL;
    reel_image_free(&image);
    reel_mask_free(&found);
    return status;
}

reel_status reel_segment_video(reel_s2s_session *session, int height, int width, const reel_dataset *set, int video,
                               reel_segment_sink sink, reel_error *error)
{
    uint8_t palette[768];
    memcpy(palette, reel_davis_palette(), sizeof palette);
    segmenter s = {.session = session,
                   .set = set,
                   .video = &set->video[video],
                   .index = video,
                   .height = height,
                   .width = width,
                   .error = error};
    reel_status status = allocate(&s) ? REEL_OK : reel_fail_memory(error);
    for (int f = 0; !status && f < s.video->frames && !reel_signal_caught(); f++)
        status = one_frame(&s, f, palette, sink);
    release(&s);
    return status;
}

/* --- the baseline --- */

/* Adds the objects that are first given in this frame to `copy`. */
static reel_status add_first_masks(const reel_dataset *set, int v, int frame, reel_mask *copy, reel_error *error)
{
    reel_mask given = {0};
    const reel_video *video = &set->video[v];
    bool begins = false;
    for (int o = 0; o < video->objects; o++) begins |= video->object[o].first == frame;
    reel_status status = begins ? set->read_mask(set, v, frame, &given, error) : REEL_OK;
    if (status || !given.id) return status;
    for (int o = 0; o < video->objects; o++)
        for (size_t i = 0; video->object[o].first == frame && i < (size_t)given.width * (size_t)given.height; i++)
            if (given.id[i] == video->object[o].id) copy->id[i] = given.id[i];
    if (given.has_palette) memcpy(copy->palette, given.palette, sizeof copy->palette);
    reel_mask_free(&given);
    return REEL_OK;
}

reel_status reel_copy_first_masks(const reel_dataset *set, int video, reel_segment_sink sink, reel_error *error)
{
    reel_mask copy = {0};
    reel_size size = {0, 0};
    reel_status status = REEL_OK;
    for (int f = 0; !status && f < set->video[video].frames && !reel_signal_caught(); f++) {
        reel_image image = {0};
        status = read_frame(set, video, f, &size, &image, error);
        if (!status && !copy.id) {
            status = reel_mask_new(&copy, image.width, image.height, error);
            copy.has_palette = true;
            memcpy(copy.palette, reel_davis_palette(), sizeof copy.palette);
        }
        if (!status) status = add_first_masks(set, video, f, &copy, error);
        if (!status) status = sink.frame(sink.to, f, &image, &copy, error);
        reel_image_free(&image);
    }
    reel_mask_free(&copy);
    return status;
}
