/* Products by cuBLASLt, of which tests have a stand-in (tests/cuda/cublas.cpp) that goes by the descriptions it is
   given: against the reference; which are asked of it, and that own kernels are used where it is missing, refuses or is
   turned off. */
#include "tests/cuda/emulated.h"
#include "tests/support/op_table.h"
#include "tests/support/saying.h"
#include "tests/support/tiny.h"

#include <check.h>

static reel_backend *reference;

static const op_case rows[] = {
    {"matmul", "", "real:70x24 real:24x18"},
    {"matmul", "transpose_a=1", "real:2x33x8 real:33x40"},
    {"matmul", "transpose_b=1", "real:72x104 real:3x2x8x104"},
    {"matmul", "transpose_a=1 transpose_b=1", "real:4x7x6 real:4x5x7"},
    {"conv2d", "", "real:2x6x5x7 real:4x6x1x1 real:4"},
    {"conv2d", "relu=1", "!real:2x6x5x7 !real:4x6x1x1 !real:4"},
    {"conv2d", "relu=1 wide=1", "!real:1x6x5x7 !real:4x6x1x1 !real:4"},
    {"conv2d", "", "real:3x6x4x4 real:5x6x1x1"},
    {"conv_transpose2d", "", "real:2x6x4x4 real:6x5x1x1 real:5"},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Rows that are no such products; a product each would be one too many. */
static const op_case others[] = {
    {"matmul", "", "!real:2x1x3x4 !real:3x4x2"}, /* batches at uneven distances */
    {"conv2d", "stride=2", "!real:2x6x5x7 !real:4x6x1x1 !real:4"},
    {"conv2d", "pad=1", "!real:2x6x5x7 !real:4x6x1x1"},
    {"conv2d", "groups=2", "!real:2x6x5x7 !real:4x3x1x1"},
};
enum { OTHERS = sizeof others / sizeof *others };

static reel_backend *open_with(const char *tf32, const char *library)
{
    return must_open_saying("REEL_TF32", tf32, "REEL_CUBLAS", library);
}

/* Products asked of the library for a row, which must come out right. */
static long long products_of(const op_case *row, reel_dtype type, reel_backend *cuda, double tolerance)
{
    long long before = emulated.products;
    must_agree(row, type, cuda, reference, tolerance);
    return emulated.products - before;
}

START_TEST(asks_for_the_right_products)
{
    reel_backend *plain = open_with("off", "on"), *tf32 = open_with("on", "on");
    for (int i = 0; i < ROWS; i++) {
        ck_assert_msg(products_of(&rows[i], REEL_F32, plain, 2e-6) > 0, "row %d: floats are not asked for", i);
        ck_assert_msg(products_of(&rows[i], REEL_F32, tf32, 2e-3) > 0, "row %d: TF32 is not asked for", i);
        ck_assert_msg(products_of(&rows[i], REEL_BF16, plain, 0) > 0, "row %d: bf16 is not asked for", i);
    }
    for (int i = 0; i < OTHERS; i++)
        ck_assert_msg(!products_of(&others[i], REEL_F32, plain, 2e-6), "row %d is no product", i);
    plain->close(plain);
    tf32->close(tf32);
}
END_TEST

START_TEST(works_without_it)
{
    reel_backend *split = open_with("split", "on"), *turned_off = open_with("off", "off"), *on = open_with("off", "on");
    emulated.no_library = true;
    reel_backend *missing = open_with("off", "on");
    ck_assert_int_eq(products_of(&rows[0], REEL_F32, missing, 2e-5), 0);
    emulated.no_library = false;
    ck_assert_int_eq(products_of(&rows[0], REEL_F32, split, 2e-5), 0);
    ck_assert_int_eq(products_of(&rows[0], REEL_F32, turned_off, 2e-5), 0);
    emulated.products_refused = true;
    for (int i = 0; i < ROWS; i++) ck_assert_int_eq(products_of(&rows[i], REEL_F32, on, 2e-5), 0);
    emulated.products_refused = false;
    reel_backend *const all[] = {split, turned_off, on, missing};
    for (int i = 0; i < 4; i++) all[i]->close(all[i]);
}
END_TEST

START_TEST(tells_of_failures)
{
    reel_backend *cuda = open_with("off", "on");
    emulated.fail_product = true;
    must_fail(&rows[0], cuda, "cuda:0: matmul: cublasLtMatmul fails with status 13");
    emulated.fail_product = false;
    cuda->close(cuda);
}
END_TEST

START_TEST(an_unknown_choice_is_refused)
{
    refused_saying("REEL_CUBLAS", "maybe", "expected on");
}
END_TEST

int main(void)
{
    reference = reel_reference_backend();
    if (!reference) return 2;
    const TTest *const tests[] = {asks_for_the_right_products, works_without_it, tells_of_failures,
                                  an_unknown_choice_is_refused};
    int code = tiny_suite("cuda_blas", tests, sizeof tests / sizeof *tests);
    reference->close(reference);
    return code;
}
