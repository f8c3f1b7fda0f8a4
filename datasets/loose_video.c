/* One video from a folder of pictures and its masks: what a person has who has no data set. See dataset.h.

   The masks are one file (of the frame of the same name, else of the first frame), or a folder with a file for every
   frame in which new objects are marked. They are few, so they are decoded at once: the objects are what they show. */
#include "core/memory.h"
#include "datasets/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames numbered in even steps; a gap is a file that was lost. */
static bool check_numbers(const reel_video *video, const char *folder, reel_faults *faults)
{
    if (!video->frames)
        return reel_fault(faults, REEL_BAD_DATA, "%s: holds no frames, expected pictures named by their number",
                          folder);
    long step = video->frames > 1 ? strtol(video->frame[1], NULL, 10) - strtol(video->frame[0], NULL, 10) : 1;
    for (int f = 1; f < video->frames; f++) {
        long gap = strtol(video->frame[f], NULL, 10) - strtol(video->frame[f - 1], NULL, 10);
        if (gap != step)
            return reel_fault(faults, REEL_BAD_DATA,
                              "%s: a frame is missing between %s and %s, expected one every %ld numbers", folder,
                              video->frame[f - 1], video->frame[f], step);
    }
    return true;
}

/* The mask file goes with the frame of its name, else with the first. */
static bool place_mask(reel_video *video, const char *path, reel_faults *faults)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
    char stem[64];
    size_t length = dot ? (size_t)(dot - file) : strlen(file);
    snprintf(stem, sizeof stem, "%.*s", length < sizeof stem ? (int)length : 0, file);
    int f = reel_video_find_frame(video, stem);
    video->mask_path[f < 0 ? 0 : f] = reel_copy_string(path);
    return video->mask_path[f < 0 ? 0 : f] || reel_stop_for_memory(faults);
}

/* Objects of the mask at frame f that were not seen before. */
static bool add_objects(reel_dataset *set, int f, bool seen[256], reel_faults *faults)
{
    reel_mask mask;
    if (set->read_mask(set, 0, f, &mask, faults->error)) return false;
    bool here[256] = {false}, ok = true;
    for (size_t i = 0; i < (size_t)mask.width * (size_t)mask.height; i++) here[mask.id[i]] = true;
    reel_mask_free(&mask);
    for (int id = 1; ok && id < 255; id++) {
        if (!here[id] || seen[id]) continue;
        seen[id] = true;
        reel_video_object *object = reel_video_add_object(&set->video[0], id, faults);
        ok = object != NULL;
        if (ok) object->first = f;
    }
    return ok;
}

static int by_id(const void *a, const void *b)
{
    return ((const reel_video_object *)a)->id - ((const reel_video_object *)b)->id;
}

static bool find_objects(reel_dataset *set, const char *masks, reel_faults *faults)
{
    bool seen[256] = {false};
    reel_video *video = &set->video[0];
    for (int f = 0; f < video->frames; f++)
        if (video->mask_path[f] && !add_objects(set, f, seen, faults)) return false;
    if (!video->objects)
        return reel_fault(
            faults, REEL_BAD_DATA,
            "%s: marks no object, expected a pixel value from 1 to 254 for each object to follow; 255 is void", masks);
    qsort(video->object, (size_t)video->objects, sizeof *video->object, by_id);
    for (int o = 0; o < video->objects; o++)
        for (int f = video->object[o].first; f < video->frames; f++) video->object[o].listed[f] = true;
    return true;
}

static bool open_video(reel_dataset *set, const char *frames, const char *masks, reel_faults *faults)
{
    bool folder = reel_is_folder(masks);
    if (!reel_dataset_reserve(set, 1, faults)) return false;
    set->videos = 1;
    return reel_video_find_files(&set->video[0], "video", frames, folder ? masks : "", faults) &&
           check_numbers(&set->video[0], frames, faults) && (folder || place_mask(&set->video[0], masks, faults)) &&
           find_objects(set, masks, faults);
}

reel_status reel_dataset_open_video(reel_dataset *set, const char *frames, const char *masks, reel_error *error)
{
    reel_error local = {REEL_OK, ""};
    reel_faults faults = {.error = error ? error : &local};
    reel_dataset_begin(set);
    set->name = reel_copy_string(frames);
    if (set->name ? open_video(set, frames, masks, &faults) : reel_stop_for_memory(&faults)) return REEL_OK;
    reel_dataset_close(set);
    return faults.error->status;
}
