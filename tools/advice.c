/* See advice.h. Memory grows with each of the numbers, so the largest that fits is found by halving. */
#include "tools/advice.h"

#include <stdio.h>
#include <string.h>

/* A plan is given up after so many trials of what to compute again. */
enum { TRIES = 2000 };

static bool fits(const reel_training *training, reel_backend *backend)
{
    reel_training t = *training;
    reel_error error = {REEL_OK, ""};
    t.clip_batch = false; /* where batched frames do not fit, they are planned apart */
    t.tries = TRIES;
    reel_trainer *trainer = reel_trainer_new(&t, backend, &error);
    reel_trainer_free(trainer);
    return trainer != NULL;
}

/* --- what may be smaller: number `n` of so many steps that there are --- */

enum { STEP = 32 }; /* of a height: the network's maps have whole sizes at its multiples */

typedef struct {
    int (*steps)(const reel_training *t); /* below what was asked for */
    void (*take)(reel_training *t, int n);
    void (*tell)(const reel_training *t, char *text, size_t room);
} dimension;

static int fewer_frames(const reel_training *t)
{
    return t->frames - 1;
}
static void take_frames(reel_training *t, int n)
{
    t->frames = n;
}
static void tell_frames(const reel_training *t, char *text, size_t room)
{
    snprintf(text, room, "--frames %d", t->frames);
}

static int lower_heights(const reel_training *t)
{
    return (t->height - 1) / STEP;
}
static void take_height(reel_training *t, int n)
{
    int height = n * STEP, width = (t->width * height / t->height + STEP / 2) / STEP * STEP;
    t->width = width < STEP ? STEP : width < t->width ? width : t->width;
    t->height = height;
}
static void tell_size(const reel_training *t, char *text, size_t room)
{
    snprintf(text, room, "--size %dx%d", t->height, t->width);
}

static int smaller_batches(const reel_training *t)
{
    return t->batch - 1;
}
/* Two clips are held ahead for each of the batch. */
static void take_batch(reel_training *t, int n)
{
    t->ahead -= 2 * (t->batch - n);
    t->batch = n;
}
static void tell_batch(const reel_training *t, char *text, size_t room)
{
    snprintf(text, room, "--batch %d", t->batch);
}

/* Clips of fewer and smaller frames, both by eighths. */
static int smaller_clips(const reel_training *t)
{
    return lower_heights(t) ? 7 : 0;
}
static void take_clip(reel_training *t, int n)
{
    int frames = t->frames * n / 8, height = (lower_heights(t) + 1) * n / 8;
    t->frames = frames ? frames : 1;
    take_height(t, height ? height : 1);
}
static void tell_clip(const reel_training *t, char *text, size_t room)
{
    snprintf(text, room, "--frames %d --size %dx%d", t->frames, t->height, t->width);
}

static int halved_widths(const reel_training *t)
{
    (void)t;
    return 6;
}
static void take_net_width(reel_training *t, int n)
{
    for (; n < 7; n++) t->model.width /= 2;
}
static void tell_net_width(const reel_training *t, char *text, size_t room)
{
    snprintf(text, room, "--width %.3g", t->model.width);
}

/* One of the first, else the first of the others. */
static const dimension alone[] = {{fewer_frames, take_frames, tell_frames},
                                  {lower_heights, take_height, tell_size},
                                  {smaller_batches, take_batch, tell_batch}},
                       else_one[] = {{smaller_clips, take_clip, tell_clip},
                                     {halved_widths, take_net_width, tell_net_width}};
enum { ALONE = 3, ELSE = 2 };

/* --- the advice --- */

/* The most that fits, as an option. False when nothing does. */
static bool find(const dimension *d, const reel_training *training, reel_backend *backend, char *text, size_t room)
{
    int low = 0, high = d->steps(training);
    while (low < high) {
        reel_training t = *training;
        int middle = low + (high - low + 1) / 2;
        d->take(&t, middle);
        if (fits(&t, backend))
            low = middle;
        else
            high = middle - 1;
    }
    reel_training t = *training;
    if (low) {
        d->take(&t, low);
        d->tell(&t, text, room);
    }
    return low > 0;
}

static void advise(const reel_training *training, reel_backend *backend, reel_error *error)
{
    char option[ALONE][64], text[ALONE * 80] = "";
    int count = 0;
    for (int i = 0; i < ALONE; i++) count += find(&alone[i], training, backend, option[count], sizeof *option);
    for (int i = 0; !count && i < ELSE; i++) count += find(&else_one[i], training, backend, option[0], sizeof *option);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", !i ? "" : i + 1 < count ? ", " : " or ", option[i]);
    }
    size_t length = strlen(error->text);
    if (count)
        snprintf(error->text + length, sizeof error->text - length, "; %s would fit", text);
    else
        snprintf(error->text + length, sizeof error->text - length,
                 "; neither fewer and smaller frames, a smaller batch nor a narrower network would fit alone");
}

/* Whether a step can be planned at all, so that it was the budget that was refused. */
static bool sound(const reel_training *training, reel_backend *backend)
{
    reel_training t = *training;
    t.memory = 0;
    return fits(&t, backend);
}

reel_trainer *reel_trainer_or_advice(const reel_training *training, reel_backend *backend, reel_error *error)
{
    reel_trainer *trainer = reel_trainer_new(training, backend, error);
    if (!trainer && error->status == REEL_USAGE && training->memory && sound(training, backend))
        advise(training, backend, error);
    return trainer;
}
