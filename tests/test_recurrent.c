/* The fused LSTM cell against the one spelled out, outputs and every gradient, inside the convolutional cell and alone,
   for all activations, with and without peepholes, on both backends; and wrong shapes. */
#include "autograd/gradient.h"
#include "core/rng.h"
#include "ops/ops.h"
#include "tests/support/compute.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { N = 2, C = 3, H = 4, Y = 5, X = 6, MOST = 4 * H * (C + H) * 9 };

static reel_backend *backends[2];

static reel_tensor *noise(reel_graph *graph, uint64_t key, reel_shape shape)
{
    static double value[MOST];
    int64_t n = reel_elements(&shape);
    for (int64_t i = 0; i < n; i++) value[i] = reel_normal(key, (uint64_t)i) / 2;
    return reel_constant(graph, REEL_F64, shape, value);
}

/* Two steps of the cell, the second from what the first left: loss and its gradients, fused or not. */
static int two_steps(reel_graph *graph, reel_lstm_cell_attr attr, int peepholes, bool fused, reel_tensor **wanted)
{
    reel_tensor *wrt[8] = {noise(graph, 1, REEL_SHAPE(N, C, Y, X)), noise(graph, 2, REEL_SHAPE(N, H, Y, X)),
                           noise(graph, 3, REEL_SHAPE(N, H, Y, X)), noise(graph, 4, REEL_SHAPE(4 * H, C + H, 3, 3)),
                           noise(graph, 5, REEL_SHAPE(4 * H))};
    reel_tensor *peephole[3] = {NULL}, *h = wrt[1], *c = wrt[2];
    reel_conv2d_attr same = {.stride = {1, 1}, .dilation = {1, 1}, .pad = {1, 1, 1, 1}, .groups = 1};
    int count = 5;
    for (int k = 0; k < 3 && peepholes; k++)
        wrt[count++] = peephole[k] =
            noise(graph, 6 + (uint64_t)k, peepholes == 1 ? REEL_SHAPE(H) : REEL_SHAPE(H, Y, X));
    for (int step = 0; step < 2; step++) {
        if (fused) {
            reel_conv_lstm(wrt[0], h, c, wrt[3], wrt[4], peepholes ? peephole : NULL, attr, &h, &c);
        } else {
            reel_tensor *z = reel_conv2d(reel_concat((reel_tensor *[]){wrt[0], h}, 2, 1), wrt[3], wrt[4], same);
            h = reel_lstm_cell_composed(z, c, peephole, attr, &c);
        }
    }
    reel_tensor *loss = reel_add(reel_sum_all(reel_mul(h, noise(graph, 9, REEL_SHAPE(N, H, Y, X)))),
                                 reel_sum_all(reel_mul(c, noise(graph, 10, REEL_SHAPE(N, H, Y, X)))));
    wanted[0] = h;
    wanted[1] = c;
    reel_gradients(loss, wrt, count, wanted + 2);
    return 2 + count;
}

static void compare(reel_lstm_cell_attr attr, int peepholes)
{
    static double fused[10][MOST], composed[10][MOST];
    reel_graph *graph = reel_graph_new();
    reel_tensor *a[10], *b[10];
    void *to_a[10], *to_b[10];
    int count = two_steps(graph, attr, peepholes, true, a);
    two_steps(graph, attr, peepholes, false, b);
    for (int i = 0; i < count; i++) to_a[i] = fused[i], to_b[i] = composed[i];
    for (int which = 0; which < 2; which++) {
        compute(backends[which], a, count, to_a);
        compute(backends[which], b, count, to_b);
        for (int i = 0; i < count; i++)
            for (int64_t k = 0; k < reel_elements(&a[i]->shape); k++)
                ck_assert_double_eq_tol(fused[i][k], composed[i][k], 1e-12 * (1 + fabs(composed[i][k])));
    }
    reel_graph_free(graph);
}

START_TEST(fused_is_composed)
{
    static const reel_lstm_cell_attr attrs[] = {{REEL_LSTM_TANH, REEL_LSTM_TANH, 0},
                                                {REEL_LSTM_SIGMOID, REEL_LSTM_RELU, 0},
                                                {REEL_LSTM_RELU, REEL_LSTM_RELU, 1},
                                                {REEL_LSTM_TANH, REEL_LSTM_RELU, -0.5}};
    for (int i = 0; i < 4; i++)
        for (int peepholes = 0; peepholes < 3; peepholes++) compare(attrs[i], peepholes);
}
END_TEST

START_TEST(wrong_shapes_are_refused)
{
    static const char *const part[] = {"4 channels for one", "k odd", "peephole", "tanh or relu"};
    for (int i = 0; i < 4; i++) {
        reel_graph *graph = reel_graph_new();
        reel_tensor *z = noise(graph, 1, REEL_SHAPE(N, 4 * H, Y, X)), *c = noise(graph, 2, REEL_SHAPE(N, H, Y, X));
        reel_tensor *out, *other, *peephole[3] = {noise(graph, 3, REEL_SHAPE(H + 1))};
        reel_lstm_cell_attr attr = {0}, wrong = {.output = REEL_LSTM_SIGMOID};
        if (i == 0) reel_lstm_cell(z, z, NULL, attr, &out);
        if (i == 1)
            reel_conv_lstm(c, c, c, noise(graph, 4, REEL_SHAPE(4 * H, 2 * H, 2, 2)), NULL, NULL, attr, &out, &other);
        if (i == 2) reel_lstm_cell(z, c, peephole, attr, &out);
        if (i == 3) reel_lstm_cell(z, c, NULL, wrong, &out);
        expect_refused(graph, part[i]);
        reel_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        fused_is_composed,
        wrong_shapes_are_refused,
    };
    return tiny_suite_on_both(backends, "recurrent", tests, sizeof tests / sizeof *tests);
}
