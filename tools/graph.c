/* `reel graph`: the network as the graph that is planned and run, for reading. */
#include "autograd/gradient.h"
#include "core/memory.h"
#include "tools/commands.h"
#include "tools/graph_print.h"
#include "tools/model_options.h"

#include <string.h>

typedef struct {
    reel_model_options model;
    int frames, batch, format;
    bool backward, recompute, fold;
} graph_options;

static const reel_option table[] = {
    REEL_MODEL_OPTIONS(graph_options, model),
    REEL_OPTION("frames", INT, graph_options, frames, "T", "predicted frames of the clip, after its first",
                .fallback = "1", .low = 1, .high = 1000),
    REEL_OPTION("batch", INT, graph_options, batch, "N", "clips", .fallback = "1", .low = 1, .high = 4096),
    REEL_OPTION("backward", FLAG, graph_options, backward, NULL, "the loss and its gradients too"),
    REEL_OPTION("recompute", FLAG, graph_options, recompute, NULL,
                "with --backward: compute activations again instead of keeping them", .with = "backward"),
    REEL_OPTION("fold", FLAG, graph_options, fold, NULL, "one line or box for each scope in each time step"),
    REEL_OPTION("format", CHOICE, graph_options, format, "text|dot", "a line a node, or a picture for Graphviz",
                .fallback = "text"),
    {0},
};
static const reel_usage usage = {
    "graph", "Prints the graph of a network: every op with its time step, scope, attributes and shapes.", table,
    "example: reel graph --width 0.0625 --size 32x64 --fold --format dot | dot -Tsvg > graph.svg"};

typedef struct {
    graph_options o;
    reel_graph *graph;
    reel_parameters *set;
    reel_tensor **clip; /* frames, then masks */
    reel_tensor **wanted;
    int count;
    reel_error error;
} drawing;

static void make_clip(drawing *d, int frames)
{
    reel_dtype dtype = d->o.model.real;
    for (int f = 0; f < frames; f++) {
        char name[32];
        snprintf(name, sizeof name, "frame.%d", f);
        d->clip[f] =
            reel_input(d->graph, name, dtype, REEL_SHAPE(d->o.batch, 3, d->o.model.size.height, d->o.model.size.width));
        snprintf(name, sizeof name, "mask.%d", f);
        d->clip[frames + f] =
            reel_input(d->graph, name, dtype, REEL_SHAPE(d->o.batch, 1, d->o.model.size.height, d->o.model.size.width));
    }
}

/* The masks that a clip is given: what segmentation runs. */
static void build_forward(drawing *d, const reel_net *net, int frames)
{
    reel_set_time(d->graph, 0);
    reel_s2s_state state = reel_s2s_start(net, &d->o.model.config, d->clip[0], d->clip[frames]);
    for (int f = 1; f < frames; f++) {
        reel_set_time(d->graph, f);
        d->wanted[d->count++] = reel_s2s_step(net, &d->o.model.config, d->clip[f], &state).mask;
    }
    reel_set_time(d->graph, -1);
}

/* The loss and its gradients by every trained parameter: what training runs. */
static reel_status build_backward(drawing *d, const reel_net *net, int frames)
{
    reel_tensor *loss =
        reel_s2s_clip_loss(net, &d->o.model.config, d->clip, d->clip + frames, NULL, NULL, frames, d->o.recompute)
            .total;
    int parameters = reel_parameters_count(d->set);
    reel_free(d->wanted);
    d->wanted = reel_alloc(2 * (size_t)parameters + 1, sizeof(reel_tensor *));
    if (!d->wanted) return reel_fail_memory(&d->error);
    reel_tensor **wrt = d->wanted + parameters + 1;
    int count = 0;
    for (int i = 0; i < parameters; i++)
        if (reel_parameter_at(d->set, i)->trained)
            wrt[count++] = reel_parameter_in(d->graph, reel_parameter_at(d->set, i));
    reel_gradients(loss, wrt, count, d->wanted);
    d->wanted[count] = loss;
    d->count = count + 1;
    return REEL_OK;
}

static reel_status draw(drawing *d)
{
    int frames = d->o.frames + 1;
    reel_backend *backend = reel_reference_backend();
    d->graph = reel_graph_new();
    d->set = backend ? reel_parameters_new(backend, 1) : NULL;
    d->clip = reel_alloc(2 * (size_t)frames, sizeof *d->clip);
    d->wanted = reel_alloc((size_t)frames, sizeof *d->wanted);
    reel_status status = REEL_OK;
    if (!d->graph || !d->set || !d->clip || !d->wanted) status = reel_fail_memory(&d->error);
    if (!status) {
        reel_net net = {d->graph, d->set, d->o.model.real, d->o.model.bf16};
        make_clip(d, frames);
        if (d->o.backward)
            status = build_backward(d, &net, frames);
        else
            build_forward(d, &net, frames);
        const reel_error *wrong = reel_graph_error(d->graph);
        if (reel_failed(wrong)) status = reel_fail(&d->error, wrong->status, "%s", wrong->text);
    }
    reel_graph_view view = {.wanted = d->wanted, .count = d->count, .fold = d->o.fold};
    if (!status && !(d->o.format ? reel_graph_print_dot : reel_graph_print_text)(stdout, d->graph, &view))
        status = reel_fail_memory(&d->error);
    reel_graph_free(d->graph);
    reel_parameters_free(d->set);
    reel_free(d->clip);
    reel_free(d->wanted);
    if (backend) backend->close(backend);
    return status;
}

int reel_command_graph(int argc, char **argv)
{
    drawing d = {.graph = NULL};
    int code = reel_options_begin(&usage, argc, argv, &d.o);
    if (code >= 0) return code;
    reel_status status = reel_model_options_settle(&d.o.model, &d.error);
    if (!status) status = draw(&d);
    return status ? reel_complain(&usage, &d.error) : REEL_OK;
}
