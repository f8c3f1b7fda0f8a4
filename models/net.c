/* See net.h. */
#include "models/net.h"

#include <math.h>
#include <stdio.h>

reel_init reel_init_he(int64_t fan_in)
{
    return (reel_init){REEL_INIT_UNIFORM, sqrt(6.0 / (double)fan_in)};
}

reel_init reel_init_xavier(int64_t fan_in, int64_t fan_out)
{
    return (reel_init){REEL_INIT_UNIFORM, sqrt(6.0 / (double)(fan_in + fan_out))};
}

reel_tensor *reel_weight(const reel_net *net, const char *name, reel_shape shape, reel_init init)
{
    char full[512];
    reel_error error = {REEL_OK, ""};
    const char *scope = reel_scope(net->graph);
    snprintf(full, sizeof full, *scope ? "%s.%s" : "%s%s", scope, name);
    reel_parameter *p = reel_parameter_declare(net->set, full, net->dtype, shape, init, true, &error);
    return p ? reel_parameter_in(net->graph, p) : reel_poison_with(net->graph, &error);
}

reel_tensor *reel_narrowed(const reel_net *net, reel_tensor *x)
{
    return net->bf16 ? reel_cast(x, REEL_BF16) : x;
}

reel_tensor *reel_widened(const reel_net *net, reel_tensor *x)
{
    return reel_cast(x, net->dtype);
}

/* The copy of a parameter that convolutions read: the one that there is, or a new one. It belongs to no frame and is
   kept, not recomputed with the frame that happens to be its first user. */
static reel_tensor *working_copy(const reel_net *net, reel_tensor *parameter)
{
    if (!net->bf16 || reel_poisoned(parameter)) return parameter;
    for (int i = parameter->node->id + 1; i < reel_graph_nodes(net->graph); i++) {
        reel_node *node = reel_graph_node(net->graph, i);
        if (node->op == &reel_op_cast && node->input[0] == parameter) return &node->output[0];
    }
    reel_tensor *copy = reel_cast(parameter, REEL_BF16);
    if (reel_poisoned(copy)) return copy;
    copy->node->time = copy->node->segment = -1;
    return copy;
}

/* What a layer ends in. */
typedef enum { LINEAR, RELU, POOLED_RELU } ending;

/* The maximum of blocks is taken before the ReLU: see net.h. */
static reel_tensor *conv_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel,
                               ending end)
{
    if (reel_poisoned(x)) return x;
    reel_scope_push(net->graph, name);
    int64_t in = x->shape.rank == 4 ? x->shape.size[1] : 0, area = (int64_t)kernel * kernel;
    reel_init start = end != LINEAR ? reel_init_he(in * area) : reel_init_xavier(in * area, channels * area);
    reel_tensor *weight = reel_weight(net, "weight", REEL_SHAPE(channels, in, kernel, kernel), start);
    reel_tensor *bias = reel_weight(net, "bias", REEL_SHAPE(channels), (reel_init){REEL_INIT_CONSTANT, 0});
    reel_conv2d_attr conv = reel_conv2d_same(kernel);
    conv.wide = end == LINEAR;
    conv.relu = end == RELU;
    reel_tensor *y = reel_conv2d(reel_narrowed(net, x), working_copy(net, weight), bias, conv);
    if (end == POOLED_RELU) y = reel_relu(reel_max_pool2d(y, reel_pool2d_blocks(2)));
    reel_scope_pop(net->graph);
    return y;
}

reel_tensor *reel_conv_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel, bool relu)
{
    return conv_layer(net, name, x, channels, kernel, relu ? RELU : LINEAR);
}

reel_tensor *reel_conv_pool_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel)
{
    return conv_layer(net, name, x, channels, kernel, POOLED_RELU);
}

reel_tensor *reel_conv_lstm_layer(const reel_net *net, const char *name, reel_tensor *x, reel_memory *memory,
                                  int kernel, reel_lstm_cell_attr cell)
{
    if (reel_poisoned(x) || reel_poisoned(memory->h)) return x;
    reel_scope_push(net->graph, name);
    int64_t hidden = memory->h->shape.size[1], in = x->shape.size[1] + hidden, area = (int64_t)kernel * kernel;
    reel_scope_push(net->graph, "conv");
    reel_tensor *weight = reel_weight(net, "weight", REEL_SHAPE(4 * hidden, in, kernel, kernel),
                                      reel_init_xavier(in * area, hidden * area));
    reel_tensor *bias = reel_weight(net, "bias", REEL_SHAPE(4 * hidden), (reel_init){REEL_INIT_CONSTANT, 0});
    reel_scope_pop(net->graph);
    reel_conv_lstm(reel_narrowed(net, x), reel_narrowed(net, memory->h), memory->c, working_copy(net, weight), bias,
                   NULL, cell, &memory->h, &memory->c);
    memory->h = reel_narrowed(net, memory->h);
    reel_scope_pop(net->graph);
    return memory->h;
}
