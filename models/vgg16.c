/* See vgg16.h. */
#include "models/vgg16.h"

#include <math.h>
#include <stdio.h>

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
            x = reel_conv_layer(net, layer, x, reel_scaled_channels(block[b].channels, width), 3, true);
        }
        maps.pool[b] = x = reel_max_pool2d(x, reel_pool2d_blocks(2));
        index++;
    }
    reel_scope_pop(net->graph);
    return maps;
}
