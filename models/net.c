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

reel_tensor *reel_conv_layer(const reel_net *net, const char *name, reel_tensor *x, int channels, int kernel, bool relu)
{
    if (reel_poisoned(x)) return x;
    reel_scope_push(net->graph, name);
    int64_t in = x->shape.rank == 4 ? x->shape.size[1] : 0, area = (int64_t)kernel * kernel;
    reel_init start = relu ? reel_init_he(in * area) : reel_init_xavier(in * area, channels * area);
    reel_tensor *weight = reel_weight(net, "weight", REEL_SHAPE(channels, in, kernel, kernel), start);
    reel_tensor *bias = reel_weight(net, "bias", REEL_SHAPE(channels), (reel_init){REEL_INIT_CONSTANT, 0});
    reel_tensor *y = reel_conv2d(x, weight, bias, reel_conv2d_same(kernel));
    if (relu) y = reel_relu(y);
    reel_scope_pop(net->graph);
    return y;
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
    reel_conv_lstm(x, memory->h, memory->c, weight, bias, NULL, cell, &memory->h, &memory->c);
    reel_scope_pop(net->graph);
    return memory->h;
}
