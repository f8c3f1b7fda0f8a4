/* A first gradient: loss = sum((w x - y)^2). The gradient is made of nodes like any other, and printed as such. */
#include "autograd/gradient.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

static void print_nodes(const reel_graph *graph, int from)
{
    for (int i = from; i < reel_graph_nodes(graph); i++) {
        const reel_node *node = reel_graph_node(graph, i);
        printf("  %%%d = %s(", node->output[0].id, node->op->name);
        for (int k = 0; k < node->inputs; k++) printf("%s%%%d", k ? ", " : "", node->input[k]->id);
        printf(")\n");
    }
}

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_tensor *w = reel_constant(graph, REEL_F64, REEL_SCALAR_SHAPE, (double[]){2});
    reel_tensor *x = reel_constant(graph, REEL_F64, REEL_SHAPE(2), (double[]){1, 2});
    reel_tensor *y = reel_constant(graph, REEL_F64, REEL_SHAPE(2), (double[]){5, 5});
    reel_tensor *loss = reel_sum_all(reel_square(reel_sub(reel_mul(w, x), y)));
    printf("forward\n");
    print_nodes(graph, 0);

    int forward = reel_graph_nodes(graph);
    reel_tensor *dw = reel_gradient_of(loss, w);
    printf("backward\n");
    print_nodes(graph, forward);

    double value, slope;
    if (reel_eval(loss, &value, &error) || reel_eval(dw, &slope, &error)) fprintf(stderr, "%s\n", error.text);
    printf("loss %g, d loss / d w %g\n", value, slope);
    reel_graph_free(graph);
    return error.status;
}
