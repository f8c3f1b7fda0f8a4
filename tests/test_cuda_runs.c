/* Runs of plans on the CUDA backend, its sources compiled for the CPU (tests/cuda/cuda_runtime.h): a plan that is
   recorded as a CUDA graph does what it did node by node, bit by bit, and what goes wrong on the way leaves nothing
   behind. */
#include "tests/cuda/emulated.h"
#include "tests/support/op_table.h"
#include "tests/support/saying.h"
#include "tests/support/short_training.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
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

/* --- random numbers --- */

enum { DROPPED = 256, DRAWS = 4 };

static void draw(const char *graphs, float value[DRAWS][DROPPED])
{
    float ones[DROPPED];
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = must_open(graphs);
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F32, REEL_SHAPE(DROPPED)), *y = reel_dropout(x, 0.5);
    reel_plan *plan = reel_plan_new(graph, backend, &y, 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    for (int i = 0; i < DROPPED; i++) ones[i] = 1;
    ck_assert(!reel_plan_write(plan, x, ones, &error));
    for (uint64_t i = 0; i < DRAWS; i++) {
        reel_plan_random(plan, 7, i);
        ck_assert(!reel_plan_run(plan, &error) && !reel_plan_read(plan, y, value[i], &error));
    }
    reel_plan_free(plan);
    reel_graph_free(graph);
    backend->close(backend);
}

START_TEST(random_numbers_are_new_in_every_run)
{
    static float plain[DRAWS][DROPPED], recorded[DRAWS][DROPPED];
    draw("off", plain);
    draw("on", recorded);
    ck_assert(!memcmp(plain, recorded, sizeof plain));
    for (int i = 1; i < DRAWS; i++) ck_assert(memcmp(plain[i], plain[i - 1], sizeof plain[i]) != 0);
}
END_TEST

/* --- every op --- */

static reel_backend *reference, *recording;
static reel_status (*begin_run)(reel_backend *backend, reel_run *run, reel_error *error);

/* Makes the first run the one that is recorded. */
static reel_status begin_recorded(reel_backend *backend, reel_run *run, reel_error *error)
{
    reel_status status = run->recording && !*run->recording ? begin_run(backend, run, error) : REEL_OK;
    return status ? status : begin_run(backend, run, error);
}

static bool recorded_in_float(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F32, recording, REEL_F64, reference, 2e-5, why, size);
}

START_TEST(every_op_can_be_recorded)
{
    reference = reel_reference_backend();
    recording = must_open(NULL);
    begin_run = recording->begin_run;
    recording->begin_run = begin_recorded;
    long long graphs = emulated.recorded;
    over_table("cuda, recorded", recorded_in_float);
    ck_assert_int_gt(emulated.recorded, graphs);
    recording->close(recording);
    reference->close(reference);
}
END_TEST

/* --- one small plan --- */

typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_parameter *w;
    reel_tensor *labels, *moved;
    reel_plan *plan;
} small;

/* A step of scores [2, 2, 3] towards labels. */
static void make_small(small *s, reel_backend *backend, int64_t positions)
{
    reel_error error = {REEL_OK, ""};
    reel_shape shape = REEL_SHAPE(2, 2, positions);
    s->graph = reel_graph_new();
    s->set = reel_parameters_new(backend, 1);
    s->w = reel_parameter_declare(s->set, "w", REEL_F32, shape, (reel_init){REEL_INIT_NORMAL, 1}, true, &error);
    reel_parameter *buffer = reel_parameter_declare(s->set, "buffer", REEL_F32, shape, (reel_init){0}, false, &error);
    reel_tensor *x = reel_parameter_in(s->graph, s->w);
    s->labels = reel_input(s->graph, "t", REEL_I32, REEL_SHAPE(2, positions));
    reel_tensor *loss = reel_cross_entropy(x, s->labels, NULL, (reel_cross_entropy_attr){.ignore_index = -100});
    s->moved = reel_sgd(x, reel_parameter_in(s->graph, buffer), reel_gradient_of(loss, x), reel_scalar_like(x, 0.1),
                        NULL, (reel_sgd_attr){0});
    s->plan = reel_plan_new(s->graph, backend, &s->moved, 1, &error);
    ck_assert_msg(s->plan != NULL, "%s", error.text);
}

static void free_small(small *s)
{
    reel_plan_free(s->plan);
    reel_graph_free(s->graph);
    reel_parameters_free(s->set);
}

static reel_error run_small(small *s, const int32_t *labels)
{
    reel_error error = {REEL_OK, ""};
    if (!reel_plan_write(s->plan, s->labels, labels, &error)) reel_plan_run(s->plan, &error);
    return error;
}

static void weights(small *s, float w[12])
{
    reel_error error = {REEL_OK, ""};
    ck_assert_msg(!reel_parameter_read(s->w, w, &error), "%s", error.text);
}

/* --- updates that are started together --- */

enum { PARAMETERS = 100, MOST = 70, UPDATES = PARAMETERS + 1 };

static reel_tensor *one_update(reel_graph *graph, reel_parameters *set, reel_tensor *rate, int i)
{
    float gradient[MOST];
    char name[32];
    reel_error error = {REEL_OK, ""};
    reel_shape shape = REEL_SHAPE(i % (MOST + 1));
    reel_init init = {REEL_INIT_NORMAL, 1};
    for (int k = 0; k < MOST; k++) gradient[k] = (float)(k + i);
    snprintf(name, sizeof name, "w.%d", i);
    reel_tensor *w = reel_parameter_in(graph, reel_parameter_declare(set, name, REEL_F32, shape, init, true, &error));
    snprintf(name, sizeof name, "m.%d", i);
    reel_tensor *m = reel_parameter_in(graph, reel_parameter_declare(set, name, REEL_F32, shape, init, false, &error));
    return reel_sgd(w, m, reel_constant(graph, REEL_F32, shape, gradient), rate, NULL,
                    (reel_sgd_attr){.momentum = 0.5});
}

/* Every parameter is updated, and the last of them once more, by its own new values; then comes the norm of all. */
static float update_all(reel_backend *backend, long long *launches)
{
    float norm = 0;
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_parameters *set = reel_parameters_new(backend, 1);
    reel_tensor *list[UPDATES + 1], *rate = reel_constant(graph, REEL_F32, REEL_SCALAR_SHAPE, &(float){0.5f});
    for (int i = 0; i < PARAMETERS; i++) list[i] = one_update(graph, set, rate, i);
    reel_tensor *last = list[PARAMETERS - 1];
    list[PARAMETERS] = reel_sgd(last, reel_output(last, 1), last, rate, NULL, (reel_sgd_attr){.momentum = 0.5});
    list[UPDATES] = reel_global_norm(list, UPDATES);
    reel_plan *plan = reel_plan_new(graph, backend, list, UPDATES + 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    *launches = emulated.launches;
    ck_assert_msg(!reel_plan_run(plan, &error), "%s", error.text);
    *launches = emulated.launches - *launches;
    ck_assert(!reel_plan_read(plan, list[UPDATES], &norm, &error));
    reel_plan_free(plan);
    reel_graph_free(graph);
    reel_parameters_free(set);
    return norm;
}

/* 88 fit into a list. The second update waits for the first, the norm for all. */
START_TEST(updates_are_started_together)
{
    long long none, launches;
    reel_backend *host = reel_reference_backend(), *backend = must_open(NULL);
    float expected = update_all(host, &none), norm = update_all(backend, &launches);
    ck_assert_msg(fabsf(norm - expected) <= 1e-5f * expected, "the norm is %g, not %g", norm, expected);
    ck_assert_int_eq(launches, 2 + 1 + 2 + 1);
    host->close(host);
    backend->close(backend);
}
END_TEST

static const int32_t good[6] = {0, 1, -100, 1, 0, 1}, bad[6] = {0, 1, -100, 2, 7, 1};

START_TEST(refused_labels_are_told_by_replays)
{
    float before[12], after[12];
    reel_backend *backend = must_open(NULL);
    small s;
    make_small(&s, backend, 3);
    for (int run = 0; run < 3; run++) ck_assert_int_eq(run_small(&s, good).status, REEL_OK);
    for (int run = 0; run < 2; run++) {
        weights(&s, before);
        reel_error error = run_small(&s, bad);
        weights(&s, after);
        ck_assert_int_eq(error.status, REEL_BAD_DATA);
        ck_assert_msg(strstr(error.text, "the label at [1,0] is not one of 0..1 or the ignored -100"), "%s",
                      error.text);
        ck_assert_msg(!memcmp(before, after, sizeof before), "weights changed");
    }
    ck_assert_int_eq(run_small(&s, good).status, REEL_OK);
    weights(&s, after);
    ck_assert_msg(memcmp(before, after, sizeof before) != 0, "a good step did nothing");
    free_small(&s);
    backend->close(backend);
}
END_TEST

START_TEST(each_plan_is_recorded_once)
{
    static const int32_t labels[16] = {0};
    reel_backend *backend = must_open(NULL);
    long long graphs = emulated.recorded;
    for (int64_t positions = 3; positions <= 4; positions++) {
        small s;
        make_small(&s, backend, positions);
        for (int run = 0; run < 4; run++) {
            ck_assert_int_eq(run_small(&s, labels).status, REEL_OK);
            ck_assert_int_eq(emulated.recorded - graphs, positions - 3 + (run > 0));
        }
        reel_plan_run_checked(s.plan, &(reel_error){REEL_OK, ""});
        reel_plan_time(s.plan, true);
        ck_assert_int_eq(run_small(&s, labels).status, REEL_OK);
        ck_assert_int_eq(emulated.recorded - graphs, positions - 2);
        free_small(&s);
    }
    backend->close(backend);
}
END_TEST

/* The second run of a plan fails by `fail`, which is then switched off; the third must record anew and be right. */
static void check_failed_recording(int *fail, const char *part)
{
    float expected[12], w[12];
    reel_backend *plain = must_open("off"), *backend = must_open(NULL);
    small a, b;
    make_small(&a, plain, 3);
    make_small(&b, backend, 3);
    for (int run = 0; run < 3; run++) ck_assert_int_eq(run_small(&a, good).status, REEL_OK);
    ck_assert_int_eq(run_small(&b, good).status, REEL_OK);
    long long graphs = emulated.recorded;
    int objects = emulated.objects;
    *fail = 1;
    reel_error error = run_small(&b, good);
    ck_assert_int_eq(*fail, 0);
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, part), "'%s' lacks '%s'", error.text, part);
    ck_assert_int_eq(emulated.objects, objects);
    for (int run = 0; run < 2; run++) ck_assert_int_eq(run_small(&b, good).status, REEL_OK);
    ck_assert_int_eq(emulated.recorded, graphs + 1);
    weights(&a, expected);
    weights(&b, w);
    ck_assert_msg(!memcmp(w, expected, sizeof w), "what failed left something behind");
    free_small(&a);
    free_small(&b);
    plain->close(plain);
    backend->close(backend);
}

START_TEST(failed_recordings_leave_nothing)
{
    int objects = emulated.objects;
    check_failed_recording(&emulated.fail_launch, "at backends/cuda/");
    check_failed_recording(&emulated.fail_instantiate, "cudaGraphInstantiateWithFlags");
    ck_assert_int_eq(emulated.objects, objects);
}
END_TEST

START_TEST(unknown_words_are_refused)
{
    refused_saying("REEL_CUDA_GRAPH", "maybe", "says neither on nor off");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        training_has_the_same_bits,          clips_sent_ahead_arrive,
        writes_ahead_keep_their_order,       a_bad_clip_is_found_after_the_next_was_sent,
        random_numbers_are_new_in_every_run, every_op_can_be_recorded,
        refused_labels_are_told_by_replays,  each_plan_is_recorded_once,
        failed_recordings_leave_nothing,     updates_are_started_together,
        unknown_words_are_refused,
    };
    return tiny_suite("cuda runs", tests, sizeof tests / sizeof *tests);
}
