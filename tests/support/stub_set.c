/* See stub_set.h. */
#include "tests/support/stub_set.h"

#include "core/memory.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static int object_at(const stub_options *o, int frame, int x, int y)
{
    if (frame < o->show_from) return 0;
    for (int k = 0; k < o->objects; k++) {
        int left = (3 + 2 * frame + 11 * k) % (o->width - 6), top = (2 + frame + 5 * k) % (o->height - 5);
        if (x >= left && x < left + 6 && y >= top && y < top + 5) return 10 * (k + 1);
    }
    return 0;
}

static reel_status read_frame(const reel_dataset *set, int video, int frame, reel_image *image, reel_error *error)
{
    const stub_options *o = set->own;
    *image = (reel_image){0};
    if (video == o->fail_video && frame == o->fail_frame)
        return reel_fail(error, REEL_BAD_DATA, "stub/%s/%s.jpg: broken on purpose", set->video[video].name,
                         set->video[video].frame[frame]);
    reel_status status = reel_image_new(image, o->width, o->height, error);
    for (int p = 0; status == REEL_OK && p < o->width * o->height; p++)
        memset(image->rgb + 3 * p, object_at(o, frame, p % o->width, p / o->width) ? 255 : 0, 3);
    return status;
}

static reel_status read_mask(const reel_dataset *set, int video, int frame, reel_mask *mask, reel_error *error)
{
    const stub_options *o = set->own;
    *mask = (reel_mask){0};
    (void)video;
    if (o->mask_every && frame % o->mask_every) return REEL_OK;
    reel_status status = reel_mask_new(mask, o->width, o->height, error);
    for (int p = 0; status == REEL_OK && p < o->width * o->height; p++)
        mask->id[p] = (uint8_t)object_at(o, frame, p % o->width, p / o->width);
    return status;
}

static char *text_of(const char *prefix, int number)
{
    char text[24];
    snprintf(text, sizeof text, "%s%05d", prefix, number);
    return reel_copy_string(text);
}

void stub_open(reel_dataset *set, const stub_options *options)
{
    *set = (reel_dataset){.read_frame = read_frame, .read_mask = read_mask, .close_own = reel_free};
    set->name = reel_copy_string("stub");
    set->own = reel_alloc(1, sizeof *options);
    set->videos = options->videos;
    set->video = reel_alloc((size_t)options->videos, sizeof *set->video);
    ck_assert(set->name && set->own && set->video);
    *(stub_options *)set->own = *options;
    for (int v = 0; v < options->videos; v++) {
        reel_video *video = &set->video[v];
        video->name = text_of("video_", v);
        video->frames = options->frames;
        video->objects = options->objects;
        video->frame = reel_alloc((size_t)options->frames, sizeof *video->frame);
        video->object = reel_alloc((size_t)options->objects, sizeof *video->object);
        for (int f = 0; f < options->frames; f++) video->frame[f] = text_of("", f);
        for (int k = 0; k < options->objects; k++) {
            video->object[k] = (reel_video_object){.id = 10 * (k + 1), .first = k};
            video->object[k].listed = reel_alloc((size_t)options->frames, sizeof(bool));
            for (int f = k; f < options->frames; f += options->list_every) video->object[k].listed[f] = true;
        }
    }
}
