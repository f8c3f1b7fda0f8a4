/* `reel eval` from folder to report. Two small videos are drawn here; what DAVIS 2017 and vos-benchmark make of them
   was computed once with those tools and stands below as they wrote it. The rest is small enough to count by hand. */
#include "core/file.h"
#include "core/memory.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"
#include "tools/commands.h"
#include "tools/eval.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- folders of masks ---- */

static void make_parents(const char *path)
{
    char part[1024];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        ck_assert(!mkdir(part, 0777) || errno == EEXIST);
    }
}

typedef struct {
    int id, y, x, height, width;
} box;

/* A mask of the boxes, later ones on top; one without an id ends the list. What sticks out is cut off. */
static void put_mask(const char *path, int height, int width, const box *boxes)
{
    reel_mask mask;
    make_parents(path);
    ck_assert_int_eq(reel_mask_new(&mask, width, height, NULL), REEL_OK);
    for (const box *b = boxes; b->id; b++)
        for (int y = b->y; y < b->y + b->height; y++)
            for (int x = b->x; x < b->x + b->width; x++)
                if (y >= 0 && x >= 0 && y < height && x < width) mask.id[y * width + x] = (uint8_t)b->id;
    reel_error error = {0};
    ck_assert_msg(reel_mask_write(&mask, path, false, &error) == REEL_OK, "%s", error.text);
    reel_mask_free(&mask);
}

static void put_text(const char *path, const char *text)
{
    make_parents(path);
    ck_assert(temporary_file(path, text, strlen(text)));
}

/* ROOT/PART/VIDEO/FRAME.png */
static void put_frame(const char *root, const char *part, const char *video, int frame, int height, int width,
                      const box *boxes)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s/%05d.png", part, video, frame);
    put_mask(temporary_path(root, name), height, width, boxes);
}

/* ---- a data set for the reference tools ---- */

/* Two objects, a third that comes late, and void pixels along the bottom. */
static void draw_first(const char *root, const char *truth_part, const char *guess_part)
{
    for (int t = 0; t < 7; t++) {
        const box truth[] = {
            {1, 5, 4 + 2 * t, 12, 14}, {2, 20, 30 - t, 10, 12}, {255, 36, 0, 4, 56}, {t > 3 ? 3 : 0, 0, 40, 6, 8}, {0}};
        const box guess[] = {
            {1, 5, 4 + t + t / 2, 12, 14}, {t == 3 ? 1 : 2, 19, 29 - t, 12, 14}, {t == 5 ? 2 : 0, 36, 3, 3, 9}, {0}};
        put_frame(root, truth_part, "first", t, 40, 56, truth);
        put_frame(root, guess_part, "first", t, 40, 56, guess);
    }
}

/* The second object is never predicted; the third leaves, is predicted while it is away, and comes back. */
static void draw_second(const char *root, const char *truth_part, const char *guess_part)
{
    for (int t = 0; t < 6; t++) {
        const box truth[] = {{1, 3 + t, 8, 20, 17}, {2, 2, 40, 9, 9}, {t == 0 || t == 4 ? 3 : 2, 20, 50, 8, 15}, {0}};
        const box guess[] = {{1, 4 + 2 * t, 7, 21, 16}, {t > 1 ? 3 : 0, 21, 49, 8, 15}, {0}};
        put_frame(root, truth_part, "second_video", t, 33, 70, truth);
        put_frame(root, guess_part, "second_video", t, 33, 70, guess);
    }
}

static const char davis_masks[] = "DAVIS/Annotations/480p";

static void draw_data_set(const char *root)
{
    draw_first(root, davis_masks, "pred");
    draw_second(root, davis_masks, "pred");
    put_text(temporary_path(root, "DAVIS/ImageSets/2017/val.txt"), "second_video\nfirst\n");
}

static const char *data_set_folder(void)
{
    static const char *folder;
    if (!folder) draw_data_set(folder = temporary_folder());
    return folder;
}

/* ---- running the command ---- */

/* Everything a call wrote. */
typedef struct {
    int code;
    char out[8192], err[4096];
} outcome;

static void read_back(FILE *from, char *text, size_t room)
{
    rewind(from);
    text[fread(text, 1, room - 1, from)] = 0;
    fclose(from);
}

/* The arguments are one text, separated by blanks; "@/" stands for the folder of the data set. */
static outcome eval(const char *folder, const char *format)
{
    static outcome result;
    char text[4096] = "eval ", *argv[64], *rest = NULL;
    size_t n = strlen(text);
    for (const char *c = format; *c; c++) {
        if (*c == '@')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", folder);
        else
            text[n++] = *c;
        text[n] = 0;
        ck_assert_uint_lt(n, sizeof text - 1);
    }
    int argc = 0;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
    argv[argc] = NULL;
    fflush(stdout);
    fflush(stderr);
    int kept_out = dup(1), kept_err = dup(2);
    FILE *out = tmpfile(), *err = tmpfile();
    ck_assert(kept_out >= 0 && kept_err >= 0 && out && err && dup2(fileno(out), 1) == 1 && dup2(fileno(err), 2) == 2);
    result.code = reel_command_eval(argc, argv);
    fflush(stdout);
    ck_assert(dup2(kept_out, 1) == 1 && dup2(kept_err, 2) == 2);
    close(kept_out);
    close(kept_err);
    read_back(out, result.out, sizeof result.out);
    read_back(err, result.err, sizeof result.err);
    return result;
}

static void check_file(const char *folder, const char *name, const char *expected)
{
    unsigned char *text;
    size_t bytes;
    ck_assert_int_eq(reel_file_read(temporary_path(folder, name), 1 << 16, &text, &bytes, NULL), REEL_OK);
    ck_assert_str_eq((char *)text, expected);
    reel_free(text);
}

static void check_fails(const char *folder, const char *arguments, int code, const char *says)
{
    outcome o = eval(folder, arguments);
    ck_assert_msg(o.code == code, "%s: exit code %d, expected %d: %s", arguments, o.code, code, o.err);
    ck_assert_msg(strstr(o.err, says) != NULL, "%s: '%s' does not say '%s'", arguments, o.err, says);
}

/* ---- DAVIS and vosbench ---- */

START_TEST(davis2017_tables_are_those_of_its_tool)
{
    const char *folder = data_set_folder();
    ck_assert_int_eq(eval(folder, "--protocol davis2017 --gt @/DAVIS --pred @/pred --out @/out").code, REEL_OK);
    check_file(folder, "out/global_results-val.csv",
               "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay\n"
               "0.449,0.452,0.570,0.097,0.446,0.420,0.112\n");
    check_file(folder, "out/per-sequence_results-val.csv",
               "Sequence,J-Mean,F-Mean\nsecond_video_1,0.580,0.305\nsecond_video_2,0.000,0.000\n"
               "second_video_3,0.423,0.495\nfirst_1,0.706,0.700\nfirst_2,0.552,0.731\n");
}
END_TEST

START_TEST(vosbench_table_is_that_of_its_tool)
{
    const char *folder = data_set_folder();
    ck_assert_int_eq(eval(folder, "--protocol vosbench --gt @/DAVIS --pred @/pred --out @/out").code, REEL_OK);
    check_file(folder, "out/results.csv",
               "sequence    ,obj,  J&F,    J,    F\nGlobal score,   , 29.5, 29.5, 29.5\n"
               "first       ,001, 70.3, 70.6, 70.0\nfirst       ,002, 64.1, 55.2, 73.1\n"
               "first       ,003,  0.0,  0.0,  0.0\nfirst       ,255,  0.0,  0.0,  0.0\n"
               "second_video,001, 44.2, 58.0, 30.5\nsecond_video,002,  0.0,  0.0,  0.0\n"
               "second_video,003, 27.8, 23.0, 32.6\n");
}
END_TEST

START_TEST(tables_are_written_only_when_asked_for)
{
    const char *folder = data_set_folder();
    int before = temporary_entries(temporary_path(folder, "pred"));
    ck_assert_int_eq(eval(folder, "--protocol davis2017 --gt @/DAVIS --pred @/pred").code, REEL_OK);
    ck_assert_int_eq(temporary_entries(temporary_path(folder, "pred")), before);
}
END_TEST

/* One object of 8 x 8; the prediction has its left half. Void and every id count as the object. */
START_TEST(davis2016_takes_every_id_for_the_object)
{
    const char *folder = temporary_folder();
    for (int t = 0; t < 4; t++) {
        const box truth[] = {{255, 2, 2, 8, 8}, {0}}, guess[] = {{1, 2, 2, 4, 4}, {7, 6, 2, 4, 4}, {0}};
        put_frame(folder, "gt/Annotations/480p", "v", t, 16, 16, truth);
        if (t == 1 || t == 2) put_frame(folder, "pred", "v", t, 16, 16, guess);
    }
    outcome o = eval(folder, "--protocol davis2016 --gt @/gt --pred @/pred --json --split all");
    ck_assert_msg(o.code == REEL_OK, "%s", o.err);
    ck_assert_ptr_nonnull(strstr(o.out, "\"v\""));
    ck_assert_ptr_nonnull(strstr(o.out, "\"frames\": 2"));
    ck_assert_ptr_nonnull(strstr(o.out, "\"J\": 0.5,"));
    ck_assert_str_eq(o.err, "");
    put_text(temporary_path(folder, "gt/ImageSets/480p/val.txt"),
             "/JPEGImages/480p/v/00000.jpg /Annotations/480p/v/00000.png\r\n"
             "/JPEGImages/480p/v/00001.jpg /Annotations/480p/v/00001.png\n");
    o = eval(folder, "--protocol davis2016 --gt @/gt --pred @/pred");
    ck_assert_msg(o.code == REEL_OK && strstr(o.out, "480p/val.txt"), "%s%s", o.out, o.err);
}
END_TEST

START_TEST(short_videos_are_skipped_with_a_warning)
{
    const char *folder = temporary_folder();
    const box one[] = {{1, 0, 0, 2, 2}, {0}};
    for (int t = 0; t < 2; t++) put_frame(folder, "gt", "short", t, 4, 4, one);
    ck_assert(!mkdir(temporary_path(folder, "pred"), 0777));
    check_fails(folder, "--protocol davis2016 --gt @/gt --pred @/pred --split all", REEL_BAD_DATA, "no video to score");
    for (int t = 0; t < 3; t++) {
        put_frame(folder, "gt", "long", t, 4, 4, one);
        put_frame(folder, "pred", "long", t, 4, 4, one);
    }
    outcome o = eval(folder, "--protocol davis2016 --gt @/gt --pred @/pred --split all");
    ck_assert_int_eq(o.code, REEL_OK);
    ck_assert_ptr_nonnull(strstr(o.err, "warning: "));
    ck_assert_ptr_nonnull(strstr(o.err, "short is skipped"));
}
END_TEST

/* ---- YouTube-VOS ---- */

/* Five frames. Object 1 (a cat) is matched whole, by half, not at all, whole after its first frame. Object 3 (a fish)
   is listed from frame 10 on but shows first at 15; half of it is found at 20. Object 7, without category, is always
   found. */
static void draw_ytvos(const char *root)
{
    static const box none = {0};
    char frame[128];
    for (int t = 0; t < 5; t++) {
        const box cat = {1, 0, 0, 8, 8}, half_cat = {1, 0, 0, 8, 4}, seven = {7, 0, 12, 3, 3};
        const box fish = {3, 9, 9, 4, 4}, half_fish = {3, 9, 9, 2, 4};
        const box truth[] = {seven, cat, t >= 3 ? fish : none, none};
        const box guess[] = {seven, t == 2 ? half_cat : t == 3 ? seven : cat, t == 4 ? half_fish : none, none};
        put_frame(root, "set/train/Annotations", "0a49f5265b", 5 * t, 16, 16, truth);
        if (t > 0) put_frame(root, "pred/Annotations", "0a49f5265b", 5 * t, 16, 16, guess);
        snprintf(frame, sizeof frame, "set/train/JPEGImages/0a49f5265b/%05d.jpg", 5 * t);
        put_text(temporary_path(root, frame), "not looked at");
    }
    put_text(temporary_path(root, "set/train/meta.json"),
             "{\"videos\": {\"0a49f5265b\": {\"objects\": {"
             "\"1\": {\"category\": \"cat\", \"frames\": [\"00000\", \"00005\", \"00010\", \"00015\", \"00020\"]},"
             "\"3\": {\"category\": \"fish\", \"frames\": [\"00010\", \"00015\", \"00020\"]},"
             "\"7\": {\"frames\": [\"00000\", \"00005\", \"00010\", \"00015\", \"00020\"]}}}}}");
    put_text(temporary_path(root, "seen.json"),
             "{\"videos\": {\"x\": {\"objects\": {\"1\": {\"category\": \"cat\", \"frames\": [\"00000\"]}}}}}");
}

static const char *ytvos_folder(void)
{
    static const char *folder;
    if (!folder) draw_ytvos(folder = temporary_folder());
    return folder;
}

static void check_ytvos(reel_eval_options options, const double j[3], const int frames[3])
{
    reel_eval_plan plan;
    reel_eval_report report;
    reel_error error = {0};
    ck_assert_msg(reel_eval_run(&plan, &report, &options, &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(report.objects, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq_tol(report.object[i].j.mean, j[i], 1e-15);
        ck_assert_int_eq(report.object[i].frames, frames[i]);
    }
    ck_assert_int_eq(report.object[0].seen, 1);
    ck_assert_int_eq(report.object[1].seen, options.seen ? 0 : 1);
    ck_assert_int_eq(report.object[2].seen, -1);
    const double *unseen = options.seen ? &report.object[1].j.mean : NULL;
    ck_assert_double_eq_tol(report.j_seen, unseen ? j[0] : (j[0] + j[1]) / 2, 1e-15);
    ck_assert(unseen ? report.j_unseen == *unseen : isnan(report.j_unseen));
    double sum = report.j_seen + report.f_seen + (unseen ? report.j_unseen + report.f_unseen : 0);
    ck_assert_double_eq_tol(report.overall, sum / (unseen ? 4 : 2), 1e-15);
    reel_eval_free_report(&report);
    reel_eval_free_plan(&plan);
}

START_TEST(ytvos_follows_the_frame_lists)
{
    const char *folder = ytvos_folder();
    char *gt = reel_path(NULL, "%s/set", folder), *pred = reel_path(NULL, "%s/pred", folder);
    char *seen = reel_path(NULL, "%s/seen.json", folder);
    reel_eval_options options = {
        .protocol = REEL_EVAL_YTVOS, .gt = gt, .pred = pred, .seen = seen, .threads = 2, .skip_first_object_frame = 1};
    check_ytvos(options, (double[]){0.625, 0.5, 1}, (int[]){4, 1, 4});
    options.seen = NULL; /* then the training list of the set itself */
    check_ytvos(options, (double[]){0.625, 0.5, 1}, (int[]){4, 1, 4});
    options.skip_first_object_frame = 0;
    check_fails(folder, "--protocol ytvos --gt @/set --pred @/pred --skip-first-object-frame off", REEL_BAD_DATA,
                "00000.png: the prediction is missing");
    const box cat[] = {{1, 0, 0, 8, 8}, {7, 0, 12, 3, 3}, {0}};
    put_frame(pred, "Annotations", "0a49f5265b", 0, 16, 16, cat);
    check_ytvos(options, (double[]){0.7, 0.25, 1}, (int[]){5, 2, 5});
    options.skip_last = 1;
    check_ytvos(options, (double[]){0.625, 0, 1}, (int[]){4, 1, 4});
    ck_assert(!unlink(temporary_path(pred, "Annotations/0a49f5265b/00000.png")));
    reel_free(gt);
    reel_free(pred);
    reel_free(seen);
}
END_TEST

START_TEST(ytvos_prints_its_settings)
{
    outcome o = eval(ytvos_folder(), "--protocol=ytvos --gt=@/set --pred=@/pred --seen=@/seen.json --json --out @/out");
    ck_assert_msg(o.code == REEL_OK, "%s", o.err);
    ck_assert_ptr_nonnull(strstr(o.out, "\"skip-first-object-frame\": true"));
    ck_assert_ptr_nonnull(strstr(o.out, "\"skip-last\": false"));
    ck_assert_ptr_nonnull(strstr(o.out, "\"0a49f5265b_3\""));
    ck_assert_ptr_nonnull(strstr(o.err, "object 3 is listed 1 frames before frame 00015"));
    o = eval(ytvos_folder(), "--protocol ytvos --gt @/set --pred @/pred");
    ck_assert_ptr_nonnull(strstr(o.out, "first frame of an object left out, last counted"));
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(mistakes_end_with_their_code_and_one_line)
{
    const char *folder = temporary_folder(), *set = data_set_folder();
    /* The truth stands in for the predictions and is broken bit by bit. */
    draw_first(folder, "p", "p");
    draw_second(folder, "p", "p");
    char arguments[1024], mask[512];
    snprintf(arguments, sizeof arguments, "--protocol davis2017 --gt %s/DAVIS --pred @/p", set);
    snprintf(mask, sizeof mask, "%s", temporary_path(folder, "p/first/00003.png"));
    const box seven[] = {{7, 0, 0, 4, 4}, {0}};
    put_mask(mask, 40, 56, seven);
    check_fails(folder, arguments, REEL_BAD_DATA,
                "00003.png: the prediction has id 7, but the ids of video first are 1 to 2");
    put_mask(mask, 56, 40, seven);
    check_fails(folder, arguments, REEL_BAD_DATA, "00003.png: the prediction is 56x40 (height x width)");
    put_text(mask, "no picture");
    check_fails(folder, arguments, REEL_BAD_DATA, "00003.png");
    ck_assert(!unlink(mask));
    check_fails(folder, arguments, REEL_BAD_DATA, "00003.png: the prediction is missing");
    ck_assert(!rename(temporary_path(folder, "p/second_video"), mask));
    check_fails(folder, arguments, REEL_BAD_DATA, "second_video: no predictions for video second_video");
    check_fails(set, "--protocol davis2017 --gt @/DAVIS --pred @/none", REEL_IO, "--pred is not a folder");
    check_fails(set, "--protocol davis2017 --gt @/none --pred @/pred", REEL_IO, "--gt is not a folder");
    check_fails(set, "--protocol davis2017 --gt @/DAVIS --pred @/pred --out @/none/out", REEL_IO, "none/out");
    check_fails(set, "--protocol davis2017 --gt @/DAVIS", REEL_USAGE, "--pred is missing");
    check_fails(set, "--protocol davis2018 --gt @/DAVIS --pred @/pred", REEL_USAGE, "davis2018");
    check_fails(set, "--protocol ytvos --gt @/DAVIS --pred @/pred", REEL_IO, "meta.json");
}
END_TEST

START_TEST(masks_that_do_not_belong_together_are_warned_of)
{
    const char *folder = temporary_folder();
    for (int t = 0; t < 4; t++)
        for (int side = 0; side < 2; side++) {
            const box object[] = {{side ? 1 : 255, 0, 0, 8, 8}, {0}};
            put_frame(folder, side ? "pred" : "gt", "v", t, 16, 16, object);
        }
    outcome o = eval(folder, "--protocol vosbench --gt @/gt --pred @/pred");
    ck_assert_int_eq(o.code, REEL_OK);
    ck_assert_ptr_nonnull(strstr(o.err, "1 of the 1 objects in the ground truth are predicted nowhere"));
    check_fails(folder, "--protocol davis2017 --gt @/gt --pred @/pred --split all", REEL_BAD_DATA,
                "masks of 0 and 255 are for --protocol davis2016");
}
END_TEST

/* Every allocation refused once: always a clean failure, and no leak for the sanitizer to find. */
START_TEST(refused_memory_is_an_error_everywhere)
{
    static const char *const arguments[] = {"--protocol davis2017 --threads 1 --out @/out --gt @/DAVIS --pred @/pred",
                                            "--protocol ytvos --threads 1 --gt @/set --pred @/pred --seen @/seen.json"};
    for (int k = 0; k < 2; k++) {
        const char *folder = k ? ytvos_folder() : data_set_folder();
        uint64_t allocations = 0;
        for (uint64_t n = 0; n <= allocations; n++) {
            reel_alloc_fail(n, false);
            int code = eval(folder, arguments[k]).code;
            if (n == 0) allocations = reel_alloc_count();
            ck_assert_msg(code == (n ? REEL_ENVIRONMENT : REEL_OK), "allocation %d of %d: exit code %d", (int)n,
                          (int)allocations, code);
        }
        reel_alloc_fail(0, false);
        ck_assert_uint_gt(allocations, 100);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        davis2017_tables_are_those_of_its_tool,
        vosbench_table_is_that_of_its_tool,
        tables_are_written_only_when_asked_for,
        davis2016_takes_every_id_for_the_object,
        short_videos_are_skipped_with_a_warning,
        ytvos_follows_the_frame_lists,
        ytvos_prints_its_settings,
        mistakes_end_with_their_code_and_one_line,
        masks_that_do_not_belong_together_are_warned_of,
        refused_memory_is_an_error_everywhere,
    };
    return tiny_suite("eval", tests, sizeof tests / sizeof *tests);
}
