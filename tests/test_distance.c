/* The distance transform and the border-distance classes, on both backends: the published vectors, frames without a
   border, objects that touch the edge of the image, and random masks against a search over all pairs of pixels. */
#include "core/memory.h"
#include "core/rng.h"
#include "ops/ops.h"
#include "tests/support/compute.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static reel_backend *backends[2];

enum { MOST = 64 * 64 };

static void classes_of(const uint8_t *mask, int height, int width, reel_distance_classes_attr attr, int which,
                       int32_t *out)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_constant(graph, REEL_U8, REEL_SHAPE(1, 1, height, width), mask);
    reel_tensor *y = reel_distance_classes(x, attr);
    compute(backends[which], &y, 1, (void *[]){out});
    reel_graph_free(graph);
}

static void transform_of(const uint8_t *mask, int height, int width, int which, double *out)
{
    double *value = reel_alloc((size_t)(height * width), sizeof *value);
    for (int i = 0; i < height * width; i++) value[i] = mask[i] ? -0.5 : 0;
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_constant(graph, REEL_F64, REEL_SHAPE(height, width), value);
    reel_tensor *y = reel_distance_transform(x);
    compute(backends[which], &y, 1, (void *[]){out});
    reel_graph_free(graph);
    reel_free(value);
}

static void expect_table(reel_distance_classes_attr attr, const char *const *rows)
{
    uint8_t mask[9 * 12] = {0};
    int32_t out[9 * 12];
    for (int y = 3; y <= 6; y++)
        for (int x = 4; x <= 8; x++) mask[y * 12 + x] = 1;
    for (int which = 0; which < 2; which++) {
        classes_of(mask, 9, 12, attr, which, out);
        for (int i = 0; i < 9 * 12; i++)
            ck_assert_msg(out[i] == rows[i / 12][i % 12] - '0', "row %d column %d: %d", i / 12, i % 12, out[i]);
    }
}

START_TEST(published_vectors)
{
    static const char *const fine[] = {"000000000000", "001111111110", "001222222210", "001255555210", "001256665210",
                                       "001256665210", "001255555210", "001222222210", "001111111110"};
    static const char *const binned[] = {"001111111110", "011111111111", "011222222211", "011233333211", "011234443211",
                                         "011234443211", "011233333211", "011222222211", "011111111111"};
    expect_table((reel_distance_classes_attr){3, 1}, fine);
    expect_table((reel_distance_classes_attr){4, 2}, binned);
}
END_TEST

/* An object that fills the right half: every distance from 1 up, on both sides, against the definition. */
START_TEST(both_sides_of_a_straight_border)
{
    static const struct {
        int border, bin, outside, near_outside, last_outside, last_inside, inside;
    } wants[] = {{20, 1, 0, 19, 0, 41, 41}, {20, 10, 0, 2, 0, 5, 5}, {3, 2, 0, 1, 0, 3, 3}, {5, 9, 0, 0, 0, 1, 1}};
    uint8_t mask[64];
    int32_t out[64];
    for (int x = 0; x < 64; x++) mask[x] = x >= 32;
    for (int i = 0; i < 4; i++) {
        reel_distance_classes_attr attr = {wants[i].border, wants[i].bin};
        int most = attr.border / attr.bin;
        for (int which = 0; which < 2; which++) {
            classes_of(mask, 1, 64, attr, which, out);
            for (int x = 0; x < 64; x++) {
                int d = x < 32 ? 32 - x : x - 31, far = d > attr.border;
                int want = x < 32 ? far ? 0 : most - d / attr.bin : far ? 2 * most + 1 : most + 1 + d / attr.bin;
                ck_assert_int_eq(out[x], want);
            }
            ck_assert_int_eq(out[0], wants[i].outside);
            ck_assert_int_eq(out[31], wants[i].near_outside);
            ck_assert_int_eq(out[32 - attr.border], wants[i].last_outside);
            ck_assert_int_eq(out[31 + attr.border], wants[i].last_inside);
            ck_assert_int_eq(out[63], wants[i].inside);
        }
    }
}
END_TEST

START_TEST(frames_without_a_border_are_far_everywhere)
{
    uint8_t mask[30 * 40];
    int32_t out[30 * 40];
    double distance[30 * 40];
    for (int full = 0; full < 2; full++)
        for (int which = 0; which < 2; which++) {
            memset(mask, full, sizeof mask);
            classes_of(mask, 30, 40, (reel_distance_classes_attr){20, 1}, which, out);
            transform_of(mask, 30, 40, which, distance);
            for (int i = 0; i < 30 * 40; i++) {
                ck_assert_int_eq(out[i], full ? 41 : 0);
                ck_assert(full ? isinf(distance[i]) : distance[i] == 0);
            }
        }
}
END_TEST

/* The edge of the image is no border of the object. */
START_TEST(objects_at_the_edge)
{
    uint8_t mask[5 * 5] = {0};
    int32_t out[5 * 5];
    static const int32_t want[] = {7, 6, 5, 2, 1, 7, 6, 5, 2, 1, 7, 6, 5, 2, 1, 7, 6, 5, 2, 1, 7, 6, 5, 2, 1};
    for (int i = 0; i < 25; i++) mask[i] = i % 5 < 3;
    for (int which = 0; which < 2; which++) {
        classes_of(mask, 5, 5, (reel_distance_classes_attr){3, 1}, which, out);
        ck_assert_int_eq(memcmp(out, want, sizeof want), 0);
    }
}
END_TEST

/* Squared distance from pixel `at` to the nearest pixel of the other side, by looking at all of them; -1 for none. */
static int search(const uint8_t *mask, int height, int width, int at)
{
    int best = -1;
    for (int i = 0; i < height * width; i++) {
        int dy = i / width - at / width, dx = i % width - at % width, d = dy * dy + dx * dx;
        if (mask[i] != mask[at] && (best < 0 || d < best)) best = d;
    }
    return best;
}

static void compare_with_search(const uint8_t *mask, int height, int width)
{
    static int32_t classes[MOST];
    static double distance[MOST];
    reel_distance_classes_attr attr = {7, 2};
    for (int which = 0; which < 2; which++) {
        classes_of(mask, height, width, attr, which, classes);
        transform_of(mask, height, width, which, distance);
        for (int i = 0; i < height * width; i++) {
            int squared = search(mask, height, width, i), d = (int)sqrt(squared < 0 ? 0 : squared),
                far = squared < 0 || d > 7;
            double want = !mask[i] ? 0 : squared < 0 ? INFINITY : sqrt(squared);
            ck_assert_int_eq(classes[i], mask[i] ? far ? 7 : 4 + d / 2 : far ? 0 : 3 - d / 2);
            ck_assert_msg(distance[i] == want, "%g is not %g", distance[i], want);
        }
    }
}

START_TEST(random_masks_against_a_search)
{
    static const double density[] = {0.003, 0.05, 0.5, 0.95, 0.997};
    uint8_t mask[MOST];
    for (uint64_t draw = 0; draw < 40; draw++) {
        int height = 1 + (int)reel_below(1, draw, 40), width = 1 + (int)reel_below(2, draw, 64);
        for (int i = 0; i < height * width; i++)
            mask[i] = reel_uniform(reel_key(3, draw), (uint64_t)i) < density[draw % 5];
        compare_with_search(mask, height, width);
    }
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    static const struct {
        reel_dtype dtype;
        reel_shape shape;
        int border, bin;
        const char *part;
    } wrong[] = {{REEL_U8, REEL_SHAPE(1, 2, 4, 4), 20, 1, "[N, 1, H, W]"},
                 {REEL_U8, REEL_SHAPE(1, 4, 4), 20, 1, "[N, 1, H, W]"},
                 {REEL_I32, REEL_SHAPE(1, 1, 4, 4), 20, 1, "float or u8"},
                 {REEL_F32, REEL_SHAPE(1, 1, 4, 4), 0, 1, "border 0"},
                 {REEL_F32, REEL_SHAPE(1, 1, 4, 4), 20, 0, "bin 0"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        reel_graph *graph = reel_graph_new();
        reel_tensor *mask = reel_input(graph, "mask", wrong[i].dtype, wrong[i].shape);
        reel_distance_classes(mask, (reel_distance_classes_attr){wrong[i].border, wrong[i].bin});
        expect_refused(graph, wrong[i].part);
        reel_graph_free(graph);
    }
    reel_graph *graph = reel_graph_new();
    reel_tensor *mask = reel_input(graph, "mask", REEL_F32, REEL_SHAPE(1, 1, 4, 4));
    reel_distance_loss(reel_input(graph, "logits", REEL_F32, REEL_SHAPE(1, 41, 4, 4)), mask, 20, 1);
    expect_refused(graph, "[N, 42, H, W]");
    reel_graph_free(graph);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        published_vectors,   both_sides_of_a_straight_border, frames_without_a_border_are_far_everywhere,
        objects_at_the_edge, random_masks_against_a_search,   wrong_arguments_are_refused,
    };
    return tiny_suite_on_both(backends, "distance", tests, sizeof tests / sizeof *tests);
}
