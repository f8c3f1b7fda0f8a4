/* See dataset.h. This file knows what every folder of frames and masks has in common: which layout it is, how a frame
   and its mask are fetched, and how everything is given back. */
#include "datasets/layout.h"

#include "core/memory.h"

#include <string.h>

static reel_status check_frame(const reel_dataset *set, int video, int frame, reel_error *error)
{
    if (video >= 0 && video < set->videos && frame >= 0 && frame < set->video[video].frames) return REEL_OK;
    return reel_fail(error, REEL_USAGE, "%s: frame %d of video %d was asked for, which does not exist (%d videos)",
                     set->name, frame, video, set->videos);
}

static reel_status read_frame(const reel_dataset *set, int video, int frame, reel_image *image, reel_error *error)
{
    *image = (reel_image){0};
    reel_status status = check_frame(set, video, frame, error);
    return status == REEL_OK ? reel_image_read(image, set->video[video].frame_path[frame], error) : status;
}

/* A mask of another size than its frame would be stretched over it in silence, so the frame's header is read too. */
static reel_status read_mask(const reel_dataset *set, int video, int frame, reel_mask *mask, reel_error *error)
{
    int width, height;
    *mask = (reel_mask){0};
    reel_status status = check_frame(set, video, frame, error);
    if (status != REEL_OK) return status;
    const char *frame_path = set->video[video].frame_path[frame], *mask_path = set->video[video].mask_path[frame];
    if (!mask_path) return REEL_OK;
    status = reel_mask_read(mask, mask_path, error);
    if (status == REEL_OK) status = reel_image_size(frame_path, &width, &height, error);
    if (status == REEL_OK && (width != mask->width || height != mask->height))
        status = reel_fail(error, REEL_BAD_DATA, "%s: the mask is %d x %d, expected %d x %d as its frame", mask_path,
                           mask->width, mask->height, width, height);
    if (status != REEL_OK) reel_mask_free(mask);
    return status;
}

reel_status reel_dataset_read_binary_mask(const reel_dataset *set, int video, int frame, reel_mask *mask,
                                          reel_error *error)
{
    reel_status status = read_mask(set, video, frame, mask, error);
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < pixels; i++) mask->id[i] = mask->id[i] != 0;
    return status;
}

static bool open_by_looking(reel_dataset *set, const char *folder, const char *split, reel_faults *faults)
{
    const char *wanted = split ? split : "train";
    if (reel_davis_is_here(folder)) return reel_davis_open(set, folder, REEL_ANY_LAYOUT, wanted, faults);
    if (reel_youtube_vos_is_here(folder, wanted)) return reel_youtube_vos_open(set, folder, split, faults);
    if (reel_youtube_vos_is_here(folder, "train") || reel_youtube_vos_is_here(folder, "valid")) {
        reel_fail(faults->error, REEL_IO,
                  "%s: has no %s/meta.json; the splits of YouTube-VOS are train, valid and test", folder, wanted);
        return false;
    }
    reel_fail(faults->error, REEL_BAD_DATA,
              "%s: is no data set that is known, expected ImageSets/ or Annotations/480p/ (DAVIS) or meta.json or "
              "%s/meta.json (YouTube-VOS); check the path and the split",
              folder, wanted);
    return false;
}

void reel_dataset_begin(reel_dataset *set)
{
    *set = (reel_dataset){.read_frame = read_frame, .read_mask = read_mask};
}

bool reel_dataset_open_layout(reel_dataset *set, const char *folder, reel_layout layout, const char *split,
                              reel_faults *faults)
{
    bool go_on = false;
    char shown[REEL_SHOWN];
    const char *wrong = split ? reel_name_fault(split, strlen(split)) : NULL;
    reel_dataset_begin(set);
    set->name = reel_copy_string(folder);
    if (!set->name)
        reel_fail_memory(faults->error);
    else if (wrong)
        reel_fail(faults->error, REEL_USAGE, "split \"%s\" %s, expected a name such as train or val",
                  reel_show(shown, split), wrong);
    else if (!reel_is_folder(folder))
        reel_fail(faults->error, REEL_IO, "%s: the folder is missing or not a folder; check the path", folder);
    else if (layout == REEL_ANY_LAYOUT)
        go_on = open_by_looking(set, folder, split, faults);
    else if (layout == REEL_YOUTUBE_VOS)
        go_on = reel_youtube_vos_open(set, folder, split, faults);
    else
        go_on = reel_davis_open(set, folder, layout, split ? split : "train", faults);
    if (!go_on) reel_dataset_close(set);
    return go_on;
}

reel_status reel_dataset_open(reel_dataset *set, const char *folder, reel_layout layout, const char *split,
                              reel_error *error)
{
    reel_error fault = {0};
    reel_faults faults = {.error = &fault};
    if (reel_dataset_open_layout(set, folder, layout, split, &faults)) return REEL_OK;
    return reel_fail(error, fault.status, "%s", fault.text);
}

static void free_strings(char **text, int count)
{
    for (int i = 0; text && i < count; i++) reel_free(text[i]);
    reel_free(text);
}

static void free_video(reel_video *video)
{
    for (int i = 0; i < video->objects; i++) {
        reel_free(video->object[i].category);
        reel_free(video->object[i].listed);
    }
    reel_free(video->object);
    free_strings(video->frame, video->frames);
    free_strings(video->frame_path, video->frames);
    free_strings(video->mask_path, video->frames);
    reel_free(video->name);
}

void reel_dataset_close(reel_dataset *set)
{
    for (int i = 0; i < set->videos; i++) free_video(&set->video[i]);
    reel_free(set->video);
    reel_free(set->name);
    if (set->close_own) set->close_own(set->own);
    *set = (reel_dataset){0};
}

int reel_dataset_find(const reel_dataset *set, const char *name)
{
    for (int i = 0; i < set->videos; i++)
        if (strcmp(set->video[i].name, name) == 0) return i;
    return -1;
}
