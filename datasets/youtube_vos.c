/* YouTube-VOS:

     <split>/meta.json                     {"videos": {"<video>": {"objects": {"1": {"category": …, "frames": […]}}}}}
     <split>/JPEGImages/<video>/00005.jpg  every fifth frame of the film, not necessarily from 0 on
     <split>/Annotations/<video>/00005.png train: every listed frame; valid and test: where an object appears first

   An object's `frames` are those where it is annotated (train) or asked for (valid, test). Objects may appear late and
   ids may have gaps. Unknown keys are ignored, the category is optional, frames may stand in any order.

   The folder may be the root or the split's own folder. Masks are not decoded here, so an object whose listed first
   mask happens to be blank (six are known in the train split) keeps that frame as its first. */
#include "datasets/layout.h"
#include "datasets/youtube_vos.h"

#include "core/file.h"
#include "core/memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { META_LIMIT = 1 << 28, LAST_ID = 254 };

typedef struct {
    char *folder, *meta_path; /* of the split */
    bool every_mask;          /* train: every listed frame has a mask */
    reel_faults *faults;
} youtube_vos;

static void fail_json(const json_error_t *fault, const char *path, reel_error *error)
{
    char shown[REEL_SHOWN];
    if (json_error_code(fault) == json_error_out_of_memory || !fault->text[0]) /* no text: it failed before reading */
        reel_fail_memory(error);
    else
        reel_fail(error, REEL_BAD_DATA, "%s: line %d, column %d: is not valid JSON (%s)", path, fault->line,
                  fault->column, reel_show(shown, fault->text));
}

json_t *reel_meta_parse(const char *text, size_t bytes, const char *path, reel_error *error)
{
    json_error_t fault;
    if (memchr(text, 0, bytes)) { /* which the parser below overlooks in some places */
        reel_fail(error, REEL_BAD_DATA, "%s: is not valid JSON (it has a zero byte)", path);
        return NULL;
    }
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
    if (!json) fail_json(&fault, path, error);
    return json;
}

/* ---- where the split is ---- */

/* On the stack, so that "no such file" cannot mean "no memory". */
static bool has_meta(const char *folder, const char *split)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s/meta.json", folder, split);
    return length > 0 && length < PATH_MAX && reel_is_file(path);
}

bool reel_youtube_vos_is_here(const char *folder, const char *split)
{
    return has_meta(folder, split) || has_meta(folder, ".");
}

/* Whether the last part of the path, slashes at its end aside, is `name`. */
static bool is_named(const char *folder, const char *name)
{
    size_t length = strlen(folder), name_length = strlen(name);
    while (length > 0 && folder[length - 1] == '/') length--;
    if (length < name_length || strncmp(folder + length - name_length, name, name_length) != 0) return false;
    return length == name_length || folder[length - name_length - 1] == '/';
}

static bool is_another_split(const char *folder, const char *split)
{
    return (is_named(folder, "train") || is_named(folder, "valid") || is_named(folder, "test")) &&
           !is_named(folder, split);
}

/* Without a split: train of a root, or whatever split the folder itself is. */
static bool find_split(youtube_vos *y, const char *folder, const char *split)
{
    reel_error *error = y->faults->error;
    const char *wanted = split ? split : "train";
    bool below = has_meta(folder, wanted);
    if (!below && split && has_meta(folder, ".") && is_another_split(folder, split)) {
        reel_fail(error, REEL_USAGE,
                  "%s: split %s was asked for, but this is the folder of another one; "
                  "give the folder above it",
                  folder, split);
        return false;
    }
    y->folder = below ? reel_path(error, "%s/%s", folder, wanted) : reel_path(error, "%s", folder);
    if (!y->folder) return false;
    y->every_mask = below || split ? strcmp(wanted, "train") == 0 : is_named(folder, "train");
    return (y->meta_path = reel_path(error, "%s/meta.json", y->folder));
}

/* ---- objects ---- */

/* 1..254 for a key that is such a number in its plain form, otherwise 0: 255 marks void pixels. */
static int id_of(const char *key)
{
    if (key[0] < '1' || key[0] > '9' || strlen(key) > 3 || strspn(key, "0123456789") != strlen(key)) return 0;
    int id = (int)strtol(key, NULL, 10);
    return id <= LAST_ID ? id : 0;
}

static bool list_frame(const youtube_vos *y, const reel_video *video, reel_video_object *object, const json_t *frame)
{
    char shown[REEL_SHOWN];
    if (!json_is_string(frame) || strlen(json_string_value(frame)) != json_string_length(frame))
        return reel_fault(y->faults, REEL_BAD_DATA, "%s: video %s, object %d: a frame is not a plain string",
                          y->meta_path, video->name, object->id);
    const char *name = reel_show(shown, json_string_value(frame));
    int at = reel_video_find_frame(video, json_string_value(frame));
    if (at < 0)
        return reel_fault(y->faults, REEL_IO,
                          "%s/JPEGImages/%s: frame \"%s\" is missing, which meta.json lists for object %d", y->folder,
                          video->name, name, object->id);
    if (object->listed[at]) return true;
    object->listed[at] = true;
    if (video->mask_path[at] || !y->every_mask) return true;
    return reel_fault(y->faults, REEL_IO,
                      "%s/Annotations/%s/%s.png: the mask is missing, which meta.json lists for object %d", y->folder,
                      video->name, name, object->id);
}

static bool find_first(const youtube_vos *y, const reel_video *video, reel_video_object *object)
{
    for (int i = 0; i < video->frames; i++)
        if (object->listed[i] && video->mask_path[i]) {
            object->first = i;
            return true;
        }
    if (y->every_mask && y->faults->report) return true; /* each missing mask was reported already */
    return reel_fault(y->faults, REEL_BAD_DATA,
                      "%s/Annotations/%s: object %d has no mask at any frame that meta.json lists", y->folder,
                      video->name, object->id);
}

static bool add_object(const youtube_vos *y, reel_video *video, int id, const json_t *json)
{
    const json_t *frames = json_object_get(json, "frames"), *category = json_object_get(json, "category");
    reel_video_object *object = reel_video_add_object(video, id, y->faults);
    if (!object) return false;
    if (json_array_size(frames) == 0)
        return reel_fault(y->faults, REEL_BAD_DATA, "%s: video %s, object %d has no list of frames", y->meta_path,
                          video->name, id);
    if (json_is_string(category) && !(object->category = reel_copy_string(json_string_value(category))))
        return reel_stop_for_memory(y->faults);
    for (size_t i = 0; i < json_array_size(frames); i++)
        if (!list_frame(y, video, object, json_array_get(frames, i))) return false;
    return find_first(y, video, object);
}

static bool add_objects(const youtube_vos *y, reel_video *video, json_t *objects)
{
    char shown[REEL_SHOWN], id_text[16];
    const char *key;
    json_t *unused;
    if (json_object_size(objects) == 0)
        return reel_fault(y->faults, REEL_BAD_DATA, "%s: video %s has no objects", y->meta_path, video->name);
    json_object_foreach(objects, key, unused)
    {
        if (id_of(key) == 0 &&
            !reel_fault(y->faults, REEL_BAD_DATA, "%s: video %s: object id \"%s\", expected a number 1..%d",
                        y->meta_path, video->name, reel_show(shown, key), LAST_ID))
            return false;
    }
    for (int id = 1; id <= LAST_ID; id++) {
        snprintf(id_text, sizeof id_text, "%d", id);
        const json_t *object = json_object_get(objects, id_text);
        if (object && !add_object(y, video, id, object)) return false;
    }
    return true;
}

/* ---- videos ---- */

static bool fill_video(const youtube_vos *y, reel_video *video, const char *name, const json_t *json)
{
    reel_error *error = y->faults->error;
    char *frames = reel_path(error, "%s/JPEGImages/%s", y->folder, name);
    char *masks = reel_path(error, "%s/Annotations/%s", y->folder, name);
    bool go_on = frames && masks && reel_video_find_files(video, name, frames, masks, y->faults);
    if (go_on && (video->frames || !y->faults->report)) go_on = add_objects(y, video, json_object_get(json, "objects"));
    reel_free(frames);
    reel_free(masks);
    return go_on;
}

static bool list_videos(const youtube_vos *y, reel_names *names, json_t *videos)
{
    char shown[REEL_SHOWN];
    const char *key;
    json_t *unused;
    if (json_object_size(videos) == 0)
        return reel_fault(y->faults, REEL_BAD_DATA, "%s: has no videos, expected {\"videos\": {name: …}}",
                          y->meta_path);
    json_object_foreach(videos, key, unused)
    {
        const char *wrong = reel_name_fault(key, strlen(key));
        if (!wrong && reel_names_add(names, key, strlen(key), y->faults->error) != REEL_OK) return false;
        if (wrong && !reel_fault(y->faults, REEL_BAD_DATA, "%s: video \"%s\": the name %s", y->meta_path,
                                 reel_show(shown, key), wrong))
            return false;
    }
    reel_names_sort(names);
    return true;
}

static bool fill_videos(const youtube_vos *y, reel_dataset *set, json_t *videos)
{
    reel_names names = {0};
    bool go_on = list_videos(y, &names, videos) && reel_dataset_reserve(set, names.count, y->faults);
    for (int i = 0; go_on && i < names.count; i++)
        go_on = fill_video(y, &set->video[set->videos++], names.name[i], json_object_get(videos, names.name[i]));
    reel_names_free(&names);
    return go_on;
}

bool reel_youtube_vos_open(reel_dataset *set, const char *folder, const char *split, reel_faults *faults)
{
    youtube_vos y = {.faults = faults};
    unsigned char *text = NULL;
    size_t bytes;
    json_t *meta = NULL;
    bool go_on = find_split(&y, folder, split) &&
                 reel_file_read(y.meta_path, META_LIMIT, &text, &bytes, faults->error) == REEL_OK &&
                 (meta = reel_meta_parse((char *)text, bytes, y.meta_path, faults->error)) &&
                 fill_videos(&y, set, json_object_get(meta, "videos"));
    json_decref(meta);
    reel_free(text);
    reel_free(y.meta_path);
    reel_free(y.folder);
    return go_on;
}
