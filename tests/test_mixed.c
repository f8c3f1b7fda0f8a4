/* Training in mixed precision: which node of a step runs in what, that the gradient is that of float but for rounding,
   and that recomputation does not change it. All on a small S2S++. */
#include "backends/registry.h"
#include "tests/support/tiny.h"
#include "tools/trainer.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 64, FRAMES = 3 };

typedef struct {
    reel_backend *backend;
    reel_trainer *trainer;
    reel_step_report report;
} run;

static void clip_of(reel_clip *clip)
{
    reel_error error = {REEL_OK, ""};
    reel_dataset set;
    reel_moving_shapes shapes = {.seed = 2, .videos = 3, .frames = 6, .width = SIZE, .height = SIZE, .objects = 2};
    reel_clip_options options = {.frames = FRAMES + 1, .height = SIZE, .width = SIZE, .max_step = 1, .seed = 4};
    ck_assert_msg(reel_moving_shapes_open(&set, &shapes, &error) == REEL_OK, "%s", error.text);
    ck_assert_msg(reel_clip_sample(clip, &set, &options, 1, &error) == REEL_OK, "%s", error.text);
    reel_dataset_close(&set);
}

/* One step of training. */
static run step(bool bf16, bool recompute)
{
    reel_training training = {
        .model = {.memory = true, .distance = true, .top = REEL_TOP_COMPACT, .width = 0.03, .border = 20, .bin = 5},
        .height = SIZE,
        .width = SIZE,
        .frames = FRAMES,
        .batch = 1,
        .dtype = REEL_F32,
        .bf16 = bf16,
        .recompute = recompute,
        .seed = 5};
    run r = {.trainer = NULL};
    reel_error error = {REEL_OK, ""};
    reel_clip clip;
    r.backend = reel_backend_open("cpu", 2, &error);
    r.trainer = r.backend ? reel_trainer_new(&training, r.backend, &error) : NULL;
    ck_assert_msg(r.trainer != NULL, "%s", error.text);
    clip_of(&clip);
    ck_assert_int_eq(reel_trainer_set_clip(r.trainer, 0, &clip, &error), REEL_OK);
    ck_assert_msg(!reel_trainer_step(r.trainer, 1, 1e-4, &r.report, &error), "%s", error.text);
    reel_clip_free(&clip);
    return r;
}

static void end(run *r)
{
    reel_trainer_free(r->trainer);
    r->backend->close(r->backend);
}

/* --- what runs in what --- */

static reel_dtype input_dtype(const reel_node *node, int k)
{
    return node->input[k]->dtype;
}

static void check_node(const reel_node *node)
{
    char text[REEL_NODE_TEXT];
    const char *name = node->op->name;
    bool ok = true;
    if (!strcmp(name, "conv2d"))
        ok = input_dtype(node, 0) == REEL_BF16 && input_dtype(node, 1) == REEL_BF16 && input_dtype(node, 2) == REEL_F32;
    else if (!strcmp(name, "conv2d_input_gradient"))
        ok = node->output[0].dtype == REEL_BF16 && input_dtype(node, 0) == REEL_BF16;
    else if (!strcmp(name, "conv2d_weight_gradient"))
        ok =
            node->output[0].dtype == REEL_F32 && input_dtype(node, 0) == REEL_BF16 && input_dtype(node, 1) == REEL_BF16;
    else if (!strcmp(name, "max_pool2d") || !strcmp(name, "resize2d"))
        ok = node->output[0].dtype == REEL_BF16;
    else if (!strcmp(name, "sum"))
        ok = node->output[0].dtype == REEL_F32;
    else if (!strncmp(name, "lstm_cell", 9) || !strncmp(name, "cross_entropy", 13) || !strcmp(name, "softplus") ||
             !strcmp(name, "sigmoid") || !strcmp(name, "adam"))
        for (int k = 0; k < node->inputs; k++) ok = ok && (!node->input[k] || input_dtype(node, k) != REEL_BF16);
    ck_assert_msg(ok, "%s: its dtypes are not those of mixed precision", reel_node_text(node, text));
}

/* Every weight has one copy and no bias has; with recomputation, too. A plan may run the node that makes it twice. */
static void check_copies(const reel_plan *plan, const reel_parameters *set)
{
    for (int p = 0; p < reel_parameters_count(set); p++) {
        const reel_parameter *parameter = reel_parameter_at((reel_parameters *)set, p);
        ck_assert_int_eq(parameter->dtype, REEL_F32);
        const reel_node *copy = NULL;
        int copies = 0;
        for (int i = 0; i < reel_plan_nodes(plan); i++) {
            const reel_node *node = reel_plan_node(plan, i);
            if (strcmp(node->op->name, "cast") != 0 || node->input[0]->node->op != &reel_op_parameter ||
                node->input[0]->node->source.parameter != parameter)
                continue;
            copies += node != copy;
            copy = node;
        }
        bool weight = parameter->trained && parameter->shape.rank == 4;
        ck_assert_msg(copies == weight, "%s has %d copies", parameter->name, copies);
    }
}

START_TEST(each_node_runs_in_its_dtype)
{
    for (int recompute = 0; recompute < 2; recompute++) {
        run r = step(true, recompute);
        const reel_plan *plan = reel_trainer_plan(r.trainer);
        int convolutions = 0;
        for (int i = 0; i < reel_plan_nodes(plan); i++) {
            check_node(reel_plan_node(plan, i));
            convolutions += !strcmp(reel_plan_node(plan, i)->op->name, "conv2d");
        }
        ck_assert_int_gt(convolutions, 100);
        check_copies(plan, reel_trainer_parameters(r.trainer));
        end(&r);
    }
}
END_TEST

/* --- what comes out --- */

/* Cosine of the angle between the gradients of two runs: a first moment after one step is a tenth of the gradient. */
static double agreement(const run *a, const run *b)
{
    double ab = 0, aa = 0, bb = 0;
    reel_parameters *set = reel_trainer_parameters(a->trainer);
    for (int p = 0; p < reel_parameters_count(set); p++) {
        reel_parameter *mine = reel_parameter_at(set, p);
        if (strncmp(mine->name, "optim.m.", 8) != 0) continue;
        reel_parameter *theirs = reel_parameter_find(reel_trainer_parameters(b->trainer), mine->name);
        float *x = malloc(mine->bytes), *y = malloc(mine->bytes);
        ck_assert(x && y && theirs && !reel_parameter_read(mine, x, NULL) && !reel_parameter_read(theirs, y, NULL));
        for (size_t i = 0; i < mine->bytes / sizeof *x; i++) {
            ab += (double)x[i] * (double)y[i];
            aa += (double)x[i] * (double)x[i];
            bb += (double)y[i] * (double)y[i];
        }
        free(x);
        free(y);
    }
    return ab / sqrt(aa * bb);
}

START_TEST(the_gradient_is_that_of_float)
{
    run whole = step(false, false), half = step(true, false), again = step(true, true);
    ck_assert_msg(fabs(half.report.total / whole.report.total - 1) < 0.01, "loss %g, in float %g", half.report.total,
                  whole.report.total);
    ck_assert_msg(half.report.total != whole.report.total, "nothing was rounded");
    double same = agreement(&whole, &half);
    ck_assert_msg(same > 0.999, "cosine of the gradients %.6f", same);
    ck_assert(again.report.total == half.report.total && again.report.norm == half.report.norm);
    ck_assert_msg(reel_plan_cost(reel_trainer_plan(half.trainer)).arena <
                      0.75 * (double)reel_plan_cost(reel_trainer_plan(whole.trainer)).arena,
                  "activations take %zu bytes, in float %zu", reel_plan_cost(reel_trainer_plan(half.trainer)).arena,
                  reel_plan_cost(reel_trainer_plan(whole.trainer)).arena);
    end(&whole);
    end(&half);
    end(&again);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_node_runs_in_its_dtype, the_gradient_is_that_of_float};
    return tiny_suite("mixed", tests, sizeof tests / sizeof *tests);
}
