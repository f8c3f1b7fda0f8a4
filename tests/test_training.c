/* What a training must survive that the command line cannot provoke: memory that is refused anywhere, numbers that are
   not finite anywhere, and many steps without growing. All on the smallest S2S++. */
#include "backends/registry.h"
#include "core/memory.h"
#include "models/checkpoint.h"
#include "tests/support/short_training.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- memory --- */

/* A resumed training in small: network, checkpoint in, one step, checkpoint out. */
static reel_status resumed_step(const char *from, const char *to, const reel_clip *clip, reel_error *error)
{
    reel_step_report report;
    reel_safetensors file;
    reel_backend *backend = reel_backend_open("cpu", 2, error);
    if (!backend) return error->status;
    reel_trainer *t = reel_trainer_new(&short_training, backend, error);
    reel_status status = t ? REEL_OK : error->status;
    if (t && from && !(status = reel_safetensors_open(&file, from, error))) {
        status = reel_checkpoint_load(&file, reel_trainer_parameters(t), REEL_LOAD_ALL, NULL, error);
        reel_safetensors_close(&file);
    }
    if (!status) status = reel_trainer_set_clip(t, 0, clip, error);
    if (!status) status = reel_trainer_step(t, 1, 1e-3, &report, error);
    if (!status) status = reel_checkpoint_save(to, reel_trainer_parameters(t), NULL, 0, error);
    reel_trainer_free(t);
    backend->close(backend);
    return status;
}

static const char *folder;

static void check_refused(uint64_t n, bool and_all_after, const reel_clip *clip, const char *from, const char *to)
{
    reel_error error = {REEL_OK, ""};
    reel_safetensors file;
    reel_alloc_fail(n, and_all_after);
    reel_status status = resumed_step(from, to, clip, &error);
    reel_alloc_fail(0, false);
    ck_assert_msg(status == REEL_ENVIRONMENT && strstr(error.text, "memory"),
                  "allocation %llu%s refused: status %d, '%s'", (unsigned long long)n, and_all_after ? " and all" : "",
                  (int)status, error.text);
    ck_assert_int_eq(reel_safetensors_open(&file, to, &(reel_error){0}), REEL_OK);
    reel_safetensors_close(&file);
    ck_assert_int_eq(temporary_entries(folder), 2);
}

/* Thousands of allocations make one step; the first and last 20 are refused one by one, of the others every 193rd. */
START_TEST(refused_memory_is_an_error_and_nothing_else)
{
    enum { STRIDE = 193, EDGE = 20 };
    reel_error error = {REEL_OK, ""};
    reel_clip clip;
    char from[256], to[256];
    folder = temporary_folder();
    snprintf(from, sizeof from, "%s", temporary_path(folder, "from.safetensors"));
    snprintf(to, sizeof to, "%s", temporary_path(folder, "to.safetensors"));
    short_clip(&clip, 1);
    ck_assert_msg(resumed_step(NULL, from, &clip, &error) == REEL_OK, "%s", error.text);
    reel_alloc_fail(0, false);
    ck_assert_msg(resumed_step(from, to, &clip, &error) == REEL_OK, "%s", error.text);
    uint64_t all = reel_alloc_count();
    ck_assert_uint_gt(all, 1000);
    for (uint64_t n = 1; n <= all; n += n < EDGE || n + EDGE > all ? 1 : STRIDE) {
        check_refused(n, false, &clip, from, to);
        check_refused(n, true, &clip, from, to);
    }
    reel_clip_free(&clip);
}
END_TEST

/* --- numbers --- */

typedef struct {
    reel_backend *backend;
    reel_trainer *t;
    reel_parameters *set;
    reel_clip clip;
} small;

static void begin(small *s)
{
    reel_error error = {REEL_OK, ""};
    reel_step_report report;
    s->backend = reel_backend_open("cpu", 2, &error);
    s->t = s->backend ? reel_trainer_new(&short_training, s->backend, &error) : NULL;
    ck_assert_msg(s->t != NULL, "%s", error.text);
    s->set = reel_trainer_parameters(s->t);
    short_clip(&s->clip, 2);
    ck_assert_int_eq(reel_trainer_set_clip(s->t, 0, &s->clip, NULL), REEL_OK);
    ck_assert_msg(reel_trainer_step(s->t, 1, 1e-3, &report, &error) == REEL_OK, "%s", error.text);
}

static void end(small *s)
{
    reel_clip_free(&s->clip);
    reel_trainer_free(s->t);
    s->backend->close(s->backend);
}

/* Every parameter's bytes, one after the other, for free(). */
static char *all_values(reel_parameters *set, size_t *bytes)
{
    *bytes = 0;
    for (int i = 0; i < reel_parameters_count(set); i++) *bytes += reel_parameter_at(set, i)->bytes;
    char *values = malloc(*bytes), *to = values;
    ck_assert_ptr_nonnull(values);
    for (int i = 0; i < reel_parameters_count(set); i++) {
        ck_assert_int_eq(reel_parameter_read(reel_parameter_at(set, i), to, NULL), REEL_OK);
        to += reel_parameter_at(set, i)->bytes;
    }
    return values;
}

/* A step that must see what is not finite, name a node, and leave every weight and moment alone. */
static void check_seen(small *s, const char *where)
{
    size_t bytes;
    reel_error error = {REEL_OK, ""};
    reel_step_report report;
    char *before = all_values(s->set, &bytes);
    reel_status status = reel_trainer_step(s->t, 2, 1e-3, &report, &error);
    char *after = all_values(s->set, &bytes);
    ck_assert_msg(status == REEL_NONFINITE, "%s: status %d, loss %g, '%s'", where, (int)status, report.total,
                  error.text);
    ck_assert_msg(strstr(error.text, "step 2") && strstr(error.text, "is the first with a NaN or infinity"), "%s: %s",
                  where, error.text);
    ck_assert_msg(!memcmp(before, after, bytes), "%s: the step changed parameters", where);
    free(before);
    free(after);
}

START_TEST(a_weight_that_is_no_number_is_named)
{
    small s;
    begin(&s);
    int places = 0;
    for (int i = 0; i < reel_parameters_count(s.set); i++) {
        reel_parameter *p = reel_parameter_at(s.set, i);
        if (!p->trained) continue;
        float *values = malloc(p->bytes);
        ck_assert_ptr_nonnull(values);
        ck_assert_int_eq(reel_parameter_read(p, values, NULL), REEL_OK);
        size_t last = p->bytes / sizeof *values - 1;
        float kept = values[last];
        values[last] = NAN;
        ck_assert_int_eq(reel_parameter_write(p, values, NULL), REEL_OK);
        check_seen(&s, p->name);
        places++;
        values[last] = kept;
        ck_assert_int_eq(reel_parameter_write(p, values, NULL), REEL_OK);
        free(values);
    }
    ck_assert_int_ge(places, 40);
    end(&s);
}
END_TEST

START_TEST(a_frame_that_is_not_finite_is_named)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    small s;
    begin(&s);
    size_t plane = (size_t)short_training.height * (size_t)short_training.width;
    for (size_t i = 0; i < 6; i++)
        for (int b = 0; b < 3; b++) {
            float *at = &s.clip.rgb[i * plane + plane / 2], kept = *at;
            *at = bad[b];
            ck_assert_int_eq(reel_trainer_set_clip(s.t, 0, &s.clip, NULL), REEL_OK);
            check_seen(&s, i < 3 ? "first frame" : "second frame");
            *at = kept;
        }
    reel_error error = {REEL_OK, ""};
    reel_step_report report;
    ck_assert_int_eq(reel_trainer_set_clip(s.t, 0, &s.clip, NULL), REEL_OK);
    ck_assert_msg(reel_trainer_step(s.t, 2, 1e-3, &report, &error) == REEL_OK, "afterwards: %s", error.text);
    end(&s);
}
END_TEST

/* --- many steps --- */

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

START_TEST(many_steps_take_no_more_than_few)
{
    enum { STEPS = 400, WARM = 100 };
    reel_error error = {REEL_OK, ""};
    reel_step_report report;
    small s;
    long memory = 0;
    int files = 0;
    folder = temporary_folder();
    begin(&s);
    for (int step = 2; step <= STEPS; step++) {
        reel_clip clip;
        short_clip(&clip, (uint64_t)step);
        ck_assert_int_eq(reel_trainer_set_clip(s.t, 0, &clip, NULL), REEL_OK);
        reel_clip_free(&clip);
        ck_assert_msg(reel_trainer_step(s.t, (uint64_t)step, 1e-3, &report, &error) == REEL_OK, "%s", error.text);
        if (step % 20 == 0)
            ck_assert_int_eq(reel_checkpoint_save(temporary_path(folder, "soak.safetensors"), s.set, NULL, 0, &error),
                             REEL_OK);
        if (step != WARM) continue;
        memory = resident_kib();
        files = temporary_entries("/proc/self/fd");
    }
    ck_assert_int_eq(temporary_entries("/proc/self/fd"), files);
#ifdef __SANITIZE_ADDRESS__
    memory *= 10; /* freed blocks are kept for a while */
#endif
    ck_assert_msg(resident_kib() <= memory + memory / 100 + 1024, "%ld KiB after %d steps, %ld after %d",
                  resident_kib(), STEPS, memory, WARM);
    end(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        refused_memory_is_an_error_and_nothing_else,
        a_weight_that_is_no_number_is_named,
        a_frame_that_is_not_finite_is_named,
        many_steps_take_no_more_than_few,
    };
    return tiny_suite("training", tests, sizeof tests / sizeof *tests);
}
