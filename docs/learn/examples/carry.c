/* Running a recurrent net frame by frame: one plan of one step, whose state is carried from its output to its input.
   Memory does not grow with the number of frames. */
#include "backends/registry.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open("cpu", 1, &error);
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_input(graph, "x", REEL_F64, REEL_SCALAR_SHAPE);
    reel_tensor *h = reel_input(graph, "h", REEL_F64, REEL_SCALAR_SHAPE);
    reel_tensor *next = reel_add(reel_scale(h, 0.5), x);
    reel_plan *plan = reel_plan_new(graph, backend, &next, 1, &error);

    double state = 0;
    reel_status status = plan ? reel_plan_write(plan, h, &state, &error) : error.status;
    for (int t = 1; t <= 4 && !status; t++) {
        status = reel_plan_write(plan, x, (double[]){t}, &error);
        if (!status) status = reel_plan_run(plan, &error);
        if (!status) status = reel_plan_read(plan, next, &state, &error);
        if (!status) status = reel_plan_carry(plan, h, next, &error);
        printf("frame %d: state %g\n", t, state);
    }
    reel_plan_free(plan);
    reel_graph_free(graph);
    if (backend) backend->close(backend);
    if (status) fprintf(stderr, "%s\n", error.text);
    return status;
}
