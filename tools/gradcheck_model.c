/* See gradcheck_model.h. The network runs in double precision on a clip of uniform noise, with masks that are discs, so
   that every term of the loss has something to say. Frames are not differentiated, parameters all are. Biases are drawn
   at random: at zero, where they start, a map without any input sits exactly on the kink of its ReLU. */
#include "tools/gradcheck_model.h"

#include "core/memory.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_tensor **clip; /* frames, then masks */
    reel_check_input *input;
    int frames, inputs;
} model_check;

static bool allocate_inputs(model_check *m)
{
    int parameters = reel_parameters_count(m->set);
    m->input = reel_alloc(2 * (size_t)m->frames + (size_t)parameters, sizeof *m->input);
    return m->input != NULL;
}

static bool add_input(model_check *m, reel_tensor *x, bool check)
{
    reel_check_input *in = &m->input[m->inputs++];
    *in = (reel_check_input){.tensor = x, .check = check};
    in->value = reel_alloc((size_t)reel_elements(&x->shape), sizeof(double));
    return in->value != NULL;
}

static void fill_frame(double *value, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++) value[i] = 4 * reel_uniform(key, (uint64_t)i) - 2;
}

/* A disc that wanders to the right. */
static void fill_mask(double *value, int height, int width, int t)
{
    double radius = 0.3 * (height < width ? height : width);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double dy = y - 0.5 * height, dx = x - 0.4 * width - 2.0 * t;
            value[y * width + x] = dx * dx + dy * dy < radius * radius;
        }
}

static reel_status fill_parameter(reel_parameter *w, double *value, uint64_t seed, int which, reel_error *error)
{
    reel_status status = reel_parameter_read(w, value, error);
    for (int64_t i = 0; !status && w->init.kind == REEL_INIT_CONSTANT && i < reel_elements(&w->shape); i++)
        value[i] += 0.2 * reel_uniform(reel_key(reel_key(seed, 1000), (uint64_t)which), (uint64_t)i) - 0.1;
    return status;
}

static reel_status fill_inputs(model_check *m, const reel_gradcheck_options *o, reel_error *error)
{
    bool ok = allocate_inputs(m);
    for (int f = 0; ok && f < 2 * m->frames; f++) {
        ok = add_input(m, m->clip[f], false);
        if (ok && f < m->frames)
            fill_frame(m->input[f].value, reel_elements(&m->clip[f]->shape), reel_key(o->seed, (uint64_t)f));
        else if (ok)
            fill_mask(m->input[f].value, o->model.size.height, o->model.size.width, f - m->frames);
    }
    for (int i = 0; ok && i < reel_parameters_count(m->set); i++) {
        reel_parameter *w = reel_parameter_at(m->set, i);
        if (!w->trained) continue;
        ok = add_input(m, reel_parameter_in(m->graph, w), true);
        reel_status status = ok ? reel_parameter_prepare(w, error) : REEL_OK;
        if (ok && !status) status = fill_parameter(w, m->input[m->inputs - 1].value, o->seed, i, error);
        if (status) return status;
    }
    return ok ? REEL_OK : reel_fail_memory(error);
}

static reel_tensor *build(model_check *m, const reel_gradcheck_options *o)
{
    int64_t height = o->model.size.height, width = o->model.size.width;
    reel_net net = {.graph = m->graph, .set = m->set, .dtype = REEL_F64};
    for (int f = 0; f < m->frames; f++) {
        char name[32];
        snprintf(name, sizeof name, "frame.%d", f);
        m->clip[f] = reel_input(m->graph, name, REEL_F64, REEL_SHAPE(1, 3, height, width));
        snprintf(name, sizeof name, "mask.%d", f);
        m->clip[m->frames + f] = reel_input(m->graph, name, REEL_F64, REEL_SHAPE(1, 1, height, width));
    }
    return reel_s2s_clip_loss(&net, &o->model.config, m->clip, m->clip + m->frames, NULL, NULL, m->frames, false).total;
}

static reel_status check(model_check *m, const reel_gradcheck_options *o, reel_backend *backend,
                         reel_check_result *result, char *where, reel_error *error)
{
    reel_check_options how = reel_gradcheck_how(o);
    reel_tensor *loss = build(m, o);
    const reel_error *wrong = reel_graph_error(m->graph);
    if (reel_failed(wrong)) return reel_fail(error, wrong->status, "%s", wrong->text);
    reel_status status = fill_inputs(m, o, error);
    if (!status) status = reel_gradcheck(&loss, 1, m->input, m->inputs, backend, &how, result, error);
    if (!status && result->input >= 0)
        snprintf(where, REEL_WHERE_TEXT, "%s, entry %lld", m->input[result->input].tensor->name,
                 (long long)result->entry);
    return status;
}

reel_status reel_gradcheck_model(reel_gradcheck_options *o, reel_backend *backend, reel_check_result *result,
                                 char where[REEL_WHERE_TEXT], reel_error *error)
{
    o->model.border = 4;
    o->model.bin = 1;
    o->model.dtype = 1;
    reel_status status = reel_model_options_settle(&o->model, error);
    if (status) return status;
    model_check m = {.frames = o->frames + 1, .graph = reel_graph_new(), .set = reel_parameters_new(backend, o->seed)};
    m.clip = reel_alloc(2 * (size_t)m.frames, sizeof *m.clip);
    status = m.graph && m.set && m.clip ? check(&m, o, backend, result, where, error) : reel_fail_memory(error);
    for (int i = 0; i < m.inputs; i++) reel_free(m.input[i].value);
    reel_free(m.input);
    reel_free(m.clip);
    reel_graph_free(m.graph);
    reel_parameters_free(m.set);
    return status;
}
