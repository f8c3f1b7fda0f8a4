/* Which frames of which videos are scored, for the protocols that need only folders of masks (DAVIS 2016 and 2017,
   vosbench): the ground truth without its first frame, which is given to every method, and without its last, which
   DAVIS leaves out too. */
#include "tools/eval.h"

#include "core/file.h"
#include "core/memory.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

void reel_eval_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("reel eval: warning: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

reel_status reel_eval_add_video(reel_eval_plan *plan, const char *name, int source, reel_error *error)
{
    if (!reel_make_room(&plan->video, plan->videos, &plan->video_room, 64, sizeof *plan->video))
        return reel_fail_memory(error);
    char *copy = reel_copy_string(name);
    if (!copy) return reel_fail_memory(error);
    plan->video[plan->videos++] = (reel_eval_video){.name = copy, .first = plan->frames, .source = source};
    return REEL_OK;
}

reel_status reel_eval_add_frame(reel_eval_plan *plan, int index, char *truth, char *guess, reel_error *error)
{
    if (!truth || !reel_make_room(&plan->frame, plan->frames, &plan->frame_room, 1024, sizeof *plan->frame)) {
        reel_free(truth);
        reel_free(guess);
        return reel_fail_memory(error);
    }
    plan->frame[plan->frames++] = (reel_eval_frame){.index = index, .truth = truth, .guess = guess};
    plan->video[plan->videos - 1].frames++;
    return REEL_OK;
}

void reel_eval_free_plan(reel_eval_plan *plan)
{
    for (int i = 0; i < plan->videos; i++) reel_free(plan->video[i].name);
    for (int i = 0; i < plan->frames; i++) {
        reel_free(plan->frame[i].truth);
        reel_free(plan->frame[i].guess);
        reel_free(plan->frame[i].score);
    }
    reel_free(plan->video);
    reel_free(plan->frame);
    reel_free(plan->videos_from);
    reel_names_free(&plan->seen);
    reel_dataset_close(&plan->set);
    *plan = (reel_eval_plan){0};
}

/* What is missing is told by its outermost name: the folder of a video before the first of its frames. */
char *reel_eval_find_guess(const char *folder, const char *video, const char *frame, reel_error *error)
{
    char *parent = reel_path(error, "%s/%s", folder, video), *path = NULL;
    if (parent && !reel_is_folder(parent))
        reel_fail(error, REEL_BAD_DATA, "%s: no predictions for video %s; expected a folder with a PNG mask a frame",
                  parent, video);
    else if (parent)
        path = reel_path(error, "%s/%s.png", parent, frame);
    if (path && !reel_is_file(path)) {
        reel_fail(error, REEL_BAD_DATA,
                  "%s: the prediction is missing, but its frame has ground truth; write a mask for "
                  "every frame",
                  path);
        reel_free(path);
        path = NULL;
    }
    reel_free(parent);
    return path;
}

/* The folder whose folders are the videos: below a data set, or given directly. */
static char *find_annotations(const char *gt, reel_error *error)
{
    static const char *const below[] = {"/Annotations/480p", "/Annotations", ""};
    for (int i = 0; i < 3; i++) {
        char *path = reel_path(error, "%s%s", gt, below[i]);
        if (!path || reel_is_folder(path)) return path;
        reel_free(path);
    }
    reel_fail(error, REEL_IO, "%s: --gt is not a folder; expected a data set with Annotations/480p", gt);
    return NULL;
}

/* The video a line of a list names: "bear", or the folder of the first path in "/JPEGImages/480p/bear/00000.jpg …". */
static reel_status add_line(reel_names *names, const char *line, size_t length, reel_error *error)
{
    while (length && isspace((unsigned char)*line)) line++, length--;
    size_t end = 0;
    while (end < length && !isspace((unsigned char)line[end])) end++;
    const char *slash = memrchr(line, '/', end), *start = line;
    if (slash) {
        const char *before = memrchr(line, '/', (size_t)(slash - line));
        start = before ? before + 1 : line;
        end = (size_t)(slash - start);
    }
    if (!end) return REEL_OK;
    const char *fault = reel_name_fault(start, end);
    if (fault) return reel_fail(error, REEL_BAD_DATA, "a video name in the list %s", fault);
    bool repeated = names->count && strlen(names->name[names->count - 1]) == end &&
                    !memcmp(names->name[names->count - 1], start, end);
    return repeated ? REEL_OK : reel_names_add(names, start, end, error);
}

static reel_status read_list(reel_names *names, const char *path, reel_error *error)
{
    unsigned char *data;
    size_t bytes;
    reel_error inner = {0};
    reel_status status = reel_file_read(path, 1 << 26, &data, &bytes, error);
    if (status) return status;
    const char *text = (const char *)data, *stop = text + bytes;
    while (!status && text < stop) {
        const char *newline = memchr(text, '\n', (size_t)(stop - text));
        const char *end = newline ? newline : stop;
        status = add_line(names, text, (size_t)(end - text), &inner);
        text = end + 1;
    }
    reel_free(data);
    return status ? reel_fail(error, status, "%s: %s", path, inner.text) : REEL_OK;
}

/* Looks for ImageSets/YEAR/SPLIT.txt, the protocol's own year first; *found stays NULL when there is none. */
static reel_status find_list(char **found, const reel_eval_options *options, const char *split, reel_error *error)
{
    static const char *const year_2016[] = {"2016", "480p", "2017"}, *const year_2017[] = {"2017", "2016", "480p"};
    const char *const *year = options->protocol == REEL_EVAL_DAVIS2016 ? year_2016 : year_2017;
    for (int i = 0; i < 3; i++) {
        char *path = reel_path(error, "%s/ImageSets/%s/%s.txt", options->gt, year[i], split);
        if (!path) return REEL_ENVIRONMENT;
        if (reel_is_file(path)) {
            *found = path;
            return REEL_OK;
        }
        reel_free(path);
    }
    return REEL_OK;
}

/* Every folder of the ground truth; with `pred` only those that are there, too. */
static reel_status list_videos(reel_names *names, const char *annotations, const char *pred, reel_error *error)
{
    reel_names all = {0};
    reel_status status = reel_names_in_folder(&all, annotations, error);
    int left_out = 0;
    for (int i = 0; !status && i < all.count; i++) {
        char *truth = reel_path(error, "%s/%s", annotations, all.name[i]);
        char *guess = reel_path(error, "%s/%s", pred ? pred : annotations, all.name[i]);
        if (!truth || !guess)
            status = REEL_ENVIRONMENT;
        else if (reel_is_folder(truth) && reel_is_folder(guess))
            status = reel_names_add(names, all.name[i], strlen(all.name[i]), error);
        else
            left_out += reel_is_folder(truth);
        reel_free(truth);
        reel_free(guess);
    }
    if (left_out)
        reel_eval_warn("%d videos of %s have no folder in %s and are left out; --split all demands every video",
                       left_out, annotations, pred);
    reel_names_free(&all);
    return status;
}

static reel_status choose_videos(reel_names *names, char **from, const char *annotations,
                                 const reel_eval_options *options, reel_error *error)
{
    bool both = options->protocol == REEL_EVAL_VOSBENCH && !options->split;
    const char *split = options->split ? options->split : both ? "all" : "val";
    bool all = !strcmp(split, "all");
    char *list = NULL;
    reel_status status = all ? REEL_OK : find_list(&list, options, split, error);
    if (status) return status;
    if (list) {
        *from = list;
        return read_list(names, list, error);
    }
    if (options->split && !all)
        return reel_fail(error, REEL_IO, "%s/ImageSets: has no list %s.txt; --split all scores every video",
                         options->gt, split);
    if (!all)
        reel_eval_warn("%s/ImageSets has no list %s.txt; scoring every video of %s", options->gt, split, annotations);
    *from = reel_path(error, "%s%s", annotations, both ? " (those with predictions)" : "");
    return *from ? list_videos(names, annotations, both ? options->pred : NULL, error) : REEL_ENVIRONMENT;
}

static bool is_mask(const char *file)
{
    size_t bytes = strlen(file);
    return bytes > 4 && !strcmp(file + bytes - 4, ".png");
}

static reel_status add_mask(reel_eval_plan *plan, const char *folder, int index, char *file, bool scored,
                            const reel_eval_options *options, reel_error *error)
{
    const char *video = plan->video[plan->videos - 1].name;
    char *truth = reel_path(error, "%s/%s", folder, file), *guess = NULL;
    file[strlen(file) - 4] = 0;
    if (truth && scored && !(guess = reel_eval_find_guess(options->pred, video, file, error))) {
        reel_free(truth);
        return error->status;
    }
    return reel_eval_add_frame(plan, index, truth, guess, error);
}

/* DAVIS 2017 counts the objects in the first frame, so there it is planned without a prediction. */
static reel_status plan_video(reel_eval_plan *plan, const char *annotations, const char *name,
                              const reel_eval_options *options, reel_error *error)
{
    reel_names files = {0};
    char *folder = reel_path(error, "%s/%s", annotations, name);
    reel_status status = folder ? REEL_OK : REEL_ENVIRONMENT;
    if (!status && !reel_is_folder(folder))
        status = reel_fail(error, REEL_BAD_DATA, "%s: video %s is listed but has no ground truth here", folder, name);
    if (!status) status = reel_names_in_folder(&files, folder, error);
    int masks = 0;
    for (int i = 0; i < files.count; i++) {
        if (!is_mask(files.name[i])) continue;
        char *file = files.name[i];
        files.name[i] = files.name[masks];
        files.name[masks++] = file;
    }
    if (!status && masks < 3)
        reel_eval_warn("%s: %d masks; between the first and the last there is nothing to score, so %s is skipped",
                       folder, masks, name);
    else if (!status)
        status = reel_eval_add_video(plan, name, -1, error);
    bool count_first = options->protocol == REEL_EVAL_DAVIS2017;
    for (int i = count_first ? 0 : 1; !status && masks >= 3 && i < masks - 1; i++)
        status = add_mask(plan, folder, i, files.name[i], i > 0, options, error);
    reel_free(folder);
    reel_names_free(&files);
    return status;
}

static reel_status plan_folders(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error)
{
    reel_names names = {0};
    char *annotations = find_annotations(options->gt, error);
    reel_status status =
        annotations ? choose_videos(&names, &plan->videos_from, annotations, options, error) : error->status;
    for (int i = 0; !status && i < names.count; i++)
        status = plan_video(plan, annotations, names.name[i], options, error);
    if (!status && !plan->videos)
        status = reel_fail(error, REEL_BAD_DATA, "%s: no video to score; expected a folder of PNG masks a video",
                           plan->videos_from);
    reel_free(annotations);
    reel_names_free(&names);
    return status;
}

reel_status reel_eval_make_plan(reel_eval_plan *plan, const reel_eval_options *options, reel_error *error)
{
    *plan = (reel_eval_plan){0};
    if (!reel_is_folder(options->pred))
        return reel_fail(error, REEL_IO, "%s: --pred is not a folder; expected a folder with a folder a video",
                         options->pred);
    reel_status status = options->protocol == REEL_EVAL_YTVOS ? reel_eval_plan_ytvos(plan, options, error)
                                                              : plan_folders(plan, options, error);
    if (status) reel_eval_free_plan(plan);
    return status;
}
