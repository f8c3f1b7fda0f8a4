/* See trees.h. */
#include "tests/support/trees.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temporary.h"

png_text png;
const char *root;

void fresh(void)
{
    static const char *all;
    static char path[600];
    static int trees;
    if (!all) all = temporary_folder();
    snprintf(path, sizeof path, "%s/%d", all, trees++);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    root = path;
}

void put(const void *data, size_t bytes, const char *format, ...)
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

void put_text(const char *path, const char *text)
{
    put(text, strlen(text), "%s", path);
}

void take_away(const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    ck_assert_msg(unlink(temporary_path(root, name)) == 0, "%s", name);
}

void mask_with(const char *digits, uint32_t width)
{
    uint8_t ids[PIXELS * 4] = {0};
    for (size_t i = 0; digits[i]; i++) ids[i] = (uint8_t)(digits[i] - '0');
    png_mask(&png, width, HEIGHT, ids);
}

void put_frame(const char *folder, int number)
{
    static unsigned char *jpeg;
    static size_t bytes;
    if (!jpeg) jpeg = jpeg_pattern(WIDTH, HEIGHT, 3, JPEG_BASELINE, &bytes);
    put(jpeg, bytes, "%s/%05d.jpg", folder, number);
}

void put_mask(const char *folder, int number, const char *digits)
{
    mask_with(digits, WIDTH);
    put(png.data, png.bytes, "%s/%05d.png", folder, number);
}

void make_davis(void)
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

const char *const meta =
    "{\"made by\": 7, \"videos\": {\n"
    " \"b0\": {\"objects\": {\"3\": {\"category\": \"seal\", \"frames\": [\"00020\", \"00010\", \"00015\"]},\n"
    "                   \"1\": {\"frames\": [\"00005\", \"00010\", \"00010\", \"00015\", \"00020\"], \"x\": []}}},\n"
    " \"a1\": {\"objects\": {\"254\": {\"category\": null, \"frames\": [\"00000\"]}}}}}\n";

void make_youtube_vos(void)
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

char reports[REPORTS];
static int lines;

void note(void *to, const char *fault)
{
    ck_assert_ptr_eq(to, reports);
    ck_assert_ptr_null(strchr(fault, '\n'));
    strncat(reports, fault, sizeof reports - strlen(reports) - 1);
    strncat(reports, "\n", sizeof reports - strlen(reports) - 1);
    lines++;
}

int verify(const char *folder, reel_layout layout, const char *split)
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

void verifies_clean(reel_layout layout, const char *split)
{
    ck_assert_msg(verify(root, layout, split) == 0, "%s", reports);
}

void one_fault(const char *split, bool also_opening, const char *words)
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

void cannot_open(const char *folder, reel_layout layout, const char *split, reel_status status, const char *words)
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

reel_dataset opened(reel_layout layout, const char *split)
{
    reel_dataset set;
    reel_error error = {0};
    ck_assert_msg(reel_dataset_open(&set, root, layout, split, &error) == REEL_OK, "%s", error.text);
    return set;
}
