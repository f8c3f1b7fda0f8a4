/* See vgg16.h. */
#include "models/vgg16.h"

#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int reel_scaled_channels(int channels, double width)
{
    int scaled = 8 * (int)nearbyint(channels * width / 8); /* half to even */
    return scaled < 8 ? 8 : scaled;
}

reel_vgg16_maps reel_vgg16(const reel_net *net, const char *name, reel_tensor *x, double width)
{
    static const struct {
        int convolutions, channels;
    } block[5] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};
    reel_vgg16_maps maps;
    int index = 0; /* in torchvision's list of layers, where ReLUs and poolings count */
    reel_scope_push(net->graph, name);
    for (int b = 0; b < 5; b++) {
        for (int i = 0; i < block[b].convolutions; i++, index += 2) {
            char layer[32];
            snprintf(layer, sizeof layer, "features.%d", index);
            int channels = reel_scaled_channels(block[b].channels, width);
            bool last = i + 1 == block[b].convolutions;
            x = last ? reel_conv_pool_layer(net, layer, x, channels, 3)
                     : reel_conv_layer(net, layer, x, channels, 3, true);
        }
        maps.pool[b] = x;
        index++;
    }
    reel_scope_pop(net->graph);
    return maps;
}

/* --- pretrained values --- */

/* Equal shapes, or equal but for more input channels: [O, I, h, w] against [O, I' <= I, h, w]. */
static bool fits(const reel_shape *mine, const reel_shape *theirs)
{
    reel_shape same = *theirs;
    if (mine->rank == 4 && theirs->rank == 4 && theirs->size[1] == 3 && mine->size[1] > 3) same.size[1] = mine->size[1];
    return reel_shape_equal(mine, &same);
}

/* Copies the channels that both have; each output channel's values lie together. */
static void copy_channels(const reel_parameter *p, float *mine, const reel_stored *s, const float *theirs)
{
    size_t outputs = (size_t)p->shape.size[0], in = s->elements / outputs;
    size_t own = (size_t)reel_elements(&p->shape) / outputs;
    for (size_t o = 0; o < outputs; o++) memcpy(mine + o * own, theirs + o * in, in * sizeof *mine);
}

static reel_status load_one(reel_parameter *p, const reel_stored *s, const reel_weights *weights, reel_error *error)
{
    float *mine = reel_alloc((size_t)reel_elements(&p->shape), sizeof *mine);
    float *theirs = reel_alloc(s->elements, sizeof *theirs);
    reel_status status = mine && theirs ? reel_parameter_read(p, mine, error) : reel_fail_memory(error);
    if (!status) status = reel_weights_read(weights, s, theirs, error);
    if (!status) {
        copy_channels(p, mine, s, theirs);
        status = reel_parameter_write(p, mine, error);
    }
    reel_free(mine);
    reel_free(theirs);
    return status;
}

reel_status reel_vgg16_load(reel_parameters *set, const char *name, const reel_weights *weights, reel_error *error)
{
    size_t scope = strlen(name);
    for (int i = 0; i < reel_parameters_count(set); i++) {
        reel_parameter *p = reel_parameter_at(set, i);
        char shape[REEL_SHAPE_TEXT];
        if (strncmp(p->name, name, scope) != 0 || p->name[scope] != '.') continue;
        const reel_stored *s = reel_weights_find(weights, p->name + scope + 1);
        if (!s || !fits(&p->shape, &s->shape) || p->dtype != REEL_F32)
            return reel_fail(error, REEL_BAD_DATA,
                             "%s: %s is missing or does not fit %s %s, expected torchvision's vgg16 and a "
                             "network of --width 1 in fp32",
                             reel_weights_path(weights), p->name + scope + 1, p->name,
                             reel_shape_text(&p->shape, shape));
        reel_status status = load_one(p, s, weights, error);
        if (status) return status;
    }
    return REEL_OK;
}
