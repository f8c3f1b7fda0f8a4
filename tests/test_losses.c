/* Losses and their gradients against torch 1.13 in double precision, on both backends; and what happens to labels,
   scores and targets that make no sense. The expected numbers, a loss and the first five entries of its gradient, are

       wave = lambda n, a: torch.tensor([2 * math.sin(a * i + 0.3) for i in range(n)])
       x, y = wave(24, 1.7).reshape(2, 3, 4), 3 * wave(8, 1.1)
       t = torch.tensor([(i * 7 + i // 3) % 3 for i in range(8)]).reshape(2, 4)
       m = torch.tensor([1, 0, 0, 1, 1, 0, 1, 0.])
       F.cross_entropy(x, t, torch.tensor([0.5, 1.25, 2]) or None, ignore_index=-100 or 1, reduction='mean' or 'sum')
       F.binary_cross_entropy_with_logits(y, m, pos_weight=None or torch.tensor(2.5), reduction='mean' or 'sum')

   and, with each = F.binary_cross_entropy_with_logits(y, m, reduction='none'), n = 8, pos = m.sum(), prob = sigmoid(y),
   inter = (prob * m).sum(), union = prob.sum() + m.sum(),

       (((n - pos) / n) * (each * m).sum() + (pos / n) * (each * (1 - m)).sum()) / n
       -torch.log((inter + 1e-15) / (union - inter + 1e-15)) */
#include "autograd/gradient.h"
#include "ops/ops.h"
#include "tests/support/compute.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { ENTRIES = 5 };

static reel_backend *backends[2];

static reel_tensor *wave(reel_graph *graph, double factor, double angle, reel_shape shape)
{
    double value[24];
    int64_t n = reel_elements(&shape);
    for (int64_t i = 0; i < n; i++) value[i] = factor * 2 * sin(angle * (double)i + 0.3);
    return reel_constant(graph, REEL_F64, shape, value);
}

static reel_tensor *labels(reel_graph *graph)
{
    int32_t value[8];
    for (int i = 0; i < 8; i++) value[i] = (i * 7 + i / 3) % 3;
    return reel_constant(graph, REEL_I32, REEL_SHAPE(2, 4), value);
}

static reel_tensor *mask(reel_graph *graph)
{
    return reel_constant(graph, REEL_F64, REEL_SHAPE(8), (double[]){1, 0, 0, 1, 1, 0, 1, 0});
}

static void expect(reel_tensor *loss, reel_tensor *x, const double want[1 + ENTRIES])
{
    double value, gradient[24];
    reel_tensor *wanted[] = {loss, reel_gradient_of(loss, x)};
    for (int which = 0; which < 2; which++) {
        compute(backends[which], wanted, 2, (void *[]){&value, gradient});
        ck_assert_double_eq_tol(value, want[0], 1e-12 * fabs(want[0]));
        for (int i = 0; i < ENTRIES; i++) ck_assert_double_eq_tol(gradient[i], want[1 + i], 1e-12);
    }
}

/* clang-format off */
static const double cross_entropies[2][2][2][1 + ENTRIES] = { /* mean, sum; without, with weights; none, 1 ignored */
    {{{1.3506812437206108, -0.107754896237577, 0.072507172194368183, 0.066228646467644037, 0.012992302671172131,
       0.041035023356105767},
      {1.3628624969332666, -0.143673194983436, 0, 0.088304861956858716, 0, 0.054713364474807687}},
     {{1.342577731868928, -0.043101958495030804, 0.072507172194368183, 0.10596583434823047, 0.012992302671172131,
       0.016414009342442307},
      {1.3520578144643558, -0.057469277993374403, 0, 0.14128777913097396, 0, 0.021885345789923075}}},
    {{{10.805449949764887, -0.86203916990061602, 0.58005737755494546, 0.52982917174115229, 0.10393842136937705,
       0.32828018684884613},
      {8.1771749815995989, -0.86203916990061602, 0, 0.52982917174115229, 0, 0.32828018684884613}},
     {{13.425777318689281, -0.43101958495030801, 0.72507172194368186, 1.0596583434823046, 0.12992302671172132,
       0.16414009342442307},
      {10.140433608482669, -0.43101958495030801, 0, 1.0596583434823046, 0, 0.16414009342442307}}}};

static const double binaries[2][2][1 + ENTRIES] = { /* without, with pos_weight; mean, sum */
    {{3.0555620841287174, -0.018144325195175171, 0.12466280229848767, 0.1216455800292929, -0.11679075272287776,
      -0.12469078010844487},
     {24.444496673029739, -0.14515460156140136, 0.99730241838790135, 0.97316464023434324, -0.93432602178302204,
      -0.99752624086755892}},
    {{4.7266608897029299, -0.045360812987937926, 0.12466280229848767, 0.1216455800292929, -0.29197688180719439,
      -0.31172695027111214},
     {37.813287117623439, -0.36288650390350341, 0.99730241838790135, 0.97316464023434324, -2.3358150544575551,
      -2.4938156021688971}}};

static const double balanced[1 + ENTRIES] = {
    1.5277810420643587, -0.0090721625975875853, 0.062331401149243834, 0.060822790014646452, -0.058395376361438878,
    -0.062345390054222433};

static const double soft_iou[1 + ENTRIES] = {
    1.3115181326096037, -0.065555011058699431, 0.00038291632803017682, 0.0037170308306418171, -0.032417481956479074,
    -0.0013036747326507518};
/* clang-format on */

/* Cross-entropy fused, and from log-probabilities. */
START_TEST(cross_entropy_is_torchs)
{
    for (int i = 0; i < 16; i++) {
        reel_reduction reduction = i & 1 ? REEL_REDUCE_SUM : REEL_REDUCE_MEAN;
        reel_cross_entropy_attr attr = {.ignore_index = i & 4 ? 1 : REEL_IGNORE_NOTHING, .reduction = reduction};
        reel_graph *graph = reel_graph_new();
        reel_tensor *x = wave(graph, 1, 1.7, REEL_SHAPE(2, 3, 4)), *w = NULL;
        if (i & 2) w = reel_constant(graph, REEL_F64, REEL_SHAPE(3), (double[]){0.5, 1.25, 2});
        reel_tensor *loss = i & 8 ? reel_nll_loss(reel_log_softmax(x, 1), labels(graph), w, attr)
                                  : reel_cross_entropy(x, labels(graph), w, attr);
        expect(loss, x, cross_entropies[i & 1][(i & 2) != 0][(i & 4) != 0]);
        reel_graph_free(graph);
    }
}
END_TEST

START_TEST(binary_cross_entropy_is_torchs)
{
    for (int i = 0; i < 4; i++) {
        reel_graph *graph = reel_graph_new();
        reel_tensor *y = wave(graph, 3, 1.1, REEL_SHAPE(8)), *weight = i & 2 ? reel_scalar_like(y, 2.5) : NULL;
        reel_tensor *loss = reel_bce_with_logits(y, mask(graph), weight, i & 1 ? REEL_REDUCE_SUM : REEL_REDUCE_MEAN);
        expect(loss, y, binaries[i >> 1][i & 1]);
        reel_graph_free(graph);
    }
}
END_TEST

START_TEST(segmentation_losses_are_the_peers)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *y = wave(graph, 3, 1.1, REEL_SHAPE(8));
    expect(reel_balanced_bce(y, mask(graph)), y, balanced);
    expect(reel_soft_iou_loss(y, mask(graph)), y, soft_iou);
    reel_graph_free(graph);
}
END_TEST

/* Scores of a thousand neither overflow nor lose the difference of the two terms. */
START_TEST(large_scores_are_exact)
{
    static const double x[] = {1000, -1000, 999, 0, 0, 1000}, b[] = {1000, -1000, 1000, -1000};
    static const int32_t t[] = {0, 1};
    static const double want[] = {0.31326168751822286, 1000};
    double loss[2], each[4];
    reel_graph *graph = reel_graph_new();
    reel_tensor *scores = reel_constant(graph, REEL_F64, REEL_SHAPE(2, 3), x);
    reel_tensor *target = reel_constant(graph, REEL_I32, REEL_SHAPE(2), t);
    reel_tensor *wanted[2];
    wanted[0] = reel_cross_entropy(scores, target, NULL, (reel_cross_entropy_attr){-100, REEL_REDUCE_NONE});
    wanted[1] = reel_bce_with_logits(reel_constant(graph, REEL_F64, REEL_SHAPE(4), b),
                                     reel_constant(graph, REEL_F64, REEL_SHAPE(4), (double[]){1, 0, 0, 1}), NULL,
                                     REEL_REDUCE_NONE);
    for (int which = 0; which < 2; which++) {
        compute(backends[which], wanted, 2, (void *[]){loss, each});
        for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(loss[i], want[i], 1e-12);
        for (int i = 0; i < 4; i++) ck_assert_double_eq(each[i], i < 2 ? 0 : 1000);
    }
    reel_graph_free(graph);
}
END_TEST

/* Balanced BCE of an empty or full target is 0; soft IoU of an empty one is large and finite. */
START_TEST(one_sided_targets)
{
    for (int full = 0; full < 2; full++) {
        double out[2];
        reel_graph *graph = reel_graph_new();
        reel_tensor *y = wave(graph, 3, 1.1, REEL_SHAPE(8));
        reel_tensor *target = reel_broadcast_to(reel_scalar_like(y, full), REEL_SHAPE(8));
        reel_tensor *wanted[] = {reel_balanced_bce(y, target), reel_soft_iou_loss(y, target)};
        for (int which = 0; which < 2; which++) {
            compute(backends[which], wanted, 2, (void *[]){&out[0], &out[1]});
            ck_assert_double_eq(out[0], 0);
            ck_assert(full ? out[1] > 0 && out[1] < 2 : out[1] > 34 && out[1] < 37);
        }
        reel_graph_free(graph);
    }
}
END_TEST

START_TEST(ignored_scores_may_be_anything)
{
    static const double x[] = {NAN, 1, NAN, 2, INFINITY, 3};
    static const int32_t t[] = {-100, 1, -100};
    double loss, gradient[6];
    reel_graph *graph = reel_graph_new();
    reel_tensor *scores = reel_constant(graph, REEL_F64, REEL_SHAPE(1, 2, 3), x);
    reel_tensor *target = reel_constant(graph, REEL_I32, REEL_SHAPE(1, 3), t);
    reel_cross_entropy_attr attr = {.ignore_index = REEL_IGNORE_NOTHING, .reduction = REEL_REDUCE_SUM};
    reel_tensor *each = reel_cross_entropy(scores, target, NULL, attr);
    reel_tensor *wanted[] = {each, reel_gradient_of(each, scores)};
    for (int which = 0; which < 2; which++) {
        compute(backends[which], wanted, 2, (void *[]){&loss, gradient});
        ck_assert(isnan(loss)); /* element 1 has an infinite score, and counts */
        ck_assert_double_eq(gradient[0], 0);
        ck_assert_double_eq(gradient[5], 0);
    }
    reel_graph_free(graph);
}
END_TEST

START_TEST(bad_labels_are_named)
{
    static const int32_t t[] = {0, 2, 1, 0, 1, 3, 1, 0};
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = wave(graph, 1, 1.7, REEL_SHAPE(2, 3, 4));
    reel_tensor *target = reel_constant(graph, REEL_I32, REEL_SHAPE(2, 4), t);
    reel_cross_entropy_attr attr = {.ignore_index = REEL_IGNORE_NOTHING};
    for (int which = 0; which < 2; which++) {
        compute_fails(backends[which], reel_cross_entropy(x, target, NULL, attr), REEL_BAD_DATA, "label 3 at [1,1]");
        compute_fails(backends[which], reel_nll_loss(x, target, NULL, attr), REEL_BAD_DATA, "label 3 at [1,1]");
    }
    reel_graph_free(graph);
}
END_TEST

START_TEST(wrong_shapes_are_refused)
{
    for (int i = 0; i < 5; i++) {
        static const char *const part[] = {"[2,4]", "i32", "[3]", "one shape", "one shape"};
        reel_graph *graph = reel_graph_new();
        reel_cross_entropy_attr attr = {.ignore_index = REEL_IGNORE_NOTHING};
        reel_tensor *x = wave(graph, 1, 1.7, REEL_SHAPE(2, 3, 4)), *flat = wave(graph, 1, 1.7, REEL_SHAPE(8));
        if (i == 0) reel_cross_entropy(x, reel_reshape(labels(graph), REEL_SHAPE(8)), NULL, attr);
        if (i == 1) reel_cross_entropy(x, wave(graph, 1, 1, REEL_SHAPE(2, 4)), NULL, attr);
        if (i == 2) reel_cross_entropy(x, labels(graph), wave(graph, 1, 1, REEL_SHAPE(4)), attr);
        if (i == 3) reel_balanced_bce(x, flat);
        if (i == 4) reel_soft_iou_loss(flat, x);
        expect_refused(graph, part[i]);
        reel_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        cross_entropy_is_torchs,
        binary_cross_entropy_is_torchs,
        segmentation_losses_are_the_peers,
        large_scores_are_exact,
        one_sided_targets,
        ignored_scores_may_be_anything,
        bad_labels_are_named,
        wrong_shapes_are_refused,
    };
    return tiny_suite_on_both(backends, "losses", tests, sizeof tests / sizeof *tests);
}
