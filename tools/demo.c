/* reel demo: the whole way on built-in video. Trains S2S and S2S++ for the same number of steps on moving_shapes,
   segments videos that training never saw, scores them beside 'copy the first mask', and leaves pictures.

   It is a script of the other commands, each called as a person would call it and printed as it is called. */
#include "tools/commands.h"
#include "tools/eval.h"
#include "tools/options.h"
#include "tools/shapes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *out;
    int steps, videos, threads;
} demo_options;

static const reel_option table[] = {
    REEL_OPTION("out", STRING, demo_options, out, "DIR", "folder for everything", .fallback = "build/demo"),
    REEL_OPTION("steps", INT, demo_options, steps, "N", "of training, for each of the two networks", .fallback = "900",
                .low = 1, .high = 1000000),
    REEL_OPTION("videos", INT, demo_options, videos, "N", "held out", .fallback = "12", .low = 1, .high = 1000),
    REEL_OPTION("threads", INT, demo_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    {0},
};
static const reel_usage usage = {"demo", "Trains two small networks on built-in video and shows what they learned.",
                                 table, NULL};

#define SIZE "64x112"
#define HELD_OUT_SEED "1000001"
enum { WORDS = 32 };

/* Runs `reel WORDS` within this process; `format` gives the words, separated by blanks. */
static int command(int (*run)(int, char **), const char *format, ...) __attribute__((format(printf, 2, 3)));
static int command(int (*run)(int, char **), const char *format, ...)
{
    char line[4096], *words[WORDS + 1], *save;
    int count = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    printf("$ reel %s\n", line);
    fflush(stdout);
    for (char *word = strtok_r(line, " ", &save); word && count < WORDS; word = strtok_r(NULL, " ", &save))
        words[count++] = word;
    words[count] = NULL;
    return run(count, words);
}

/* --- the baseline --- */

/* Every frame gets the masks that each object had when it was first given. */
static reel_status copy_first(const reel_dataset *set, int v, const char *folder, reel_error *error)
{
    char path[4096];
    reel_mask copy = {0};
    const reel_video *video = &set->video[v];
    snprintf(path, sizeof path, "%s/%s", folder, video->name);
    reel_status status = reel_make_folders(path, error);
    for (int f = 0; !status && f < video->frames; f++) {
        reel_mask given = {0};
        status = set->read_mask(set, v, f, &given, error);
        if (!status && !copy.id) status = reel_mask_new(&copy, given.width, given.height, error);
        for (int o = 0; !status && o < video->objects; o++)
            for (size_t i = 0; video->object[o].first == f && i < (size_t)given.width * (size_t)given.height; i++)
                if (given.id[i] == video->object[o].id) copy.id[i] = given.id[i];
        reel_mask_free(&given);
        snprintf(path, sizeof path, "%s/%s/%s.png", folder, video->name, video->frame[f]);
        if (!status) memcpy(copy.palette, reel_davis_palette(), sizeof copy.palette);
        if (!status) status = reel_mask_write(&copy, path, false, error);
    }
    reel_mask_free(&copy);
    return status;
}

static reel_status write_baseline(const demo_options *o, reel_error *error)
{
    char folder[2048];
    reel_dataset set;
    reel_moving_shapes shapes = {.seed = strtoull(HELD_OUT_SEED, NULL, 10), .videos = o->videos, .frames = 32};
    sscanf(SIZE, "%dx%d", &shapes.height, &shapes.width);
    shapes.objects = 3;
    reel_status status = reel_moving_shapes_open(&set, &shapes, error);
    if (status) return status;
    snprintf(folder, sizeof folder, "%s/held_out", o->out);
    status = reel_dataset_export(&set, folder, error);
    snprintf(folder, sizeof folder, "%s/copy", o->out);
    for (int v = 0; !status && v < set.videos; v++) status = copy_first(&set, v, folder, error);
    reel_dataset_close(&set);
    return status;
}

/* --- scores --- */

typedef struct {
    const char *name, *folder;
    double j, f;
} contender;

static reel_status score(const demo_options *o, contender *c, reel_error *error)
{
    char truth[2048], guess[2048];
    snprintf(truth, sizeof truth, "%s/held_out/Annotations/480p", o->out);
    snprintf(guess, sizeof guess, "%s/%s", o->out, c->folder);
    reel_eval_options options = {.protocol = REEL_EVAL_VOSBENCH, .gt = truth, .pred = guess, .threads = o->threads};
    reel_eval_plan plan;
    reel_eval_report report;
    reel_status status = reel_eval_run(&plan, &report, &options, error);
    if (status) return status;
    c->j = report.j.mean;
    c->f = report.f.mean;
    reel_eval_free_report(&report);
    reel_eval_free_plan(&plan);
    return REEL_OK;
}

static reel_status show_scores(const demo_options *o, reel_error *error)
{
    contender all[] = {
        {"copy the first mask", "copy", 0, 0}, {"S2S", "s2s_masks", 0, 0}, {"S2S++", "s2spp_masks", 0, 0}};
    printf("\n%d held-out videos%24s%8s%8s\n", o->videos, "J", "F", "J&F");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        reel_status status = score(o, &all[i], error);
        if (status) return status;
        printf("  %-28s%13.3f%8.3f%8.3f\n", all[i].name, all[i].j, all[i].f, (all[i].j + all[i].f) / 2);
    }
    printf("\nlook at %s/overlays/ (frames with the masks of S2S++), %s/s2spp/loss.svg and %s/s2s/loss.svg\n", o->out,
           o->out, o->out);
    return REEL_OK;
}

static int train_and_segment(const demo_options *o, const char *model, const char *folder, const char *more)
{
    int code =
        command(reel_command_train,
                "train --model %s --data moving_shapes --out %s/%s --steps %d --size " SIZE
                " --width 0.125 --frames 4 --batch 2 --lr 1e-3 --clip 1 --max-step 2 --save-every 1000000 --threads %d",
                model, o->out, folder, o->steps, o->threads);
    if (code) return code;
    return command(reel_command_segment,
                   "segment --weights %s/%s/last.safetensors --data moving_shapes --seed " HELD_OUT_SEED
                   " --videos %d --out %s/%s_masks --threads %d%s",
                   o->out, folder, o->videos, o->out, folder, o->threads, more);
}

int reel_command_demo(int argc, char **argv)
{
    demo_options o;
    char overlays[2100];
    reel_error error = {REEL_OK, ""};
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    snprintf(overlays, sizeof overlays, " --overlay %s/overlays", o.out);
    reel_status status = reel_make_folders(o.out, &error);
    if (!status) status = write_baseline(&o, &error);
    if (status) return reel_complain(&usage, &error);
    code = train_and_segment(&o, "s2s", "s2s", "");
    if (!code) code = train_and_segment(&o, "s2s++", "s2spp", overlays);
    if (code) return code;
    status = show_scores(&o, &error);
    return status ? reel_complain(&usage, &error) : 0;
}
