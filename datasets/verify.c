/* Looks at every picture of a data set, so that a training run of days does not meet the bad one. Names and lists are
   checked by opening, which reports instead of stopping here; then every frame and mask is decoded, the frames of one
   video in parallel, and the findings are reported in order, so that two runs give the same report.

   An object id is reported once a video, at the first mask that shows it. Cost: one decode of everything. */
#include "datasets/layout.h"

#include "core/memory.h"

#include <string.h>

typedef struct {
    int width, height;           /* of the frame, 0 when it could not be read */
    int mask_width, mask_height; /* 0 when there is none, or it could not be read */
    bool shows[256];             /* ids in the mask */
    reel_error frame, mask;
} findings;

static void look_at(const reel_video *video, int i, findings *found)
{
    reel_image image = {0};
    reel_mask mask = {0};
    if (reel_image_read(&image, video->frame_path[i], &found->frame) == REEL_OK)
        found->width = image.width, found->height = image.height;
    reel_image_free(&image);
    if (video->mask_path[i] && reel_mask_read(&mask, video->mask_path[i], &found->mask) == REEL_OK) {
        found->mask_width = mask.width, found->mask_height = mask.height;
        for (size_t p = 0; p < (size_t)mask.width * (size_t)mask.height; p++) found->shows[mask.id[p]] = true;
    }
    reel_mask_free(&mask);
}

static bool report_picture(const findings *found, reel_faults *faults)
{
    const reel_error *both[] = {&found->frame, &found->mask};
    for (int i = 0; i < 2; i++) {
        if (both[i]->status == REEL_ENVIRONMENT) return reel_stop_for_memory(faults);
        if (both[i]->status != REEL_OK) reel_fault(faults, both[i]->status, "%s", both[i]->text);
    }
    return true;
}

static void report_sizes(const reel_video *video, int i, const findings *found, const findings *first,
                         reel_faults *faults)
{
    if (found->width && first && (found->width != first->width || found->height != first->height))
        reel_fault(faults, REEL_BAD_DATA, "%s: the frame is %d x %d, expected %d x %d as the video's first frame",
                   video->frame_path[i], found->width, found->height, first->width, first->height);
    if (found->width && found->mask_width && (found->width != found->mask_width || found->height != found->mask_height))
        reel_fault(faults, REEL_BAD_DATA, "%s: the mask is %d x %d, expected %d x %d as its frame", video->mask_path[i],
                   found->mask_width, found->mask_height, found->width, found->height);
}

static bool has_object(const reel_video *video, int id)
{
    for (int i = 0; i < video->objects; i++)
        if (video->object[i].id == id) return true;
    return false;
}

/* Ids that nobody announced, and objects that were announced and never seen. */
static void report_ids(const reel_video *video, const findings *found, reel_faults *faults)
{
    bool shown[256] = {false}, all_read = true;
    for (int i = 0; i < video->frames; i++) {
        for (int id = 1; id < 255; id++) {
            if (found[i].shows[id] && !shown[id] && video->objects && !has_object(video, id))
                reel_fault(faults, REEL_BAD_DATA,
                           "%s: the mask shows object %d, which the data set does not list for video %s",
                           video->mask_path[i], id, video->name);
            shown[id] |= found[i].shows[id];
        }
        if (found[i].mask.status != REEL_OK) all_read = false;
    }
    for (int i = 0; all_read && i < video->objects; i++) {
        const reel_video_object *object = &video->object[i];
        bool has_mask = video->frames && object->listed[object->first] && video->mask_path[object->first];
        if (has_mask && !shown[object->id])
            reel_fault(faults, REEL_BAD_DATA, "video %s: object %d has no pixel in any mask", video->name, object->id);
    }
}

/* In a binary data set every value is object 1. */
static void merge_ids(findings *found)
{
    bool any = false;
    for (int id = 1; id < 256; id++) any |= found->shows[id];
    memset(found->shows, 0, sizeof found->shows);
    found->shows[1] = any;
}

static bool verify_video(const reel_video *video, bool binary, reel_faults *faults)
{
    int frames = video->frames;
    findings *found = reel_alloc((size_t)frames, sizeof *found);
    if (!found) return reel_stop_for_memory(faults);
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < frames; i++) look_at(video, i, &found[i]);
    const findings *first = NULL;
    bool go_on = true;
    for (int i = 0; go_on && i < frames; i++) {
        go_on = report_picture(&found[i], faults);
        if (go_on) report_sizes(video, i, &found[i], first, faults);
        if (!first && found[i].width) first = &found[i];
        if (binary) merge_ids(&found[i]);
    }
    if (go_on) report_ids(video, found, faults);
    reel_free(found);
    return go_on;
}

static void only_count(void *to, const char *fault)
{
    (void)to;
    (void)fault;
}

int reel_dataset_verify(const char *folder, reel_layout layout, const char *split, reel_fault_report report, void *to,
                        reel_error *error)
{
    reel_dataset set;
    reel_error fault = {0};
    reel_faults faults = {.error = &fault, .report = report ? report : only_count, .to = to};
    bool go_on = reel_dataset_open_layout(&set, folder, layout, split, &faults);
    bool binary = set.read_mask == reel_dataset_read_binary_mask;
    for (int v = 0; go_on && v < set.videos; v++) go_on = verify_video(&set.video[v], binary, &faults);
    reel_dataset_close(&set);
    if (go_on) return faults.count;
    reel_fail(error, fault.status, "%s", fault.text);
    return -1;
}
