/* YouTube-VOS: meta.json tells which frames of which object count, objects may begin in the middle of a video, and the
   score is an average over categories that training has seen and ones it has not.

   An object counts from its first frame that shows it: where meta.json lists frames before that (it happens), they are
   left out. That first frame is given to the method, so by default it is left out as well; the rule of the official
   server is not public. */
#include "tools/eval.h"

#include "core/file.h"
#include "core/memory.h"
#include "datasets/youtube_vos.h"

#include <string.h>

/* The categories of all objects of a meta.json. */
static reel_status read_categories(reel_names *categories, const char *path, reel_error *error)
{
    unsigned char *data;
    size_t bytes;
    reel_status status = reel_file_read(path, (size_t)1 << 28, &data, &bytes, error);
    if (status) return status;
    json_t *root = reel_meta_parse((const char *)data, bytes, path, error), *video, *object;
    reel_free(data);
    if (!root) return error->status;
    const char *key;
    json_object_foreach(json_object_get(root, "videos"), key, video)
    {
        const char *id;
        json_object_foreach(json_object_get(video, "objects"), id, object)
        {
            const char *category = json_string_value(json_object_get(object, "category"));
            bool known = !category;
            for (int i = 0; category && !known && i < categories->count; i++)
                known = !strcmp(categories->name[i], category);
            if (!known && !status) status = reel_names_add(categories, category, strlen(category), error);
        }
    }
    json_decref(root);
    return status;
}

/* --seen, or the training list that lies beside the data set. */
static reel_status find_seen(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error)
{
    static const char *const beside[] = {"train/meta.json", "../train/meta.json"};
    plan->seen_known = true;
    if (options->seen) return read_categories(&plan->seen, options->seen, error);
    for (int i = 0; i < 2; i++) {
        char *path = reel_path(error, "%s/%s", options->gt, beside[i]);
        if (!path) return REEL_ENVIRONMENT;
        bool here = reel_is_file(path);
        reel_status status = here ? read_categories(&plan->seen, path, error) : REEL_OK;
        reel_free(path);
        if (here) return status;
    }
    plan->seen_known = false;
    reel_eval_warn("no train/meta.json beside %s, so seen and unseen categories are not told apart; --seen names one",
                   options->gt);
    return REEL_OK;
}

/* Whether an object is listed in the frame, and whether one is that was listed before. */
static void look_at_frame(const reel_video *video, int frame, bool *listed, bool *followed)
{
    *listed = *followed = false;
    for (int o = 0; o < video->objects; o++) {
        if (!video->object[o].listed[frame]) continue;
        *listed = true;
        for (int t = 0; t < frame; t++) *followed = *followed || video->object[o].listed[t];
    }
}

/* A prediction is needed only where some object is scored. */
static reel_status plan_frame(reel_eval_plan *plan, int v, int frame, const char *pred,
                              const reel_eval_options *options, reel_error *error)
{
    const reel_video *video = &plan->set.video[v];
    bool listed, followed;
    look_at_frame(video, frame, &listed, &followed);
    if (!listed) return REEL_OK;
    if (!video->mask_path[frame])
        return reel_fail(error, REEL_BAD_DATA,
                         "%s: video %s has no ground truth for frame %s, which meta.json lists; score "
                         "videos whose masks are known, such as held-out training videos",
                         options->gt, video->name, video->frame[frame]);
    char *guess = NULL;
    if (followed || !options->skip_first_object_frame) {
        guess = reel_eval_find_guess(pred, video->name, video->frame[frame], error);
        if (!guess) return error->status;
    }
    return reel_eval_add_frame(plan, frame, reel_copy_string(video->mask_path[frame]), guess, error);
}

reel_status reel_eval_plan_ytvos(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error)
{
    const char *split = options->split && strcmp(options->split, "all") != 0 ? options->split : NULL;
    reel_status status = reel_dataset_open(&plan->set, options->gt, REEL_YOUTUBE_VOS, split, error);
    if (!status) status = find_seen(plan, options, error);
    /* Submissions have their videos below a folder Annotations. */
    char *below = reel_path(error, "%s/Annotations", options->pred);
    const char *pred = below && reel_is_folder(below) ? below : options->pred;
    if (!status) plan->videos_from = reel_path(error, "%s, split %s", options->gt, split ? split : "not given");
    if (!below || (!status && !plan->videos_from)) status = error->status;
    for (int v = 0; !status && v < plan->set.videos; v++) {
        status = reel_eval_add_video(plan, plan->set.video[v].name, v, error);
        for (int t = 0; !status && t < plan->set.video[v].frames; t++)
            status = plan_frame(plan, v, t, pred, options, error);
    }
    reel_free(below);
    return status;
}
