/* See optimise.h. */
#include "models/optimise.h"

#include "autograd/gradient.h"
#include "core/memory.h"

#include <math.h>
#include <stdio.h>

/* The trained parameters in the graph, as tensors. */
static int trained(const reel_net *net, reel_tensor **list)
{
    int count = 0;
    for (int i = 0; i < reel_graph_nodes(net->graph); i++) {
        reel_node *node = reel_graph_node(net->graph, i);
        if (node->op == &reel_op_parameter && node->source.parameter->trained) list[count++] = &node->output[0];
    }
    return count;
}

static reel_tensor *moment(const reel_net *net, const char *kind, const reel_tensor *w)
{
    char name[512];
    reel_error error = {REEL_OK, ""};
    snprintf(name, sizeof name, "optim.%s.%s", kind, w->name);
    reel_parameter *p =
        reel_parameter_declare(net->set, name, w->dtype, w->shape, (reel_init){REEL_INIT_CONSTANT, 0}, false, &error);
    return p ? reel_parameter_in(net->graph, p) : reel_poison_with(net->graph, &error);
}

static reel_tensor *update_one(const reel_net *net, const reel_optimiser *o, const reel_update *u, reel_tensor *w,
                               reel_tensor *gradient, reel_tensor *scale)
{
    if (o->kind == REEL_SGD)
        return reel_sgd(w, moment(net, "momentum", w), gradient, u->lr, scale,
                        (reel_sgd_attr){.momentum = o->momentum, .weight_decay = o->weight_decay});
    reel_adam_attr attr = REEL_ADAM_DEFAULTS;
    attr.weight_decay = o->weight_decay;
    return reel_adam(w, moment(net, "m", w), moment(net, "v", w), gradient, u->step, u->lr, scale, attr);
}

reel_status reel_update_build(const reel_net *net, reel_tensor *loss, const reel_optimiser *optimiser,
                              reel_update *update, reel_error *error)
{
    size_t room = (size_t)reel_graph_nodes(net->graph);
    reel_tensor **list = reel_alloc(3 * room, sizeof(reel_tensor *));
    *update = (reel_update){.updated = list};
    if (!list) return reel_fail_memory(error);
    reel_tensor **w = list + room, **gradient = w + room;
    update->count = trained(net, w);
    reel_gradients(loss, w, update->count, gradient);
    reel_scope_push(net->graph, "update");
    update->step = reel_input(net->graph, "step", REEL_F64, REEL_SCALAR_SHAPE);
    update->lr = reel_input(net->graph, "lr", REEL_F64, REEL_SCALAR_SHAPE);
    update->norm = reel_global_norm(gradient, update->count);
    reel_tensor *scale = reel_clip_scale(update->norm, optimiser->clip > 0 ? optimiser->clip : INFINITY);
    for (int i = 0; i < update->count; i++)
        update->updated[i] = update_one(net, optimiser, update, w[i], gradient[i], scale);
    reel_scope_pop(net->graph);
    const reel_error *wrong = reel_graph_error(net->graph);
    return wrong->status ? reel_fail(error, wrong->status, "%s", wrong->text) : REEL_OK;
}

void reel_update_free(reel_update *update)
{
    reel_free(update->updated);
    *update = (reel_update){0};
}
