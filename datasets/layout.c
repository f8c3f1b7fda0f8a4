/* See layout.h. Frame names are numbers, but written in a width that differs between data sets; so they are ordered by
   value first and by their bytes second, and found by bisection. */
#include "datasets/layout.h"

#include "core/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool reel_fault(reel_faults *faults, reel_status status, const char *format, ...)
{
    reel_error fault = {.status = status};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault.text, sizeof fault.text, format, arguments);
    va_end(arguments);
    if (!faults->report) {
        reel_fail(faults->error, status, "%s", fault.text);
        return false;
    }
    faults->count++;
    faults->report(faults->to, fault.text);
    return true;
}

bool reel_dataset_reserve(reel_dataset *set, int count, reel_faults *faults)
{
    set->video = reel_alloc((size_t)count, sizeof *set->video);
    return set->video || reel_stop_for_memory(faults);
}

static int frame_order(const char *a, const char *b)
{
    const char *from_a = a, *from_b = b;
    while (*a == '0') a++;
    while (*b == '0') b++;
    size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
    if (digits_a != digits_b) return digits_a < digits_b ? -1 : 1;
    int value = strncmp(a, b, digits_a);
    return value ? value : strcmp(from_a, from_b);
}

static int frame_file_order(const void *a, const void *b)
{
    return frame_order(*(char *const *)a, *(char *const *)b);
}

/* Length of the name before its extension, or 0 when it is no picture. */
static size_t stem_of(const char *file, bool mask)
{
    const char *dot = strrchr(file, '.');
    if (!dot || dot == file) return 0;
    bool png = strcasecmp(dot, ".png") == 0, jpeg = strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0;
    return png || (jpeg && !mask) ? (size_t)(dot - file) : 0;
}

/* Adds the pictures of a folder to `files`, in frame order. */
static bool list_pictures(reel_names *files, const char *folder, bool mask, reel_faults *faults)
{
    char shown[REEL_SHOWN];
    reel_names all = {0};
    reel_error error = {0};
    bool go_on = true;
    if (reel_names_in_folder(&all, folder, &error) != REEL_OK)
        go_on = error.status == REEL_ENVIRONMENT ? reel_fail(faults->error, error.status, "%s", error.text) == REEL_OK
                                                 : reel_fault(faults, error.status, "%s", error.text);
    for (int i = 0; go_on && i < all.count; i++) {
        const char *file = all.name[i];
        size_t stem = stem_of(file, mask);
        if (stem == 0) continue;
        if (stem > 9 || strspn(file, "0123456789") != stem)
            go_on = reel_fault(faults, REEL_BAD_DATA,
                               "%s/%s: expected a frame number of at most 9 digits as the name; "
                               "rename or remove it",
                               folder, reel_show(shown, file));
        else
            go_on = reel_names_add(files, file, strlen(file), faults->error) == REEL_OK;
    }
    if (files->count > 1) qsort(files->name, (size_t)files->count, sizeof *files->name, frame_file_order);
    reel_names_free(&all);
    return go_on;
}

static bool same_number(const char *a, const char *b)
{
    return strtoul(a, NULL, 10) == strtoul(b, NULL, 10);
}

static bool add_frame(reel_video *video, const char *folder, const char *file, reel_faults *faults)
{
    int i = video->frames;
    if (i > 0 && same_number(video->frame[i - 1], file))
        return reel_fault(faults, REEL_BAD_DATA, "%s/%s: is frame number %lu a second time; remove one of the files",
                          folder, file, strtoul(file, NULL, 10));
    video->frame[i] = reel_path(faults->error, "%.*s", (int)stem_of(file, false), file);
    if (!video->frame[i]) return false;
    video->frames++;
    return (video->frame_path[i] = reel_path(faults->error, "%s/%s", folder, file));
}

static bool add_frames(reel_video *video, const char *folder, reel_faults *faults)
{
    reel_names files = {0};
    bool go_on = list_pictures(&files, folder, false, faults);
    if (go_on) {
        size_t count = (size_t)files.count;
        video->frame = reel_alloc(count, sizeof *video->frame);
        video->frame_path = reel_alloc(count, sizeof *video->frame_path);
        video->mask_path = reel_alloc(count, sizeof *video->mask_path);
        if (!video->frame || !video->frame_path || !video->mask_path) go_on = reel_stop_for_memory(faults);
    }
    for (int i = 0; go_on && i < files.count; i++) go_on = add_frame(video, folder, files.name[i], faults);
    if (go_on && video->frames == 0)
        go_on = reel_fault(faults, REEL_BAD_DATA, "%s: the video has no frames, expected .jpg or .png files", folder);
    reel_names_free(&files);
    return go_on;
}

static bool add_masks(reel_video *video, const char *folder, reel_faults *faults)
{
    reel_names files = {0};
    bool go_on = list_pictures(&files, folder, true, faults);
    for (int i = 0; go_on && i < files.count; i++) {
        char *file = files.name[i], stem[16];
        snprintf(stem, sizeof stem, "%.*s", (int)stem_of(file, true), file);
        int frame = reel_video_find_frame(video, stem);
        if (frame < 0)
            go_on = reel_fault(faults, REEL_BAD_DATA,
                               "%s/%s: the mask has no frame, expected one named %s; "
                               "is the frame missing?",
                               folder, file, stem);
        else if (video->mask_path[frame])
            go_on = reel_fault(faults, REEL_BAD_DATA, "%s/%s: is a second mask of frame %s; remove one of the files",
                               folder, file, video->frame[frame]);
        else
            go_on = (video->mask_path[frame] = reel_path(faults->error, "%s/%s", folder, file));
    }
    reel_names_free(&files);
    return go_on;
}

bool reel_video_find_files(reel_video *video, const char *name, const char *frame_folder, const char *mask_folder,
                           reel_faults *faults)
{
    video->name = reel_copy_string(name);
    if (!video->name) return reel_stop_for_memory(faults);
    if (!reel_is_folder(frame_folder))
        return reel_fault(faults, REEL_IO, "%s: the folder of frames is missing or not a folder", frame_folder);
    if (!add_frames(video, frame_folder, faults)) return false;
    return !reel_is_folder(mask_folder) || add_masks(video, mask_folder, faults);
}

int reel_video_find_frame(const reel_video *video, const char *frame)
{
    int low = 0, high = video->frames - 1;
    while (low <= high) {
        int middle = low + (high - low) / 2, order = frame_order(frame, video->frame[middle]);
        if (order == 0) return middle;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return -1;
}

reel_video_object *reel_video_add_object(reel_video *video, int id, reel_faults *faults)
{
    size_t count = (size_t)video->objects;
    reel_video_object *grown = reel_grow(video->object, count, count + 1, sizeof *grown);
    bool *listed = grown ? reel_alloc((size_t)video->frames, sizeof *listed) : NULL;
    if (grown) video->object = grown;
    if (!listed) {
        reel_fail_memory(faults->error);
        return NULL;
    }
    reel_video_object *object = &video->object[video->objects++];
    object->id = id;
    object->listed = listed;
    return object;
}
