/* A network of one's own: two convolutions that learn to find bright squares. Layers, loss, update and the loop. */
#include "backends/registry.h"
#include "core/plan.h"
#include "core/rng.h"
#include "models/optimise.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 16, BATCH = 4, PIXELS = SIZE * SIZE, STEPS = 60 };

/* The network: a picture in, a score a pixel out. */
static reel_tensor *squares_net(const reel_net *net, reel_tensor *picture)
{
    reel_scope_push(net->graph, "squares");
    reel_tensor *x = reel_conv_layer(net, "first", picture, 8, 5, true);
    x = reel_conv_layer(net, "last", x, 1, 5, false);
    reel_scope_pop(net->graph);
    return x;
}

/* A 5 x 5 square in noise: sample n is a function of n. */
static void draw(uint64_t n, float *picture, float *mask)
{
    int top = (int)reel_below(n, 0, SIZE - 5), left = (int)reel_below(n, 1, SIZE - 5);
    memset(mask, 0, PIXELS * sizeof *mask);
    for (int i = 0; i < 25; i++) mask[(top + i / 5) * SIZE + left + i % 5] = 1;
    for (int i = 0; i < PIXELS; i++) picture[i] = mask[i] + (float)reel_uniform(n, 2 + (uint64_t)i);
}

static reel_status train(reel_plan *plan, const reel_update *update, reel_tensor *const in[2], reel_tensor *loss,
                         reel_error *error)
{
    float picture[BATCH * PIXELS], mask[BATCH * PIXELS], value;
    double lr = 0.01, number = 1;
    reel_status status = REEL_OK;
    for (int step = 1; step <= STEPS && !status; step++, number++) {
        for (int b = 0; b < BATCH; b++) draw((uint64_t)(step * BATCH + b), picture + b * PIXELS, mask + b * PIXELS);
        status = reel_plan_write(plan, in[0], picture, error);
        if (!status) status = reel_plan_write(plan, in[1], mask, error);
        if (!status) status = reel_plan_write(plan, update->step, &number, error);
        if (!status) status = reel_plan_write(plan, update->lr, &lr, error);
        if (!status) status = reel_plan_run(plan, error);
        if (!status) status = reel_plan_read(plan, loss, &value, error);
        if (!status && (step == 1 || step == STEPS))
            printf("step %2d: loss %s 0.1\n", step, value > 0.1f ? "above" : "below");
    }
    return status;
}

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open("cpu", 1, &error);
    if (!backend) return error.status;
    reel_parameters *set = reel_parameters_new(backend, 1);
    reel_net net = {.graph = reel_graph_new(), .set = set, .dtype = REEL_F32};
    reel_shape shape = REEL_SHAPE(BATCH, 1, SIZE, SIZE);
    reel_tensor *in[2] = {reel_input(net.graph, "picture", REEL_F32, shape),
                          reel_input(net.graph, "mask", REEL_F32, shape)};
    reel_tensor *loss = reel_bce_with_logits(squares_net(&net, in[0]), in[1], NULL, REEL_REDUCE_MEAN);

    reel_update update;
    reel_optimiser adam = {.kind = REEL_ADAM};
    reel_status status = reel_update_build(&net, loss, &adam, &update, &error);
    reel_tensor *wanted[16] = {loss};
    for (int i = 0; i < update.count; i++) wanted[1 + i] = update.updated[i];
    reel_plan *plan = status ? NULL : reel_plan_new(net.graph, backend, wanted, 1 + update.count, &error);
    if (plan) status = train(plan, &update, in, loss, &error);
    for (int i = 0; i < reel_parameters_count(set); i++) {
        char text[REEL_SHAPE_TEXT];
        const reel_parameter *p = reel_parameter_at(set, i);
        if (p->trained) printf("%s %s\n", p->name, reel_shape_text(&p->shape, text));
    }
    reel_plan_free(plan);
    reel_update_free(&update);
    reel_graph_free(net.graph);
    reel_parameters_free(set);
    backend->close(backend);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    return error.status;
}
