/* The op of docs/guide/add_an_op.md, outside the library: a row is all an op is. Its gradient and second gradient are
   held against differences. */
#include "autograd/gradcheck.h"
#include "backends/registry.h"
#include "ops/elementwise_kernel.h"
#include "ops/ops.h"

#include <stdio.h>

static const reel_op reel_op_swish;

static reel_tensor *reel_swish(reel_tensor *x)
{
    return reel_apply1(&reel_op_swish, NULL, x);
}

static void gradient(reel_gradient *g)
{
    reel_tensor *s = reel_sigmoid(g->x[0]);
    reel_tensor *slope = reel_add(s, reel_mul(g->y[0], reel_sub(reel_scalar_like(s, 1), s)));
    g->dx[0] = reel_mul(g->dy[0], slope);
}

ELEMENTWISE1(swish, x, x / (1 + exp(-x)))

static const reel_op reel_op_swish = {.name = "swish",
                                      .summary = "x / (1 + e^-x)",
                                      .least_inputs = 1,
                                      .most_inputs = 1,
                                      .outputs = 1,
                                      .flags = REEL_ELEMENTWISE,
                                      .shape = reel_elementwise_floats,
                                      .gradient = gradient,
                                      .reference = {swish_reference, NULL}};

int main(void)
{
    reel_error error = {REEL_OK, ""};
    double values[] = {-2, -1, -0.25, 0, 0.5, 3};
    reel_backend *backend = reel_backend_open("cpu", 1, &error);
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F64, REEL_SHAPE(2, 3)), *y = reel_swish(x);
    for (int order = 1; order <= 2 && !error.status; order++) {
        reel_check_input input = {x, values, true};
        reel_check_options options = REEL_CHECK_DEFAULTS;
        reel_check_result result = {.passed = false};
        options.order = order;
        reel_gradcheck(&y, 1, &input, 1, backend, &options, &result, &error);
        printf("order %d: %s\n", order, result.passed ? "passed" : "failed");
    }
    reel_graph_free(graph);
    if (backend) backend->close(backend);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    return error.status;
}
