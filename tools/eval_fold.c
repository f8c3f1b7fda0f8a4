/* From scores of frames to values of objects over time, to means over objects, by the rules of each protocol. An object
   that is in neither mask of a frame scores 1 there: nothing was to be found, and nothing was claimed. */
#include "tools/eval.h"

#include "core/memory.h"

#include <math.h>
#include <string.h>

/* One object's values over the frames that count for it. */
typedef struct {
    double *j, *f;
    int frames;
    bool shown, predicted; /* in the truth, in the prediction of any of these frames */
} series;

/* The state of folding: the report, the values of the object at hand, and how many objects were never predicted. */
typedef struct {
    reel_eval_report *report;
    series values;
    int shown, never_predicted;
    reel_error *error;
} folding;

static void clear(series *s)
{
    s->frames = 0;
    s->shown = s->predicted = false;
}

static void append(series *s, const reel_eval_frame *frame, int id)
{
    double j = 1, f = 1;
    for (int i = 0; i < frame->scores; i++)
        if (frame->score[i].id == id) {
            j = frame->score[i].j;
            f = frame->score[i].f;
        }
    s->j[s->frames] = j;
    s->f[s->frames++] = f;
    s->shown = s->shown || reel_id_set_has(&frame->in_truth, id);
    s->predicted = s->predicted || reel_id_set_has(&frame->in_guess, id);
}

/* The object whose values were just collected joins the report. */
static reel_status finish_object(folding *fold, const reel_eval_video *video, int id, int seen)
{
    reel_eval_report *report = fold->report;
    const series *s = &fold->values;
    bool single = report->options->protocol == REEL_EVAL_DAVIS2016;
    if (s->frames == 0) {
        reel_eval_warn("%s: object %d has no frame to score and is skipped", video->name, id);
        return REEL_OK;
    }
    if (!reel_make_room(&report->object, report->objects, &report->room, 64, sizeof *report->object))
        return reel_fail_memory(fold->error);
    char *name = single ? reel_copy_string(video->name) : reel_path(fold->error, "%s_%d", video->name, id);
    if (!name) return reel_fail_memory(fold->error);
    fold->shown += s->shown;
    fold->never_predicted += s->shown && !s->predicted;
    report->object[report->objects++] = (reel_eval_object){.name = name,
                                                           .video = video->name,
                                                           .id = id,
                                                           .frames = s->frames,
                                                           .seen = seen,
                                                           .j = reel_metric_statistics(s->j, s->frames),
                                                           .f = reel_metric_statistics(s->f, s->frames)};
    return REEL_OK;
}

static reel_status fold_davis2016(folding *fold, const reel_eval_video *video, const reel_eval_frame *frame)
{
    clear(&fold->values);
    for (int t = 0; t < video->frames; t++) append(&fold->values, &frame[t], 1);
    return finish_object(fold, video, 1, -1);
}

static int highest_id(const reel_id_set *set, int limit)
{
    while (limit > 0 && !reel_id_set_has(set, limit)) limit--;
    return limit;
}

/* The highest id of the first true mask is the number of objects, void (255) aside; higher ones that come later are no
   objects in the truth and a mistake in a prediction, where 255 is a mistake as well. */
static reel_status fold_davis2017(folding *fold, const reel_eval_video *video, const reel_eval_frame *frame)
{
    int objects = highest_id(&frame[0].in_truth, 254);
    if (!objects) {
        reel_eval_warn("%s: no object is marked, so %s is skipped%s", frame[0].truth, video->name,
                       reel_id_set_has(&frame[0].in_truth, 255) ? "; masks of 0 and 255 are for --protocol davis2016"
                                                                : "");
        return REEL_OK;
    }
    for (int t = 1; t < video->frames; t++) {
        int id = highest_id(&frame[t].in_guess, 255);
        if (id > objects)
            return reel_fail(fold->error, REEL_BAD_DATA,
                             "%s: the prediction has id %d, but the ids of video %s are 1 to %d "
                             "in its first ground truth; write indices of that mask, not colours or grey values",
                             frame[t].guess, id, video->name, objects);
    }
    reel_status status = REEL_OK;
    for (int id = 1; !status && id <= objects; id++) {
        clear(&fold->values);
        for (int t = 1; t < video->frames; t++) append(&fold->values, &frame[t], id);
        status = finish_object(fold, video, id, -1);
    }
    return status;
}

/* Every id that the truth ever has, from the first frame on in which either mask has it; 255 is an id like others. */
static reel_status fold_vosbench(folding *fold, const reel_eval_video *video, const reel_eval_frame *frame)
{
    reel_id_set ever = {{0}};
    for (int t = 0; t < video->frames; t++)
        for (int k = 0; k < 4; k++) ever.bit[k] |= frame[t].in_truth.bit[k];
    reel_status status = REEL_OK;
    for (int id = 1; !status && id < 256; id++) {
        if (!reel_id_set_has(&ever, id)) continue;
        int start = 0;
        while (!reel_id_set_has(&frame[start].in_truth, id) && !reel_id_set_has(&frame[start].in_guess, id)) start++;
        clear(&fold->values);
        for (int t = start; t < video->frames; t++) append(&fold->values, &frame[t], id);
        status = finish_object(fold, video, id, -1);
    }
    return status;
}

static int is_seen(const reel_eval_plan *plan, const char *category)
{
    if (!plan->seen_known || !category) return -1;
    for (int i = 0; i < plan->seen.count; i++)
        if (!strcmp(plan->seen.name[i], category)) return 1;
    return 0;
}

/* The frames listed for the object, from the first on that shows it, less what the options leave out. */
static reel_status fold_ytvos(folding *fold, const reel_eval_video *video, const reel_eval_frame *frame)
{
    const reel_eval_options *options = fold->report->options;
    const reel_video *source = &fold->report->plan->set.video[video->source];
    reel_status status = REEL_OK;
    for (int o = 0; !status && o < source->objects; o++) {
        const reel_video_object *object = &source->object[o];
        int first = -1, last = -1, listed = 0;
        for (int t = 0; t < video->frames; t++) {
            if (!object->listed[frame[t].index]) continue;
            listed++;
            last = t;
            if (first >= 0 || !reel_id_set_has(&frame[t].in_truth, object->id)) continue;
            first = t;
            if (listed > 1)
                reel_eval_warn("%s: object %d is listed %d frames before frame %s, the first that shows it",
                               video->name, object->id, listed - 1, source->frame[frame[t].index]);
        }
        clear(&fold->values);
        for (int t = first; t >= 0 && t < video->frames; t++) {
            bool left_out = (t == first && options->skip_first_object_frame) || (t == last && options->skip_last);
            if (object->listed[frame[t].index] && !left_out) append(&fold->values, &frame[t], object->id);
        }
        status = finish_object(fold, video, object->id, is_seen(fold->report->plan, object->category));
    }
    return status;
}

/* Mean over the objects whose `seen` is as wanted (or any: -2) of one of their six statistics. */
enum { ANY = -2 };
static double mean_of(const reel_eval_report *report, double *scratch, int seen, size_t offset)
{
    int n = 0;
    for (int i = 0; i < report->objects; i++)
        if (seen == ANY || report->object[i].seen == seen)
            memcpy(&scratch[n++], (const char *)&report->object[i] + offset, sizeof *scratch);
    return reel_metric_mean(scratch, n);
}

static reel_status take_means(reel_eval_report *report, reel_error *error)
{
    double *scratch = reel_alloc((size_t)report->objects, sizeof *scratch);
    if (!scratch) return reel_fail_memory(error);
#define MEAN(seen, member) mean_of(report, scratch, seen, offsetof(reel_eval_object, member))
    report->j = (reel_statistics){MEAN(ANY, j.mean), MEAN(ANY, j.recall), MEAN(ANY, j.decay)};
    report->f = (reel_statistics){MEAN(ANY, f.mean), MEAN(ANY, f.recall), MEAN(ANY, f.decay)};
    report->jf = (report->j.mean + report->f.mean) / 2;
    report->j_seen = MEAN(1, j.mean);
    report->f_seen = MEAN(1, f.mean);
    report->j_unseen = MEAN(0, j.mean);
    report->f_unseen = MEAN(0, f.mean);
#undef MEAN
    double parts[] = {report->j_seen, report->j_unseen, report->f_seen, report->f_unseen};
    report->overall = reel_metric_mean(parts, 4);
    if (isnan(report->overall)) report->overall = report->jf;
    reel_free(scratch);
    return REEL_OK;
}

reel_status reel_eval_fold(reel_eval_report *report, const reel_eval_plan *plan, const reel_eval_options *options,
                           reel_error *error)
{
    static reel_status (*const fold_video[])(folding *, const reel_eval_video *, const reel_eval_frame *) = {
        fold_davis2016, fold_davis2017, fold_vosbench, fold_ytvos};
    *report = (reel_eval_report){.plan = plan, .options = options};
    folding fold = {.report = report, .error = error};
    int most = 0;
    for (int v = 0; v < plan->videos; v++)
        if (plan->video[v].frames > most) most = plan->video[v].frames;
    fold.values.j = reel_alloc((size_t)most, sizeof(double));
    fold.values.f = reel_alloc((size_t)most, sizeof(double));
    reel_status status = fold.values.j && fold.values.f ? REEL_OK : reel_fail_memory(error);
    for (int v = 0; !status && v < plan->videos; v++)
        status = fold_video[options->protocol](&fold, &plan->video[v], plan->frame + plan->video[v].first);
    reel_free(fold.values.j);
    reel_free(fold.values.f);
    if (!status && !report->objects)
        status = reel_fail(error, REEL_BAD_DATA, "%s: no object to score in any video", plan->videos_from);
    if (!status) status = take_means(report, error);
    if (status)
        reel_eval_free_report(report);
    else if (2 * fold.never_predicted > fold.shown)
        reel_eval_warn(
            "%d of the %d objects in the ground truth are predicted nowhere; do --gt and --pred belong together, "
            "and do their masks hold the same object ids?",
            fold.never_predicted, fold.shown);
    return status;
}

void reel_eval_free_report(reel_eval_report *report)
{
    for (int i = 0; i < report->objects; i++) reel_free(report->object[i].name);
    reel_free(report->object);
    *report = (reel_eval_report){0};
}

reel_status reel_eval_run(reel_eval_plan *plan, reel_eval_report *report, const reel_eval_options *options,
                          reel_error *error)
{
    *report = (reel_eval_report){0};
    reel_status status = reel_eval_make_plan(plan, options, error);
    if (!status)
        status = reel_eval_score_frames(plan->frame, plan->frames, options->protocol == REEL_EVAL_DAVIS2016,
                                        options->threads, error);
    if (!status) status = reel_eval_fold(report, plan, options, error);
    if (status) reel_eval_free_plan(plan);
    return status;
}
