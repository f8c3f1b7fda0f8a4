/* A bias [3] is added to rows [2, 3]: stretched on the way forward, summed on the way back. */
#include "autograd/gradient.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

int main(void)
{
    reel_error error = {REEL_OK, ""};
    char shape[REEL_SHAPE_TEXT];
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_constant(graph, REEL_F64, REEL_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6});
    reel_tensor *bias = reel_constant(graph, REEL_F64, REEL_SHAPE(3), (double[]){10, 20, 30});
    reel_tensor *y = reel_add(x, bias);
    printf("y = x + bias      %s\n", reel_shape_text(&y->shape, shape));

    reel_tensor *loss = reel_sum_all(reel_mul(y, x));
    reel_tensor *dbias = reel_gradient_of(loss, bias);
    printf("d loss / d bias   %s, made by %s\n", reel_shape_text(&dbias->shape, shape), dbias->node->op->name);

    double value[3];
    if (reel_eval(dbias, value, &error)) fprintf(stderr, "%s\n", error.text);
    printf("column sums of x  %g %g %g\n", value[0], value[1], value[2]);
    reel_graph_free(graph);
    return error.status;
}
