/* Runs of plans on the CUDA backend, its sources compiled for the CPU (tests/cuda/cuda_runtime.h): a plan that is
   recorded as a CUDA graph does what it did node by node, bit by bit, and what goes wrong on the way leaves nothing
   behind. */
#include "tests/cuda/emulated.h"
#include "tests/support/op_table.h"
#include "tests/support/saying.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static reel_backend *must_open(const char *graphs)
{
    return must_open_saying("REEL_CUDA_GRAPH", graphs, NULL, NULL);
}

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

START_TEST(unknown_words_are_refused)
{
    refused_saying("REEL_CUDA_GRAPH", "maybe", "says neither on nor off");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_numbers_are_new_in_every_run, every_op_can_be_recorded,        refused_labels_are_told_by_replays,
        each_plan_is_recorded_once,          failed_recordings_leave_nothing, updates_are_started_together,
        unknown_words_are_refused,
    };
    return tiny_suite("cuda runs", tests, sizeof tests / sizeof *tests);
}
