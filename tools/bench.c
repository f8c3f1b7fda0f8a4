/* reel bench: seconds a training step, or a frame of inference, on random data. Takes the options of the peer in torch
   and prints its keys, so that the two can be run side by side. */
#include "backends/cpu/isa.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/rng.h"
#include "models/s2s_session.h"
#include "tools/bench.h"
#include "tools/commands.h"
#include "tools/cost_report.h"
#include "tools/device.h"
#include "tools/model_options.h"
#include "tools/options.h"
#include "tools/trainer.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    reel_model_options model;
    int clip_batch, what, frames, batch, threads, steps, warmup;
    size_t memory;
    bool json, profile, recompute;
} bench_options;

static const reel_option table[] = {
    REEL_OPTION("what", CHOICE, bench_options, what, "train|infer", "a training step or a frame of inference",
                .required = true, .positional = true),
    REEL_MODEL_OPTIONS(bench_options, model),
    REEL_OPTION("frames", INT, bench_options, frames, "T", "predicted frames of a clip, after its first",
                .fallback = "5", .low = 1, .high = 1000),
    REEL_OPTION("batch", INT, bench_options, batch, "N", "clips a step", .fallback = "1", .low = 1, .high = 4096),
    REEL_OPTION("threads", INT, bench_options, threads, "N", "0: all cores", .fallback = "2", .low = 0, .high = 1024),
    REEL_OPTION("steps", INT, bench_options, steps, "N", "timed runs", .fallback = "3", .low = 1, .high = 100000),
    REEL_OPTION("warmup", INT, bench_options, warmup, "N", "runs before them", .fallback = "1", .low = 0,
                .high = 100000),
    REEL_OPTION("recompute", FLAG, bench_options, recompute, NULL, "as in reel train", .with = "what=train"),
    REEL_OPTION("memory", BYTES, bench_options, memory, "BUDGET", "as in reel train", .with = "what=train"),
    REEL_OPTION("clip-batch", CHOICE, bench_options, clip_batch, "on|off", "as in reel train", .fallback = "on",
                .with = "what=train"),
    REEL_OPTION("profile", FLAG, bench_options, profile, NULL, "seconds by op and by scope, of the last training step",
                .with = "what=train !json"),
    REEL_OPTION("json", FLAG, bench_options, json, NULL, "print one line of JSON"),
    {0},
};
static const reel_usage usage = {
    "bench", "Times the network on random data.", table,
    "`reel bench peaks` measures what the machine can do at most, `reel bench layers` each "
    "convolution as a\nshare of that; each has its own --help."};

typedef struct {
    bench_options o;
    reel_backend *backend;
    double *seconds;
    int64_t parameters;
    size_t planned; /* bytes on the device */
    double flops;
    reel_error error;
} bench;

/* --- random data --- */

static void random_clip(reel_clip *clip, uint64_t key)
{
    size_t plane = (size_t)clip->height * (size_t)clip->width;
    for (size_t i = 0; i < (size_t)clip->frames * 3 * plane; i++) clip->rgb[i] = (float)reel_uniform(key, i);
    for (size_t i = 0; i < (size_t)clip->frames * plane; i++) clip->mask[i] = reel_random(key + 1, i) >> 63 ? 1 : 0;
    for (int f = 0; f < clip->frames; f++) clip->valid[f] = true;
}

static bool new_clip(reel_clip *clip, int frames, reel_size size)
{
    size_t plane = (size_t)size.height * (size_t)size.width;
    *clip = (reel_clip){.frames = frames, .height = size.height, .width = size.width};
    clip->rgb = reel_alloc((size_t)frames * 3 * plane, sizeof *clip->rgb);
    clip->mask = reel_alloc((size_t)frames * plane, sizeof *clip->mask);
    clip->valid = reel_alloc((size_t)frames, sizeof *clip->valid);
    return clip->rgb && clip->mask && clip->valid;
}

/* --- what took how long --- */

typedef struct {
    const char *name;
    double seconds, flops;
    int count;
} entry;

static int slowest_first(const void *a, const void *b)
{
    return (((const entry *)a)->seconds < ((const entry *)b)->seconds) -
           (((const entry *)a)->seconds > ((const entry *)b)->seconds);
}

static void print_profile(const reel_plan *plan, bool by_scope)
{
    enum { ROOM = 1024, SHOWN = 30 };
    entry *list = reel_alloc(ROOM, sizeof *list);
    int count = 0;
    for (int i = 0; list && i < reel_plan_nodes(plan); i++) {
        const reel_node *node = reel_plan_node(plan, i);
        const char *name = by_scope ? node->scope : node->op->name;
        int k = 0;
        while (k < count && strcmp(list[k].name, name) != 0) k++;
        if (k == ROOM) continue;
        if (k == count) list[count++] = (entry){.name = name};
        list[k].seconds += reel_plan_seconds(plan, i);
        list[k].flops += reel_node_flops(node);
        list[k].count++;
    }
    if (list) qsort(list, (size_t)count, sizeof *list, slowest_first);
    for (int k = 0; list && k < count && k < SHOWN; k++)
        printf("  %9.4f s  %7.1f GFLOP/s  %5d  %s\n", list[k].seconds,
               list[k].seconds > 0 ? list[k].flops / list[k].seconds / 1e9 : 0, list[k].count, list[k].name);
    reel_free(list);
}

/* --- the two things that are timed --- */

static reel_status time_training(bench *b)
{
    reel_training training = {.model = b->o.model.config,
                              .height = b->o.model.size.height,
                              .width = b->o.model.size.width,
                              .frames = b->o.frames,
                              .batch = b->o.batch,
                              .dtype = b->o.model.real,
                              .bf16 = b->o.model.bf16,
                              .recompute = b->o.recompute,
                              .memory = b->o.memory,
                              .clip_batch = !b->o.clip_batch,
                              .seed = 1};
    reel_trainer *t = reel_trainer_new(&training, b->backend, &b->error);
    if (!t) return b->error.status;
    reel_clip clip;
    reel_status status = new_clip(&clip, b->o.frames + 1, b->o.model.size) ? REEL_OK : reel_fail_memory(&b->error);
    for (int i = 0; !status && i < b->o.batch; i++) {
        random_clip(&clip, (uint64_t)i * 2);
        status = reel_trainer_set_clip(t, i, &clip, &b->error);
    }
    reel_clip_free(&clip);
    reel_plan_time((reel_plan *)reel_trainer_plan(t), b->o.profile);
    for (int i = 0; !status && i < b->o.steps + b->o.warmup; i++) {
        reel_step_report report;
        status = reel_trainer_step(t, (uint64_t)i + 1, 1e-5, &report, &b->error);
        if (i >= b->o.warmup) b->seconds[i - b->o.warmup] = report.seconds;
    }
    reel_cost cost = reel_plan_cost(reel_trainer_plan(t));
    b->flops = cost.flops;
    b->planned = cost.total;
    b->parameters = (int64_t)(cost.parameters / reel_dtype_size(training.dtype));
    if (!status && b->o.profile) {
        print_profile(reel_trainer_plan(t), false);
        print_profile(reel_trainer_plan(t), true);
    }
    reel_trainer_free(t);
    return status;
}

static reel_status time_frames(bench *b, reel_s2s_session *session, reel_s2s_object *object, const reel_clip *clip,
                               float *out)
{
    reel_status status = reel_s2s_begin(session, object, clip->rgb, clip->mask, &b->error);
    for (int i = 0; !status && i < b->o.steps + b->o.warmup; i++) {
        double start = reel_seconds();
        status = reel_s2s_continue(session, object, clip->rgb, out, &b->error);
        if (i >= b->o.warmup) b->seconds[i - b->o.warmup] = reel_seconds() - start;
    }
    return status;
}

static reel_status time_inference(bench *b)
{
    reel_size size = b->o.model.size;
    reel_parameters *set = reel_parameters_new(b->backend, 1);
    reel_s2s_session *session =
        set ? reel_s2s_session_new(set, &b->o.model.config, size.height, size.width, b->o.model.bf16, &b->error) : NULL;
    reel_s2s_object *object = session ? reel_s2s_object_new(session, &b->error) : NULL;
    float *out = reel_alloc((size_t)size.height * (size_t)size.width, sizeof *out);
    reel_clip clip = {0};
    reel_status status = out && object && new_clip(&clip, 1, size) ? REEL_OK : reel_fail_memory(&b->error);
    if (!status) {
        random_clip(&clip, 0);
        status = time_frames(b, session, object, &clip, out);
        reel_cost cost = reel_s2s_session_cost(session);
        b->flops = cost.flops;
        b->planned = cost.total;
        b->parameters = (int64_t)(cost.parameters / sizeof(float));
    }
    reel_clip_free(&clip);
    reel_free(out);
    reel_free(object);
    reel_s2s_session_free(session);
    reel_parameters_free(set);
    return status;
}

/* --- telling --- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_result(const bench *b)
{
    static const char *const dtypes[] = {"fp32", "fp64", "bf16"};
    const bench_options *o = &b->o;
    reel_model_text model;
    reel_metadata metadata[REEL_MODEL_METADATA];
    reel_model_options_metadata(&o->model, &model, metadata);
    double low = b->seconds[0], median = b->seconds[o->steps / 2], high = b->seconds[o->steps - 1];
    if (!o->json) {
        printf("%s: median %.4f s (%.4f to %.4f), %.1f GFLOP/s, peak memory %zu MiB\n",
               o->what ? "frame" : "training step", median, low, high, b->flops / median / 1e9,
               reel_peak_memory() >> 20);
        return;
    }
    printf("{\"peer\": \"reel %s\", \"what\": \"%s\", \"model\": \"%s\", \"top\": \"%s\", \"width\": %s, "
           "\"size\": \"%s\", \"frames\": %d, \"batch\": %d, \"dtype\": \"%s\", \"device\": \"%s\", "
           "\"channels_last\": false, \"min\": %.4f, \"median\": %.4f, \"max\": %.4f, \"peak_rss_mib\": %zu, "
           "\"planned_mib\": %zu, \"parameters\": %lld, \"gflops\": %.1f, \"isa\": \"%s\"}\n",
           REEL_VERSION, o->what ? "infer frame" : "train step", model.text[0], model.text[1], model.text[2],
           model.text[3], o->frames, o->batch, dtypes[o->model.dtype], o->model.device, low, median, high,
           reel_peak_memory() >> 20, b->planned >> 20, (long long)b->parameters, b->flops / median / 1e9,
           cpu_isa_name(cpu_isa_current()));
}

int reel_command_bench(int argc, char **argv)
{
    bench b = {0};
    if (argc > 1 && !strcmp(argv[1], "peaks")) return reel_bench_peaks(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "layers")) return reel_bench_layers(argc - 1, argv + 1);
    int code = reel_options_begin(&usage, argc, argv, &b.o);
    if (code >= 0) return code;
    reel_status status = reel_model_options_settle(&b.o.model, &b.error);
    if (!status && b.o.what && (b.o.batch != 1 || b.o.model.dtype == REEL_FP64))
        status = reel_fail(&b.error, REEL_USAGE, "infer runs one video in fp32 or bf16: --batch 1 --dtype fp32");
    b.seconds = reel_alloc((size_t)b.o.steps, sizeof *b.seconds);
    if (!status && !b.seconds) status = reel_fail_memory(&b.error);
    if (!status && !(b.backend = reel_device_open(b.o.model.device, b.o.threads, &b.error))) status = b.error.status;
    if (!status) status = b.o.what ? time_inference(&b) : time_training(&b);
    if (!status) {
        qsort(b.seconds, (size_t)b.o.steps, sizeof *b.seconds, ascending);
        print_result(&b);
    }
    reel_free(b.seconds);
    if (b.backend) b.backend->close(b.backend);
    return status ? reel_complain(&usage, &b.error) : 0;
}
