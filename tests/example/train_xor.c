/* A program outside the tree: learns "one or the other, not both" with a hidden layer of eight, from the installed
   headers and library alone.

       cc train_xor.c $(pkg-config --cflags --libs reel) -o train_xor

   Building a graph cannot fail line by line: errors stick to it, and come out where the plan is made. */
#include <reel.h>
#include <stdio.h>

enum { STEPS = 400 };

static int complain(const reel_error *error)
{
    fprintf(stderr, "train_xor: %s\n", error->text);
    return error->status;
}

int main(void)
{
    static const float points[] = {0, 0, 0, 1, 1, 0, 1, 1}, answers[] = {0, 1, 1, 0};
    reel_error error = {REEL_OK, ""};
    reel_backend *cpu = reel_backend_open("cpu", 1, &error);
    if (!cpu) return complain(&error);
    reel_net net = {.graph = reel_graph_new(), .set = reel_parameters_new(cpu, 1), .dtype = REEL_F32};
    if (!net.graph || !net.set) return REEL_ENVIRONMENT;

    reel_init zero = {REEL_INIT_CONSTANT, 0};
    reel_tensor *x = reel_constant(net.graph, REEL_F32, REEL_SHAPE(4, 2), points);
    reel_tensor *y = reel_constant(net.graph, REEL_F32, REEL_SHAPE(4, 1), answers);
    reel_tensor *in = reel_weight(&net, "in", REEL_SHAPE(2, 8), reel_init_xavier(2, 8));
    reel_tensor *shift = reel_weight(&net, "shift", REEL_SHAPE(8), zero);
    reel_tensor *out = reel_weight(&net, "out", REEL_SHAPE(8, 1), reel_init_xavier(8, 1));
    reel_tensor *hidden = reel_tanh(reel_add(reel_matmul(x, in, false, false), shift));
    reel_tensor *logits = reel_matmul(hidden, out, false, false);
    reel_tensor *loss = reel_bce_with_logits(logits, y, NULL, REEL_REDUCE_MEAN);

    reel_update update;
    reel_tensor *wanted[16] = {loss, logits};
    if (reel_update_build(&net, loss, &(reel_optimiser){.kind = REEL_ADAM}, &update, &error)) return complain(&error);
    for (int i = 0; i < update.count; i++) wanted[2 + i] = update.updated[i];
    reel_plan *plan = reel_plan_new(net.graph, cpu, wanted, 2 + update.count, &error);
    if (!plan) return complain(&error);

    double rate = 0.05;
    float value = 0, logit[4] = {0};
    for (int step = 1; step <= STEPS && !error.status; step++) {
        double number = step;
        reel_plan_write(plan, update.step, &number, &error);
        reel_plan_write(plan, update.lr, &rate, &error);
        reel_plan_run(plan, &error);
        reel_plan_read(plan, loss, &value, &error);
        if (step == 1 || step == STEPS) printf("step %d: loss %.4f\n", step, value);
    }
    reel_plan_read(plan, logits, logit, &error);
    int right = 0;
    for (int i = 0; i < 4; i++) right += (logit[i] > 0) == (answers[i] > 0);
    printf("%d of 4 right\n", right);
    reel_plan_free(plan);
    reel_update_free(&update);
    reel_graph_free(net.graph);
    reel_parameters_free(net.set);
    cpu->close(cpu);
    return error.status ? complain(&error) : right != 4;
}
