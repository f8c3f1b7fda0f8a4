/* moving_shapes: a data set without files, for trying, testing and teaching. See dataset.h for what it promises and
   shapes_scene.h for how a video is described.

   Opening draws all scenes (0.2 ms of a core and 2 KiB each) because the lists of objects depend on them; frames
   and masks are painted when asked for, from any thread, since a scene never changes. A video is the same for every
   number of videos or frames around it and, but for the camera's noise, at every resolution of one aspect. Sines and
   exponentials come from the C library: the same machine gives the same pixels, another library may round a few
   differently. */
#include "datasets/dataset.h"

#include "core/memory.h"
#include "datasets/shapes_scene.h"

#include <stdio.h>

typedef struct {
    reel_moving_shapes options;
    reel_shape_scene *scene; /* one a video */
} shapes;

enum { SMALLEST_SIDE = 8, MOST_FRAMES = 99999, MOST_VIDEOS = 99999 }; /* names have five digits */

static reel_status check_place(const reel_dataset *set, int video, int frame, reel_error *error)
{
    const shapes *own = set->own;
    if (video >= 0 && video < set->videos && frame >= 0 && frame < own->options.frames) return REEL_OK;
    return reel_fail(error, REEL_USAGE, "moving_shapes has no frame %d of video %d; it has %d videos of %d frames",
                     frame, video, set->videos, own->options.frames);
}

static reel_status read_frame(const reel_dataset *set, int video, int frame, reel_image *image, reel_error *error)
{
    const shapes *own = set->own;
    int width = own->options.width, height = own->options.height;
    *image = (reel_image){0};
    reel_status status = check_place(set, video, frame, error);
    if (status != REEL_OK) return status;
    float *row = reel_alloc_raw((size_t)width, 3 * sizeof *row);
    status = row ? reel_image_new(image, width, height, error) : reel_fail_memory(error);
    if (status == REEL_OK) reel_shape_scene_paint(&own->scene[video], frame, width, height, row, image->rgb, NULL);
    reel_free(row);
    return status;
}

static reel_status read_mask(const reel_dataset *set, int video, int frame, reel_mask *mask, reel_error *error)
{
    const shapes *own = set->own;
    int width = own->options.width, height = own->options.height;
    *mask = (reel_mask){0};
    reel_status status = check_place(set, video, frame, error);
    if (status == REEL_OK) status = reel_mask_new(mask, width, height, error);
    if (status == REEL_OK) reel_shape_scene_paint(&own->scene[video], frame, width, height, NULL, NULL, mask->id);
    return status;
}

static void close_own(void *pointer)
{
    shapes *own = pointer;
    if (own) reel_free(own->scene);
    reel_free(own);
}

static reel_status check_options(const reel_moving_shapes *o, reel_error *error)
{
    if (o->videos < 1 || o->videos > MOST_VIDEOS || o->frames < 1 || o->frames > MOST_FRAMES)
        return reel_fail(error, REEL_USAGE, "moving_shapes: %d videos of %d frames asked for; both must be 1..%d",
                         o->videos, o->frames, MOST_FRAMES);
    if (o->width < SMALLEST_SIDE || o->height < SMALLEST_SIDE || o->width > REEL_IMAGE_MAX_SIDE ||
        o->height > REEL_IMAGE_MAX_SIDE || (int64_t)o->width * o->height > REEL_IMAGE_MAX_PIXELS)
        return reel_fail(error, REEL_USAGE,
                         "moving_shapes: frames of %d x %d asked for; sides must be %d..%d and the "
                         "area at most %d pixels",
                         o->width, o->height, SMALLEST_SIDE, REEL_IMAGE_MAX_SIDE, REEL_IMAGE_MAX_PIXELS);
    if (o->objects < 1 || o->objects > REEL_SHAPES_MOST)
        return reel_fail(error, REEL_USAGE, "moving_shapes: up to %d objects a video asked for; it must be 1..%d",
                         o->objects, REEL_SHAPES_MOST);
    return REEL_OK;
}

static char *numbered(const char *prefix, int number)
{
    char text[32];
    snprintf(text, sizeof text, "%s%05d", prefix, number);
    return reel_copy_string(text);
}

/* A latecomer that the video is too short for is not an object of it. */
static reel_status list_objects(reel_video *video, const reel_shape_scene *scene, reel_error *error)
{
    video->object = reel_alloc((size_t)scene->shapes, sizeof *video->object);
    if (!video->object) return reel_fail_memory(error);
    for (int id = 1; id <= scene->shapes; id++) {
        const reel_shape *shape = scene->shape;
        while (shape->id != id) shape++;
        if (shape->first >= video->frames) continue;
        reel_video_object *object = &video->object[video->objects++];
        object->id = id;
        object->first = shape->first;
        object->listed = reel_alloc((size_t)video->frames, sizeof *object->listed);
        if (!object->listed) return reel_fail_memory(error);
        for (int f = shape->first; f < video->frames; f++) object->listed[f] = true;
    }
    return REEL_OK;
}

static reel_status list_video(reel_video *video, int number, int frames, reel_error *error)
{
    video->name = numbered("shapes_", number);
    video->frame = reel_alloc((size_t)frames, sizeof *video->frame);
    if (!video->name || !video->frame) return reel_fail_memory(error);
    video->frames = frames;
    for (int f = 0; f < frames; f++)
        if (!(video->frame[f] = numbered("", f))) return reel_fail_memory(error);
    return REEL_OK;
}

static reel_status list_videos(reel_dataset *set, shapes *own, reel_error *error)
{
    const reel_moving_shapes *o = &own->options;
    set->name = reel_copy_string("moving_shapes");
    own->scene = reel_alloc((size_t)o->videos, sizeof *own->scene);
    set->video = reel_alloc((size_t)o->videos, sizeof *set->video);
    if (!set->name || !own->scene || !set->video) return reel_fail_memory(error);
    set->videos = o->videos;
#pragma omp parallel for schedule(dynamic)
    for (int v = 0; v < o->videos; v++)
        reel_shape_scene_draw(&own->scene[v], o->seed, v, o->objects, (float)o->width / (float)o->height);
    reel_status status = REEL_OK;
    for (int v = 0; v < o->videos && status == REEL_OK; v++) {
        status = list_video(&set->video[v], v, o->frames, error);
        if (status == REEL_OK) status = list_objects(&set->video[v], &own->scene[v], error);
    }
    return status;
}

reel_status reel_moving_shapes_open(reel_dataset *set, const reel_moving_shapes *options, reel_error *error)
{
    *set = (reel_dataset){.read_frame = read_frame, .read_mask = read_mask, .close_own = close_own};
    reel_status status = check_options(options, error);
    if (status != REEL_OK) return status;
    shapes *own = reel_alloc(1, sizeof *own);
    if (!own) return reel_fail_memory(error);
    own->options = *options;
    set->own = own;
    status = list_videos(set, own, error);
    if (status != REEL_OK) reel_dataset_close(set);
    return status;
}
