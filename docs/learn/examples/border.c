/* The second task of S2S++ on a small mask: distance to the border, as classes. Border 3, bins of 1: 8 classes. */
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

enum { HEIGHT = 9, WIDTH = 12 };

int main(void)
{
    reel_error error = {REEL_OK, ""};
    float mask[HEIGHT * WIDTH] = {0};
    int class[HEIGHT * WIDTH] = {0};
    for (int y = 3; y <= 6; y++)
        for (int x = 4; x <= 8; x++) mask[y * WIDTH + x] = 1;

    reel_graph *graph = reel_graph_new();
    reel_tensor *m = reel_constant(graph, REEL_F32, REEL_SHAPE(1, 1, HEIGHT, WIDTH), mask);
    reel_tensor *classes = reel_distance_classes(m, (reel_distance_classes_attr){.border = 3, .bin = 1});
    if (reel_eval(classes, class, &error)) fprintf(stderr, "%s\n", error.text);
    for (int i = 0; i < HEIGHT * WIDTH; i++) printf("%d%s", class[i], i % WIDTH == WIDTH - 1 ? "\n" : " ");
    reel_graph_free(graph);
    return error.status;
}
