/* See keep_input.h. Folders are compared and not files: a link is replaced and not followed (core/file.h), so it counts
   where it stands, not where it leads. */
#include "tools/keep_input.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool reel_same_folder(const char *a, const char *b)
{
    struct stat one, other;
    return !stat(a, &one) && !stat(b, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Whether a file stands in `folder`. */
static bool stands_in(const char *path, const char *folder)
{
    char above[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash == path ? 1 : slash ? (int)(slash - path) : 0; /* "/x" stands in "/" */
    if (length >= PATH_MAX) return false;
    snprintf(above, sizeof above, "%.*s", length, path);
    return reel_same_folder(length ? above : ".", folder);
}

static bool is_named(const char *path, const char *frame)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t length = strlen(frame);
    return !strncmp(file, frame, length) && !strcmp(file + length, ".png");
}

reel_status reel_keep_input(const reel_video *video, const char *folder, const char *option, reel_error *error)
{
    if (!video->frame_path) return REEL_OK;
    if (video->frames && stands_in(video->frame_path[0], folder))
        return reel_fail(error, REEL_USAGE, "--%s: %s holds the frames of the video; choose another folder", option,
                         folder);
    for (int f = 0; f < video->frames; f++) {
        const char *mask = video->mask_path[f];
        if (mask && is_named(mask, video->frame[f]) && stands_in(mask, folder))
            return reel_fail(error, REEL_USAGE,
                             "--%s: %s is a mask that was given and would be overwritten; choose "
                             "another folder",
                             option, mask);
    }
    return REEL_OK;
}
