/* See trainer.h. */
#include "tools/trainer.h"

#include "autograd/time_batch.h"
#include "core/clock.h"
#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REPORTED = 5 }; /* total, bce, iou, classes, norm */

struct reel_trainer {
    reel_training training;
    reel_parameters *set;
    reel_graph *graph;
    reel_plan *plan;
    reel_tensor **frame, **mask, *weight; /* inputs; frame and mask: one a frame of the clip */
    reel_tensor *reported[REPORTED];
    reel_update update;
    float *values;  /* frames, then masks, each [batch, channels, H, W], then weights */
    void *transfer; /* one input in the plan's dtype */
    bool *invalid;  /* per frame and clip of the batch */
    bool sent;      /* the clips are on their way to the device */
    uint64_t step;  /* that was begun, and when */
    double began;
};

static int clip_frames(const reel_trainer *t)
{
    return t->training.frames + 1;
}
static size_t plane(const reel_trainer *t)
{
    return (size_t)t->training.height * (size_t)t->training.width;
}
static size_t batch_plane(const reel_trainer *t)
{
    return plane(t) * (size_t)t->training.batch;
}
static float *frame_values(const reel_trainer *t, int f)
{
    return t->values + (size_t)f * 3 * batch_plane(t);
}
static float *mask_values(const reel_trainer *t, int f)
{
    return t->values + ((size_t)clip_frames(t) * 3 + (size_t)f) * batch_plane(t);
}

/* --- building --- */

/* Share of a step's work that may be added to save memory when nobody asks. */
static const double almost_free = 0.02;

static reel_plan *plan_within(reel_trainer *t, reel_tensor *const *wanted, int count, reel_error *error)
{
    reel_budget budget = {
        .bytes = t->training.memory, .beside = reel_trainer_host(t), .extra = almost_free, .tries = t->training.tries};
    return reel_plan_new_within(t->graph, reel_parameters_backend(t->set), wanted, count, budget, error);
}

/* The plan of the step batched over time, where what is wanted are other tensors of the same values. What is merged may
   read and write a small share of the memory that the step takes as it is, so that the peak hardly rises. NULL with
   `wanted` as it was on failure, and when that does not fit into the budget or only at the price of much work. */
static reel_plan *plan_batched(reel_trainer *t, reel_tensor **wanted, int count, reel_error *error)
{
    enum { SHARE = 32 };
    reel_plan *apart = reel_plan_new(t->graph, reel_parameters_backend(t->set), wanted, count, error), *plan = NULL;
    reel_tensor **batched = reel_alloc((size_t)count, sizeof(reel_tensor *));
    if (apart && batched) {
        reel_cost cost = reel_plan_cost(apart);
        memcpy(batched, wanted, (size_t)count * sizeof *batched);
        reel_batch_over_time(t->graph, batched, count, cost.arena / SHARE);
        plan = plan_within(t, batched, count, error);
        if (plan && reel_plan_cost(plan).flops <= cost.flops * (1 + 2 * almost_free)) {
            memcpy(wanted, batched, (size_t)count * sizeof *batched);
        } else {
            reel_plan_free(plan);
            plan = NULL;
        }
    }
    if (!batched) reel_fail_memory(error);
    reel_plan_free(apart);
    reel_free(batched);
    return plan;
}

static reel_status build(reel_trainer *t, reel_error *error)
{
    const reel_training *o = &t->training;
    int frames = clip_frames(t);
    reel_net net = {t->graph, t->set, o->dtype, o->bf16};
    for (int f = 0; f < frames; f++) {
        char name[32];
        snprintf(name, sizeof name, "frame.%d", f);
        t->frame[f] = reel_input(t->graph, name, o->dtype, REEL_SHAPE(o->batch, 3, o->height, o->width));
        snprintf(name, sizeof name, "mask.%d", f);
        t->mask[f] = reel_input(t->graph, name, o->dtype, REEL_SHAPE(o->batch, 1, o->height, o->width));
    }
    t->weight = reel_input(t->graph, "weight", o->dtype, REEL_SHAPE(frames));
    reel_s2s_loss loss = reel_s2s_clip_loss(&net, &o->model, t->frame, t->mask, NULL, t->weight, frames, o->recompute);
    reel_status status = reel_update_build(&net, loss.total, &o->optimiser, &t->update, error);
    if (status) return status;
    int wanted = 0, reports = loss.classes ? REPORTED : REPORTED - 1;
    reel_tensor **list = reel_alloc((size_t)REPORTED + (size_t)t->update.count, sizeof(reel_tensor *));
    if (!list) return reel_fail_memory(error);
    reel_tensor *reported[REPORTED] = {loss.total, loss.bce, loss.iou, t->update.norm, loss.classes};
    for (int i = 0; i < reports; i++) list[wanted++] = reported[i];
    for (int i = 0; i < t->update.count; i++) list[wanted++] = t->update.updated[i];
    reel_error refused = {REEL_OK, ""};
    if (o->clip_batch && !o->recompute) t->plan = plan_batched(t, list, wanted, &refused);
    if (refused.status == REEL_ENVIRONMENT)
        reel_fail(error, refused.status, "%s", refused.text);
    else if (!t->plan)
        t->plan = plan_within(t, list, wanted, error);
    memcpy(t->reported, list, (size_t)reports * sizeof *list);
    reel_free(list);
    return t->plan ? REEL_OK : REEL_USAGE;
}

/* Graph, plan and all that has the clip's length. */
static reel_status make(reel_trainer *t, reel_error *error)
{
    size_t frames = (size_t)clip_frames(t);
    t->graph = reel_graph_new();
    t->frame = reel_alloc(frames, sizeof *t->frame);
    t->mask = reel_alloc(frames, sizeof *t->mask);
    t->invalid = reel_alloc(frames * (size_t)t->training.batch, sizeof *t->invalid);
    if (!t->graph || !t->frame || !t->mask || !t->invalid) return reel_fail_memory(error);
    return build(t, error);
}

static void drop(reel_trainer *t)
{
    reel_plan_free(t->plan);
    reel_update_free(&t->update);
    reel_graph_free(t->graph);
    reel_free(t->frame);
    reel_free(t->mask);
    reel_free(t->invalid);
    reel_free(t->values);
    reel_free(t->transfer);
    *t = (reel_trainer){.training = t->training, .set = t->set};
}

reel_trainer *reel_trainer_new(const reel_training *training, reel_backend *backend, reel_error *error)
{
    reel_trainer *t = reel_alloc(1, sizeof *t);
    if (!t) return reel_fail_memory(error), NULL;
    t->training = *training;
    t->set = reel_parameters_new(backend, training->seed);
    if (!t->set)
        reel_fail_memory(error);
    else if (make(t, error) == REEL_OK)
        return t;
    reel_trainer_free(t);
    return NULL;
}

reel_status reel_trainer_set_frames(reel_trainer *t, int frames, reel_error *error)
{
    if (frames == t->training.frames) return REEL_OK;
    drop(t);
    t->training.frames = frames;
    return make(t, error);
}

void reel_trainer_free(reel_trainer *t)
{
    if (!t) return;
    drop(t);
    reel_parameters_free(t->set);
    reel_free(t);
}

reel_parameters *reel_trainer_parameters(const reel_trainer *t)
{
    return t->set;
}
const reel_plan *reel_trainer_plan(const reel_trainer *t)
{
    return t->plan;
}

/* A device that works on its own is sent the clips of the next step meanwhile. */
static bool sends_ahead(const reel_trainer *t)
{
    return reel_parameters_backend(t->set)->write_ahead != NULL;
}

/* Clips held, one handed over, the batch, an input on its way to the device and, while saving, the largest parameter.
   A batch that is sent ahead lies in the host's memory and the device's once more. */
size_t reel_trainer_host(const reel_trainer *t)
{
    size_t clip = 4 * plane(t) * (size_t)clip_frames(t) * sizeof(float), batch = (size_t)t->training.batch, largest = 0;
    for (int i = 0; t->training.saves && i < reel_parameters_count(t->set); i++)
        if (reel_parameter_at(t->set, i)->bytes > largest) largest = reel_parameter_at(t->set, i)->bytes;
    if (sends_ahead(t)) batch *= 3;
    return clip * ((size_t)t->training.ahead + 1 + batch) + 3 * batch_plane(t) * reel_dtype_size(t->training.dtype) +
           largest;
}

/* --- running --- */

/* Host buffers are asked for when the first clip comes, so that a dry run has none. */
static bool have_buffers(reel_trainer *t)
{
    size_t frames = (size_t)clip_frames(t), largest = 3 * batch_plane(t) > frames ? 3 * batch_plane(t) : frames;
    if (!t->values) t->values = reel_alloc(frames * 4 * batch_plane(t), sizeof *t->values);
    if (!t->transfer) t->transfer = reel_alloc(largest, reel_dtype_size(t->training.dtype));
    return t->values && t->transfer;
}

reel_status reel_trainer_set_clip(reel_trainer *t, int b, const reel_clip *clip, reel_error *error)
{
    if (!have_buffers(t)) return reel_fail_memory(error);
    for (int f = 0; f < clip_frames(t); f++) {
        memcpy(frame_values(t, f) + (size_t)b * 3 * plane(t), clip->rgb + (size_t)f * 3 * plane(t),
               3 * plane(t) * sizeof(float));
        memcpy(mask_values(t, f) + (size_t)b * plane(t), clip->mask + (size_t)f * plane(t), plane(t) * sizeof(float));
        t->invalid[f * t->training.batch + b] = !clip->valid[f];
    }
    return REEL_OK;
}

typedef reel_status writer(reel_plan *plan, reel_tensor *input, const void *data, reel_error *error);

static reel_status write(reel_trainer *t, writer *put, reel_tensor *input, const float *values, size_t n,
                         reel_error *error)
{
    if (t->training.dtype == REEL_F32) return put(t->plan, input, values, error);
    for (size_t i = 0; i < n; i++) ((double *)t->transfer)[i] = values[i];
    return put(t->plan, input, t->transfer, error);
}

/* A frame counts when the mask of every clip of the batch is known there. */
static reel_status write_weights(reel_trainer *t, writer *put, reel_error *error)
{
    float weight[1024];
    int frames = clip_frames(t);
    if (frames > 1024) return reel_fail(error, REEL_USAGE, "a clip has at most 1023 predicted frames");
    for (int f = 0; f < frames; f++) {
        weight[f] = 1;
        for (int b = 0; b < t->training.batch; b++)
            if (t->invalid[f * t->training.batch + b]) weight[f] = 0;
    }
    return write(t, put, t->weight, weight, (size_t)frames, error);
}

static reel_status write_clips(reel_trainer *t, writer *put, reel_error *error)
{
    reel_status status = have_buffers(t) ? write_weights(t, put, error) : reel_fail_memory(error);
    for (int f = 0; !status && f < clip_frames(t); f++) {
        status = write(t, put, t->frame[f], frame_values(t, f), 3 * batch_plane(t), error);
        if (!status) status = write(t, put, t->mask[f], mask_values(t, f), batch_plane(t), error);
    }
    return status;
}

static double read_scalar(reel_trainer *t, reel_tensor *x, reel_status *status, reel_error *error)
{
    union {
        float f32;
        double f64;
    } value = {.f64 = 0};
    if (!x) return NAN;
    reel_status read = reel_plan_read(t->plan, x, &value, error);
    if (read) *status = read;
    return t->training.dtype == REEL_F32 ? (double)value.f32 : value.f64;
}

reel_status reel_trainer_begin(reel_trainer *t, uint64_t step, double lr, reel_error *error)
{
    double number = (double)step;
    t->step = step;
    t->began = reel_seconds();
    reel_status status = t->sent ? reel_plan_arrive(t->plan, error) : write_clips(t, reel_plan_write, error);
    t->sent = false;
    if (!status) status = reel_plan_write(t->plan, t->update.step, &number, error);
    if (!status) status = reel_plan_write(t->plan, t->update.lr, &lr, error);
    reel_plan_random(t->plan, t->training.seed, step);
    return status ? status : reel_plan_start(t->plan, error);
}

reel_status reel_trainer_send(reel_trainer *t, reel_error *error)
{
    if (!sends_ahead(t)) return REEL_OK;
    reel_status status = write_clips(t, reel_plan_write_ahead, error);
    t->sent = !status;
    return status;
}

reel_status reel_trainer_end(reel_trainer *t, reel_step_report *report, reel_error *error)
{
    reel_status status = reel_plan_wait(t->plan, error);
    if (status) return status;
    report->total = read_scalar(t, t->reported[0], &status, error);
    report->bce = read_scalar(t, t->reported[1], &status, error);
    report->iou = read_scalar(t, t->reported[2], &status, error);
    report->norm = read_scalar(t, t->reported[3], &status, error);
    report->classes = read_scalar(t, t->reported[4], &status, error);
    report->seconds = reel_seconds() - t->began;
    if (status || (isfinite(report->total) && isfinite(report->norm))) return status;
    reel_error cause = {REEL_OK, ""};
    reel_plan_run_checked(t->plan, &cause); /* on the same clips: those that were sent have not arrived */
    return reel_fail(error, REEL_NONFINITE,
                     "step %llu: the loss is %g and the gradient norm %g; %s; nothing was changed",
                     (unsigned long long)t->step, report->total, report->norm,
                     *cause.text ? cause.text : "the same step run again is finite");
}

reel_status reel_trainer_step(reel_trainer *t, uint64_t step, double lr, reel_step_report *report, reel_error *error)
{
    reel_status status = reel_trainer_begin(t, step, lr, error);
    return status ? status : reel_trainer_end(t, report, error);
}
