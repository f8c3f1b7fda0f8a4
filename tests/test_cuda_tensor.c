/* The convolutions and products on tensor cores against their plain twins and the reference: large tiles and small
   ones, ragged edges, depths that are cut into parts; how far each way of multiplying floats is from the truth; and the
   variable that chooses one. */
#include "tests/support/op_table.h"
#include "tests/support/saying.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static reel_backend *reference, *split, *on, *off;

static reel_backend *open_with(const char *choice, reel_error *error)
{
    return cuda_saying("REEL_TF32", choice, "REEL_CUBLAS", "off", error);
}

/* Rows that the table of op cases is too small for. Their gradients run too. */
static const op_case rows[] = {
    {"conv2d", "pad=1 relu=1", "!real:1x3x92x93 !real:130x3x3x3 !real:130"}, /* large tiles, both ways ragged */
    {"conv2d", "pad=1", "real:2x70x9x11 real:40x70x3x3 real:40"},            /* depth in parts, two images */
    {"conv2d", "stride=2,3 dilation=2,1 pad=2,1,0,3", "real:2x37x13x19 real:70x37x3x2"},
    {"conv2d", "", "real:1x100x5x4 real:5x100x1x1"},
    {"conv2d", "", "real:3x24x9x8 real:40x24x1x1 real:40"}, /* one place, nothing turned */
    {"conv2d", "relu=1", "!real:2x600x4x4 !real:70x600x1x1 !real:70"},
    {"conv2d", "groups=2 pad=1", "real:1x6x7x5 real:4x3x3x3"},
    {"conv2d_weight_gradient", "size=3 pad=1", "!real:1x1880x5x4 !real:1x65x5x4"}, /* large tiles of weights */
    {"matmul", "", "real:3x1x70x24 real:2x24x16"},
    {"matmul", "transpose_a=1", "real:2x33x80 real:33x40"},
    {"matmul", "transpose_b=1", "!real:72x1040 !real:80x1040"}, /* depth in parts */
    {"matmul", "transpose_b=1", "!real:2100x24 !real:1000x24"}, /* large tiles, three kinds */
    {"matmul", "transpose_a=1", "!real:24x2104 !real:24x1000"},
    {"matmul", "", "!real:2100x24 !real:24x1000"},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Sum of squared differences over that of squares, the largest of all results. */
static double squared_error(const op_results *a, const op_results *b)
{
    double worst = 0;
    for (int i = 0; i < a->count; i++) {
        double wrong = 0, all = 0;
        for (int64_t k = 0; k < reel_elements(&a->shape[i]); k++) {
            double x = ((const float *)a->data[i])[k], y = ((const double *)b->data[i])[k];
            wrong += (x - y) * (x - y);
            all += y * y;
        }
        if (all > 0 && !(wrong / all <= worst)) worst = wrong / all;
    }
    return worst;
}

/* That of a row in float32 against double. */
static double error_of(const op_problem *p, const op_results *truth, reel_backend *backend)
{
    char why[256] = "";
    op_results fast = {0};
    ck_assert_msg(op_run(&fast, p, REEL_F32, backend, why, sizeof why), "%s", why);
    double error = squared_error(&fast, truth);
    op_results_free(&fast);
    return error;
}

/* One TF32 product: ten bits of fraction round a factor by 2^-12 of it in the mean, so the square is about 10^-7. */
START_TEST(floats_are_as_near_as_was_chosen)
{
    char why[256] = "";
    for (int i = 0; i < ROWS; i++) {
        op_problem p;
        op_results truth = {0};
        bool plain = strstr(rows[i].attrs, "groups") != NULL;
        ck_assert(op_problem_read(&p, &rows[i]));
        ck_assert_msg(op_run(&truth, &p, REEL_F64, reference, why, sizeof why), "%s", why);
        double in_float = error_of(&p, &truth, off), in_three = error_of(&p, &truth, split);
        double in_one = error_of(&p, &truth, on);
        printf("row %d: normalised squared error %.1e of floats, %.1e split, %.1e TF32\n", i, in_float, in_three,
               in_one);
        ck_assert_msg(in_float < 1e-12, "row %d: plain is %g off", i, in_float);
        ck_assert_msg(in_three < 1e-10, "row %d: split is %g off", i, in_three);
        ck_assert_msg(in_one < 1e-7, "row %d: TF32 is %g off", i, in_one);
        ck_assert_msg(plain || in_one > 1e-9, "row %d is only %g off: was it TF32?", i, in_one);
        op_results_free(&truth);
    }
}
END_TEST

START_TEST(bf16_agrees_on_large_tiles)
{
    char why[256] = "";
    for (int i = 0; i < ROWS; i++) {
        op_problem p;
        ck_assert(op_problem_read(&p, &rows[i]));
        ck_assert_msg(bf16_agrees(&p, split, reference, why, sizeof why), "row %d: %s", i, why);
    }
}
END_TEST

START_TEST(an_unknown_choice_is_refused)
{
    refused_saying("REEL_TF32", "yes", "expected split");
    reel_backend *backend = must_open_saying("REEL_TF32", "", NULL, NULL);
    backend->close(backend);
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reference = reel_reference_backend();
    split = open_with("split", &error);
    on = open_with("on", &error);
    off = open_with("off", &error);
    if (!reference || !split || !on || !off) return printf("%s\n", error.text), 2;
    const TTest *const tests[] = {floats_are_as_near_as_was_chosen, bf16_agrees_on_large_tiles,
                                  an_unknown_choice_is_refused};
    int code = tiny_suite("cuda_tensor", tests, sizeof tests / sizeof *tests);
    reel_backend *const all[] = {reference, split, on, off};
    for (int i = 0; i < 4; i++) all[i]->close(all[i]);
    return code;
}
