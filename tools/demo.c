/* reel demo: the whole way on built-in video. Trains S2S and S2S++ for the same number of steps on moving_shapes,
   segments videos that training never saw, scores them beside 'copy the first mask', and leaves pictures.

   It is a script of the other commands, each called as a person would call it and printed as it is called. */
#include "core/file.h"
#include "tools/commands.h"
#include "tools/eval.h"
#include "tools/options.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct {
    const char *out;
    int steps, videos, threads;
} demo_options;

static const reel_option table[] = {
    REEL_OPTION("out", STRING, demo_options, out, "DIR", "folder for everything", .fallback = "build/demo"),
    REEL_OPTION("steps", INT, demo_options, steps, "N", "of training, for each of the two networks", .fallback = "600",
                .low = 1, .high = 1000000),
    REEL_OPTION("videos", INT, demo_options, videos, "N", "held out", .fallback = "12", .low = 1, .high = 1000),
    REEL_OPTION("threads", INT, demo_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    {0},
};
static const reel_usage usage = {"demo", "Trains two small networks on built-in video and shows what they learned.",
                                 table, NULL};

#define SIZE "48x80"
#define HELD_OUT_SEED "1000001"
enum { WORDS = 48, RING = 8 };

/* A path below --out, good until the eighth call after it. */
static const char *in(const demo_options *o, const char *name)
{
    static char ring[RING][4096];
    static int next;
    char *path = ring[next++ % RING];
    snprintf(path, sizeof ring[0], "%s/%s", o->out, name);
    return path;
}

static const char *number(int value)
{
    static char ring[RING][16];
    static int next;
    char *text = ring[next++ % RING];
    snprintf(text, sizeof ring[0], "%d", value);
    return text;
}

/* Runs a command with its words, NULL at the end, within this process, and shows it. */
static int command(int (*run)(int, char **), const char *first, ...)
{
    char *words[WORDS + 1];
    int count = 0;
    va_list more;
    va_start(more, first);
    for (const char *word = first; word && count < WORDS; word = va_arg(more, const char *))
        words[count++] = (char *)word;
    va_end(more);
    words[count] = NULL;
    printf("$ reel");
    for (int i = 0; i < count; i++) printf(" %s", words[i]);
    printf("\n");
    fflush(stdout);
    return run(count, words);
}

static int make_held_out_videos(const demo_options *o)
{
    int code = command(reel_command_shapes, "shapes", "--out", in(o, "held_out"), "--size", SIZE, "--videos",
                       number(o->videos), "--seed", HELD_OUT_SEED, NULL);
    if (code) return code;
    return command(reel_command_segment, "segment", "--copy-first", "--data", "moving_shapes", "--size", SIZE,
                   "--videos", number(o->videos), "--seed", HELD_OUT_SEED, "--out", in(o, "copy"), NULL);
}

static int train_and_segment(const demo_options *o, const char *model, const char *run, const char *weights,
                             const char *masks, const char *overlays)
{
    int code = command(reel_command_train, "train", "--model", model, "--data", "moving_shapes", "--out", in(o, run),
                       "--steps", number(o->steps), "--size", SIZE, "--width", "0.125", "--frames", "5", "--batch", "2",
                       "--lr", "1e-3", "--clip", "1", "--save-every", "1000000", "--threads", number(o->threads), NULL);
    if (code) return code;
    return command(reel_command_segment, "segment", "--weights", in(o, weights), "--data", "moving_shapes", "--videos",
                   number(o->videos), "--seed", HELD_OUT_SEED, "--out", in(o, masks), "--overlay", in(o, overlays),
                   "--threads", number(o->threads), NULL);
}

/* --- scores --- */

typedef struct {
    const char *name, *folder;
    double j, f;
} contender;

static reel_status score(const demo_options *o, contender *c, reel_error *error)
{
    reel_eval_options options = {.protocol = REEL_EVAL_VOSBENCH,
                                 .gt = in(o, "held_out/Annotations/480p"),
                                 .pred = in(o, c->folder),
                                 .threads = o->threads};
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
    printf("\n%2d held-out videos                J       F     J&F\n", o->videos);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        reel_status status = score(o, &all[i], error);
        if (status) return status;
        printf("  %-24s %7.3f %7.3f %7.3f\n", all[i].name, all[i].j, all[i].f, (all[i].j + all[i].f) / 2);
    }
    printf("\nframes with the masks of S2S++ on them   %s\nloss curves   %s   %s\n", in(o, "s2spp_overlays"),
           in(o, "s2spp/loss.svg"), in(o, "s2s/loss.svg"));
    return REEL_OK;
}

int reel_command_demo(int argc, char **argv)
{
    demo_options o;
    reel_error error = {REEL_OK, ""};
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    reel_status status = reel_make_folders(o.out, &error);
    if (status) return reel_complain(&usage, &error);
    code = make_held_out_videos(&o);
    if (!code) code = train_and_segment(&o, "s2s", "s2s", "s2s/last.safetensors", "s2s_masks", "s2s_overlays");
    if (!code)
        code = train_and_segment(&o, "s2s++", "s2spp", "s2spp/last.safetensors", "s2spp_masks", "s2spp_overlays");
    if (code) return code;
    status = show_scores(&o, &error);
    return status ? reel_complain(&usage, &error) : 0;
}
