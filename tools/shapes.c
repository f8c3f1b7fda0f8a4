/* reel shapes: moving_shapes as files in the layout of DAVIS 2017 (JPEGImages and Annotations under 480p,
   ImageSets/2017), to look at, or to give to another tool. */
#include "core/file.h"
#include "tools/commands.h"
#include "tools/data.h"
#include "tools/options.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *out;
    reel_size size;
    int videos, frames;
    uint64_t seed;
} shapes_options;

static const reel_option table[] = {
    REEL_OPTION("out", STRING, shapes_options, out, "DIR", "folder for the data set", .required = true),
    REEL_OPTION("size", SIZE, shapes_options, size, "HxW", "of the frames", .fallback = "128x224", .low = 16,
                .high = 2048),
    REEL_OPTION("videos", INT, shapes_options, videos, "N", "how many", .fallback = "8", .low = 1, .high = 99999),
    REEL_OPTION("frames", INT, shapes_options, frames, "T", "of each", .fallback = "32", .low = 2, .high = 10000),
    REEL_OPTION("seed", SEED, shapes_options, seed, "N", "video v of seed s is always the same", .fallback = "1"),
    {0},
};
static const reel_usage usage = {"shapes",
                                 "Writes the built-in moving_shapes as a data set in the layout of DAVIS 2017.", table,
                                 "Frames are PNG, so that they are what training sees.\n"};

static reel_status export_frame(const reel_dataset *set, int v, int f, const char *frames, const char *masks,
                                reel_error *error)
{
    char path[4096];
    reel_image image = {0};
    reel_mask mask = {0};
    reel_status status = set->read_frame(set, v, f, &image, error);
    snprintf(path, sizeof path, "%s/%s.png", frames, set->video[v].frame[f]);
    if (!status) status = reel_image_write(&image, path, error);
    if (!status) status = set->read_mask(set, v, f, &mask, error);
    snprintf(path, sizeof path, "%s/%s.png", masks, set->video[v].frame[f]);
    if (!status && mask.width) status = reel_mask_write(&mask, path, false, error);
    reel_image_free(&image);
    reel_mask_free(&mask);
    return status;
}

static reel_status export_video(const reel_dataset *set, int v, const char *folder, reel_error *error)
{
    char frames[2048], masks[2048];
    snprintf(frames, sizeof frames, "%s/JPEGImages/480p/%s", folder, set->video[v].name);
    snprintf(masks, sizeof masks, "%s/Annotations/480p/%s", folder, set->video[v].name);
    reel_status status = reel_make_folders(frames, error);
    if (!status) status = reel_make_folders(masks, error);
    for (int f = 0; !status && f < set->video[v].frames; f++) status = export_frame(set, v, f, frames, masks, error);
    return status;
}

/* Frames of two makings under one name, or another set's lists replaced, would be a data set of neither. */
static reel_status check_free(const char *folder, reel_error *error)
{
    static const char *const rooms[] = {"JPEGImages", "Annotations", "ImageSets"};
    char path[4096];
    struct stat about;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, rooms[i]);
        if (!lstat(path, &about))
            return reel_fail(error, REEL_USAGE, "%s: is there already; choose another --out or remove it", path);
    }
    return REEL_OK;
}

static reel_status export(const reel_dataset *set, const char *folder, reel_error *error)
{
    char path[4096];
    reel_status status = check_free(folder, error);
    for (int v = 0; !status && v < set->videos; v++) status = export_video(set, v, folder, error);
    snprintf(path, sizeof path, "%s/ImageSets/2017", folder);
    if (!status) status = reel_make_folders(path, error);
    snprintf(path, sizeof path, "%s/ImageSets/2017/val.txt", folder);
    reel_writer list;
    if (!status) status = reel_writer_open(&list, path, error);
    if (status) return status;
    for (int v = 0; v < set->videos; v++) {
        reel_writer_write(&list, set->video[v].name, strlen(set->video[v].name), NULL);
        reel_writer_write(&list, "\n", 1, NULL);
    }
    return reel_writer_commit(&list, error);
}

int reel_command_shapes(int argc, char **argv)
{
    shapes_options o;
    reel_error error = {REEL_OK, ""};
    reel_dataset set;
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    reel_data_choice choice = {.name = "moving_shapes",
                               .height = o.size.height,
                               .width = o.size.width,
                               .seed = o.seed,
                               .videos = o.videos,
                               .frames = o.frames};
    reel_status status = reel_data_open(&set, &choice, &error);
    if (!status) {
        status = export(&set, o.out, &error);
        reel_dataset_close(&set);
    }
    return status ? reel_complain(&usage, &error) : 0;
}
