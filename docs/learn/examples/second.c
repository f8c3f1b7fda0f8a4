/* Gradients of gradients, by asking again; and the product of the second derivatives with a vector, without the
   matrix. */
#include "autograd/gradient.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_constant(graph, REEL_F64, REEL_SHAPE(2), (double[]){2, 3});
    reel_tensor *y = reel_sum_all(reel_mul(x, reel_square(x))); /* the sum of x^3 */
    for (int order = 1; order <= 3; order++) {
        double slope[2];
        y = reel_gradient_of(y, x);
        if (reel_eval(y, slope, &error)) break;
        printf("order %d: %g %g\n", order, slope[0], slope[1]);
    }

    /* f = x0^2 x1 has the second derivatives [[2 x1, 2 x0], [2 x0, 0]] = [[6, 4], [4, 0]]. */
    reel_tensor *v = reel_constant(graph, REEL_F64, REEL_SHAPE(2), (double[]){1, 10});
    reel_tensor *x0 = reel_slice1(x, 0, 0, 1), *x1 = reel_slice1(x, 0, 1, 2);
    reel_tensor *g = reel_gradient_of(reel_sum_all(reel_mul(reel_square(x0), x1)), x);
    reel_tensor *product = reel_gradient_of(reel_sum_all(reel_mul(g, v)), x);
    double hv[2] = {0};
    if (!error.status) reel_eval(product, hv, &error);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    printf("H v: %g %g\n", hv[0], hv[1]);
    reel_graph_free(graph);
    return error.status;
}
