/* Whole plans on the CUDA backend: twenty steps of S2S++ have the losses that they have on the CPU, and the same bits
   when they are run again, recorded as a CUDA graph or node by node; a video is segmented as on the CPU. Built twice,
   as test_cuda.c is. */
#include "backends/registry.h"
#include "core/memory.h"
#include "models/s2s_session.h"
#include "tests/support/short_training.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20, FEW = 2, REPLAYED = 3, PLANE = SHORT_SIDE * SHORT_SIDE };

/* --- training --- */

static void train(const char *device, const reel_training *how, int steps, double *losses)
{
    reel_error error = {REEL_OK, ""};
    reel_step_report report;
    reel_backend *backend = reel_backend_open(device, 2, &error);
    reel_trainer *trainer = backend ? reel_trainer_new(how, backend, &error) : NULL;
    ck_assert_msg(trainer != NULL, "%s", error.text);
    for (int step = 0; step < steps; step++) {
        for (int b = 0; b < how->batch; b++) {
            reel_clip clip;
            short_clip(&clip, (uint64_t)(step * how->batch + b));
            ck_assert_int_eq(reel_trainer_set_clip(trainer, b, &clip, &error), REEL_OK);
            reel_clip_free(&clip);
        }
        reel_status status = reel_trainer_step(trainer, (uint64_t)step + 1, 1e-3, &report, &error);
        ck_assert_msg(status == REEL_OK, "%s, step %d: %s", device, step + 1, error.text);
        losses[step] = report.total;
    }
    reel_trainer_free(trainer);
    backend->close(backend);
}

static double trained[STEPS]; /* the losses of short_training on the GPU */

static void same_losses(const char *what, const reel_training *how, int steps, double allowed, double *cuda)
{
    double cpu[STEPS], worst = 0;
    train("cpu", how, steps, cpu);
    train("cuda:0", how, steps, cuda);
    for (int i = 0; i < steps; i++) {
        double off = fabs(cuda[i] - cpu[i]) / fabs(cpu[i]);
        ck_assert_msg(off <= allowed, "%s, step %d: loss %.9g, on the CPU %.9g, %.2g apart", what, i + 1, cuda[i],
                      cpu[i], off);
        if (off > worst) worst = off;
    }
    printf("cuda, training, %s: losses at most %.2g apart, allowed %.2g\n", what, worst, allowed);
}

START_TEST(losses_are_those_of_the_cpu)
{
    double few[FEW];
    reel_training how = short_training;
    same_losses("f32", &how, STEPS, 1e-4, trained);
    how.batch = 2;
    how.recompute = true;
    how.optimiser.clip = 0.5;
    same_losses("f32, batch 2, clipped, recomputed", &how, FEW, 1e-4, few);
    how = short_training;
    how.dtype = REEL_F64;
    same_losses("f64", &how, FEW, 1e-9, few);
    how = short_training;
    how.bf16 = true;
    same_losses("bf16", &how, FEW, 0.02, few);
}
END_TEST

/* The first run of a plan goes node by node, the second is recorded, and later ones replay that. */
START_TEST(training_again_has_the_same_bits)
{
    double again[REPLAYED];
    setenv("REEL_CUDA_GRAPH", "off", 1);
    train("cuda:0", &short_training, REPLAYED, again);
    unsetenv("REEL_CUDA_GRAPH");
    ck_assert(!memcmp(again, trained, sizeof again));
}
END_TEST

/* --- segmenting --- */

static void segment(const char *device, const reel_clip *clip, float seen[SHORT_FRAMES - 1][PLANE])
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open(device, 2, &error);
    ck_assert_msg(backend != NULL, "%s", error.text);
    reel_parameters *set = reel_parameters_new(backend, 3);
    reel_s2s_session *session = reel_s2s_session_new(set, &short_training.model, SHORT_SIDE, SHORT_SIDE, false, &error);
    ck_assert_msg(session != NULL, "%s", error.text);
    reel_s2s_object *object = reel_s2s_object_new(session, &error);
    reel_status status = reel_s2s_begin(session, object, clip->rgb, clip->mask, &error);
    for (int t = 1; !status && t < SHORT_FRAMES; t++)
        status = reel_s2s_continue(session, object, clip->rgb + (size_t)t * 3 * PLANE, seen[t - 1], &error);
    ck_assert_msg(status == REEL_OK, "%s: %s", device, error.text);
    reel_free(object);
    reel_s2s_session_free(session);
    reel_parameters_free(set);
    backend->close(backend);
}

START_TEST(masks_are_those_of_the_cpu)
{
    static float cpu[SHORT_FRAMES - 1][PLANE], cuda[SHORT_FRAMES - 1][PLANE];
    reel_clip clip;
    short_clip(&clip, 1);
    segment("cpu", &clip, cpu);
    segment("cuda:0", &clip, cuda);
    for (int t = 0; t < SHORT_FRAMES - 1; t++)
        for (int i = 0; i < PLANE; i++)
            ck_assert_msg(fabsf(cpu[t][i] - cuda[t][i]) <= 1e-4f, "frame %d, pixel %d: %g, on the CPU %g", t + 1, i,
                          (double)cuda[t][i], (double)cpu[t][i]);
    reel_clip_free(&clip);
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open("cuda:0", 1, &error);
    if (!backend) return printf("%s\n", error.text), 2;
    backend->close(backend);
    const TTest *const tests[] = {losses_are_those_of_the_cpu, training_again_has_the_same_bits,
                                  masks_are_those_of_the_cpu};
    return tiny_suite("cuda, training", tests, sizeof tests / sizeof *tests);
}
