/* A report as a table for people, as JSON for programs, and as the CSV tables of the reference tools. Values are in
   0..1, except in vosbench's table, which is in per cent. */
#include "tools/eval.h"

#include "core/file.h"
#include "core/memory.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *reel_eval_protocol_name(int protocol)
{
    static const char *const names[] = {"davis2016", "davis2017", "vosbench", "ytvos"};
    return names[protocol];
}

/* ---- for people ---- */

static void print_row(const char *name, int width, const char *frames, reel_statistics j, reel_statistics f, FILE *to)
{
    fprintf(to, "%-*s %6s   %7.3f %7.3f %7.3f   %7.3f %7.3f %7.3f\n", width, name, frames, j.mean, j.recall, j.decay,
            f.mean, f.recall, f.decay);
}

static void print_ytvos(const reel_eval_report *report, FILE *to)
{
    if (report->plan->seen_known)
        fprintf(to, "J seen %.4f, J unseen %.4f, F seen %.4f, F unseen %.4f (nan: no such objects)\n", report->j_seen,
                report->j_unseen, report->f_seen, report->f_unseen);
    fprintf(to, "overall %.4f, first frame of an object %s, last %s\n", report->overall,
            report->options->skip_first_object_frame ? "left out" : "counted",
            report->options->skip_last ? "left out" : "counted");
}

void reel_eval_print_table(const reel_eval_report *report, FILE *to)
{
    int width = 8;
    for (int i = 0; i < report->objects; i++) {
        int length = (int)strlen(report->object[i].name);
        if (length > width) width = length;
    }
    fprintf(to, "protocol %s, videos from %s\n\n", reel_eval_protocol_name(report->options->protocol),
            report->plan->videos_from);
    fprintf(to, "%-*s %6s   %7s %7s %7s   %7s %7s %7s\n", width, "", "frames", "J mean", "recall", "decay", "F mean",
            "recall", "decay");
    for (int i = 0; i < report->objects; i++) {
        const reel_eval_object *object = &report->object[i];
        char frames[16];
        snprintf(frames, sizeof frames, "%d", object->frames);
        print_row(object->name, width, frames, object->j, object->f, to);
    }
    print_row("mean", width, "", report->j, report->f, to);
    fprintf(to, "\nJ&F %.4f\n", report->jf);
    if (report->options->protocol == REEL_EVAL_YTVOS) print_ytvos(report, to);
}

/* ---- for programs ---- */

/* JSON has no NaN; what is not known is null. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *triple(reel_statistics s)
{
    return json_pack("[o,o,o]", number(s.mean), number(s.recall), number(s.decay));
}

static json_t *means_as_json(const reel_eval_report *report)
{
    json_t *mean = json_object();
    json_object_set_new(mean, "J", number(report->j.mean));
    json_object_set_new(mean, "J-Recall", number(report->j.recall));
    json_object_set_new(mean, "J-Decay", number(report->j.decay));
    json_object_set_new(mean, "F", number(report->f.mean));
    json_object_set_new(mean, "F-Recall", number(report->f.recall));
    json_object_set_new(mean, "F-Decay", number(report->f.decay));
    json_object_set_new(mean, "J&F", number(report->jf));
    if (report->options->protocol != REEL_EVAL_YTVOS) return mean;
    json_object_set_new(mean, "J-seen", number(report->j_seen));
    json_object_set_new(mean, "J-unseen", number(report->j_unseen));
    json_object_set_new(mean, "F-seen", number(report->f_seen));
    json_object_set_new(mean, "F-unseen", number(report->f_unseen));
    json_object_set_new(mean, "overall", number(report->overall));
    return mean;
}

reel_status reel_eval_print_json(const reel_eval_report *report, FILE *to, reel_error *error)
{
    json_t *sequences = json_object();
    for (int i = 0; i < report->objects; i++) {
        const reel_eval_object *object = &report->object[i];
        json_object_set_new(
            sequences, object->name,
            json_pack("{s:i, s:o, s:o}", "frames", object->frames, "J", triple(object->j), "F", triple(object->f)));
    }
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o}", "protocol", reel_eval_protocol_name(report->options->protocol), "videos",
                  report->plan->videos_from, "sequences", sequences, "mean", means_as_json(report));
    if (root && report->options->protocol == REEL_EVAL_YTVOS) {
        json_object_set_new(root, "skip-first-object-frame", json_boolean(report->options->skip_first_object_frame));
        json_object_set_new(root, "skip-last", json_boolean(report->options->skip_last));
    }
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    if (!text)
        return reel_fail(error, REEL_ENVIRONMENT,
                         "making the JSON report failed; a file name may not be UTF-8, or "
                         "memory ran out");
    fprintf(to, "%s\n", text);
    free(text);
    return REEL_OK;
}

/* ---- for those who compare ---- */

static void write_global(const reel_eval_report *r, FILE *to)
{
    if (r->options->protocol == REEL_EVAL_YTVOS)
        fprintf(to, "Overall,J-seen,J-unseen,F-seen,F-unseen\n%.3f,%.3f,%.3f,%.3f,%.3f\n", r->overall, r->j_seen,
                r->j_unseen, r->f_seen, r->f_unseen);
    else
        fprintf(to, "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay\n%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n",
                r->jf, r->j.mean, r->j.recall, r->j.decay, r->f.mean, r->f.recall, r->f.decay);
}

static void write_per_sequence(const reel_eval_report *r, FILE *to)
{
    fputs("Sequence,J-Mean,F-Mean\n", to);
    for (int i = 0; i < r->objects; i++)
        fprintf(to, "%s,%.3f,%.3f\n", r->object[i].name, r->object[i].j.mean, r->object[i].f.mean);
}

/* In per cent; the columns are padded to the longest video name. */
static void write_vosbench(const reel_eval_report *r, FILE *to)
{
    static const char title[] = "Global score";
    int width = (int)strlen(title);
    for (int i = 0; i < r->objects; i++)
        if ((int)strlen(r->object[i].video) > width) width = (int)strlen(r->object[i].video);
    fprintf(to, "%-*s,obj,  J&F,    J,    F\n", width, "sequence");
    fprintf(to, "%-*s,   , %.1f, %.1f, %.1f\n", width, title, 100 * r->jf, 100 * r->j.mean, 100 * r->f.mean);
    for (int i = 0; i < r->objects; i++) {
        double j = 100 * r->object[i].j.mean, f = 100 * r->object[i].f.mean;
        fprintf(to, "%-*s,%03d, %4.1f, %4.1f, %4.1f\n", width, r->object[i].video, r->object[i].id, (j + f) / 2, j, f);
    }
}

static reel_status write_table(const reel_eval_report *report, void (*write)(const reel_eval_report *, FILE *),
                               const char *name, reel_error *error)
{
    char *path = reel_path(error, "%s/%s", report->options->out, name), *text = NULL;
    size_t bytes = 0;
    FILE *stream = path ? open_memstream(&text, &bytes) : NULL;
    reel_status status = stream ? REEL_OK : reel_fail_memory(error);
    if (stream) {
        write(report, stream);
        if (fclose(stream)) status = reel_fail_memory(error);
        if (!status) status = reel_file_write(path, text, bytes, error);
    }
    free(text);
    reel_free(path);
    return status;
}

reel_status reel_eval_write_tables(const reel_eval_report *report, reel_error *error)
{
    const reel_eval_options *options = report->options;
    if (mkdir(options->out, 0777) && errno != EEXIST)
        return reel_fail(error, REEL_IO, "%s: cannot make the folder for --out: %s", options->out, strerror(errno));
    if (options->protocol == REEL_EVAL_VOSBENCH) return write_table(report, write_vosbench, "results.csv", error);
    const char *split = options->split ? options->split : options->protocol == REEL_EVAL_YTVOS ? "all" : "val";
    char *global = reel_path(error, "global_results-%s.csv", split);
    char *per_sequence = reel_path(error, "per-sequence_results-%s.csv", split);
    reel_status status = global && per_sequence ? REEL_OK : REEL_ENVIRONMENT;
    if (!status) status = write_table(report, write_global, global, error);
    if (!status) status = write_table(report, write_per_sequence, per_sequence, error);
    reel_free(global);
    reel_free(per_sequence);
    return status;
}
