/* A training step of S2S or S2S++, planned once and run as often as there are steps: clip in, losses out, parameters
   changed. What a step does depends on its number and the clip alone, so that a run that stops and goes on is the run
   that never stopped. */
#ifndef REEL_TOOLS_TRAINER_H
#define REEL_TOOLS_TRAINER_H

#include "core/plan.h"
#include "datasets/clip.h"
#include "models/optimise.h"
#include "models/s2s.h"

typedef struct {
    reel_s2s_config model;
    int height, width, frames, batch; /* frames: predicted ones, after the first */
    reel_dtype dtype;
    bool bf16; /* mixed precision (models/net.h) */
    bool recompute;
    size_t memory;   /* bytes that all may take; 0: what costs next to no time is computed again, and no more */
    int tries;       /* of what to compute again for it; 0: any number */
    int ahead;       /* clips that are held for the steps to come */
    bool saves;      /* parameters are written to files, with the largest copied */
    bool clip_batch; /* what is not recurrent for all frames at once (autograd/time_batch.h); not with recompute */
    reel_optimiser optimiser;
    uint64_t seed;
} reel_training;

typedef struct {
    double total, bce, iou, classes; /* classes: NaN without the distance head */
    double norm;                     /* of the gradients, before clipping */
    double seconds;                  /* from begin to end, what was done between them included */
} reel_step_report;

typedef struct reel_trainer reel_trainer;

/* Builds the graph of a step and its plan; NULL with `error` set on failure. */
reel_trainer *reel_trainer_new(const reel_training *training, reel_backend *backend, reel_error *error);
void reel_trainer_free(reel_trainer *trainer);
/* From the next step on, clips of another length, with the same parameters: plans anew. After a failure the trainer can
   only be freed. */
reel_status reel_trainer_set_frames(reel_trainer *trainer, int frames, reel_error *error);

reel_parameters *reel_trainer_parameters(const reel_trainer *trainer);
const reel_plan *reel_trainer_plan(const reel_trainer *trainer);
/* Bytes that training holds beside the plan. */
size_t reel_trainer_host(const reel_trainer *trainer);

/* Puts a clip of the trainer's size at place b of the batch of the next step; [frames + 1] frames. */
reel_status reel_trainer_set_clip(reel_trainer *trainer, int b, const reel_clip *clip, reel_error *error);

/* Update number `step`, from 1. A loss or gradient that is not finite is REEL_NONFINITE, names the first node that made
   it, and has changed nothing. */
reel_status reel_trainer_step(reel_trainer *trainer, uint64_t step, double lr, reel_step_report *report,
                              reel_error *error);

/* The same in two halves. Between them the clips of the next step may be set, and sent to a device that works
   meanwhile. */
reel_status reel_trainer_begin(reel_trainer *trainer, uint64_t step, double lr, reel_error *error);
reel_status reel_trainer_send(reel_trainer *trainer, reel_error *error);
reel_status reel_trainer_end(reel_trainer *trainer, reel_step_report *report, reel_error *error);

#endif
