/* Resizing and warping. The golden numbers were computed by Pillow 9.5 (Image.resize with BILINEAR and NEAREST) from
   the pictures of `pattern`. */
#include "core/memory.h"
#include "datasets/resize.h"
#include "datasets/warp.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static reel_image pattern(int width, int height)
{
    reel_image image;
    ck_assert_int_eq(reel_image_new(&image, width, height, NULL), REEL_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                image.rgb[3 * (y * width + x) + c] = (uint8_t)((x * 37 + y * 59 + c * 83) ^ (x * y * (c + 1)));
    return image;
}

static reel_image resized(int from_width, int from_height, int width, int height)
{
    reel_image from = pattern(from_width, from_height), to;
    ck_assert_int_eq(reel_image_new(&to, width, height, NULL), REEL_OK);
    ck_assert_int_eq(reel_resize_bilinear(&from, &to, NULL), REEL_OK);
    reel_image_free(&from);
    return to;
}

typedef struct {
    int from_width, from_height, width, height;
    uint8_t bilinear[126], nearest[42];
} golden;

/* clang-format off */
static const golden goldens[] = {
    {13, 9, 5, 4,
     {88,156,121,148,143,105,114,108,153,111,141,121,165,103,114,156,103,120,118,123,143,132,138,111,150,106,141,116,132,
      161,108,151,133,148,139,98,117,121,158,122,150,170,154,142,136,171,107,130,109,146,144,126,162,137,150,145,109,109,
      99,52},
     {97,169,31,129,217,213,41,157,229,105,73,153,27,89,137,197,25,81,213,121}},
    {5, 4, 7, 6,
     {0,83,166,21,104,187,48,131,214,74,157,240,100,183,84,127,210,37,148,231,58,30,113,196,51,133,143,78,160,115,105,189,
      143,130,213,80,156,186,70,176,137,90,69,152,192,91,172,91,118,187,27,145,188,55,169,209,87,175,145,112,169,48,129,
      108,191,61,128,210,61,155,177,70,186,59,96,208,78,129,140,79,150,36,71,160,148,103,58,168,125,79,195,114,108,225,47,
      143,160,67,175,93,87,187,38,103,188,177,4,87,198,29,104,224,52,135,253,66,179,102,88,209,55,110,215,73,128,207},
     {0,37,37,74,111,111,148,59,97,97,135,169,169,203,59,97,97,135,169,169,203,118,153,153,196,227,227,2,118,153,153,196,
      227,227,2,177,213,213,253,41,41,73}},
    {40, 3, 6, 3,
     {99,129,134,114,124,134,117,127,137,119,129,140,122,132,142,117,147,147,135,153,111,136,112,121,137,118,118,141,113,
      128,132,111,129,126,121,137,126,129,129,124,132,148,126,151,135,124,127,131,145,126,134,148,135,146},
     {111,114,80,83,86,52,169,167,155,153,143,75,227,252,230,231,240,226}},
    {3, 31, 3, 4,
     {119,116,123,121,133,133,146,134,132,137,124,131,134,111,132,122,120,125,132,124,119,132,135,114,124,130,149,149,110,
      131,126,105,119,135,138,136},
     {177,213,253,137,165,197,97,149,141,57,69,181}},
};
/* clang-format on */

START_TEST(small_pictures_equal_pillows)
{
    const golden *g = &goldens[_i];
    reel_image to = resized(g->from_width, g->from_height, g->width, g->height), from;
    for (int i = 0; i < 3 * g->width * g->height; i++)
        ck_assert_msg(to.rgb[i] == g->bilinear[i], "value %d is %d, expected %d", i, to.rgb[i], g->bilinear[i]);
    from = pattern(g->from_width, g->from_height);
    reel_nearest_walk down = reel_nearest_start(g->from_height, g->height);
    for (int y = 0; y < g->height; y++) {
        const uint8_t *row = from.rgb + 3 * g->from_width * reel_nearest_next(&down);
        reel_nearest_walk across = reel_nearest_start(g->from_width, g->width);
        for (int x = 0; x < g->width; x++)
            ck_assert_int_eq(row[3 * reel_nearest_next(&across)], g->nearest[y * g->width + x]);
    }
    reel_image_free(&from);
    reel_image_free(&to);
}
END_TEST

static void check_hash(int from_width, int from_height, int width, int height, uint64_t expected)
{
    reel_image to = resized(from_width, from_height, width, height);
    uint64_t hash = 0;
    for (int i = 0; i < 3 * width * height; i++) hash = hash * 31 + to.rgb[i];
    ck_assert_uint_eq(hash, expected);
    reel_image_free(&to);
}

START_TEST(film_sizes_equal_pillows)
{
    check_hash(854, 480, 448, 256, 0x85ab77d0d2e31cb2);
    check_hash(224, 128, 854, 480, 0xf5e10c61c0ebe0f5);
}
END_TEST

START_TEST(the_same_size_and_flat_pictures_are_kept)
{
    reel_image same = resized(17, 11, 17, 11), from = pattern(17, 11), to;
    ck_assert_mem_eq(same.rgb, from.rgb, 3 * 17 * 11);
    memset(from.rgb, 255, 3 * 17 * 11);
    ck_assert_int_eq(reel_image_new(&to, 5, 29, NULL), REEL_OK);
    ck_assert_int_eq(reel_resize_bilinear(&from, &to, NULL), REEL_OK);
    for (int i = 0; i < 3 * 5 * 29; i++) ck_assert_int_eq(to.rgb[i], 255);
    reel_image_free(&same), reel_image_free(&from), reel_image_free(&to);
}
END_TEST

START_TEST(every_refused_allocation_is_survived)
{
    reel_image from = pattern(9, 7), to;
    ck_assert_int_eq(reel_image_new(&to, 4, 3, NULL), REEL_OK);
    reel_status status = REEL_ENVIRONMENT;
    uint64_t n = 0;
    while (status != REEL_OK) {
        reel_error error = {0};
        reel_alloc_fail(++n, false);
        status = reel_resize_bilinear(&from, &to, &error);
        reel_alloc_fail(0, false);
        ck_assert_int_eq(error.status, status);
        ck_assert(status == REEL_OK || status == REEL_ENVIRONMENT);
    }
    ck_assert_uint_gt(n, 6);
    reel_image_free(&from), reel_image_free(&to);
}
END_TEST

enum { SIDE = 9, AREA = SIDE * SIDE };

START_TEST(a_quarter_turn_moves_pixels_clockwise)
{
    for (int nearest = 0; nearest < 2; nearest++) {
        float plane[AREA], copy[AREA], before[AREA];
        for (int i = 0; i < AREA; i++) before[i] = plane[i] = (float)(i * 7 % 31);
        reel_warp warp = reel_warp_about_centre(90, 1, 1);
        reel_warp_plane(plane, copy, SIDE, SIDE, &warp, nearest, -1);
        for (int y = 1; y < SIDE - 1; y++) /* the rim may fall outside by rounding */
            for (int x = 1; x < SIDE - 1; x++)
                ck_assert_float_eq_tol(plane[x * SIDE + (SIDE - 1 - y)], before[y * SIDE + x], 1e-3f);
    }
}
END_TEST

START_TEST(enlarging_and_shrinking_keep_the_centre)
{
    float plane[AREA], copy[AREA];
    for (int i = 0; i < AREA; i++) plane[i] = (float)(i % SIDE);
    reel_warp twice = reel_warp_about_centre(0, 2, 1), half = reel_warp_about_centre(0, 0.5, 1);
    reel_warp_plane(plane, copy, SIDE, SIDE, &twice, false, -1);
    for (int i = 0; i < AREA; i++) ck_assert_float_eq_tol(plane[i], 4 + 0.5f * (float)(i % SIDE - 4), 1e-4f);
    for (int i = 0; i < AREA; i++) plane[i] = 1;
    reel_warp_plane(plane, copy, SIDE, SIDE, &half, true, -1);
    for (int i = 0; i < AREA; i++) {
        bool inside = abs(i % SIDE - 4) <= 2 && abs(i / SIDE - 4) <= 2;
        ck_assert_float_eq(plane[i], inside ? 1 : -1);
    }
}
END_TEST

/* A disc that was squeezed to half its height by the resize must still be one after it was turned. */
START_TEST(turning_respects_the_shape_of_pixels)
{
    enum { WIDTH = 80, HEIGHT = 40 };
    static float disc[WIDTH * HEIGHT], bar[WIDTH * HEIGHT], copy[WIDTH * HEIGHT];
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            double dx = x - 39.5, dy = 2 * (y - 19.5);
            disc[y * WIDTH + x] = dx * dx + dy * dy < 900;
            bar[y * WIDTH + x] = fabs(dx) < 4 && fabs(dy) < 30;
        }
    }
    reel_warp warp = reel_warp_about_centre(45, 1, 2);
    reel_warp_plane(disc, copy, HEIGHT, WIDTH, &warp, true, 0);
    reel_warp_plane(bar, copy, HEIGHT, WIDTH, &warp, true, 0);
    int off = 0;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            double dx = x - 39.5, dy = 2 * (y - 19.5), along = (dy - dx) * M_SQRT1_2, beside = (dy + dx) * M_SQRT1_2;
            off += disc[y * WIDTH + x] != (dx * dx + dy * dy < 900);
            off += bar[y * WIDTH + x] != (fabs(beside) < 4 && fabs(along) < 30);
        }
    }
    ck_assert_int_le(off, 100);
}
END_TEST

START_TEST(mirrored_twice_is_unchanged)
{
    float plane[AREA], before[AREA];
    for (int i = 0; i < AREA; i++) before[i] = plane[i] = (float)i;
    reel_mirror_plane(plane, SIDE, SIDE);
    for (int i = 0; i < AREA; i++) ck_assert_float_eq(plane[i], (float)(i / SIDE * SIDE + SIDE - 1 - i % SIDE));
    reel_mirror_plane(plane, SIDE, SIDE);
    ck_assert_mem_eq(plane, before, sizeof plane);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resize");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, small_pictures_equal_pillows, 0, sizeof goldens / sizeof *goldens);
    tcase_add_test(tests, film_sizes_equal_pillows);
    tcase_add_test(tests, the_same_size_and_flat_pictures_are_kept);
    tcase_add_test(tests, every_refused_allocation_is_survived);
    tcase_add_test(tests, a_quarter_turn_moves_pixels_clockwise);
    tcase_add_test(tests, enlarging_and_shrinking_keep_the_centre);
    tcase_add_test(tests, turning_respects_the_shape_of_pixels);
    tcase_add_test(tests, mirrored_twice_is_unchanged);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
