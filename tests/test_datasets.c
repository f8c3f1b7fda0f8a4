/* Data set layouts: generated DAVIS and YouTube-VOS trees, sound and with one fault planted at a time; every fault must
   stop opening, and verifying must name it. The clips of DAVIS and a suite of JSON texts come from ../shared/data where
   they are present. */
#include <check.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "datasets/clip.h"
#include "datasets/dataset.h"
#include "datasets/youtube_vos.h"
#include "tests/support/pictures.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

#define DAVIS "../shared/data/davis"

/* ---- making trees ---- */

enum { WIDTH = 6, HEIGHT = 4, PIXELS = WIDTH * HEIGHT };

static png_text png;
static const char *root;

/* A new, empty root. */
static void fresh(void)
{
    static const char *all;
    static char path[600];
    static int trees;
    if (!all) all = temporary_folder();
    snprintf(path, sizeof path, "%s/%d", all, trees++);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    root = path;
}

/* Creates root/path, with the folders above it. */
__attribute__((format(printf, 3, 4))) static void put(const void *data, size_t bytes, const char *format, ...)
{
    char path[1024];
    int start = snprintf(path, sizeof path, "%s/", root);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path + start, sizeof path - (size_t)start, format, arguments);
    va_end(arguments);
    for (char *slash = path + start; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    ck_assert_msg(temporary_file(path, data, bytes), "%s", path);
}

static void put_text(const char *path, const char *text)
{
    put(text, strlen(text), "%s", path);
}

__attribute__((format(printf, 1, 2))) static void take_away(const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    ck_assert_msg(unlink(temporary_path(root, name)) == 0, "%s", name);
}

/* A mask whose first pixels show the ids of the string, one digit each. */
static void mask_with(const char *digits, uint32_t width)
{
    uint8_t ids[PIXELS * 4] = {0};
    for (size_t i = 0; digits[i]; i++) ids[i] = (uint8_t)(digits[i] - '0');
    png_mask(&png, width, HEIGHT, ids);
}

static void put_frame(const char *folder, int number)
{
    static unsigned char *jpeg;
    static size_t bytes;
    if (!jpeg) jpeg = jpeg_pattern(WIDTH, HEIGHT, 3, JPEG_BASELINE, &bytes);
    put(jpeg, bytes, "%s/%05d.jpg", folder, number);
}

static void put_mask(const char *folder, int number, const char *digits)
{
    mask_with(digits, WIDTH);
    put(png.data, png.bytes, "%s/%05d.png", folder, number);
}

#define F "JPEGImages/480p/"
#define A "Annotations/480p/"

/* Two videos of five frames with objects 1 and 3, and the lists of 2017 (train: both, val: dog, test-dev: dog). */
static void make_davis(void)
{
    fresh();
    for (int i = 0; i < 5; i++) {
        put_frame(F "dog", i);
        put_mask(A "dog", i, "13");
        put_frame(F "two words", i);
        put_mask(A "two words", i, "1003");
    }
    put_text("ImageSets/2017/train.txt", "two words\ndog\n");
    put_text("ImageSets/2017/val.txt", "dog");
    put_text("ImageSets/2017/test-dev.txt", "dog\n");
}

#define TF "train/JPEGImages/"
#define TA "train/Annotations/"

static const char *const meta =
    "{\"made by\": 7, \"videos\": {\n"
    " \"b0\": {\"objects\": {\"3\": {\"category\": \"seal\", \"frames\": [\"00020\", \"00010\", \"00015\"]},\n"
    "                   \"1\": {\"frames\": [\"00005\", \"00010\", \"00010\", \"00015\", \"00020\"], \"x\": []}}},\n"
    " \"a1\": {\"objects\": {\"254\": {\"category\": null, \"frames\": [\"00000\"]}}}}}\n";

/* Video a1 with one frame; b0 with frames 5, 10, 15, 20, where object 3 comes late. A train and a valid split. */
static void make_youtube_vos(void)
{
    uint8_t ids[PIXELS] = {254, 255};
    fresh();
    put_text("train/meta.json", meta);
    put_text("valid/meta.json", meta);
    for (int split = 0; split < 2; split++) {
        const char *name = split ? "valid" : "train";
        char frames[64], masks[64];
        snprintf(frames, sizeof frames, "%s/JPEGImages/b0", name);
        snprintf(masks, sizeof masks, "%s/Annotations/b0", name);
        for (int i = 5; i <= 20; i += 5) put_frame(frames, i);
        put_mask(masks, 5, "1");
        put_mask(masks, 10, "13");
        for (int i = 15; i <= 20 && !split; i += 5) put_mask(masks, i, "13");
        snprintf(frames, sizeof frames, "%s/JPEGImages/a1", name);
        put_frame(frames, 0);
        png_mask(&png, WIDTH, HEIGHT, ids);
        put(png.data, png.bytes, "%s/Annotations/a1/00000.png", name);
    }
}

/* ---- asking ---- */

static char reports[1 << 16];
static int lines;

static void note(void *to, const char *fault)
{
    ck_assert_ptr_eq(to, reports);
    ck_assert_ptr_null(strchr(fault, '\n'));
    strncat(reports, fault, sizeof reports - strlen(reports) - 1);
    strncat(reports, "\n", sizeof reports - strlen(reports) - 1);
    lines++;
}

/* The number of faults, which must also be the number of reports. */
static int verify(const char *folder, reel_layout layout, const char *split)
{
    reel_error error = {0};
    reports[0] = 0;
    lines = 0;
    int faults = reel_dataset_verify(folder, layout, split, note, reports, &error);
    if (faults < 0)
        ck_assert_int_ne(error.status, REEL_OK);
    else
        ck_assert_int_eq(faults, lines);
    return faults;
}

static void verifies_clean(reel_layout layout, const char *split)
{
    ck_assert_msg(verify(root, layout, split) == 0, "%s", reports);
}

/* Verifying finds exactly one fault, whose line has the words; `also_opening`: opening fails with the same line. */
static void one_fault(const char *split, bool also_opening, const char *words)
{
    reel_dataset set;
    reel_error error = {0};
    int faults = verify(root, REEL_ANY_LAYOUT, split);
    ck_assert_msg(faults == 1, "%d faults, expected one with \"%s\": %s", faults, words, reports);
    ck_assert_msg(strstr(reports, words), "expected \"%s\" in %s", words, reports);
    reel_status status = reel_dataset_open(&set, root, REEL_ANY_LAYOUT, split, &error);
    if (also_opening) {
        ck_assert_int_ne(status, REEL_OK);
        ck_assert_msg(strstr(error.text, words), "expected \"%s\" in %s", words, error.text);
        ck_assert_ptr_null(set.video);
    } else {
        ck_assert_msg(status == REEL_OK, "%s", error.text);
        reel_dataset_close(&set);
    }
}

/* Opening fails with this status and these words; verifying fails or names them too. */
static void cannot_open(const char *folder, reel_layout layout, const char *split, reel_status status,
                        const char *words)
{
    reel_dataset set;
    reel_error error = {0};
    ck_assert_int_eq(reel_dataset_open(&set, folder, layout, split, &error), status);
    ck_assert_int_eq(error.status, status);
    ck_assert_msg(strstr(error.text, words), "expected \"%s\" in %s", words, error.text);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    ck_assert(set.videos == 0 && !set.video && !set.name);
    ck_assert_int_ne(verify(folder, layout, split), 0);
}

static reel_dataset opened(reel_layout layout, const char *split)
{
    reel_dataset set;
    reel_error error = {0};
    ck_assert_msg(reel_dataset_open(&set, root, layout, split, &error) == REEL_OK, "%s", error.text);
    return set;
}

/* ---- sound trees ---- */

START_TEST(davis_2017_opens)
{
    make_davis();
    reel_dataset set = opened(REEL_ANY_LAYOUT, NULL);
    reel_image image;
    reel_mask mask;
    reel_error error = {0};
    ck_assert_int_eq(set.videos, 2);
    ck_assert_str_eq(set.name, root);
    ck_assert_int_eq(reel_dataset_find(&set, "two words"), 0); /* the order of the list */
    ck_assert_int_eq(reel_dataset_find(&set, "dog"), 1);
    ck_assert_int_eq(reel_dataset_find(&set, "cat"), -1);
    const reel_video *dog = &set.video[1];
    ck_assert_int_eq(dog->frames, 5);
    ck_assert_str_eq(dog->frame[4], "00004");
    ck_assert_int_eq(dog->objects, 2);
    ck_assert(dog->object[0].id == 1 && dog->object[1].id == 3 && !dog->object[1].category);
    ck_assert(dog->object[1].first == 0 && dog->object[1].listed[4]);
    ck_assert_int_eq(set.read_frame(&set, 1, 2, &image, &error), REEL_OK);
    ck_assert_int_eq(set.read_mask(&set, 1, 2, &mask, &error), REEL_OK);
    ck_assert(image.width == WIDTH && mask.width == WIDTH && mask.id[0] == 1 && mask.id[1] == 3);
    reel_image_free(&image);
    reel_mask_free(&mask);
    ck_assert_int_eq(set.read_frame(&set, 1, 5, &image, NULL), REEL_USAGE);
    ck_assert_int_eq(set.read_frame(&set, 2, 0, &image, NULL), REEL_USAGE);
    ck_assert_int_eq(set.read_mask(&set, -1, 0, &mask, NULL), REEL_USAGE);
    reel_dataset_close(&set);
    reel_dataset_close(&set); /* harmless */
    verifies_clean(REEL_ANY_LAYOUT, NULL);
    ck_assert_int_eq(reel_dataset_verify(root, REEL_DAVIS2017, "val", NULL, NULL, NULL), 0);
}
END_TEST

START_TEST(davis_test_splits_need_first_masks_only)
{
    make_davis();
    for (int i = 1; i < 5; i++) take_away(A "dog/%05d.png", i);
    verifies_clean(REEL_DAVIS2017, "test-dev");
    reel_dataset set = opened(REEL_DAVIS2017, "test-dev");
    reel_mask mask;
    ck_assert_int_eq(set.read_mask(&set, 0, 3, &mask, NULL), REEL_OK);
    ck_assert(mask.width == 0 && !mask.id);
    ck_assert(set.video[0].object[0].listed[3]);
    reel_dataset_close(&set);
    cannot_open(root, REEL_DAVIS2017, "val", REEL_IO, A "dog/00001.png: the mask is missing");
    ck_assert_int_eq(verify(root, REEL_DAVIS2017, "val"), 4);
}
END_TEST

START_TEST(davis_2016_is_binary)
{
    make_davis();
    const char *pairs = "\xef\xbb\xbf/JPEGImages/480p/dog/00000.jpg /Annotations/480p/dog/00000.png\r\n"
                        "JPEGImages/480p/dog/00001.jpg Annotations/480p/dog/00001.png\r\n\r\n"
                        "  /JPEGImages/480p/two words/00000.jpg /Annotations/480p/two words/00000.png 1 0\r\n  \r\n";
    put_text("ImageSets/480p/train.txt", pairs);
    reel_dataset set = opened(REEL_DAVIS2016, "train");
    reel_mask mask;
    ck_assert_int_eq(set.videos, 2);
    ck_assert_str_eq(set.video[0].name, "dog");
    ck_assert_int_eq(set.video[0].frames, 5);
    ck_assert(set.video[0].objects == 1 && set.video[0].object[0].id == 1);
    ck_assert_int_eq(set.read_mask(&set, 0, 0, &mask, NULL), REEL_OK);
    ck_assert(mask.id[0] == 1 && mask.id[1] == 1 && mask.id[2] == 0);
    reel_mask_free(&mask);
    reel_dataset_close(&set);
    verifies_clean(REEL_DAVIS2016, "train");
    put_text("ImageSets/2016/train.txt", "dog\n"); /* preferred to the older list */
    set = opened(REEL_DAVIS2016, NULL);
    ck_assert_int_eq(set.videos, 1);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(davis_without_lists_takes_every_folder)
{
    fresh();
    put_frame(F "zebra", 3);
    put_frame(F "zebra", 4);
    put_mask(A "zebra", 3, "7");
    put_frame(F "ape", 0);
    put_mask(A "ape", 0, "2");
    put_text(F "notes.txt", "not a video");
    put_text(F "ape/.hidden.jpg", "");
    put_text(F "ape/readme.txt", "");
    reel_dataset set = opened(REEL_ANY_LAYOUT, "val");
    ck_assert_int_eq(set.videos, 2);
    ck_assert_str_eq(set.video[0].name, "ape");
    ck_assert_int_eq(set.video[1].object[0].id, 7);
    ck_assert_ptr_null(set.video[1].mask_path[1]);
    reel_dataset_close(&set);
    verifies_clean(REEL_ANY_LAYOUT, NULL);
    png_flat(&png, WIDTH, HEIGHT, 8, PNG_GREY, 255);
    put(png.data, png.bytes, A "ape/00000.png"); /* grey in the first video: taken for 2016 */
    set = opened(REEL_ANY_LAYOUT, NULL);
    ck_assert_int_eq(set.video[1].object[0].id, 1);
    reel_dataset_close(&set);
    set = opened(REEL_DAVIS2016, NULL);
    ck_assert_int_eq(set.video[0].object[0].id, 1);
    reel_dataset_close(&set);
}
END_TEST

/* Clips of size 4 x 6 from a set of which some frames have no mask; all frames of all clips must be among those that
   have one. */
static void clips_have_masks(reel_layout layout, const char *split)
{
    reel_dataset set = opened(layout, split);
    reel_clip_options options = {.frames = 4, .height = HEIGHT, .width = WIDTH, .reverse = true, .max_step = 2};
    for (options.seed = 0; options.seed < 20; options.seed++) {
        reel_clip clip;
        reel_error error = {0};
        ck_assert_msg(reel_clip_sample(&clip, &set, &options, 0, &error) == REEL_OK, "%s", error.text);
        for (int k = 0; k < clip.frames; k++) ck_assert(clip.valid[k]);
        reel_clip_free(&clip);
    }
    reel_dataset_close(&set);
}

static void no_clip(reel_layout layout, const char *split)
{
    reel_dataset set = opened(layout, split);
    reel_clip_options options = {.frames = 2, .height = HEIGHT, .width = WIDTH, .max_step = 1};
    reel_clip clip;
    reel_error error = {0};
    ck_assert_int_eq(reel_clip_sample(&clip, &set, &options, 0, &error), REEL_BAD_DATA);
    ck_assert_msg(strstr(error.text, "two annotated frames"), "%s", error.text);
    reel_dataset_close(&set);
}

START_TEST(clips_use_frames_with_masks_only)
{
    fresh();
    for (int i = 0; i < 30; i++) put_frame(F "cat", i);
    put_mask(A "cat", 0, "1");
    no_clip(REEL_ANY_LAYOUT, NULL);
    put_mask(A "cat", 20, "1");
    clips_have_masks(REEL_ANY_LAYOUT, NULL);
    clips_have_masks(REEL_DAVIS2016, NULL);
    make_davis();
    for (int i = 1; i < 5; i++) take_away(A "dog/%05d.png", i);
    no_clip(REEL_ANY_LAYOUT, "test-dev");
    make_youtube_vos();
    clips_have_masks(REEL_YOUTUBE_VOS, "valid");
}
END_TEST

START_TEST(youtube_vos_opens)
{
    make_youtube_vos();
    reel_dataset set = opened(REEL_ANY_LAYOUT, NULL);
    ck_assert_int_eq(set.videos, 2);
    ck_assert_str_eq(set.video[0].name, "a1");
    ck_assert_int_eq(set.video[0].object[0].id, 254);
    ck_assert_ptr_null(set.video[0].object[0].category);
    const reel_video *b = &set.video[1];
    ck_assert_int_eq(b->frames, 4);
    ck_assert_str_eq(b->frame[0], "00005");
    ck_assert_int_eq(b->objects, 2);
    ck_assert(b->object[0].id == 1 && b->object[0].first == 0 && b->object[0].listed[3]);
    ck_assert(b->object[1].id == 3 && b->object[1].first == 1 && !b->object[1].listed[0] && b->object[1].listed[1]);
    ck_assert_str_eq(b->object[1].category, "seal");
    reel_dataset_close(&set);
    verifies_clean(REEL_ANY_LAYOUT, NULL);
    verifies_clean(REEL_YOUTUBE_VOS, "train");
    verifies_clean(REEL_YOUTUBE_VOS, "valid");

    set = opened(REEL_YOUTUBE_VOS, "valid");
    reel_mask mask;
    ck_assert_int_eq(set.read_mask(&set, 1, 3, &mask, NULL), REEL_OK);
    ck_assert_int_eq(mask.width, 0);
    ck_assert(set.video[1].object[1].first == 1 && set.video[1].object[1].listed[3]);
    reel_dataset_close(&set);
}
END_TEST

START_TEST(youtube_vos_opens_at_the_split_too)
{
    make_youtube_vos();
    cannot_open(root, REEL_ANY_LAYOUT, "val", REEL_IO,
                "has no val/meta.json; the splits of YouTube-VOS are train, valid");
    const char *split = temporary_path(root, "valid/");
    reel_dataset set;
    reel_error error = {0};
    ck_assert_msg(reel_dataset_open(&set, split, REEL_ANY_LAYOUT, NULL, &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(set.videos, 2);
    reel_dataset_close(&set);
    ck_assert_int_eq(verify(split, REEL_ANY_LAYOUT, "valid"), 0);
    cannot_open(split, REEL_ANY_LAYOUT, "test", REEL_USAGE, "the folder of another one");
    take_away("train/Annotations/b0/00015.png");
    cannot_open(temporary_path(root, "train"), REEL_YOUTUBE_VOS, NULL, REEL_IO, "00015.png: the mask is missing");
}
END_TEST

/* ---- folders that are no data sets ---- */

START_TEST(what_is_no_data_set_is_told)
{
    fresh();
    cannot_open(root, REEL_ANY_LAYOUT, NULL, REEL_BAD_DATA, "is no data set that is known");
    cannot_open(root, REEL_ANY_LAYOUT, "val", REEL_BAD_DATA, "val/meta.json");
    cannot_open(root, REEL_DAVIS2017, NULL, REEL_IO, "JPEGImages/480p");
    cannot_open(root, REEL_YOUTUBE_VOS, NULL, REEL_IO, "meta.json");
    cannot_open(temporary_path(root, "missing"), REEL_ANY_LAYOUT, NULL, REEL_IO, "missing");
    cannot_open(root, REEL_ANY_LAYOUT, "../../etc/passwd", REEL_USAGE, "split");
    cannot_open(root, REEL_ANY_LAYOUT, "", REEL_USAGE, "is empty");
    put_text("file", "");
    cannot_open(temporary_path(root, "file"), REEL_ANY_LAYOUT, NULL, REEL_IO, "not a folder");
    put_text("JPEGImages/480p/notes.txt", "");
    cannot_open(root, REEL_ANY_LAYOUT, NULL, REEL_BAD_DATA, "has no folders of frames");
    put_frame(F "dog\n", 0);
    cannot_open(root, REEL_ANY_LAYOUT, NULL, REEL_BAD_DATA, "the name \"dog?\" has a control character");
    make_davis();
    cannot_open(root, REEL_DAVIS2016, NULL, REEL_IO,
                "480p/train.txt: not found, check the split; the lists there are: none");
    cannot_open(root, REEL_DAVIS2017, "val2", REEL_IO,
                "2017/val2.txt: not found, check the split; the lists there are: test-dev train val");
    put_text("ImageSets/2017/long.txt", "");
    ck_assert_int_eq(truncate(temporary_path(root, "ImageSets/2017/long.txt"), 1 << 25), 0);
    cannot_open(root, REEL_DAVIS2017, "long", REEL_BAD_DATA, "expected at most");
}
END_TEST

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

/* ---- data of others ---- */

START_TEST(the_clips_of_davis_are_sound)
{
    reel_dataset set;
    reel_error error = {0};
    if (access(DAVIS, R_OK) != 0) {
        printf("SKIP clips of DAVIS: " DAVIS " is absent\n");
        return;
    }
    ck_assert_msg(reel_dataset_open(&set, DAVIS, REEL_ANY_LAYOUT, "train", &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(set.videos, 8);
    ck_assert_int_eq(set.video[0].objects, 1);
    reel_dataset_close(&set);
    ck_assert_msg(reel_dataset_open(&set, DAVIS, REEL_DAVIS2016, "val", &error) == REEL_OK, "%s", error.text);
    ck_assert_int_eq(set.videos, 4);
    int frames = 0;
    for (int v = 0; v < set.videos; v++) {
        reel_image image;
        reel_mask mask;
        int last = set.video[v].frames - 1;
        frames += set.video[v].frames;
        ck_assert_msg(set.read_frame(&set, v, last, &image, &error) == REEL_OK, "%s", error.text);
        ck_assert_msg(set.read_mask(&set, v, last, &mask, &error) == REEL_OK, "%s", error.text);
        ck_assert(image.width == 854 && image.height == 480 && mask.width == 854 && !mask.has_palette);
        for (int i = 0; i < 854 * 480; i++) ck_assert(mask.id[i] <= 1);
        reel_image_free(&image);
        reel_mask_free(&mask);
    }
    reel_dataset_close(&set);
    ck_assert_int_ge(frames, 4 * 25);
    ck_assert_msg(verify(DAVIS, REEL_DAVIS2016, "val") == 0, "%s", reports);
}
END_TEST

static int accepted, rejected;

static void parse(const char *path, const char *name)
{
    unsigned char *text;
    size_t bytes;
    reel_error error = {0};
    /* Names for one thing twice, and a key with a zero byte, are JSON but no use here: both would lose something. */
    bool loses = strstr(name, "duplicated_key") || strstr(name, "null_in_key");
    ck_assert_msg(reel_file_read(path, 1 << 24, &text, &bytes, &error) == REEL_OK, "%s", error.text);
    json_t *json = reel_meta_parse((char *)text, bytes, name, &error);
    ck_assert_int_eq(json != NULL, error.status == REEL_OK);
    if (!json) ck_assert(error.status == REEL_BAD_DATA && strstr(error.text, name) && !strchr(error.text, '\n'));
    if (strncmp(name, "y_", 2) == 0) ck_assert_msg(loses == !json, "%s: %s", name, error.text);
    if (strncmp(name, "n_", 2) == 0) ck_assert_msg(!json, "%s was accepted", name);
    *(json ? &accepted : &rejected) += 1;
    json_decref(json);
    reel_free(text);
}

static int parse_folder(const char *folder)
{
    char path[512];
    int count = 0;
    DIR *stream = opendir(folder);
    if (!stream) {
        printf("SKIP JSON texts: %s is absent\n", folder);
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        parse(path, entry->d_name);
        count++;
    }
    closedir(stream);
    ck_assert_msg(count > 0, "%s is there but empty", folder);
    return count;
}

START_TEST(meta_json_is_parsed_strictly)
{
    int suite = parse_folder("../shared/data/json_testsuite/test_parsing");
    ck_assert(suite == 0 || (suite == 318 && accepted >= 92 && rejected >= 188));
    parse_folder("../shared/data/fuzz_seeds/json/corpus");
}
END_TEST

START_TEST(every_prefix_of_meta_json_is_refused)
{
    make_youtube_vos();
    for (size_t n = 0; n + 2 < strlen(meta); n++) {
        reel_dataset set;
        reel_error error = {0};
        put(meta, n, "train/meta.json");
        ck_assert_int_eq(reel_dataset_open(&set, root, REEL_YOUTUBE_VOS, NULL, &error), REEL_BAD_DATA);
        ck_assert_ptr_nonnull(strstr(error.text, "meta.json"));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        davis_2017_opens,
        davis_test_splits_need_first_masks_only,
        davis_2016_is_binary,
        davis_without_lists_takes_every_folder,
        clips_use_frames_with_masks_only,
        youtube_vos_opens,
        youtube_vos_opens_at_the_split_too,
        what_is_no_data_set_is_told,
        bad_lists_are_told_by_line,
        faults_of_davis_are_found_one_by_one,
        damaged_pictures_are_found,
        empty_videos_and_empty_masks_are_found,
        faults_of_meta_json_are_named,
        faults_of_lists_of_frames_are_named,
        meta_json_must_be_json,
        faults_of_youtube_vos_files_are_found,
        all_faults_are_listed_at_once,
        refused_memory_is_an_error_everywhere,
        the_clips_of_davis_are_sound,
        meta_json_is_parsed_strictly,
        every_prefix_of_meta_json_is_refused,
    };
    return tiny_suite("datasets", tests, sizeof tests / sizeof *tests);
}
