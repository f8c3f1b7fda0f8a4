/* Data set layouts with one fault planted at a time: every fault must stop opening, and verifying must name it. And
   memory refused at every allocation. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "datasets/dataset.h"
#include "datasets/youtube_vos.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"
#include "tests/support/trees.h"

/* ---- DAVIS with one fault ---- */

static void list_fault(const char *list, size_t bytes, const char *words)
{
    make_davis();
    put(list, bytes, "ImageSets/2017/train.txt");
    one_fault("train", true, words);
}

START_TEST(bad_lists_are_told_by_line)
{
    list_fault("dog\n../dog\n", 11, "line 2: \"../dog\": the name has a slash");
    list_fault("..\ndog", 6, "line 1: \"..\": the name begins with a dot");
    list_fault("dog\n/etc/passwd", 15, "has a slash");
    list_fault("dog\nJPEGImages/480p/../00000.jpg x", 34, "begins with a dot");
    list_fault("dog\na\tb", 7, "line 2: \"a?b\": the name has a control character");
    list_fault("dog\na\0b", 7, "control character");
    list_fault("dog\ntwo words\ndog\n", 18, "lists video dog twice");
    list_fault("\xef\xbb\xbf \r\n\n", 7, "lists no videos");
    list_fault("", 0, "lists no videos");
    list_fault("dog\ncat\n", 8, F "cat: the folder of frames is missing");
    static char megabyte[1 << 20];
    memset(megabyte, 'x', sizeof megabyte);
    memcpy(megabyte, "dog\n", 4);
    list_fault(megabyte, sizeof megabyte, "line 2");
}
END_TEST

static void davis_fault(bool also_opening, const char *words)
{
    one_fault("val", also_opening, words);
}

START_TEST(faults_of_davis_are_found_one_by_one)
{
    make_davis();
    take_away(F "dog/00002.jpg");
    take_away(A "dog/00002.png");
    davis_fault(true, "00003.jpg: the frame before it, number 2, is missing");
    take_away(F "dog/00003.jpg");
    take_away(A "dog/00003.png");
    davis_fault(true, "00004.jpg: the frames before it, numbers 2 to 3, are missing");

    make_davis();
    take_away(F "dog/00004.jpg");
    davis_fault(true, A "dog/00004.png: the mask has no frame");

    make_davis();
    take_away(A "dog/00003.png");
    davis_fault(true, A "dog/00003.png: the mask is missing");

    make_davis();
    put("", 0, F "dog/00002.png");
    davis_fault(true, "00002.png: is frame number 2 a second time");

    make_davis();
    put_mask(A "dog", 2, "13");
    put(png.data, png.bytes, A "dog/00002.PNG");
    davis_fault(true, "00002.png: is a second mask of frame 00002");

    make_davis();
    put("", 0, F "dog/cover.jpg");
    davis_fault(true, "dog/cover.jpg: expected a frame number");
    take_away(F "dog/cover.jpg");
    put("", 0, F "dog/1\n2.jpg");
    davis_fault(true, "1?2.jpg: expected a frame number");

    make_davis();
    put_mask(A "dog", 0, "");
    davis_fault(true, "00000.png: the first mask shows no object");

    make_davis();
    put_mask(A "dog", 3, "134");
    davis_fault(false, "00003.png: the mask shows object 4");

    make_davis();
    mask_with("13", WIDTH + 1);
    put(png.data, png.bytes, A "dog/00003.png");
    davis_fault(false, "00003.png: the mask is 7 x 4, expected 6 x 4 as its frame");
    reel_dataset set = opened(REEL_DAVIS2017, "val");
    reel_mask mask;
    reel_error error = {0};
    ck_assert_int_eq(set.read_mask(&set, 0, 3, &mask, &error), REEL_BAD_DATA);
    ck_assert(!mask.id && strstr(error.text, "expected 6 x 4"));
    reel_dataset_close(&set);
}
END_TEST

START_TEST(damaged_pictures_are_found)
{
    make_davis();
    put("", 0, F "dog/00001.jpg");
    davis_fault(false, "00001.jpg: the file is empty");
    make_davis();
    ck_assert_int_eq(truncate(temporary_path(root, F "dog/00004.jpg"), 300), 0);
    davis_fault(false, "00004.jpg: the JPEG is damaged");
    make_davis();
    ck_assert_int_eq(truncate(temporary_path(root, A "dog/00004.png"), 100), 0);
    davis_fault(false, "00004.png: the PNG ends too early");
    make_davis();
    ck_assert_int_eq(truncate(temporary_path(root, A "dog/00000.png"), 100), 0);
    davis_fault(true, "00000.png: the PNG ends too early");
    make_davis();
    png_flat(&png, WIDTH, HEIGHT, 8, PNG_RGB, 1);
    put(png.data, png.bytes, A "dog/00001.png");
    davis_fault(false, "00001.png: the mask is an RGB picture");
    make_davis();
    take_away(F "dog/00003.jpg");
    ck_assert_int_eq(mkfifo(temporary_path(root, F "dog/00003.jpg"), 0600), 0);
    davis_fault(false, "00003.jpg: is a pipe");
    make_davis();
    png_flat(&png, WIDTH + 2, HEIGHT, 8, PNG_RGB, 1);
    take_away(F "dog/00002.jpg");
    put(png.data, png.bytes, F "dog/00002.png");
    mask_with("13", WIDTH + 2);
    put(png.data, png.bytes, A "dog/00002.png");
    davis_fault(false, "00002.png: the frame is 8 x 4, expected 6 x 4 as the video's first frame");
}
END_TEST

START_TEST(empty_videos_and_empty_masks_are_found)
{
    make_davis();
    for (int i = 0; i < 5; i++) take_away(F "dog/%05d.jpg", i), take_away(A "dog/%05d.png", i);
    davis_fault(true, F "dog: the video has no frames");
    make_davis();
    for (int i = 0; i < 5; i++) put_mask(A "dog", i, "");
    put_text("ImageSets/2016/val.txt", "dog");
    ck_assert_int_eq(verify(root, REEL_DAVIS2016, "val"), 1);
    ck_assert_ptr_nonnull(strstr(reports, "video dog: object 1 has no pixel in any mask"));
}
END_TEST

/* ---- YouTube-VOS with one fault ---- */

static void meta_fault(const char *text, const char *words)
{
    make_youtube_vos();
    put_text("train/meta.json", text);
    one_fault("train", true, words);
}

#define A1 "\"a1\": {\"objects\": {\"254\": {\"frames\": [\"00000\"]}}}"
#define A1_WITH(more) "{\"videos\": {\"a1\": {\"objects\": {\"254\": {\"frames\": [\"00000\"]}, " more "}}}}"

START_TEST(faults_of_meta_json_are_named)
{
    meta_fault("{}", "has no videos");
    meta_fault("[1]", "has no videos");
    meta_fault("7", "has no videos");
    meta_fault("{\"videos\": {}}", "has no videos");
    meta_fault("{\"videos\": [\"a1\"]}", "has no videos");
    meta_fault("{\"videos\": {" A1 ", \"zz\": {\"objects\": {\"1\": {\"frames\": [\"00000\"]}}}}}",
               TF "zz: the folder of frames is missing");
    meta_fault("{\"videos\": {" A1 ", \"../../x\": {}}}", "video \"../../x\": the name has a slash");
    meta_fault("{\"videos\": {" A1 ", \"\": {}}}", "the name is empty");
    meta_fault("{\"videos\": {" A1 ", \"b\\n0\": {}}}", "video \"b?0\": the name has a control character");
    meta_fault("{\"videos\": {\"a1\": {}}}", "video a1 has no objects");
    meta_fault("{\"videos\": {\"a1\": 5}}", "video a1 has no objects");
    meta_fault("{\"videos\": {\"a1\": {\"objects\": []}}}", "video a1 has no objects");
    const char *ids[] = {"0", "255", "256", "x", "-1", "01", "1.0", "", "99999999999"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char text[256], words[64];
        snprintf(text, sizeof text, A1_WITH("\"%s\": {\"frames\": [\"00000\"]}"), ids[i]);
        snprintf(words, sizeof words, "video a1: object id \"%s\", expected a number 1..254", ids[i]);
        meta_fault(text, words);
    }
    meta_fault(A1_WITH("\"x\": 1"), "object id \"x\"");
}
END_TEST

START_TEST(faults_of_lists_of_frames_are_named)
{
    make_youtube_vos();
    put_mask(TA "a1", 0, "2"); /* so that objects 2 and 254 may be listed; 254 then has no pixel */
    put_text("train/meta.json", A1_WITH("\"2\": {\"frames\": [\"00000\"]}"));
    one_fault("train", false, "video a1: object 254 has no pixel in any mask");
    const char *objects[][2] = {
        {"{\"frames\": [\"00000\", \"00005\"]}",
         TF "a1: frame \"00005\" is missing, which meta.json lists for object 2"},
        {"{\"frames\": [\"00000\", \"0\"]}", "frame \"0\" is missing"},
        {"{\"frames\": [\"00000\", 0]}", "object 2: a frame is not a plain string"},
        {"{\"frames\": [\"00000\", \"00000\\u0000\"]}", "object 2: a frame is not a plain string"},
        {"{\"frames\": []}", "object 2 has no list of frames"},
        {"{\"frames\": {\"00000\": 1}}", "object 2 has no list of frames"},
        {"{}", "object 2 has no list of frames"},
        {"null", "object 2 has no list of frames"},
    };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        uint8_t ids[PIXELS] = {254, 2};
        char text[256];
        png_mask(&png, WIDTH, HEIGHT, ids);
        put(png.data, png.bytes, TA "a1/00000.png");
        snprintf(text, sizeof text, A1_WITH("\"2\": %s"), objects[i][0]);
        put_text("train/meta.json", text);
        one_fault("train", true, objects[i][1]);
    }
}
END_TEST

START_TEST(meta_json_must_be_json)
{
    const char *texts[] = {
        "",     "{",   "{\"videos\": {}", "{\"a\": 1, \"a\": 2}", "{\"videos\": {" A1 ", " A1 "}}", "{\"a\": 'x'}",
        "{} x", "\xff"};
    make_youtube_vos();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_text("train/meta.json", texts[i]);
        cannot_open(root, REEL_YOUTUBE_VOS, "train", REEL_BAD_DATA, "is not valid JSON");
    }
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    put(deep, sizeof deep, "train/meta.json");
    cannot_open(root, REEL_YOUTUBE_VOS, "train", REEL_BAD_DATA, "is not valid JSON");
}
END_TEST

START_TEST(faults_of_youtube_vos_files_are_found)
{
    make_youtube_vos();
    take_away(TF "b0/00015.jpg");
    ck_assert_int_eq(verify(root, REEL_ANY_LAYOUT, NULL), 3); /* the mask without frame, and the lists of two objects */
    ck_assert_ptr_nonnull(strstr(reports, TA "b0/00015.png: the mask has no frame"));
    ck_assert_ptr_nonnull(strstr(reports, "frame \"00015\" is missing, which meta.json lists for object 1"));
    ck_assert_ptr_nonnull(strstr(reports, "frame \"00015\" is missing, which meta.json lists for object 3"));

    make_youtube_vos();
    put_mask(TA "b0", 15, "135");
    one_fault(NULL, false, "00015.png: the mask shows object 5, which the data set does not list for video b0");

    make_youtube_vos();
    take_away(TA "a1/00000.png");
    one_fault(NULL, true, "a1/00000.png: the mask is missing, which meta.json lists for object 254");

    make_youtube_vos();
    take_away("valid/Annotations/a1/00000.png");
    one_fault("valid", true, "object 254 has no mask at any frame that meta.json lists");

    make_youtube_vos();
    put_mask(TA "b0", 10, "1"); /* listed a little too early, as real lists do: not a fault */
    verifies_clean(REEL_YOUTUBE_VOS, "train");
}
END_TEST

START_TEST(all_faults_are_listed_at_once)
{
    make_davis();
    put_text("ImageSets/2017/train.txt", "dog\n../x\ncat\ntwo words\n");
    put("", 0, F "dog/00001.jpg");
    take_away(A "dog/00002.png");
    ck_assert_int_eq(truncate(temporary_path(root, A "dog/00000.png"), 100), 0);
    put_mask(A "two words", 4, "1379");
    take_away(F "two words/00001.jpg");
    const char *expected[] = {"line 2",
                              "cat: the folder",
                              "dog/00001.jpg: the file is empty",
                              "dog/00002.png: the mask is missing",
                              "dog/00000.png: the PNG ends",
                              "shows object 7",
                              "shows object 9",
                              "number 1, is missing",
                              "two words/00001.png: the mask has no frame"};
    int count = sizeof expected / sizeof *expected;
    ck_assert_msg(verify(root, REEL_ANY_LAYOUT, NULL) == count, "%s", reports);
    ck_assert_int_eq(reel_dataset_verify(root, REEL_ANY_LAYOUT, NULL, NULL, NULL, NULL), count);
    for (int i = 0; i < count; i++)
        ck_assert_msg(strstr(reports, expected[i]), "%s missing in %s", expected[i], reports);
}
END_TEST

/* ---- refused memory ---- */

static void *counted_malloc(size_t bytes)
{
    return reel_alloc_raw(bytes, 1);
}

static reel_status open_and_read(reel_layout layout, reel_error *error)
{
    reel_dataset set;
    reel_image image = {0};
    reel_mask mask = {0};
    reel_status status = reel_dataset_open(&set, root, layout, "train", error);
    if (status != REEL_OK) return status;
    ck_assert_int_eq(set.videos, 2);
    ck_assert_int_eq(set.video[1].objects, layout == REEL_DAVIS2016 ? 1 : 2);
    status = set.read_frame(&set, 1, 0, &image, error);
    if (status == REEL_OK) status = set.read_mask(&set, 1, 0, &mask, error);
    reel_image_free(&image);
    reel_mask_free(&mask);
    reel_dataset_close(&set);
    return status;
}

static reel_status verify_status(reel_layout layout, reel_error *error)
{
    int faults = reel_dataset_verify(root, layout, "train", note, reports, error);
    ck_assert_int_le(faults, 0);
    return error->status;
}

static void fail_every_allocation(reel_status (*work)(reel_layout, reel_error *), reel_layout layout)
{
    for (int all_after = 0; all_after < 2; all_after++) {
        uint64_t n = 1;
        for (;; n++) {
            reel_error error = {0};
            reel_alloc_fail(n, all_after);
            reel_status status = work(layout, &error);
            reel_alloc_fail(0, false);
            ck_assert_int_eq(status, error.status);
            if (status == REEL_OK) break;
            /* jansson takes a string that it has no memory for as a mistake in the text */
            if (strstr(error.text, "is not valid JSON")) status = REEL_ENVIRONMENT;
            ck_assert_msg(status == REEL_ENVIRONMENT, "allocation %llu: %s", (unsigned long long)n, error.text);
        }
        ck_assert_uint_ge(n, 40);
    }
}

START_TEST(refused_memory_is_an_error_everywhere)
{
    json_malloc_t old_malloc;
    json_free_t old_free;
    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(counted_malloc, reel_free);
    make_davis();
    put_text("ImageSets/2016/train.txt", "dog\ntwo words\n");
    fail_every_allocation(open_and_read, REEL_DAVIS2016);
    fail_every_allocation(open_and_read, REEL_DAVIS2017);
    fail_every_allocation(verify_status, REEL_DAVIS2017);
    make_youtube_vos();
    fail_every_allocation(open_and_read, REEL_YOUTUBE_VOS);
    fail_every_allocation(verify_status, REEL_YOUTUBE_VOS);
    json_set_alloc_funcs(old_malloc, old_free);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        bad_lists_are_told_by_line,    faults_of_davis_are_found_one_by_one,
        damaged_pictures_are_found,    empty_videos_and_empty_masks_are_found,
        faults_of_meta_json_are_named, faults_of_lists_of_frames_are_named,
        meta_json_must_be_json,        faults_of_youtube_vos_files_are_found,
        all_faults_are_listed_at_once, refused_memory_is_an_error_everywhere,
    };
    return tiny_suite("dataset_faults", tests, sizeof tests / sizeof *tests);
}
