/* J, F and their statistics against numbers of the tool that defines them: single frames and statistics computed with
   davis2017-evaluation, tables published with the DAVIS 2016 benchmark, and the scores of real predictions. Besides, F
   against a dilation done the long way. */
#include "core/memory.h"
#include "core/rng.h"
#include "tests/support/tiny.h"
#include "tools/eval.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- pictures ---- */

typedef struct {
    int y0, y1, x0, x1;
} rectangle;

static void draw_rectangle(uint8_t *id, int width, rectangle r)
{
    for (int y = r.y0; y < r.y1; y++)
        for (int x = r.x0; x < r.x1; x++) id[y * width + x] = 1;
}

static void draw_circle(uint8_t *id, int height, int width, int cy, int cx, int radius)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if ((y - cy) * (y - cy) + (x - cx) * (x - cx) <= radius * radius) id[y * width + x] = 1;
}

static reel_bitmask bitmask_of(const uint8_t *id, int height, int width, int object)
{
    reel_bitmask mask;
    ck_assert_int_eq(reel_bitmask_new(&mask, height, width, NULL), REEL_OK);
    reel_bitmask_select(&mask, id, object);
    return mask;
}

static reel_bitmask boundary_of(const reel_bitmask *mask)
{
    reel_bitmask boundary;
    ck_assert_int_eq(reel_bitmask_new(&boundary, mask->height, mask->width, NULL), REEL_OK);
    reel_bitmask_boundary(mask, &boundary);
    return boundary;
}

/* ---- single frames ---- */

typedef struct {
    int cy, cx, radius; /* a circle where radius > 0, else a rectangle, empty where it has no rows */
    rectangle box;
} shape;
#define BOX(...)                                                                                                       \
    {                                                                                                                  \
        .box = { __VA_ARGS__ }                                                                                         \
    }
#define CIRCLE(y, x, r)                                                                                                \
    {                                                                                                                  \
        .cy = (y), .cx = (x), .radius = (r)                                                                            \
    }

static const struct golden {
    const char *name;
    int height, width, radius;
    size_t truth_area, guess_area, truth_boundary, guess_boundary;
    double j, f;
    shape truth, guess;
} golden[] = {
    {"empty, empty", 480, 854, 8, 0, 0, 0, 0, 1, 1, BOX(0), BOX(0)},
    {"nothing predicted", 480, 854, 8, 60000, 0, 1000, 0, 0, 0, BOX(100, 300, 200, 500), BOX(0)},
    {"nothing true", 480, 854, 8, 0, 60000, 0, 1000, 0, 0, BOX(0), BOX(100, 300, 200, 500)},
    {"identical", 480, 854, 8, 60000, 60000, 1000, 1000, 1, 1, BOX(100, 300, 200, 500), BOX(100, 300, 200, 500)},
    {"x + 8", 480, 854, 8, 60000, 60000, 1000, 1000, 0.948051948051948, 1, BOX(100, 300, 200, 500),
     BOX(100, 300, 208, 508)},
    {"x + 9", 480, 854, 8, 60000, 60000, 1000, 1000, 0.941747572815534, 0.616, BOX(100, 300, 200, 500),
     BOX(100, 300, 209, 509)},
    {"x + 6, y + 6", 480, 854, 8, 60000, 60000, 1000, 1000, 0.9058509624547361, 0.999, BOX(100, 300, 200, 500),
     BOX(106, 306, 206, 506)},
    {"full, empty", 480, 854, 8, 409920, 0, 0, 0, 0, 1, BOX(0, 480, 0, 854), BOX(0)},
    {"full, full", 480, 854, 8, 409920, 409920, 0, 0, 1, 1, BOX(0, 480, 0, 854), BOX(0, 480, 0, 854)},
    {"full, rectangle", 480, 854, 8, 409920, 60000, 0, 1000, 0.14637002341920374, 0, BOX(0, 480, 0, 854),
     BOX(100, 300, 200, 500)},
    {"at the border", 480, 854, 8, 60000, 64050, 499, 514, 0.936768149882904, 0.4037733662907462, BOX(0, 200, 0, 300),
     BOX(0, 210, 0, 305)},
    {"circles", 480, 854, 8, 11289, 13673, 484, 532, 0.8256417757624516, 1, CIRCLE(240, 427, 60), CIRCLE(240, 427, 66)},
    {"circle, rectangle", 480, 854, 8, 11289, 14641, 484, 484, 0.7710538897616283, 0.5742621015348287,
     CIRCLE(240, 427, 60), BOX(180, 301, 367, 488)},
    {"one pixel", 480, 854, 8, 1, 1, 4, 4, 1, 1, BOX(10, 11, 10, 11), BOX(10, 11, 10, 11)},
    {"last pixel", 480, 854, 8, 1, 0, 3, 0, 0, 0, BOX(479, 480, 853, 854), BOX(0)},
    {"small, y + 1, x + 1", 24, 32, 1, 140, 140, 48, 48, 0.7177914110429447, 0.9791666666666666, BOX(4, 14, 6, 20),
     BOX(5, 15, 7, 21)},
    {"small, x + 2", 24, 32, 1, 140, 140, 48, 48, 0.75, 0.625, BOX(4, 14, 6, 20), BOX(4, 14, 8, 22)},
    {"720p circles", 720, 1280, 12, 70681, 61529, 1204, 1124, 0.8690888527603026, 0.5667176615002907,
     CIRCLE(300, 600, 150), CIRCLE(306, 609, 140)},
};

static uint8_t *draw(const struct golden *g, const shape *s)
{
    uint8_t *id = reel_alloc((size_t)g->height * (size_t)g->width, 1);
    ck_assert_ptr_nonnull(id);
    if (s->radius)
        draw_circle(id, g->height, g->width, s->cy, s->cx, s->radius);
    else
        draw_rectangle(id, g->width, s->box);
    return id;
}

START_TEST(frames_score_as_the_reference_tool_says)
{
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const struct golden *g = &golden[i];
        uint8_t *truth_id = draw(g, &g->truth), *guess_id = draw(g, &g->guess);
        reel_bitmask truth = bitmask_of(truth_id, g->height, g->width, 1);
        reel_bitmask guess = bitmask_of(guess_id, g->height, g->width, REEL_ANY_OBJECT);
        reel_bitmask truth_boundary = boundary_of(&truth), guess_boundary = boundary_of(&guess);
        reel_disk disk = reel_metric_disk(g->height, g->width);
        ck_assert_msg(disk.radius == g->radius, "%s", g->name);
        ck_assert_msg(reel_bitmask_count(&truth) == g->truth_area, "%s", g->name);
        ck_assert_msg(reel_bitmask_count(&guess) == g->guess_area, "%s", g->name);
        ck_assert_msg(reel_bitmask_count(&truth_boundary) == g->truth_boundary, "%s", g->name);
        ck_assert_msg(reel_bitmask_count(&guess_boundary) == g->guess_boundary, "%s", g->name);
        double j = reel_metric_j(&truth, &guess), f = reel_metric_f(&truth_boundary, &guess_boundary, &disk);
        ck_assert_msg(fabs(j - g->j) < 1e-15, "%s: J %.17g", g->name, j);
        ck_assert_msg(fabs(f - g->f) < 1e-15, "%s: F %.17g", g->name, f);
        reel_bitmask_free(&truth);
        reel_bitmask_free(&guess);
        reel_bitmask_free(&truth_boundary);
        reel_bitmask_free(&guess_boundary);
        reel_free(truth_id);
        reel_free(guess_id);
    }
}
END_TEST

START_TEST(tolerance_grows_with_the_picture)
{
    static const int known[][3] = {{480, 854, 8},   {480, 910, 9},    {480, 1152, 10},
                                   {720, 1280, 12}, {1080, 1920, 18}, {256, 448, 5}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ck_assert_int_eq(reel_metric_disk(known[i][0], known[i][1]).radius, known[i][2]);
}
END_TEST

/* ---- F the long way ---- */

typedef struct {
    int height, width;
    const uint8_t *s;
} picture;

static int at(picture p, int y, int x)
{
    return y < p.height && x < p.width ? p.s[y * p.width + x] : 0;
}

static void long_boundary(picture p, uint8_t *b)
{
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            int s = at(p, y, x), right = s ^ at(p, y, x + 1), below = s ^ at(p, y + 1, x);
            int value = right | below | (s ^ at(p, y + 1, x + 1));
            if (y == p.height - 1) value = right;
            if (x == p.width - 1) value = below;
            if (y == p.height - 1 && x == p.width - 1) value = 0;
            b[y * p.width + x] = (uint8_t)value;
        }
}

static double long_share(picture p, const uint8_t *of, const uint8_t *near, int radius)
{
    int n = 0, matched = 0;
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            if (!of[y * p.width + x]) continue;
            bool found = false;
            for (int v = 0; v < p.height; v++)
                for (int u = 0; u < p.width; u++)
                    found =
                        found || (near[v * p.width + u] && (v - y) * (v - y) + (u - x) * (u - x) <= radius * radius);
            n++;
            matched += found;
        }
    return n ? (double)matched / n : -1;
}

static double long_f(const uint8_t *truth, const uint8_t *guess, int height, int width, int radius)
{
    uint8_t *t = reel_alloc((size_t)height * (size_t)width, 1), *g = reel_alloc((size_t)height * (size_t)width, 1);
    ck_assert(t && g);
    picture p = {height, width, truth}, q = {height, width, guess};
    long_boundary(p, t);
    long_boundary(q, g);
    double precision = long_share(p, g, t, radius), recall = long_share(p, t, g, radius), f;
    if (precision < 0 || recall < 0)
        f = precision < 0 && recall < 0;
    else
        f = precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    reel_free(t);
    reel_free(g);
    return f;
}

/* Sizes about a word's, and ids among which one is picked out; radii from none to more than the picture. */
START_TEST(f_equals_matching_within_a_disk)
{
    enum { CASES = 240, ROOM = 23 * 150 };
    static uint8_t id[2][ROOM], binary[2][ROOM];
    for (uint64_t c = 0; c < CASES; c++) {
        uint64_t key = reel_key(11, c);
        int height = 1 + (int)reel_below(key, 0, 23), width = 1 + (int)reel_below(key, 1, 150);
        double density = pow(10, -3 * reel_uniform(key, 2));
        int radius = c % 6 ? (int)reel_below(key, 3, 12) : (int)reel_below(key, 3, 100), n = height * width;
        for (int m = 0; m < 2; m++)
            for (int i = 0; i < n; i++) {
                uint64_t draw = reel_random(reel_key(key, 4 + (uint64_t)m), (uint64_t)i);
                id[m][i] = (double)(draw >> 11) * 0x1p-53 < density ? (uint8_t)(draw % 3) : 255;
                binary[m][i] = id[m][i] == 2;
            }
        reel_bitmask truth = bitmask_of(id[0], height, width, 2), guess = bitmask_of(id[1], height, width, 2);
        reel_bitmask truth_boundary = boundary_of(&truth), guess_boundary = boundary_of(&guess);
        reel_disk disk = {.radius = radius};
        for (int d = 0; d <= radius; d++) disk.half_width[d] = (int)sqrt(radius * radius - d * d);
        double f = reel_metric_f(&truth_boundary, &guess_boundary, &disk);
        double expected = long_f(binary[0], binary[1], height, width, radius);
        ck_assert_msg(f == expected, "case %d: %dx%d radius %d: %.17g, expected %.17g", (int)c, height, width, radius,
                      f, expected);
        reel_bitmask_free(&truth);
        reel_bitmask_free(&guess);
        reel_bitmask_free(&truth_boundary);
        reel_bitmask_free(&guess_boundary);
    }
}
END_TEST

START_TEST(disks_are_the_lattice_points_within_the_radius)
{
    reel_disk disk = reel_metric_disk(1080, 1920);
    for (int d = 0; d <= disk.radius; d++) {
        int w = disk.half_width[d], square = disk.radius * disk.radius;
        ck_assert(w * w + d * d <= square && (w + 1) * (w + 1) + d * d > square);
    }
}
END_TEST

/* ---- statistics ---- */

START_TEST(statistics_are_those_of_the_reference_tool)
{
    static const struct {
        int n;
        double mean, recall, decay;
    } known[] = {
        {1, 0, 0, 0},
        {2, 0.185, 0, -0.37},
        {3, 0.37, 1 / 3.0, -0.555},
        {4, 0.3025, 0.25, -0.235},
        {5, 0.336, 0.2, -0.1},
        {10, 0.453, 0.4, -0.2333333333},
        {48, 0.48875, 0.4583333333, -0.0530769231},
        {66, 0.5018181818, 0.4848484848, -0.0688235294},
        {102, 0.4950980392, 0.4901960784, -0.0342307692},
        {256, 0.4980078125, 0.48828125, -0.0010769231},
        /* From here on that tool's frame numbers no longer fit its bytes. */
        {257, 0.4991439689, 0.4902723735, 0.0018461538},
        {300, 0.4989333333, 0.4933333333, -0.0068421053},
    };
    double value[300];
    for (int i = 0; i < 300; i++) value[i] = i * 37 % 101 / 100.0;
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        reel_statistics s = reel_metric_statistics(value, known[k].n);
        ck_assert_double_eq_tol(s.mean, known[k].mean, 6e-11);
        ck_assert_double_eq_tol(s.recall, known[k].recall, 6e-11);
        ck_assert_double_eq_tol(s.decay, known[k].decay, 6e-11);
    }
}
END_TEST

START_TEST(unknown_values_count_in_no_mean)
{
    const double value[] = {NAN, 0.6, 0.2, NAN};
    reel_statistics s = reel_metric_statistics(value, 4);
    ck_assert_double_eq_tol(s.mean, 0.4, 1e-15);
    ck_assert_double_eq_tol(s.recall, 0.25, 1e-15);
    ck_assert_double_eq_tol(s.decay, 0.6 - 0.2, 1e-15);
    s = reel_metric_statistics(value, 0);
    ck_assert(isnan(s.mean) && isnan(s.recall) && isnan(s.decay));
    ck_assert(isnan(reel_metric_mean(value, 1)));
}
END_TEST

/* ---- published data ---- */

static const char published[] = "../shared/data/davis2016_published_JF_per_frame.json";
static const char truth_folder[] = "../shared/data/davis", guess_folder[] = "../shared/data/osvos";
static const char expected_path[] = "../shared/data/osvos_expected.json";

static bool is_here(const char *test, const char *path)
{
    struct stat about;
    if (!stat(path, &about)) return true;
    printf("SKIP %s: %s is absent\n", test, path);
    return false;
}

static json_t *load(const char *path)
{
    json_error_t where;
    json_t *json = json_load_file(path, 0, &where);
    ck_assert_msg(json != NULL, "%s:%d: %s", path, where.line, where.text);
    return json;
}

/* Mean over the sequences of one measure of one method. */
static reel_statistics benchmark(json_t *method, const char *measure)
{
    double mean[3][64], value[128];
    int n = 0;
    const char *name;
    json_t *sequence, *number;
    json_object_foreach(method, name, sequence)
    {
        json_t *frames = json_object_get(sequence, measure);
        size_t t;
        ck_assert(n < 64 && json_array_size(frames) > 0 && json_array_size(frames) <= 128);
        json_array_foreach(frames, t, number) value[t] = json_number_value(number);
        reel_statistics s = reel_metric_statistics(value, (int)json_array_size(frames));
        mean[0][n] = s.mean;
        mean[1][n] = s.recall;
        mean[2][n++] = s.decay;
    }
    return (reel_statistics){reel_metric_mean(mean[0], n), reel_metric_mean(mean[1], n), reel_metric_mean(mean[2], n)};
}

/* In per cent, with one decimal, as in the tables of the benchmark. */
START_TEST(per_frame_values_give_the_published_tables)
{
    static const struct {
        const char *method;
        double j[3], f[3];
    } table[] = {
        {"osvos", {79.8, 93.6, 14.9}, {80.6, 92.6, 15.0}}, {"msk", {79.7, 93.1, 8.9}, {75.4, 87.1, 9.0}},
        {"vpn", {70.2, 82.3, 12.4}, {65.5, 69.0, 14.4}},   {"ofl", {68.0, 75.6, 26.4}, {63.4, 70.4, 27.2}},
        {"bvs", {60.0, 66.9, 28.9}, {58.8, 67.9, 21.3}},   {"fcp", {58.4, 71.5, -2.0}, {49.2, 49.5, -1.1}},
        {"jmp", {57.0, 62.6, 39.4}, {53.1, 54.2, 38.4}},   {"hvs", {54.6, 61.4, 23.6}, {52.9, 61.0, 22.7}},
        {"tsp", {31.9, 30.0, 38.1}, {29.7, 23.0, 35.7}},
    };
    if (!is_here("per_frame_values_give_the_published_tables", published)) return;
    json_t *root = load(published);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        json_t *method = json_object_get(root, table[i].method);
        ck_assert_ptr_nonnull(method);
        reel_statistics j = benchmark(method, "J"), f = benchmark(method, "F");
        const double got[] = {j.mean, j.recall, j.decay, f.mean, f.recall, f.decay};
        for (int k = 0; k < 6; k++) {
            double wanted = k < 3 ? table[i].j[k] : table[i].f[k - 3];
            ck_assert_msg(fabs(100 * got[k] - wanted) < 0.0501, "%s, column %d: %.3f, published %.1f", table[i].method,
                          k, 100 * got[k], wanted);
        }
    }
    json_decref(root);
}
END_TEST

static void check_triple(const char *name, const char *measure, reel_statistics got, const json_t *wanted)
{
    const double value[] = {got.mean, got.recall, got.decay};
    for (size_t k = 0; k < 3; k++) {
        double expected = json_number_value(json_array_get(wanted, k));
        ck_assert_msg(fabs(value[k] - expected) < 1e-9, "%s %s[%zu]: %.17g, expected %.17g", name, measure, k, value[k],
                      expected);
    }
}

static reel_eval_options osvos_options(int threads)
{
    return (reel_eval_options){
        .protocol = REEL_EVAL_DAVIS2016, .gt = truth_folder, .pred = guess_folder, .split = "all", .threads = threads};
}

static void run(reel_eval_plan *plan, reel_eval_report *report, const reel_eval_options *options)
{
    reel_error error = {0};
    ck_assert_msg(reel_eval_run(plan, report, options, &error) == REEL_OK, "%s", error.text);
}

START_TEST(real_predictions_score_as_the_reference_tool_says)
{
    if (!is_here("real_predictions_score_as_the_reference_tool_says", truth_folder)) return;
    json_t *root = load(expected_path), *sequences = json_object_get(root, "sequences");
    reel_eval_options options = osvos_options(0);
    reel_eval_plan plan;
    reel_eval_report report;
    run(&plan, &report, &options);
    ck_assert_uint_eq(json_object_size(sequences), (size_t)report.objects);
    for (int i = 0; i < report.objects; i++) {
        const reel_eval_object *object = &report.object[i];
        json_t *wanted = json_object_get(sequences, object->name);
        ck_assert_ptr_nonnull(wanted);
        ck_assert_int_eq(object->frames, json_integer_value(json_object_get(wanted, "frames")));
        check_triple(object->name, "J", object->j, json_object_get(wanted, "J"));
        check_triple(object->name, "F", object->f, json_object_get(wanted, "F"));
    }
    check_triple("mean", "J", report.j, json_object_get(json_object_get(root, "mean"), "J"));
    check_triple("mean", "F", report.f, json_object_get(json_object_get(root, "mean"), "F"));
    reel_eval_free_report(&report);
    reel_eval_free_plan(&plan);
    json_decref(root);
}
END_TEST

START_TEST(scores_do_not_depend_on_the_number_of_threads)
{
    if (!is_here("scores_do_not_depend_on_the_number_of_threads", truth_folder)) return;
    char *first = NULL;
    for (int threads = 1; threads <= 8; threads++) {
        reel_eval_options options = osvos_options(threads);
        options.split = "val";
        reel_eval_plan plan;
        reel_eval_report report;
        run(&plan, &report, &options);
        char *text = NULL;
        size_t bytes;
        FILE *stream = open_memstream(&text, &bytes);
        ck_assert_int_eq(reel_eval_print_json(&report, stream, NULL), REEL_OK);
        fclose(stream);
        if (first)
            ck_assert_str_eq(text, first);
        else
            first = text;
        if (text != first) free(text);
        reel_eval_free_report(&report);
        reel_eval_free_plan(&plan);
    }
    free(first);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        frames_score_as_the_reference_tool_says,
        tolerance_grows_with_the_picture,
        f_equals_matching_within_a_disk,
        disks_are_the_lattice_points_within_the_radius,
        statistics_are_those_of_the_reference_tool,
        unknown_values_count_in_no_mean,
        per_frame_values_give_the_published_tables,
        real_predictions_score_as_the_reference_tool_says,
        scores_do_not_depend_on_the_number_of_threads,
    };
    return tiny_suite("metrics", tests, sizeof tests / sizeof *tests);
}
