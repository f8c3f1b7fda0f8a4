/* The networks: their size against torch's, the gradient of a whole clip, recomputation, running step by step, frames
   of any size. */
#include "autograd/gradcheck.h"
#include "backends/registry.h"
#include "core/rng.h"
#include "models/optimise.h"
#include "models/s2s.h"
#include "models/s2s_session.h"
#include "tests/support/tiny.h"
#include "tools/gradcheck_model.h"

#include <check.h>
#include <math.h>
#include <string.h>

static reel_error error;
static reel_backend *cpu;

static reel_s2s_config config_of(const char *model, reel_s2s_top top, double width)
{
    reel_s2s_config config = REEL_S2S_DEFAULTS;
    ck_assert(reel_s2s_named(&config, model));
    config.top = top;
    config.width = width;
    return config;
}

/* A clip of noise with blocky masks, and its loss. */
enum { CLIP = 4 };
typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_tensor *frame[CLIP], *mask[CLIP];
    reel_s2s_loss loss;
    int frames, height, width;
} clip;

static void clip_build(clip *c, const reel_s2s_config *config, reel_dtype dtype, int frames, int height, int width,
                       bool recompute)
{
    *c = (clip){.frames = frames, .height = height, .width = width};
    c->graph = reel_graph_new();
    c->set = reel_parameters_new(cpu, 7);
    reel_net net = {.graph = c->graph, .set = c->set, .dtype = dtype};
    for (int t = 0; t < frames; t++) {
        char name[16];
        snprintf(name, sizeof name, "frame.%d", t);
        c->frame[t] = reel_input(c->graph, name, dtype, REEL_SHAPE(1, 3, height, width));
        snprintf(name, sizeof name, "mask.%d", t);
        c->mask[t] = reel_input(c->graph, name, dtype, REEL_SHAPE(1, 1, height, width));
    }
    c->loss = reel_s2s_clip_loss(&net, config, c->frame, c->mask, NULL, NULL, frames, recompute);
    ck_assert_msg(!reel_failed(reel_graph_error(c->graph)), "%s", reel_graph_error(c->graph)->text);
}

static void clip_free(clip *c)
{
    reel_graph_free(c->graph);
    reel_parameters_free(c->set);
}

static float noise(int t, size_t i)
{
    return (float)reel_normal(reel_key(11, (uint64_t)t), i);
}
static float block(const clip *c, int t, size_t i)
{
    size_t y = i / (size_t)c->width / 8, x = i % (size_t)c->width / 8;
    return reel_uniform(reel_key(13, (uint64_t)t), 64 * y + x) < 0.5 ? 0.0f : 1.0f;
}

static void clip_write(const clip *c, reel_plan *plan)
{
    size_t plane = (size_t)c->height * (size_t)c->width;
    float *values = reel_alloc(3 * plane, sizeof *values);
    for (int t = 0; t < c->frames; t++) {
        for (size_t i = 0; i < 3 * plane; i++) values[i] = noise(t, i);
        reel_plan_write(plan, c->frame[t], values, &error);
        for (size_t i = 0; i < plane; i++) values[i] = block(c, t, i);
        reel_plan_write(plan, c->mask[t], values, &error);
    }
    reel_free(values);
}

static int64_t trained(const reel_parameters *set)
{
    int64_t sum = 0;
    for (int i = 0; i < reel_parameters_count(set); i++) sum += reel_elements(&reel_parameter_at(set, i)->shape);
    return sum;
}

/* Counted by tools/s2spp_torch.py's classes in torch 1.13; the first row is that of the released network. */
START_TEST(networks_have_the_size_of_torchs)
{
    static const struct {
        const char *model;
        reel_s2s_top top;
        double width;
        int64_t parameters;
    } networks[] = {{"s2s++", REEL_TOP_AUTHORS, 1, 429260841},     {"s2s", REEL_TOP_COMPACT, 1, 60926657},
                    {"s2s+memory", REEL_TOP_COMPACT, 1, 98964673}, {"s2s+distance", REEL_TOP_COMPACT, 1, 60975145},
                    {"s2s++", REEL_TOP_COMPACT, 1, 99013161},      {"s2s", REEL_TOP_FCN, 0.25, 19085361},
                    {"s2s++", REEL_TOP_FCN, 0.25, 21590921},       {"s2s++", REEL_TOP_AUTHORS, 0.25, 26881929},
                    {"s2s+memory", REEL_TOP_FCN, 0.0625, 1354441}, {"s2s+distance", REEL_TOP_AUTHORS, 0.0625, 1544169}};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        clip c;
        reel_s2s_config config = config_of(networks[i].model, networks[i].top, networks[i].width);
        clip_build(&c, &config, REEL_F32, 2, 64, 64, false);
        ck_assert_int_eq(trained(c.set), networks[i].parameters);
        clip_free(&c);
    }
}
END_TEST

START_TEST(the_gradient_of_a_clip_agrees_in_fifty_directions)
{
    static const int models[] = {0, 3}; /* s2s, s2s++ */
    for (int m = 0; m < 2; m++) {
        char where[REEL_WHERE_TEXT];
        reel_check_result result;
        reel_gradcheck_options o = {
            .order = 1, .directions = 50, .frames = 2, .step = 1e-5, .relative = 1e-6, .absolute = 1e-8, .seed = 3};
        o.model = (reel_model_options){.model = models[m], .width = 1.0 / 64, .size = {32, 32}, .border = 20, .bin = 1};
        ck_assert_int_eq(reel_model_options_settle(&o.model, &error), REEL_OK);
        reel_status status = reel_gradcheck_model(&o, cpu, &result, where, &error);
        ck_assert_msg(status == REEL_OK, "%s", error.text);
        ck_assert_msg(result.passed && result.checked >= 40, "%s: %d checked, %d skipped, analytic %g, numeric %g",
                      where, result.checked, result.skipped, result.analytic, result.numeric);
        ck_assert(result.worst_direction <= 1e-6);
    }
}
END_TEST

/* Loss and gradients of a clip, read out as floats; the count, and the arena that it took. */
static size_t run_clip(const clip *c, float *loss, float **gradient, size_t *arena)
{
    reel_tensor *w[256], *dw[256];
    int count = 0;
    for (int i = 0; i < reel_parameters_count(c->set); i++)
        w[count++] = reel_parameter_in(c->graph, reel_parameter_at(c->set, i));
    reel_gradients(c->loss.total, w, count, dw);
    dw[count] = c->loss.total;
    reel_plan *plan = reel_plan_new(c->graph, cpu, dw, count + 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    clip_write(c, plan);
    ck_assert_msg(reel_plan_run(plan, &error) == REEL_OK, "%s", error.text);
    size_t total = 0, at = 0;
    for (int i = 0; i < count; i++) total += (size_t)reel_elements(&dw[i]->shape);
    *gradient = reel_alloc(total, sizeof **gradient);
    for (int i = 0; i < count; at += (size_t)reel_elements(&dw[i++]->shape))
        reel_plan_read(plan, dw[i], *gradient + at, &error);
    reel_plan_read(plan, c->loss.total, loss, &error);
    *arena = reel_plan_cost(plan).arena;
    reel_plan_free(plan);
    return total;
}

START_TEST(recomputing_gives_the_same_bits_in_less_memory)
{
    clip kept, again;
    float loss[2], *gradient[2];
    size_t arena[2];
    reel_s2s_config config = config_of("s2s++", REEL_TOP_COMPACT, 1.0 / 64);
    clip_build(&kept, &config, REEL_F32, CLIP, 32, 64, false);
    clip_build(&again, &config, REEL_F32, CLIP, 32, 64, true);
    size_t n = run_clip(&kept, &loss[0], &gradient[0], &arena[0]);
    ck_assert_uint_eq(run_clip(&again, &loss[1], &gradient[1], &arena[1]), n);
    ck_assert(isfinite(loss[0]) && loss[0] > 0);
    ck_assert(!memcmp(&loss[0], &loss[1], sizeof loss[0]) && !memcmp(gradient[0], gradient[1], n * sizeof(float)));
    ck_assert_msg(arena[1] < arena[0], "%zu bytes with, %zu without", arena[1], arena[0]);
    for (int i = 0; i < 2; i++) reel_free(gradient[i]);
    clip_free(&kept);
    clip_free(&again);
}
END_TEST

/* The masks of a clip from one graph of all frames. */
static void unrolled_masks(const reel_s2s_config *config, clip *c, float *probability)
{
    size_t plane = (size_t)c->height * (size_t)c->width;
    reel_net net = {.graph = c->graph, .set = c->set, .dtype = REEL_F32};
    reel_tensor *seen[CLIP];
    reel_s2s_state state = reel_s2s_start(&net, config, c->frame[0], c->mask[0]);
    for (int t = 1; t < c->frames; t++)
        seen[t - 1] = reel_sigmoid(reel_s2s_step(&net, config, c->frame[t], &state).mask);
    reel_plan *plan = reel_plan_new(c->graph, cpu, seen, c->frames - 1, &error);
    ck_assert_msg(plan != NULL, "%s", error.text);
    clip_write(c, plan);
    ck_assert_int_eq(reel_plan_run(plan, &error), REEL_OK);
    for (int t = 1; t < c->frames; t++)
        reel_plan_read(plan, seen[t - 1], probability + (size_t)(t - 1) * plane, &error);
    reel_plan_free(plan);
}

/* 33 x 47 is padded inside; what comes out has the frame's size and is the same frame by frame as unrolled. */
START_TEST(a_session_sees_what_the_unrolled_clip_sees)
{
    enum { HEIGHT = 33, WIDTH = 47, PLANE = HEIGHT * WIDTH };
    clip c;
    float *unrolled = reel_alloc(CLIP * PLANE, sizeof *unrolled), *rgb = reel_alloc(3 * PLANE, sizeof *rgb);
    float *mask = reel_alloc(PLANE, sizeof *mask), *seen = reel_alloc(PLANE, sizeof *seen);
    reel_s2s_config config = config_of("s2s++", REEL_TOP_COMPACT, 1.0 / 64);
    clip_build(&c, &config, REEL_F32, CLIP, HEIGHT, WIDTH, false);
    unrolled_masks(&config, &c, unrolled);
    reel_s2s_session *session = reel_s2s_session_new(c.set, &config, HEIGHT, WIDTH, false, &error);
    ck_assert_msg(session != NULL, "%s", error.text);
    reel_s2s_object *object = reel_s2s_object_new(session, &error);
    for (int t = 0; t < CLIP; t++) {
        for (size_t i = 0; i < 3 * PLANE; i++) rgb[i] = noise(t, i);
        for (size_t i = 0; i < PLANE; i++) mask[i] = block(&c, t, i);
        reel_status status = t ? reel_s2s_continue(session, object, rgb, seen, &error)
                               : reel_s2s_begin(session, object, rgb, mask, &error);
        ck_assert_msg(status == REEL_OK, "%s", error.text);
        if (t) ck_assert(!memcmp(seen, unrolled + (size_t)(t - 1) * PLANE, PLANE * sizeof *seen));
    }
    ck_assert(seen[0] > 0 && seen[0] < 1 && seen[0] != seen[PLANE - 1]);
    reel_free(object);
    reel_s2s_session_free(session);
    float *all[] = {unrolled, rgb, mask, seen};
    for (int i = 0; i < 4; i++) reel_free(all[i]);
    clip_free(&c);
}
END_TEST

/* A frame whose weight is 0 changes nothing, whatever its mask. */
START_TEST(frames_without_a_known_mask_do_not_count)
{
    reel_s2s_config config = config_of("s2s+distance", REEL_TOP_COMPACT, 1.0 / 64);
    float loss[2], ones[CLIP] = {1, 1, 0, 1};
    for (int run = 0; run < 2; run++) {
        clip c;
        clip_build(&c, &config, REEL_F32, CLIP, 32, 32, false);
        reel_net net = {.graph = c.graph, .set = c.set, .dtype = REEL_F32};
        reel_tensor *weight = reel_input(c.graph, "weight", REEL_F32, REEL_SHAPE(CLIP));
        reel_s2s_loss l = reel_s2s_clip_loss(&net, &config, c.frame, c.mask, NULL, weight, CLIP, false);
        reel_plan *plan = reel_plan_new(c.graph, cpu, &l.total, 1, &error);
        clip_write(&c, plan);
        float blank[32 * 32] = {0};
        blank[5] = 1;
        if (run) reel_plan_write(plan, c.mask[2], blank, &error);
        reel_plan_write(plan, weight, ones, &error);
        ck_assert_msg(reel_plan_run(plan, &error) == REEL_OK, "%s", error.text);
        reel_plan_read(plan, l.total, &loss[run], &error);
        reel_plan_free(plan);
        clip_free(&c);
    }
    ck_assert(isfinite(loss[0]) && !memcmp(&loss[0], &loss[1], sizeof *loss));
}
END_TEST

int main(void)
{
    cpu = reel_backend_open("cpu", 2, &error);
    if (!cpu) return 2;
    const TTest *const tests[] = {networks_have_the_size_of_torchs, the_gradient_of_a_clip_agrees_in_fifty_directions,
                                  recomputing_gives_the_same_bits_in_less_memory,
                                  a_session_sees_what_the_unrolled_clip_sees, frames_without_a_known_mask_do_not_count};
    int code = tiny_suite("s2s", tests, sizeof tests / sizeof *tests);
    cpu->close(cpu);
    return code;
}
