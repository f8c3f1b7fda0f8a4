/* DAVIS 2016 and 2017:

     JPEGImages/480p/<video>/00000.jpg 00001.jpg …    contiguous
     Annotations/480p/<video>/00000.png …             all frames; test splits have only the first
     ImageSets/2017/<split>.txt                       one name a line (2016 also as ImageSets/480p)

   The lists of the first release name pairs of files instead (/JPEGImages/480p/x/00000.jpg /Annotations/480p/x/…); a
   video is then whatever its folder holds. A folder without ImageSets has no splits: every video in it is taken,
   whatever split is asked for, and only first masks are demanded.

   Which year, when the caller does not say: 2017 when ImageSets/2017 exists, 2016 when only older lists do, and without
   lists by the first mask: grey is 2016 (one object, every non-zero pixel), a palette is 2017 (ids).

   In 2017 the objects of a video are those of its first mask, as the benchmark counts them; that one mask a video is
   decoded when opening. Cost: a listing of two folders a video, and in 2017 one small PNG. */
#include "datasets/layout.h"

#include "core/file.h"
#include "core/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_LIMIT = 1 << 24, VOID_ID = 255 };

typedef struct {
    const char *folder, *split;
    bool binary;      /* 2016: one object */
    bool every_mask;  /* the split promises a mask for every frame */
    reel_names names; /* of the videos */
    reel_faults *faults;
} davis;

/* On the stack, so that "no such folder" cannot mean "no memory". */
static bool has_folder(const char *folder, const char *inside)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, inside);
    return length > 0 && length < PATH_MAX && reel_is_folder(path);
}

bool reel_davis_is_here(const char *folder)
{
    return has_folder(folder, "ImageSets") || has_folder(folder, "Annotations/480p") ||
           has_folder(folder, "JPEGImages/480p");
}

/* ---- the list of videos ---- */

/* The <video> of "/JPEGImages/480p/<video>/00000.jpg …", or NULL; its length goes to *length. */
static const char *video_of_pair(const char *line, size_t *length)
{
    static const char room[] = "JPEGImages/";
    if (*line == '/') line++;
    if (strncmp(line, room, sizeof room - 1) != 0) return NULL;
    const char *size_end = strchr(line + sizeof room - 1, '/');
    const char *video_end = size_end ? strchr(size_end + 1, '/') : NULL;
    if (!video_end) return NULL;
    *length = (size_t)(video_end - size_end - 1);
    return size_end + 1;
}

static bool add_line(davis *d, const char *path, int number, const char *line, size_t length)
{
    const char *name = line, *pair = video_of_pair(line, &length);
    if (pair) name = pair;
    const char *wrong = reel_name_fault(name, length);
    if (wrong) {
        char shown[REEL_SHOWN];
        return reel_fault(d->faults, REEL_BAD_DATA, "%s: line %d: \"%s\": the name %s; give a video's folder name",
                          path, number, reel_show(shown, line), wrong);
    }
    const char *last = pair && d->names.count ? d->names.name[d->names.count - 1] : "";
    if (strncmp(last, name, length) == 0 && last[length] == 0) return true; /* the next frame of the same video */
    return reel_names_add(&d->names, name, length, d->faults->error) == REEL_OK;
}

/* Windows line ends, a byte order mark, blank lines and blanks around a name are not worth a complaint. */
static bool read_lines(davis *d, const char *path, char *text, size_t bytes)
{
    char *end = text + bytes, *line = text;
    bool go_on = true;
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) line += 3;
    for (int number = 1; go_on && line < end; number++) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        char *next = stop ? stop + 1 : end, *last = stop ? stop : end;
        while (line < last && strchr(" \t\r", *line) && *line) line++;
        while (last > line && strchr(" \t\r", last[-1]) && last[-1]) last--;
        *last = 0; /* core/file.h leaves a byte after the contents */
        if (last > line) go_on = add_line(d, path, number, line, (size_t)(last - line));
        line = next;
    }
    return go_on;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool check_duplicates(davis *d, const char *path)
{
    char shown[REEL_SHOWN];
    int count = d->names.count;
    if (count == 0) return reel_fault(d->faults, REEL_BAD_DATA, "%s: lists no videos, expected one name a line", path);
    char **sorted = reel_alloc((size_t)count, sizeof *sorted);
    if (!sorted) return reel_stop_for_memory(d->faults);
    memcpy(sorted, d->names.name, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_bytes);
    bool go_on = true;
    for (int i = 1; go_on && i < count; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            go_on = reel_fault(d->faults, REEL_BAD_DATA, "%s: lists video %s twice", path, reel_show(shown, sorted[i]));
    reel_free(sorted);
    return go_on;
}

static bool read_list(davis *d, const char *path)
{
    unsigned char *text;
    size_t bytes;
    if (reel_file_read(path, LIST_LIMIT, &text, &bytes, d->faults->error) != REEL_OK) return false;
    bool go_on = read_lines(d, path, (char *)text, bytes) && check_duplicates(d, path);
    reel_free(text);
    return go_on;
}

/* A split that is not there is told with those that are: their names without ".txt". */
static bool tell_lists(davis *d, const char *path, const char *folder)
{
    char there[256] = "", shown[REEL_SHOWN];
    reel_names files = {0};
    reel_error ignored = {0}; /* a folder that cannot be listed has no lists to tell */
    reel_names_in_folder(&files, folder, &ignored);
    for (int i = 0; i < files.count; i++) {
        char *dot = strrchr(files.name[i], '.');
        if (!dot || strcmp(dot, ".txt") != 0) continue;
        *dot = 0;
        size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, " %s", reel_show(shown, files.name[i]));
    }
    reel_names_free(&files);
    if (ignored.status == REEL_ENVIRONMENT) return reel_stop_for_memory(d->faults);
    reel_fail(d->faults->error, REEL_IO, "%s: not found, check the split; the lists there are:%s", path,
              *there ? there : " none");
    return false;
}

/* Every folder of frames, for a data set without lists. */
static bool list_every_video(davis *d)
{
    char shown[REEL_SHOWN];
    reel_names all = {0};
    char *frames = reel_path(d->faults->error, "%s/JPEGImages/480p", d->folder);
    bool go_on = frames && reel_names_in_folder(&all, frames, d->faults->error) == REEL_OK;
    for (int i = 0; go_on && i < all.count; i++) {
        const char *name = all.name[i], *wrong = reel_name_fault(name, strlen(name));
        char *path = reel_path(d->faults->error, "%s/%s", frames, name);
        if (!path)
            go_on = false;
        else if (wrong)
            go_on = reel_fault(d->faults, REEL_BAD_DATA, "%s: the name \"%s\" %s; rename it", frames,
                               reel_show(shown, name), wrong);
        else if (reel_is_folder(path))
            go_on = reel_names_add(&d->names, name, strlen(name), d->faults->error) == REEL_OK;
        reel_free(path);
    }
    if (go_on && d->names.count == 0)
        go_on = reel_fault(d->faults, REEL_BAD_DATA, "%s: has no folders of frames", frames);
    reel_names_free(&all);
    reel_free(frames);
    return go_on;
}

/* Sets d->binary by the first mask of the first video; a mask that cannot be read leaves it false for now. */
static bool look_at_first_mask(davis *d)
{
    reel_names files = {0};
    reel_error error = {0};
    reel_mask mask = {0};
    if (d->names.count == 0) return true;
    char *path = NULL, *folder = reel_path(&error, "%s/Annotations/480p/%s", d->folder, d->names.name[0]);
    if (folder && reel_names_in_folder(&files, folder, &error) == REEL_OK && files.count > 0)
        path = reel_path(&error, "%s/%s", folder, files.name[0]);
    if (path && reel_mask_read(&mask, path, &error) == REEL_OK) d->binary = !mask.has_palette;
    reel_mask_free(&mask);
    reel_free(path);
    reel_free(folder);
    reel_names_free(&files);
    return error.status != REEL_ENVIRONMENT || reel_stop_for_memory(d->faults);
}

static bool list_split(davis *d, const char *year)
{
    char *folder = reel_path(d->faults->error, "%s/ImageSets/%s", d->folder, year);
    char *path = folder ? reel_path(d->faults->error, "%s/%s.txt", folder, d->split) : NULL;
    bool go_on =
        path && (access(path, F_OK) == 0 || errno != ENOENT ? read_list(d, path) : tell_lists(d, path, folder));
    reel_free(path);
    reel_free(folder);
    return go_on;
}

static bool list_videos(davis *d, reel_layout layout)
{
    bool lists = has_folder(d->folder, "ImageSets"), older = has_folder(d->folder, "ImageSets/2016");
    if (lists) {
        if (layout == REEL_ANY_LAYOUT)
            layout = has_folder(d->folder, "ImageSets/2017") ? REEL_DAVIS2017 : REEL_DAVIS2016;
        d->binary = layout == REEL_DAVIS2016;
        d->every_mask = strncmp(d->split, "test", 4) != 0;
        return list_split(d, !d->binary ? "2017" : older ? "2016" : "480p");
    }
    d->binary = layout == REEL_DAVIS2016;
    return list_every_video(d) && (layout != REEL_ANY_LAYOUT || look_at_first_mask(d));
}

/* ---- one video ---- */

static bool check_contiguous(const reel_video *video, reel_faults *faults)
{
    bool go_on = true;
    for (int i = 1; go_on && i < video->frames; i++) {
        unsigned long before = strtoul(video->frame[i - 1], NULL, 10), here = strtoul(video->frame[i], NULL, 10);
        if (here == before + 2)
            go_on = reel_fault(faults, REEL_BAD_DATA, "%s: the frame before it, number %lu, is missing",
                               video->frame_path[i], here - 1);
        else if (here != before + 1)
            go_on = reel_fault(faults, REEL_BAD_DATA, "%s: the frames before it, numbers %lu to %lu, are missing",
                               video->frame_path[i], before + 1, here - 1);
    }
    return go_on;
}

static bool check_masks(const davis *d, const reel_video *video, const char *mask_folder)
{
    bool go_on = true;
    for (int i = 0; go_on && i < video->frames; i++)
        if (!video->mask_path[i] && (i == 0 || d->every_mask))
            go_on = reel_fault(d->faults, REEL_IO, "%s/%s.png: the mask is missing, expected one for %s", mask_folder,
                               video->frame[i], d->every_mask ? "every frame" : "the first frame");
    return go_on;
}

static bool add_object(const davis *d, reel_video *video, int id)
{
    reel_video_object *object = reel_video_add_object(video, id, d->faults);
    if (object) memset(object->listed, 1, (size_t)video->frames);
    return object;
}

static bool add_objects_of_first_mask(const davis *d, reel_video *video)
{
    bool seen[256] = {false};
    reel_mask mask;
    reel_error error = {0};
    reel_status status = reel_mask_read(&mask, video->mask_path[0], &error);
    if (status == REEL_ENVIRONMENT) return reel_stop_for_memory(d->faults);
    if (status != REEL_OK) /* verifying decodes every mask and reports this one then */
        return d->faults->report || reel_fault(d->faults, status, "%s", error.text);
    for (size_t i = 0; i < (size_t)mask.width * (size_t)mask.height; i++) seen[mask.id[i]] = true;
    reel_mask_free(&mask);
    bool go_on = true;
    for (int id = 1; go_on && id < VOID_ID; id++)
        if (seen[id]) go_on = add_object(d, video, id);
    if (go_on && video->objects == 0)
        go_on = reel_fault(d->faults, REEL_BAD_DATA, "%s: the first mask shows no object, expected ids 1..254",
                           video->mask_path[0]);
    return go_on;
}

static bool fill_video(const davis *d, reel_video *video, const char *name)
{
    reel_error *error = d->faults->error;
    char *frames = reel_path(error, "%s/JPEGImages/480p/%s", d->folder, name);
    char *masks = reel_path(error, "%s/Annotations/480p/%s", d->folder, name);
    bool go_on = frames && masks && reel_video_find_files(video, name, frames, masks, d->faults) &&
                 check_contiguous(video, d->faults) && check_masks(d, video, masks);
    if (go_on && d->binary) go_on = add_object(d, video, 1);
    if (go_on && !d->binary && video->frames && video->mask_path[0]) go_on = add_objects_of_first_mask(d, video);
    reel_free(frames);
    reel_free(masks);
    return go_on;
}

bool reel_davis_open(reel_dataset *set, const char *folder, reel_layout layout, const char *split, reel_faults *faults)
{
    davis d = {.folder = folder, .split = split, .faults = faults};
    bool go_on = list_videos(&d, layout) && reel_dataset_reserve(set, d.names.count, faults);
    if (go_on && d.binary) set->read_mask = reel_dataset_read_binary_mask;
    for (int i = 0; go_on && i < d.names.count; i++)
        go_on = fill_video(&d, &set->video[set->videos++], d.names.name[i]);
    reel_names_free(&d.names);
    return go_on;
}
