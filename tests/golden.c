/* golden DIR [DEVICE [STEPS]]: holds S2S++ on a device, cpu when none is named, against a tiny one that torch computed
   (tools/s2spp_torch.py golden DIR): activations, states, gradients and the first losses of Adam, of twenty, in double
   and in float. Prints the worst relative error of each kind; an
   error is relative to the largest entry of its array. */
#include "autograd/gradient.h"
#include "backends/registry.h"
#include "core/memory.h"
#include "core/npy.h"
#include "core/plan.h"
#include "models/optimise.h"
#include "models/s2s.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 16, STEPS = 20, STATES = 6 };
static const char *const state_names[STATES] = {"h1", "c1", "h2", "c2", "h3", "c3"};

typedef struct {
    const char *folder;
    reel_dtype dtype;
    reel_s2s_config config;
    double lr;
    int batch, frames, height, width, steps;
    reel_backend *backend;
    reel_parameters *set;
    reel_graph *graph;
    reel_tensor *frame[FRAMES], *mask[FRAMES], *label[FRAMES];
    reel_error error;
    int passed, failed, skipped;
} golden;

/* One kind of array: its worst error, the array that has it. */
typedef struct {
    const char *kind;
    double worst, allowed;
    int count;
    char where[128];
} family;

/* --- files --- */

static bool read_array(golden *g, const char *name, reel_npy *array)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.npy", g->folder, name);
    return reel_npy_read(array, path, &g->error) == REEL_OK;
}

static bool read_manifest(golden *g)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/manifest.json", g->folder);
    json_error_t wrong;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
    const char *top = json_string_value(json_object_get(json, "top"));
    json_t *size = json_object_get(json, "size");
    bool ok = json && top;
    if (ok) {
        g->config = (reel_s2s_config)REEL_S2S_DEFAULTS;
        g->config.width = 1.0 / 64;
        g->config.top = !strcmp(top, "fcn")       ? REEL_TOP_FCN
                        : !strcmp(top, "authors") ? REEL_TOP_AUTHORS
                                                  : REEL_TOP_COMPACT;
        g->lr = json_real_value(json_object_get(json, "lr"));
        g->batch = (int)json_integer_value(json_object_get(json, "batch"));
        g->frames = (int)json_integer_value(json_object_get(json, "frames"));
        g->height = (int)json_integer_value(json_array_get(size, 0));
        g->width = (int)json_integer_value(json_array_get(size, 1));
        ok = g->frames >= 2 && g->frames <= FRAMES && g->batch > 0 && g->height > 0 && g->width > 0;
    }
    if (!ok) reel_fail(&g->error, REEL_BAD_DATA, "%s: not a manifest of s2spp_torch.py golden", path);
    json_decref(json);
    return ok;
}

/* The values of a file in the dtype of a tensor. */
static void *values_for(golden *g, const char *name, reel_dtype dtype, int64_t elements)
{
    reel_npy array;
    if (!read_array(g, name, &array)) return NULL;
    bool floats = !strcmp(array.dtype, "<f8"), labels = !strcmp(array.dtype, "<i8");
    void *data = reel_alloc((size_t)elements, 8);
    if ((int64_t)array.elements != elements || (!floats && !labels))
        reel_fail(&g->error, REEL_BAD_DATA, "%s: %zu entries of %s, wanted %lld", name, array.elements, array.dtype,
                  (long long)elements);
    for (int64_t i = 0; data && !g->error.status && i < elements; i++) {
        if (labels) ((int32_t *)data)[i] = (int32_t)((int64_t *)array.data)[i];
        if (floats && dtype == REEL_F32) ((float *)data)[i] = (float)((double *)array.data)[i];
        if (floats && dtype == REEL_F64) ((double *)data)[i] = ((double *)array.data)[i];
    }
    reel_npy_free(&array);
    return data;
}

static bool load(golden *g, reel_plan *plan, const char *name, reel_tensor *tensor)
{
    void *data = values_for(g, name, tensor->dtype, reel_elements(&tensor->shape));
    if (data && !g->error.status) {
        if (tensor->node->op == &reel_op_parameter)
            reel_parameter_write(tensor->node->source.parameter, data, &g->error);
        else
            reel_plan_write(plan, tensor, data, &g->error);
    }
    reel_free(data);
    return !g->error.status;
}

/* --- comparing --- */

static double value_at(const void *data, reel_dtype dtype, int64_t i)
{
    return dtype == REEL_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void compare(golden *g, family *f, reel_plan *plan, const char *name, reel_tensor *tensor)
{
    reel_npy want;
    int64_t n = reel_elements(&tensor->shape);
    void *have = reel_alloc((size_t)n, 8);
    if (!have || !read_array(g, name, &want)) {
        reel_free(have);
        return;
    }
    if (reel_plan_read(plan, tensor, have, &g->error) == REEL_OK) {
        double largest = 1e-300, far = (int64_t)want.elements == n ? 0 : INFINITY;
        for (int64_t i = 0; i < n && far < INFINITY; i++) {
            double w = ((double *)want.data)[i], d = fabs(value_at(have, tensor->dtype, i) - w);
            largest = fmax(largest, fabs(w));
            far = isnan(d) ? INFINITY : fmax(far, d);
        }
        f->count++;
        if (far / largest > f->worst || f->count == 1) {
            f->worst = far / largest;
            snprintf(f->where, sizeof f->where, "%s", name);
        }
    }
    reel_npy_free(&want);
    reel_free(have);
}

static void judge(golden *g, const family *f)
{
    bool ok = f->count > 0 && f->worst <= f->allowed;
    printf("%-4s %s %-12s %3d arrays, worst %.3g (allowed %.0e) in %s\n", ok ? "ok" : "FAIL", reel_dtype_name(g->dtype),
           f->kind, f->count, f->worst, f->allowed, f->where);
    ok ? g->passed++ : g->failed++;
}

/* --- the network --- */

static void make_inputs(golden *g)
{
    for (int t = 0; t < g->frames; t++) {
        char name[32];
        snprintf(name, sizeof name, "frame.%d", t);
        g->frame[t] = reel_input(g->graph, name, g->dtype, REEL_SHAPE(g->batch, 3, g->height, g->width));
        snprintf(name, sizeof name, "mask.%d", t);
        g->mask[t] = reel_input(g->graph, name, g->dtype, REEL_SHAPE(g->batch, 1, g->height, g->width));
        snprintf(name, sizeof name, "class.%d", t);
        g->label[t] = reel_input(g->graph, name, REEL_I32, REEL_SHAPE(g->batch, g->height, g->width));
    }
}

static void load_inputs(golden *g, reel_plan *plan)
{
    for (int t = 0; t < g->frames; t++) {
        load(g, plan, g->frame[t]->name, g->frame[t]);
        load(g, plan, g->mask[t]->name, g->mask[t]);
        load(g, plan, g->label[t]->name, g->label[t]);
    }
    for (int i = 0; i < reel_parameters_count(g->set); i++) {
        reel_parameter *p = reel_parameter_at(g->set, i);
        char name[256];
        if (!p->trained) continue;
        snprintf(name, sizeof name, "weight.%s", p->name);
        load(g, plan, name, reel_parameter_in(g->graph, p));
    }
}

static void name_states(char names[STATES][32], int t)
{
    for (int i = 0; i < STATES; i++) snprintf(names[i], 32, "state.%d.%s", t, state_names[i]);
}

typedef struct {
    char name[32];
    reel_tensor *tensor;
} named;

static int list_states(named *list, const reel_s2s_state *state, int t)
{
    char names[STATES][32];
    name_states(names, t);
    for (int i = 0; i < STATES; i++) {
        memcpy(list[i].name, names[i], sizeof names[i]);
        list[i].tensor = i % 2 ? state->at[i / 2].c : state->at[i / 2].h;
    }
    return STATES;
}

/* Activations and states of every frame, in a graph of the forward pass alone. */
static void check_forward(golden *g)
{
    named list[FRAMES * (STATES + 2)];
    reel_tensor *wanted[FRAMES * (STATES + 2)];
    g->graph = reel_graph_new();
    reel_net net = {.graph = g->graph, .set = g->set, .dtype = g->dtype};
    make_inputs(g);
    reel_s2s_state state = reel_s2s_start(&net, &g->config, g->frame[0], g->mask[0]);
    int count = list_states(list, &state, 0);
    for (int t = 1; t < g->frames; t++) {
        reel_s2s_output seen = reel_s2s_step(&net, &g->config, g->frame[t], &state);
        count += list_states(list + count, &state, t);
        snprintf(list[count].name, sizeof list->name, "logit.%d", t);
        list[count++].tensor = seen.mask;
        snprintf(list[count].name, sizeof list->name, "distance.%d", t);
        list[count++].tensor = seen.distance;
    }
    for (int i = 0; i < count; i++) wanted[i] = list[i].tensor;
    reel_plan *plan = reel_plan_new(g->graph, g->backend, wanted, count, &g->error);
    family activations = {.kind = "activations", .allowed = g->dtype == REEL_F64 ? 1e-9 : 1e-4};
    family states = {.kind = "states", .allowed = activations.allowed};
    if (plan) load_inputs(g, plan);
    if (plan && !g->error.status) reel_plan_run(plan, &g->error);
    for (int i = 0; plan && !g->error.status && i < count; i++)
        compare(g, list[i].name[0] == 's' ? &states : &activations, plan, list[i].name, list[i].tensor);
    reel_plan_free(plan);
    reel_graph_free(g->graph);
    judge(g, &activations);
    judge(g, &states);
}

static void check_gradients(golden *g)
{
    reel_tensor *w[512], *dw[512];
    int count = 0;
    g->graph = reel_graph_new();
    reel_net net = {.graph = g->graph, .set = g->set, .dtype = g->dtype};
    make_inputs(g);
    reel_s2s_loss loss = reel_s2s_clip_loss(&net, &g->config, g->frame, g->mask, g->label, NULL, g->frames, false);
    for (int i = 0; i < reel_parameters_count(g->set) && count < 512; i++)
        if (reel_parameter_at(g->set, i)->trained)
            w[count++] = reel_parameter_in(g->graph, reel_parameter_at(g->set, i));
    reel_gradients(loss.total, w, count, dw);
    reel_plan *plan = reel_plan_new(g->graph, g->backend, dw, count, &g->error);
    family gradients = {.kind = "gradients", .allowed = g->dtype == REEL_F64 ? 1e-9 : 1e-4};
    if (plan) load_inputs(g, plan);
    if (plan && !g->error.status) reel_plan_run(plan, &g->error);
    for (int i = 0; plan && !g->error.status && i < count; i++) {
        char name[256];
        snprintf(name, sizeof name, "grad.%s", w[i]->name);
        compare(g, &gradients, plan, name, dw[i]);
    }
    reel_plan_free(plan);
    reel_graph_free(g->graph);
    judge(g, &gradients);
}

/* Updates. Each loss against torch's. */
static void train(golden *g, reel_plan *plan, const reel_update *update, reel_tensor *loss, family *f)
{
    reel_npy want;
    if (!read_array(g, "losses", &want)) return;
    for (int i = 0; i < g->steps && !g->error.status; i++) {
        double number = i + 1;
        union {
            float f32;
            double f64;
        } value;
        reel_plan_write(plan, update->step, &number, &g->error);
        reel_plan_write(plan, update->lr, &g->lr, &g->error);
        reel_plan_run(plan, &g->error);
        if (reel_plan_read(plan, loss, &value, &g->error)) break;
        double have = g->dtype == REEL_F32 ? (double)value.f32 : value.f64, wanted = ((double *)want.data)[i];
        f->count++;
        if (fabs(have - wanted) / fabs(wanted) > f->worst || isnan(have)) {
            f->worst = isnan(have) ? INFINITY : fabs(have - wanted) / fabs(wanted);
            snprintf(f->where, sizeof f->where, "step %d", i + 1);
        }
    }
    reel_npy_free(&want);
}

static void check_training(golden *g)
{
    g->graph = reel_graph_new();
    reel_net net = {.graph = g->graph, .set = g->set, .dtype = g->dtype};
    reel_update update = {0};
    reel_optimiser adam = {.kind = REEL_ADAM};
    family losses = {.kind = "Adam losses", .allowed = g->dtype == REEL_F64 ? 1e-8 : 1e-4};
    make_inputs(g);
    reel_s2s_loss loss = reel_s2s_clip_loss(&net, &g->config, g->frame, g->mask, g->label, NULL, g->frames, false);
    if (reel_update_build(&net, loss.total, &adam, &update, &g->error) == REEL_OK) {
        update.updated[update.count] = loss.total; /* the list has room for every node */
        reel_plan *plan = reel_plan_new(g->graph, g->backend, update.updated, update.count + 1, &g->error);
        if (plan) load_inputs(g, plan);
        if (plan && !g->error.status) train(g, plan, &update, loss.total, &losses);
        reel_plan_free(plan);
    }
    reel_update_free(&update);
    reel_graph_free(g->graph);
    judge(g, &losses);
}

int main(int argc, char **argv)
{
    static const reel_dtype dtypes[] = {REEL_F64, REEL_F32};
    golden g = {.folder = argc > 1 ? argv[1] : NULL, .steps = argc > 3 ? atoi(argv[3]) : STEPS};
    if (!g.folder) {
        printf("SKIP golden: give a folder made by tools/s2spp_torch.py golden\n0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    if (g.steps < 0 || g.steps > STEPS) return fprintf(stderr, "golden: STEPS is in 0..%d\n", STEPS), 1;
    g.backend = reel_backend_open(argc > 2 ? argv[2] : "cpu", 2, &g.error);
    if (g.backend && read_manifest(&g)) {
        for (int i = 0; i < 2 && !g.error.status; i++) {
            g.dtype = dtypes[i];
            g.set = reel_parameters_new(g.backend, 1);
            if (!g.set) break;
            check_forward(&g);
            if (!g.error.status) check_gradients(&g);
            if (!g.error.status && g.steps) check_training(&g);
            reel_parameters_free(g.set);
        }
    }
    if (g.backend) g.backend->close(g.backend);
    if (g.error.status) {
        fprintf(stderr, "golden: %s\n", g.error.text);
        g.failed++;
    }
    printf("%d passed, %d failed, %d skipped\n", g.passed, g.failed, g.skipped);
    return g.failed ? 1 : 0;
}
