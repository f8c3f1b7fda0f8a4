/* See s2s_session.h. */
#include "models/s2s_session.h"

#include "core/memory.h"

enum { STATES = 2 * REEL_S2S_LEVELS };

/* One graph with its plan: the first frame, or a step. */
typedef struct {
    reel_graph *graph;
    reel_plan *plan;
    reel_tensor *frame, *mask;            /* mask: of the first frame only */
    reel_tensor *before[STATES];          /* state inputs of a step */
    reel_tensor *after[STATES], *visible; /* what comes out */
} stage;

struct reel_s2s_session {
    reel_s2s_config config;
    int height, width, states;
    stage first, step;
    size_t state_bytes[STATES];
};

struct reel_s2s_object {
    void *state[STATES]; /* point behind this struct */
};

static void list_states(const reel_s2s_session *s, const reel_s2s_state *state, reel_tensor **list)
{
    for (int i = 0; i < s->states; i++) list[i] = i % 2 ? state->at[i / 2].c : state->at[i / 2].h;
}

static reel_status finish(stage *g, const reel_s2s_session *s, reel_parameters *set, reel_error *error)
{
    reel_tensor *wanted[STATES + 1];
    for (int i = 0; i < s->states; i++) wanted[i] = g->after[i];
    wanted[s->states] = g->visible;
    g->plan = reel_plan_new(g->graph, reel_parameters_backend(set), wanted, s->states + (g->visible != NULL), error);
    return g->plan ? REEL_OK : error ? error->status : REEL_USAGE;
}

static reel_status build_first(reel_s2s_session *s, reel_parameters *set, bool bf16, reel_error *error)
{
    stage *g = &s->first;
    reel_net net = {g->graph = reel_graph_new(), set, REEL_F32, bf16};
    if (!g->graph) return reel_fail_memory(error);
    g->frame = reel_input(g->graph, "frame", REEL_F32, REEL_SHAPE(1, 3, s->height, s->width));
    g->mask = reel_input(g->graph, "mask", REEL_F32, REEL_SHAPE(1, 1, s->height, s->width));
    reel_s2s_state state = reel_s2s_start(&net, &s->config, g->frame, g->mask);
    list_states(s, &state, g->after);
    return finish(g, s, set, error);
}

static reel_status build_step(reel_s2s_session *s, reel_parameters *set, bool bf16, reel_error *error)
{
    stage *g = &s->step;
    reel_net net = {g->graph = reel_graph_new(), set, REEL_F32, bf16};
    if (!g->graph) return reel_fail_memory(error);
    g->frame = reel_input(g->graph, "frame", REEL_F32, REEL_SHAPE(1, 3, s->height, s->width));
    reel_s2s_state state = reel_s2s_state_inputs(&net, &s->config, 1, s->height, s->width);
    list_states(s, &state, g->before);
    g->visible = reel_sigmoid(reel_s2s_step(&net, &s->config, g->frame, &state).mask);
    list_states(s, &state, g->after);
    return finish(g, s, set, error);
}

reel_s2s_session *reel_s2s_session_new(reel_parameters *set, const reel_s2s_config *config, int height, int width,
                                       bool bf16, reel_error *error)
{
    reel_s2s_session *s = reel_alloc(1, sizeof *s);
    if (!s) return reel_fail_memory(error), NULL;
    s->config = *config;
    s->height = height;
    s->width = width;
    s->states = 2 * reel_s2s_levels(config);
    if (build_first(s, set, bf16, error) || build_step(s, set, bf16, error)) {
        reel_s2s_session_free(s);
        return NULL;
    }
    for (int i = 0; i < s->states; i++)
        s->state_bytes[i] = (size_t)reel_elements(&s->step.after[i]->shape) * reel_dtype_size(s->step.after[i]->dtype);
    return s;
}

void reel_s2s_session_free(reel_s2s_session *s)
{
    if (!s) return;
    reel_plan_free(s->first.plan);
    reel_plan_free(s->step.plan);
    reel_graph_free(s->first.graph);
    reel_graph_free(s->step.graph);
    reel_free(s);
}

reel_s2s_object *reel_s2s_object_new(const reel_s2s_session *s, reel_error *error)
{
    size_t bytes = sizeof(reel_s2s_object);
    for (int i = 0; i < s->states; i++) bytes += s->state_bytes[i];
    reel_s2s_object *object = reel_alloc(1, bytes);
    if (!object) return reel_fail_memory(error), NULL;
    char *at = (char *)(object + 1);
    for (int i = 0; i < s->states; at += s->state_bytes[i++]) object->state[i] = at;
    return object;
}

static reel_status run(const reel_s2s_session *s, const stage *g, reel_s2s_object *object, reel_error *error)
{
    reel_status status = reel_plan_run(g->plan, error);
    for (int i = 0; !status && i < s->states; i++)
        status = reel_plan_read(g->plan, g->after[i], object->state[i], error);
    return status;
}

reel_status reel_s2s_begin(reel_s2s_session *s, reel_s2s_object *object, const float *rgb, const float *mask,
                           reel_error *error)
{
    reel_status status = reel_plan_write(s->first.plan, s->first.frame, rgb, error);
    if (!status) status = reel_plan_write(s->first.plan, s->first.mask, mask, error);
    return status ? status : run(s, &s->first, object, error);
}

reel_status reel_s2s_continue(reel_s2s_session *s, reel_s2s_object *object, const float *rgb, float *probability,
                              reel_error *error)
{
    const stage *g = &s->step;
    reel_status status = reel_plan_write(g->plan, g->frame, rgb, error);
    for (int i = 0; !status && i < s->states; i++)
        status = reel_plan_write(g->plan, g->before[i], object->state[i], error);
    if (!status) status = run(s, g, object, error);
    return status ? status : reel_plan_read(g->plan, g->visible, probability, error);
}

reel_cost reel_s2s_session_cost(const reel_s2s_session *s)
{
    reel_cost first = reel_plan_cost(s->first.plan), step = reel_plan_cost(s->step.plan);
    reel_cost cost = step;
    cost.arena = first.arena + step.arena;
    cost.scratch = first.scratch + step.scratch;
    cost.inputs = first.inputs + step.inputs;
    cost.parameters = first.parameters + step.parameters; /* the initializer's and the step's are not the same ones */
    cost.total = cost.parameters + cost.state + cost.inputs + cost.arena + cost.scratch;
    return cost;
}
