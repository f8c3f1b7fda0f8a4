/* Training steps on the emulated CUDA backend (tests/cuda/cuda_runtime.h): one that is recorded as a CUDA graph does
   what it did node by node, bit by bit, and what is sent while it runs arrives after it. */
#include "core/memory.h"
#include "tests/cuda/emulated.h"
#include "tests/support/saying.h"
#include "tests/support/short_training.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <math.h>
#include <string.h>

static reel_backend *must_open(const char *graphs)
{
    return must_open_saying("REEL_CUDA_GRAPH", graphs, NULL, NULL);
}

/* --- training steps --- */

enum { STEPS = 3 };

typedef struct {
    reel_backend *backend;
    reel_trainer *trainer;
    reel_step_report report[STEPS];
} trained;

static void must_set(trained *t, int step)
{
    reel_error error = {REEL_OK, ""};
    reel_clip clip;
    short_clip(&clip, (uint64_t)step);
    ck_assert_int_eq(reel_trainer_set_clip(t->trainer, 0, &clip, &error), REEL_OK);
    reel_clip_free(&clip);
}

static void must_step(trained *t, int step)
{
    reel_error error = {REEL_OK, ""};
    must_set(t, step);
    reel_status status = reel_trainer_step(t->trainer, (uint64_t)step + 1, 1e-3 / (step + 1), &t->report[step], &error);
    ck_assert_msg(status == REEL_OK, "step %d: %s", step, error.text);
}

static void begin_training(trained *t, const char *graphs, bool bf16)
{
    reel_error error = {REEL_OK, ""};
    reel_training how = short_training;
    how.bf16 = bf16;
    t->backend = must_open(graphs);
    t->trainer = reel_trainer_new(&how, t->backend, &error);
    ck_assert_msg(t->trainer != NULL, "%s", error.text);
}

static void end_training(trained *t)
{
    reel_trainer_free(t->trainer);
    t->backend->close(t->backend);
}

static void same_parameters(const trained *a, const trained *b)
{
    reel_error error = {REEL_OK, ""};
    reel_parameters *mine = reel_trainer_parameters(a->trainer), *theirs = reel_trainer_parameters(b->trainer);
    for (int i = 0; i < reel_parameters_count(mine); i++) {
        reel_parameter *p = reel_parameter_at(mine, i), *q = reel_parameter_at(theirs, i);
        void *x = reel_alloc(p->bytes, 1), *y = reel_alloc(q->bytes, 1);
        ck_assert(!reel_parameter_read(p, x, &error) && !reel_parameter_read(q, y, &error));
        ck_assert_msg(!memcmp(x, y, p->bytes), "%s differs", p->name);
        reel_free(x);
        reel_free(y);
    }
}

static void same_training(const trained *a, const trained *b)
{
    for (int step = 0; step < STEPS; step++)
        ck_assert_msg(a->report[step].total == b->report[step].total && a->report[step].norm == b->report[step].norm,
                      "step %d: loss %.17g and %.17g", step, a->report[step].total, b->report[step].total);
    same_parameters(a, b);
}

/* The learning rate, the number of the step and the clip change from run to run. */
static void check_training(bool bf16)
{
    trained plain, recorded;
    begin_training(&plain, "off", bf16);
    begin_training(&recorded, NULL, bf16);
    long long graphs = emulated.recorded;
    for (int step = 0; step < STEPS; step++) must_step(&plain, step);
    ck_assert_int_eq(emulated.recorded, graphs);
    for (int step = 0; step < 2; step++) must_step(&recorded, step);
    long long launches = emulated.launches;
    for (int step = 2; step < STEPS; step++) must_step(&recorded, step);
    ck_assert_int_eq(emulated.recorded, graphs + 1);
    ck_assert_int_eq(emulated.launches, launches);
    same_training(&plain, &recorded);
    end_training(&plain);
    end_training(&recorded);
}

START_TEST(training_has_the_same_bits)
{
    check_training(false);
    check_training(true);
}
END_TEST

/* --- clips that are sent while a step runs --- */

static void begin_step(trained *t, int step)
{
    reel_error error = {REEL_OK, ""};
    reel_status status = reel_trainer_begin(t->trainer, (uint64_t)step + 1, 1e-3 / (step + 1), &error);
    ck_assert_msg(status == REEL_OK, "step %d: %s", step, error.text);
}

static void must_send(trained *t, int step)
{
    reel_error error = {REEL_OK, ""};
    must_set(t, step);
    ck_assert_msg(reel_trainer_send(t->trainer, &error) == REEL_OK, "%s", error.text);
}

static void train_sending(trained *t)
{
    reel_error error = {REEL_OK, ""};
    must_set(t, 0);
    for (int step = 0; step < STEPS; step++) {
        begin_step(t, step);
        if (step == 1) must_send(t, 0); /* thought better of */
        if (step + 1 < STEPS) must_send(t, step + 1);
        ck_assert_msg(reel_trainer_end(t->trainer, &t->report[step], &error) == REEL_OK, "%s", error.text);
    }
}

/* The copies are done as late as they may be, then as early. */
START_TEST(clips_sent_ahead_arrive)
{
    int objects = emulated.objects;
    trained plain;
    begin_training(&plain, "off", false);
    for (int step = 0; step < STEPS; step++) must_step(&plain, step);
    for (int early = 0; early < 2; early++) {
        trained sending;
        emulated.beside_at_once = early;
        begin_training(&sending, NULL, false);
        train_sending(&sending);
        emulated.beside_at_once = false;
        same_training(&plain, &sending);
        end_training(&sending);
    }
    end_training(&plain);
    ck_assert_int_eq(emulated.objects, objects);
}
END_TEST

/* Values are written ahead again before anything has waited for the first ones to be read. */
static void check_order(reel_backend *backend)
{
    enum { COUNT = 1000 };
    static float sent[2][COUNT], came[COUNT];
    reel_error error = {REEL_OK, ""};
    void *place = backend->allocate(backend, sizeof came, &error);
    for (int i = 0; i < COUNT; i++) sent[0][i] = (float)i, sent[1][i] = (float)-i;
    ck_assert(!backend->write_ahead(backend, place, sent[0], sizeof came, &error) && !backend->arrive(backend, &error));
    ck_assert(!backend->write_ahead(backend, place, sent[1], sizeof came, &error));
    ck_assert(!backend->read(backend, came, place, sizeof came, &error));
    ck_assert_msg(!memcmp(came, sent[0], sizeof came), "the first values were overtaken");
    ck_assert(!backend->arrive(backend, &error) && !backend->read(backend, came, place, sizeof came, &error));
    ck_assert_msg(!memcmp(came, sent[1], sizeof came), "the second values did not arrive");
    backend->release(backend, place);
}

START_TEST(writes_ahead_keep_their_order)
{
    int objects = emulated.objects;
    reel_backend *backend = must_open(NULL);
    for (int early = 0; early < 2; early++) {
        emulated.beside_at_once = early;
        check_order(backend);
    }
    emulated.beside_at_once = false;
    backend->close(backend);
    ck_assert_int_eq(emulated.objects, objects);
}
END_TEST

/* What was sent for the next step does not hide what is wrong with this one. */
START_TEST(a_bad_clip_is_found_after_the_next_was_sent)
{
    trained t;
    reel_clip clip;
    reel_error error = {REEL_OK, ""};
    begin_training(&t, NULL, false);
    short_clip(&clip, 0);
    clip.rgb[5] = INFINITY;
    ck_assert_int_eq(reel_trainer_set_clip(t.trainer, 0, &clip, &error), REEL_OK);
    reel_clip_free(&clip);
    begin_step(&t, 0);
    must_send(&t, 1);
    ck_assert_int_eq(reel_trainer_end(t.trainer, &t.report[0], &error), REEL_NONFINITE);
    ck_assert_msg(strstr(error.text, "is the first with a NaN or infinity"), "%s", error.text);
    end_training(&t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {training_has_the_same_bits, clips_sent_ahead_arrive, writes_ahead_keep_their_order,
                                  a_bad_clip_is_found_after_the_next_was_sent};
    return tiny_suite("cuda steps", tests, sizeof tests / sizeof *tests);
}
