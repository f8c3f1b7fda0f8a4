/* Optimisers over six steps against torch 1.13 in double precision, on both backends; clipping; and gradients that are
   of no use. The expected weights come from

       w = torch.nn.Parameter(torch.tensor([math.sin(i + 1.0) for i in range(5)]))
       for t in range(6):
           w.grad = torch.tensor([math.cos(3.0 * i + t) * (1 + t) for i in range(5)])
           torch.nn.utils.clip_grad_norm_([w], 1.5)      # where clip is 1.5
           optimiser.step()

   with torch.optim.Adam, AdamW and SGD made with the arguments of each row. */
#include "core/parameters.h"
#include "ops/ops.h"
#include "tests/support/compute.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 5, STEPS = 6 };

static reel_backend *backends[2];

/* A training step that is nothing but its update. */
typedef struct {
    reel_graph *graph;
    reel_parameters *set;
    reel_parameter *w, *m, *v;
    reel_tensor *gradient, *step, *lr;
    reel_plan *plan;
    reel_error error;
} update;

typedef struct {
    bool adam;
    reel_adam_attr a;
    reel_sgd_attr s;
    double lr, clip; /* clip 0: no scale at all */
    double want[N];
} row;

static reel_parameter *declare(update *u, const char *name, reel_dtype dtype)
{
    return reel_parameter_declare(u->set, name, dtype, REEL_SHAPE(N), (reel_init){0}, true, &u->error);
}

static void begin(update *u, const row *r, reel_dtype dtype, reel_backend *backend)
{
    *u = (update){.graph = reel_graph_new(), .set = reel_parameters_new(backend, 1)};
    reel_graph *g = u->graph;
    u->w = declare(u, "w", dtype);
    u->m = declare(u, "m", dtype);
    u->v = declare(u, "v", dtype);
    u->gradient = reel_input(g, "gradient", dtype, REEL_SHAPE(N));
    u->step = reel_input(g, "step", REEL_F64, REEL_SCALAR_SHAPE);
    u->lr = reel_input(g, "lr", REEL_F64, REEL_SCALAR_SHAPE);
    reel_tensor *w = reel_parameter_in(g, u->w), *m = reel_parameter_in(g, u->m), *v = reel_parameter_in(g, u->v);
    reel_tensor *scale = r->clip > 0 ? reel_clip_scale(reel_global_norm(&u->gradient, 1), r->clip) : NULL;
    reel_tensor *out = r->adam ? reel_adam(w, m, v, u->gradient, u->step, u->lr, scale, r->a)
                               : reel_sgd(w, m, u->gradient, u->lr, scale, r->s);
    u->plan = reel_plan_new(g, backend, &out, 1, &u->error);
    double start[N];
    float single[N];
    for (int i = 0; i < N; i++) single[i] = (float)(start[i] = sin(i + 1.0));
    const void *data = dtype == REEL_F32 ? (const void *)single : start;
    reel_parameter_write(u->w, data, &u->error);
}

static void run(update *u, reel_dtype dtype, double t, double lr, const double gradient[N])
{
    float single[N];
    for (int i = 0; i < N; i++) single[i] = (float)gradient[i];
    reel_plan_write(u->plan, u->gradient, dtype == REEL_F32 ? (const void *)single : gradient, &u->error);
    reel_plan_write(u->plan, u->step, &t, &u->error);
    reel_plan_write(u->plan, u->lr, &lr, &u->error);
    reel_plan_run(u->plan, &u->error);
    ck_assert_msg(u->error.status == REEL_OK, "%s", u->error.text);
}

static void weights(update *u, reel_parameter *parameter, double out[N])
{
    float single[N];
    void *data = parameter->dtype == REEL_F32 ? (void *)single : out;
    ck_assert_int_eq(reel_parameter_read(parameter, data, &u->error), REEL_OK);
    for (int i = 0; i < N && data == single; i++) out[i] = (double)single[i];
}

static void end(update *u)
{
    reel_plan_free(u->plan);
    reel_graph_free(u->graph);
    reel_parameters_free(u->set);
}

/* clang-format off */
#define ADAM(...) .adam = true, .a = {__VA_ARGS__}
static const row rows[] = {
    {ADAM(.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8), .lr = 0.01, /* Adam(lr=0.01) */
     .want = {0.83433919116327537, 0.91890124703985321, 0.1289206065652572, -0.74211025042324019,
              -0.97591130595542375}},
    /* Adam(lr=0.02, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.05) */
    {ADAM(.beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3, .l2 = 0.05), .lr = 0.02,
     .want = {0.83228431260259006, 0.91973362119136148, 0.1239086506535831, -0.73381815222513358,
              -0.98404348081515536}},
    /* AdamW(lr=0.02, weight_decay=0.1) */
    {ADAM(.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1), .lr = 0.02,
     .want = {0.81747804688577874, 0.91729785768618055, 0.11541677540927639, -0.71878836038247629,
              -0.98102120999532239}},
    {ADAM(.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8), .lr = 0.01, .clip = 1.5, /* Adam(lr=0.01) */
     .want = {0.83027722989806307, 0.92412122743093017, 0.12128737140325366, -0.73105430844414387,
              -0.98969449047919955}},
    {.lr = 0.1, /* SGD(lr=0.1) */
     .want = {1.3108760723924595, 0.38020752347285003, 0.71930498916802021, -1.3725101778433804,
              -0.31801728415259783}},
    {.s = {.momentum = 0.9, .weight_decay = 0.01}, .lr = 0.05, /* SGD(lr=0.05, momentum=0.9, weight_decay=0.01) */
     .want = {1.355509196937809, 0.41900302801784622, 0.5730889035106469, -1.1256440091532813,
              -0.63997788833962266}},
    {.s = {.momentum = 0.9, .nesterov = true}, .lr = 0.05, /* SGD(lr=0.05, momentum=0.9, nesterov=True) */
     .want = {1.545153309807102, 0.21132647184214134, 0.8194096996181669, -1.4018349506526819,
              -0.36005938451130221}},
    {.s = {.momentum = 0.9}, .lr = 0.05, .clip = 1.5, /* SGD(lr=0.05, momentum=0.9) */
     .want = {0.87649490091160431, 0.92834265752704248, 0.068386820975415819, -0.63183710707440244,
              -1.1336206809505911}},
};
/* clang-format on */

static void follow(const row *r, reel_dtype dtype, reel_backend *backend, double tolerance)
{
    update u;
    double gradient[N], w[N];
    begin(&u, r, dtype, backend);
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < N; i++) gradient[i] = cos(3.0 * i + t) * (1 + t);
        run(&u, dtype, t + 1, r->lr, gradient);
    }
    weights(&u, u.w, w);
    for (int i = 0; i < N; i++) ck_assert_double_eq_tol(w[i], r->want[i], tolerance);
    end(&u);
}

START_TEST(six_steps_are_torchs)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int which = 0; which < 2; which++) {
            follow(&rows[i], REEL_F64, backends[which], 1e-12);
            follow(&rows[i], REEL_F32, backends[which], 2e-6);
        }
}
END_TEST

/* With a scale, NaN and infinity in the gradient leave weights and moments as they are. */
START_TEST(useless_gradients_change_nothing)
{
    for (int i = 0; i < 8; i++) {
        row r = rows[i & 1 ? 3 : 7];
        update u;
        double gradient[N] = {1, 2, i & 2 ? NAN : -INFINITY, 4, 5}, before[N], after[N], moment[N];
        if (i & 4) r.clip = INFINITY; /* only watched */
        begin(&u, &r, REEL_F64, backends[(i >> 1) & 1]);
        weights(&u, u.w, before);
        run(&u, REEL_F64, 1, 0.1, gradient);
        weights(&u, u.w, after);
        weights(&u, u.m, moment);
        ck_assert_int_eq(memcmp(before, after, sizeof before), 0);
        for (int k = 0; k < N; k++) ck_assert_double_eq(moment[k], 0);
        for (int k = 0; k < N; k++) gradient[k] = 1;
        run(&u, REEL_F64, 1, 0.1, gradient);
        weights(&u, u.w, after);
        ck_assert(after[0] < before[0]);
        end(&u);
    }
}
END_TEST

/* The scale of a norm that is below, above, zero, infinite and NaN. */
START_TEST(clip_scale_of_any_norm)
{
    static const double norms[] = {0.5, 4, 0, INFINITY, NAN}, want[] = {1, 0.25, 1, NAN, NAN};
    reel_graph *graph = reel_graph_new();
    for (int i = 0; i < 5; i++) {
        double scale;
        reel_tensor *y = reel_clip_scale(reel_constant(graph, REEL_F64, REEL_SCALAR_SHAPE, &norms[i]), 1);
        for (int which = 0; which < 2; which++) {
            compute(backends[which], &y, 1, (void *[]){&scale});
            ck_assert(isnan(want[i]) ? isnan(scale) : fabs(scale - want[i]) < 1e-6);
        }
    }
    reel_graph_free(graph);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    for (int i = 0; i < 4; i++) {
        static const char *const part[] = {"beta1", "input 3", "input 5 must be a float scalar", "momentum"};
        reel_graph *graph = reel_graph_new();
        reel_tensor *w = reel_input(graph, "w", REEL_F32, REEL_SHAPE(3)), *m = w, *g = w;
        reel_tensor *one = reel_input(graph, "one", REEL_F64, REEL_SCALAR_SHAPE);
        if (i == 0) reel_adam(w, m, w, g, one, one, NULL, (reel_adam_attr){.beta1 = 1});
        if (i == 1) reel_adam(w, m, w, one, one, one, NULL, REEL_ADAM_DEFAULTS);
        if (i == 2) reel_adam(w, m, w, g, one, w, NULL, REEL_ADAM_DEFAULTS);
        if (i == 3) reel_sgd(w, m, g, one, NULL, (reel_sgd_attr){.momentum = -1});
        expect_refused(graph, part[i]);
        reel_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        six_steps_are_torchs,
        useless_gradients_change_nothing,
        clip_scale_of_any_norm,
        wrong_arguments_are_refused,
    };
    return tiny_suite_on_both(backends, "optimise", tests, sizeof tests / sizeof *tests);
}
