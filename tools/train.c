/* reel train: clips in, weights out. */
#include "core/memory.h"
#include "models/checkpoint.h"
#include "tools/advice.h"
#include "tools/commands.h"
#include "tools/cost_report.h"
#include "tools/data.h"
#include "tools/device.h"
#include "tools/model_options.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/run_folder.h"
#include "tools/signals.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    reel_model_options model;
    const char *data, *split, *out, *init, *vgg16;
    int layout, clip_batch, steps, batch, frames, shortest, lengthen, threads, workers, save_every, max_step, optimiser;
    double lr, clip, weight_decay, momentum;
    uint64_t seed;
    size_t memory;
    bool resume, dry_run, json, recompute, affine, quiet;
} train_options;

static const reel_option table[] = {
    REEL_MODEL_OPTIONS(train_options, model),
    REEL_OPTION("data", STRING, train_options, data, "DIR", "folder of a data set, or moving_shapes", .required = true),
    REEL_OPTION("layout", CHOICE, train_options, layout, REEL_LAYOUTS, "how the folder is laid out", .fallback = "any",
                .with = "!data=moving_shapes"),
    REEL_OPTION("split", STRING, train_options, split, "NAME", "part of the data set; by default its training part",
                .with = "!data=moving_shapes"),
    REEL_OPTION("out", STRING, train_options, out, "RUN", "folder of the run: weights, log, curve"),
    REEL_OPTION("steps", INT, train_options, steps, "N", "updates in all", .fallback = "1000", .low = 1, .high = 1e9),
    REEL_OPTION("frames", INT, train_options, frames, "T", "predicted frames of a clip, after its first",
                .fallback = "5", .low = 1, .high = 1000),
    REEL_OPTION(
        "lengthen", INT, train_options, lengthen, "N",
        "begin with clips of --shortest predicted frames and add one every N steps, up to --frames; 0: no shorter ones",
        .fallback = "0", .low = 0, .high = 1e9),
    REEL_OPTION("shortest", INT, train_options, shortest, "T", "with --lengthen", .fallback = "1", .low = 1,
                .high = 1000),
    REEL_OPTION("batch", INT, train_options, batch, "N", "clips a step", .fallback = "1", .low = 1, .high = 4096),
    REEL_OPTION("lr", DOUBLE, train_options, lr, "X", "learning rate", .fallback = "1e-4", .low = 0, .high = 10),
    REEL_OPTION("optimiser", CHOICE, train_options, optimiser, "adam|sgd", "update rule", .fallback = "adam"),
    REEL_OPTION("weight-decay", DOUBLE, train_options, weight_decay, "X", "decoupled for Adam", .fallback = "0",
                .low = 0, .high = 10),
    REEL_OPTION("momentum", DOUBLE, train_options, momentum, "X", "of sgd", .fallback = "0.9", .low = 0, .high = 1,
                .with = "optimiser=sgd"),
    REEL_OPTION("clip", DOUBLE, train_options, clip, "X", "largest norm of all gradients; 0: no limit", .fallback = "0",
                .low = 0, .high = 1e30),
    REEL_OPTION("max-step", INT, train_options, max_step, "N", "a clip takes every 1..N-th frame", .fallback = "1",
                .low = 1, .high = 100),
    REEL_OPTION("affine", FLAG, train_options, affine, NULL, "turn and scale clips at random"),
    REEL_OPTION("recompute", FLAG, train_options, recompute, NULL,
                "keep only the state between frames and compute the rest again: less memory, same bits as without "
                "and --clip-batch off"),
    REEL_OPTION("memory", BYTES, train_options, memory, "BUDGET",
                "4GiB, 1500MiB or bytes: computes again what does not fit, for as little time as can be; same bits "
                "with --clip-batch off"),
    REEL_OPTION("clip-batch", CHOICE, train_options, clip_batch, "on|off",
                "run layers that are not recurrent for all frames at once, as far as memory hardly rises: faster, "
                "rounded elsewhere; not with --recompute",
                .fallback = "on"),
    REEL_OPTION("init", STRING, train_options, init, "FILE",
                "safetensors whose parameters of the same name and shape are the start"),
    REEL_OPTION("vgg16", STRING, train_options, vgg16, "FILE",
                "ImageNet weights of torchvision's vgg16 (.pth or .safetensors) to start both trunks from"),
    REEL_OPTION("threads", INT, train_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    REEL_OPTION("workers", INT, train_options, workers, "N", "threads that read clips ahead", .fallback = "1", .low = 1,
                .high = 64),
    REEL_OPTION("seed", SEED, train_options, seed, "N", "of weights, clips and generated videos", .fallback = "1"),
    REEL_OPTION("save-every", INT, train_options, save_every, "N", "steps between checkpoints", .fallback = "100",
                .low = 1, .high = 1e9),
    REEL_OPTION("resume", FLAG, train_options, resume, NULL, "go on with the run in --out"),
    REEL_OPTION("dry-run", FLAG, train_options, dry_run, NULL, "say what a step costs and stop"),
    REEL_OPTION("json", FLAG, train_options, json, NULL, "print JSON: a line a step, or the cost with --dry-run"),
    REEL_OPTION("quiet", FLAG, train_options, quiet, NULL, "no progress on stderr"),
    {0},
};
static const reel_usage usage = {
    "train", "Trains S2S, S2S++ or a network between them on clips of a data set.", table,
    "RUN/last.safetensors holds the newest weights. Ctrl-C finishes the step, saves and "
    "leaves with 130; --resume goes\n"
    "on with the same bits as if nothing had happened. A standard output that nobody reads stops nothing:\n"
    "the run goes on to its end and leaves with 4.\n"};

typedef struct {
    train_options o;
    reel_backend *backend;
    reel_trainer *trainer;
    reel_run_folder run;
    reel_dataset set;
    reel_loader *loader;
    uint64_t done; /* steps */
    int length;    /* predicted frames of the clips that the loader fetches */
    reel_error error;
} training_run;

/* --- setting up --- */

/* Of moving_shapes: so many that a run hardly sees a clip twice, so few that opening takes a moment. */
enum { MADE_VIDEOS = 4096 };

static int clips_ahead(const train_options *o)
{
    return 2 * o->batch + o->workers;
}

/* Predicted frames of the clips of the step that follows on so many. */
static int length_after(const train_options *o, uint64_t done)
{
    uint64_t more = o->lengthen ? done / (uint64_t)o->lengthen : (uint64_t)o->frames;
    return more < (uint64_t)(o->frames - o->shortest) ? o->shortest + (int)more : o->frames;
}

static reel_training plan_of(const train_options *o)
{
    return (reel_training){.model = o->model.config,
                           .height = o->model.size.height,
                           .width = o->model.size.width,
                           .frames = o->frames,
                           .batch = o->batch,
                           .dtype = o->model.real,
                           .bf16 = o->model.bf16,
                           .recompute = o->recompute,
                           .memory = o->memory,
                           .ahead = clips_ahead(o),
                           .saves = true,
                           .clip_batch = !o->clip_batch,
                           .optimiser = {.kind = o->optimiser ? REEL_SGD : REEL_ADAM,
                                         .weight_decay = o->weight_decay,
                                         .momentum = o->momentum,
                                         .clip = o->clip},
                           .seed = o->seed};
}

static reel_status load_trunks(training_run *r)
{
    static const char *const trunks[] = {"init_vgg", "enc_vgg"};
    reel_weights weights;
    reel_status status = reel_weights_open(&weights, r->o.vgg16, &r->error);
    if (status) return status;
    for (int i = 0; !status && i < 2; i++)
        status = reel_vgg16_load(reel_trainer_parameters(r->trainer), trunks[i], &weights, &r->error);
    reel_weights_close(&weights);
    return status;
}

static reel_status load_start(training_run *r)
{
    char path[4096];
    const char *from = r->o.resume ? reel_run_file(&r->run, "last.safetensors", path) : r->o.init;
    if (!from) return REEL_OK;
    reel_safetensors file;
    int loaded = 0;
    reel_status status = reel_safetensors_open(&file, from, &r->error);
    if (status) return status;
    if (r->o.resume) status = reel_model_options_match(&r->o.model, &file, &r->error);
    if (!status)
        status = reel_checkpoint_load(&file, reel_trainer_parameters(r->trainer),
                                      r->o.resume ? REEL_LOAD_ALL : REEL_LOAD_COMMON, &loaded, &r->error);
    const char *step = reel_safetensors_metadata(&file, "reel.step");
    if (!status && r->o.resume && !step)
        status = reel_fail(&r->error, REEL_BAD_DATA, "%s: does not tell its step (reel.step), so it cannot be resumed",
                           from);
    if (!status && r->o.resume) r->done = strtoull(step, NULL, 10);
    if (!status && !r->o.resume && !loaded)
        status = reel_fail(&r->error, REEL_BAD_DATA, "%s: has no parameter of this network by name and shape", from);
    reel_safetensors_close(&file);
    return status;
}

/* Fetches clips of the next step's length from there on, and plans for them. */
static reel_status start_loader(training_run *r)
{
    r->length = length_after(&r->o, r->done);
    reel_status status = reel_trainer_set_frames(r->trainer, r->length, &r->error);
    if (status) return status;
    reel_clip_options clips = {.frames = r->length + 1,
                               .height = r->o.model.size.height,
                               .width = r->o.model.size.width,
                               .flip = true,
                               .affine = r->o.affine,
                               .max_step = r->o.max_step,
                               .seed = r->o.seed};
    r->loader =
        reel_loader_start(&r->set, &clips, r->done * (uint64_t)r->o.batch, r->o.workers, clips_ahead(&r->o), &r->error);
    return r->loader ? REEL_OK : r->error.status;
}

static reel_status open_data(training_run *r)
{
    reel_data_choice choice = {.name = r->o.data,
                               .layout = r->o.layout,
                               .split = r->o.split,
                               .height = r->o.model.size.height,
                               .width = r->o.model.size.width,
                               .seed = r->o.seed,
                               .videos = MADE_VIDEOS,
                               .frames = 32};
    reel_status status = reel_data_open(&r->set, &choice, &r->error);
    return status ? status : start_loader(r);
}

/* --- running --- */

static reel_status save(training_run *r)
{
    char step[32];
    reel_metadata metadata[REEL_MODEL_METADATA + 1];
    reel_model_text text;
    snprintf(step, sizeof step, "%llu", (unsigned long long)r->done);
    size_t count = reel_model_options_metadata(&r->o.model, &text, metadata);
    metadata[count++] = (reel_metadata){(char *)"reel.step", step};
    return reel_run_save(&r->run, reel_trainer_parameters(r->trainer), metadata, count, &r->error);
}

static reel_status next_batch(training_run *r, reel_error *error)
{
    for (int b = 0; b < r->o.batch; b++) {
        reel_clip clip;
        reel_status status = reel_loader_next(r->loader, &clip, error);
        if (!status) status = reel_trainer_set_clip(r->trainer, b, &clip, error);
        reel_clip_free(&clip);
        if (status) return status;
    }
    return REEL_OK;
}

static void tell(const training_run *r, reel_progress *progress, const reel_step_report *report)
{
    char note[128];
    snprintf(note, sizeof note, "loss %.4f, %.2f s/step", report->total, report->seconds);
    reel_progress_show(progress, r->done, note);
    if (!r->o.json) return;
    printf("{\"step\": %llu, \"loss\": %.17g, \"loss_bce\": %.17g, \"loss_iou\": %.17g, ", (unsigned long long)r->done,
           report->total, report->bce, report->iou);
    if (isfinite(report->classes)) printf("\"loss_distance\": %.17g, ", report->classes);
    printf("\"grad_norm\": %.17g, \"seconds\": %.4f, \"frames\": %d}\n", report->norm, report->seconds, r->length);
    fflush(stdout);
}

static bool goes_on(const training_run *r)
{
    return r->done < (uint64_t)r->o.steps && !reel_signal_caught();
}

/* A step, with the clips of the next one fetched while a device is at work. What is wrong with those is `later`: told
   after this step, which knows nothing of it. */
static reel_status one_step(training_run *r, reel_step_report *report, reel_error *later)
{
    reel_status status = reel_trainer_begin(r->trainer, r->done + 1, r->o.lr, &r->error);
    if (status) return status;
    bool next = r->done + 1 < (uint64_t)r->o.steps && length_after(&r->o, r->done + 1) == r->length;
    if (next && !reel_signal_caught() && !next_batch(r, later)) reel_trainer_send(r->trainer, later);
    status = reel_trainer_end(r->trainer, report, &r->error);
    if (!status) r->done++;
    return status;
}

/* The first clips of a length. */
static reel_status lengthen(training_run *r)
{
    reel_loader_stop(r->loader);
    r->loader = NULL;
    reel_status status = start_loader(r);
    return status ? status : next_batch(r, &r->error);
}

static reel_status steps(training_run *r)
{
    reel_progress progress;
    reel_error later = {REEL_OK, ""};
    uint64_t saved = r->done;
    reel_progress_begin(&progress, "train", r->done, (uint64_t)r->o.steps, r->o.quiet);
    reel_status status = goes_on(r) ? next_batch(r, &r->error) : REEL_OK;
    while (!status && goes_on(r)) {
        reel_step_report report = {0};
        if (later.status) r->error = later;
        status = later.status ? later.status : one_step(r, &report, &later);
        if (status) break;
        status = reel_run_log(&r->run, r->done, r->o.lr, &report, &r->error);
        tell(r, &progress, &report);
        if (!status && r->done % (uint64_t)r->o.save_every == 0 && !(status = save(r))) saved = r->done;
        if (!status && goes_on(r) && length_after(&r->o, r->done) != r->length) status = lengthen(r);
    }
    reel_progress_end(&progress);
    if (!status && saved != r->done) status = save(r);
    return status;
}

static reel_status train(training_run *r)
{
    reel_training training = plan_of(&r->o);
    r->backend = reel_device_open(r->o.model.device, r->o.threads, &r->error);
    if (!r->backend) return r->error.status;
    r->trainer = reel_trainer_or_advice(&training, r->backend, &r->error);
    if (!r->trainer) return r->error.status;
    if (r->o.dry_run) {
        const reel_parameters *set = reel_trainer_parameters(r->trainer);
        reel_cost_report(stdout, reel_trainer_plan(r->trainer), set, reel_trainer_host(r->trainer), r->o.json);
        return REEL_OK;
    }
    if (!r->o.out) return reel_fail(&r->error, REEL_USAGE, "--out is required: the folder for weights and log");
    reel_status status = reel_run_open(&r->run, r->o.out, r->o.resume, &r->error);
    if (!status && r->o.vgg16 && !r->o.resume) status = load_trunks(r);
    if (!status) status = load_start(r);
    if (!status) status = open_data(r);
    if (!status) status = reel_run_log_begin(&r->run, r->done, &r->error);
    reel_signals_catch();
    if (!status) status = steps(r);
    if (!status && r->done) status = reel_run_draw(&r->run, &r->error);
    return status;
}

static reel_status check_lengths(const train_options *o, reel_error *error)
{
    if (o->shortest > 1 && !o->lengthen)
        return reel_fail(error, REEL_USAGE, "--shortest %d is for --lengthen, which is missing", o->shortest);
    if (o->shortest > o->frames)
        return reel_fail(error, REEL_USAGE, "--shortest %d is more than --frames %d, up to which clips are lengthened",
                         o->shortest, o->frames);
    return REEL_OK;
}

int reel_command_train(int argc, char **argv)
{
    training_run r = {.run = {.lock = -1}};
    int code = reel_options_begin(&usage, argc, argv, &r.o);
    if (code >= 0) return code;
    reel_status status = reel_model_options_settle(&r.o.model, &r.error);
    if (!status) status = check_lengths(&r.o, &r.error);
    if (!status) status = train(&r);
    if (r.loader) reel_loader_stop(r.loader);
    reel_dataset_close(&r.set);
    reel_run_close(&r.run);
    reel_trainer_free(r.trainer);
    if (r.backend) r.backend->close(r.backend);
    if (status) return reel_complain(&usage, &r.error);
    return reel_signal_caught() ? 128 + reel_signal_caught() : 0;
}
