/* Data set layouts: generated DAVIS and YouTube-VOS trees that are sound, folders that are no data set, and data of
   others: the clips of DAVIS and a suite of JSON texts come from ../shared/data where they are present. Faults have
   test_dataset_faults.c. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "datasets/clip.h"
#include "datasets/dataset.h"
#include "datasets/youtube_vos.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"
#include "tests/support/trees.h"

#define DAVIS "../shared/data/davis"

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
        the_clips_of_davis_are_sound,
        meta_json_is_parsed_strictly,
        every_prefix_of_meta_json_is_refused,
    };
    return tiny_suite("datasets", tests, sizeof tests / sizeof *tests);
}
