/* Back-propagation through time on the smallest recurrent net there is,

       h[t] = tanh(tanh(w h[t-1]) + 0.01),   loss = mean of h[T],

   three ways: whole, cut by detach, and with the steps computed again on the way back. */
#include "autograd/gradient.h"
#include "backends/registry.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

enum { STEPS = 50, WIDTH = 1000, WHOLE = -1 };

typedef struct {
    double slope;
    size_t arena;
} result;

static result unroll(reel_backend *backend, int cut, bool recompute, reel_error *error)
{
    static const double zeros[WIDTH];
    result r = {0};
    reel_graph *graph = reel_graph_new();
    reel_tensor *w = reel_constant(graph, REEL_F64, REEL_SCALAR_SHAPE, (double[]){0.9});
    reel_tensor *h = reel_constant(graph, REEL_F64, REEL_SHAPE(WIDTH), zeros);
    for (int t = 1; t <= STEPS; t++) {
        reel_set_time(graph, t);
        if (recompute) reel_segment_begin(graph);
        h = reel_tanh(reel_add(reel_tanh(reel_mul(w, h)), reel_scalar_like(h, 0.01)));
        if (recompute) reel_segment_end(graph);
        if (t == cut) h = reel_detach(h);
    }
    reel_tensor *dw = reel_gradient_of(reel_mean_all(h), w);
    reel_plan *plan = reel_plan_new(graph, backend, &dw, 1, error);
    if (plan && !reel_plan_run(plan, error) && !reel_plan_read(plan, dw, &r.slope, error))
        r.arena = reel_plan_cost(plan).arena;
    reel_plan_free(plan);
    reel_graph_free(graph);
    return r;
}

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open("cpu", 1, &error);
    if (!backend) return error.status;
    result whole = unroll(backend, WHOLE, false, &error), again = unroll(backend, WHOLE, true, &error);
    result cut = unroll(backend, STEPS - 1, false, &error);
    printf("whole      d loss / d w = %.6f\n", whole.slope);
    printf("recompute  d loss / d w = %.6f, same bits: %s, less memory: %s\n", again.slope,
           again.slope == whole.slope ? "yes" : "no", again.arena < whole.arena ? "yes" : "no");
    printf("detached   d loss / d w = %.6f, only the last step counts\n", cut.slope);
    backend->close(backend);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    return error.status;
}
