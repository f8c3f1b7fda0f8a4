/* `reel op`, `reel ops`, `reel gradcheck` and `reel graph` as a user meets them: what they write, say and return. */
#include "core/memory.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"
#include "tools/array_file.h"
#include "tools/commands.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[1 << 20]; /* on both streams */

/* Runs a command line, words between blanks, with both streams into `said`. */
static int run(int (*command)(int, char **), const char *line)
{
    char words[2048], *argv[64], *save;
    int argc = 0, kept[2] = {dup(1), dup(2)};
    const char *path = temporary_path(temporary_folder(), "said");
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert(file >= 0);
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) argv[argc++] = w;
    argv[argc] = NULL;
    fflush(NULL);
    dup2(file, 1), dup2(file, 2);
    int code = command(argc, argv);
    fflush(NULL);
    for (int i = 0; i < 2; i++) dup2(kept[i], i + 1), close(kept[i]);
    ssize_t n = pread(file, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    close(file);
    return code;
}

static void expect(const char *word)
{
    ck_assert_msg(strstr(said, word) != NULL, "'%s' is not in: %s", word, said);
}

static const char *write_array(const char *folder, const char *name, const char *dtype, int rank, const int64_t *shape,
                               const void *data)
{
    reel_error error = {REEL_OK, ""};
    const char *path = temporary_path(folder, name);
    ck_assert_msg(!reel_npy_write(path, dtype, rank, shape, data, &error), "%s", error.text);
    return path;
}

static void expect_array(const char *folder, const char *name, const char *dtype, const double *value, size_t count)
{
    reel_error error = {REEL_OK, ""};
    reel_npy array;
    ck_assert_msg(!reel_npy_read(&array, temporary_path(folder, name), &error), "%s", error.text);
    ck_assert_str_eq(array.dtype, dtype);
    ck_assert_uint_eq(array.elements, count);
    for (size_t i = 0; i < count; i++) ck_assert(reel_npy_number(&array, i) == value[i]);
    reel_npy_free(&array);
}

static char command_line[2048];
#define LINE(...) (snprintf(command_line, sizeof command_line, __VA_ARGS__), command_line)

START_TEST(an_op_and_its_gradients_from_files)
{
    const char *folder = temporary_folder();
    char out[512];
    snprintf(out, sizeof out, "%s/new", folder);
    const int64_t shape[] = {2, 2};
    const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, r[] = {1, 0, 0, 2};
    write_array(folder, "a.npy", "<f4", 2, shape, a);
    write_array(folder, "b.npy", "<f4", 2, shape, b);
    write_array(folder, "r.npy", "<f4", 2, shape, r);
    for (int reference = 0; reference < 2; reference++) {
        const char *line =
            LINE("op matmul --in %s/a.npy %s/b.npy --set transpose_b=1 --cotangent %s/r.npy --out %s "
                 "--device %s --dtype %s",
                 folder, folder, folder, out, reference ? "reference" : "cpu", reference ? "f64" : "file");
        ck_assert_msg(run(reel_command_op, line) == 0, "%s", said);
        const char *dtype = reference ? "<f8" : "<f4";
        expect_array(out, "out_0.npy", dtype, (double[]){17, 23, 39, 53}, 4);
        expect_array(out, "grad_0.npy", dtype, (double[]){5, 6, 14, 16}, 4);
        expect_array(out, "grad_1.npy", dtype, (double[]){1, 2, 6, 8}, 4);
        expect("[2,2]");
    }
}
END_TEST

START_TEST(bf16_is_computed_and_written_as_float)
{
    const char *folder = temporary_folder();
    const int64_t shape[] = {2};
    write_array(folder, "a.npy", "<f4", 1, shape, (float[]){257, 1});
    write_array(folder, "b.npy", "<f4", 1, shape, (float[]){0, 0x1p-9F});
    const char *line = LINE("op add --in %s/a.npy %s/b.npy --out %s --dtype bf16 --json", folder, folder, folder);
    ck_assert_msg(run(reel_command_op, line) == 0, "%s", said);
    expect("\"dtype\": \"bf16\"");
    expect_array(folder, "out_0.npy", "<f4", (double[]){256, 1}, 2); /* eight bits hold neither sum */
}
END_TEST

START_TEST(integers_and_left_out_inputs)
{
    const char *folder = temporary_folder();
    const int64_t three[] = {3}, two[] = {2}, plane[] = {1, 1, 2, 2}, kernel[] = {1, 1, 1, 1};
    const float x[] = {1.5f, 2.5f, 3.5f, 4.5f}, w[] = {2};
    const int64_t index[] = {2, 0}, large[] = {2, (int64_t)1 << 33};
    write_array(folder, "x.npy", "<f4", 1, three, x);
    write_array(folder, "plane.npy", "<f4", 4, plane, x);
    write_array(folder, "w.npy", "<f4", 4, kernel, w);
    write_array(folder, "i.npy", "<i8", 1, two, index);
    write_array(folder, "large.npy", "<i8", 1, two, large);
    ck_assert_msg(!run(reel_command_op, LINE("op gather --in %s/x.npy --in %s/i.npy --out %s", folder, folder, folder)),
                  "%s", said);
    expect_array(folder, "out_0.npy", "<f4", (double[]){3.5, 1.5}, 2);
    expect_array(folder, "grad_0.npy", "<f4", (double[]){1, 0, 1}, 3);
    ck_assert_msg(!run(reel_command_op, LINE("op conv2d --in %s/plane.npy %s/w.npy - --json", folder, folder)), "%s",
                  said);
    json_t *report = json_loads(said, 0, NULL);
    ck_assert_msg(json_array_size(report) == 3, "%s", said);
    json_decref(report);
    ck_assert_int_eq(run(reel_command_op, LINE("op gather --in %s/x.npy %s/large.npy", folder, folder)), REEL_BAD_DATA);
    expect("8589934592");
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const struct {
        const char *line, *word;
        int code;
    } wrong[] = {{"op", "OP", REEL_USAGE},
                 {"op matmull", "did you mean 'matmul'", REEL_USAGE},
                 {"op matmul --set transposed=1", "transpose_a", REEL_USAGE},
                 {"op matmul", "matmul: takes 2 inputs", REEL_USAGE},
                 {"op matmul --in nothing.npy", "nothing.npy", REEL_IO},
                 {"op relu --device abacus", "abacus", REEL_ENVIRONMENT},
                 {"op relu --in", "needs a value", REEL_USAGE}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(run(reel_command_op, wrong[i].line) == wrong[i].code, "%s: %s", wrong[i].line, said);
        expect(wrong[i].word);
    }
}
END_TEST

START_TEST(the_ledger_lists_every_op)
{
    ck_assert_int_eq(run(reel_command_ops, "ops"), 0);
    for (int i = 0; i < reel_ops_count; i++) expect(reel_ops[i]->name);
    ck_assert_int_eq(run(reel_command_ops, "ops --json"), 0);
    json_t *all = json_loads(said, 0, NULL), *entry;
    size_t i;
    ck_assert_uint_eq(json_array_size(all), (size_t)reel_ops_count);
    json_array_foreach(all, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        ck_assert_msg(json_is_true(json_object_get(entry, "documented")), "%s or an attribute of it lacks its words",
                      name);
        const char *cpu = json_string_value(json_object_get(json_object_get(entry, "kernels"), "cpu"));
        ck_assert_msg(cpu && strcmp(cpu, "-") != 0, "%s does not run on the CPU", name);
    }
    json_decref(all);
    ck_assert_int_eq(run(reel_command_ops, "ops conv2d"), 0);
    expect("dilation=1");
    ck_assert_int_eq(run(reel_command_ops, "ops conv3d"), REEL_USAGE);
}
END_TEST

START_TEST(gradients_are_checked_on_request)
{
    ck_assert_msg(!run(reel_command_gradcheck, "gradcheck conv2d --input 1x2x5x5 3x2x3x3 3 --set stride=2 --order 2"),
                  "%s", said);
    expect("passed");
    ck_assert_msg(!run(reel_command_gradcheck, "gradcheck gather --input 4x3 int4:5 --json"), "%s", said);
    json_t *report = json_loads(said, 0, NULL);
    ck_assert(json_is_true(json_object_get(report, "passed")));
    json_decref(report);
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck log --input real:5 --json"), REEL_BAD_DATA);
    report = json_loads(said, 0, NULL); /* log of what is below zero */
    ck_assert_msg(json_is_null(json_object_get(json_object_get(report, "worst"), "differences")), "%s", said);
    json_decref(report);
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck relu --input 4x"), REEL_USAGE);
    expect("4x");
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck mul --input 4"), REEL_USAGE);
    expect("mul: takes 2 inputs, was given 1");
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck conv2d --input 4"), REEL_USAGE);
    expect("conv2d: takes 2 to 3 inputs, was given 1");
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck concat --order 1"), REEL_USAGE);
    expect("concat: takes 1 or more inputs, was given 0");
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck conv2d --set pad=1 stride=2 --set stride=3"), REEL_USAGE);
    expect("'stride=3' comes after 'stride=2'; set each attribute once");
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck argmax --input 4"), REEL_USAGE);
    /* all on the kink: nothing is proved */
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck abs --input 64 --step 0.1 --directions 20 --entries 0"),
                     REEL_BAD_DATA);
    expect("FAILED");
    ck_assert_msg(!run(reel_command_gradcheck, "gradcheck --entries 3 --directions 2 --frames 1"), "%s", said);
}
END_TEST

START_TEST(a_graph_is_printed)
{
    ck_assert_int_eq(run(reel_command_graph, "graph --width 0.02 --size 32x32 --frames 2"), 0);
    expect("enc_vgg.features.0");
    expect("conv2d {pad=1,1,1,1}");
    ck_assert_msg(!strstr(said, "gradient"), "the backward pass was not asked for");
    ck_assert_int_eq(run(reel_command_graph, "graph --width 0.02 --size 32x32 --frames 2 --backward --format dot"), 0);
    expect("cluster_t2");
    expect("color=red");
    int open = 0, least = 0;
    for (const char *c = said; *c; c++) {
        open += (*c == '{') - (*c == '}');
        if (open < least) least = open;
    }
    const char *once = strstr(said, "label=\"enc_vgg.features.0.weight");
    ck_assert_msg(once && !strstr(once + 1, "label=\"enc_vgg.features.0.weight"), "a weight is drawn more than once");
    ck_assert(open == 0 && least == 0);
    ck_assert_int_eq(run(reel_command_graph, "graph --width 0.02 --size 32x32 --fold --format dot"), 0);
    expect("nodes\"");
}
END_TEST

/* Windows that would read nothing, or more than there is, at either end. */
START_TEST(windows_that_do_not_fit_are_refused)
{
    static const struct {
        const char *attributes, *words;
    } refused[] = {
        {"kernel=2 pad=2", "window 0 of the rows sees nothing but padding"},
        {"kernel=2 pad=0,2,0,0", "window 0 of the columns sees nothing but padding"},
        {"kernel=2 pad=0,0,2,0", "window 2 of the rows sees nothing but padding"},
        {"kernel=2 stride=1 dilation=2 pad=3", "sees nothing but padding"},
        {"kernel=4,5", "the window spans 5 columns, the padded input has 4"},
        {"kernel=3 dilation=2", "the window spans 5 rows, the padded input has 4"},
        {"kernel=0", "kernel 0,0 stride 2,2 and dilation 1,1 must be at least 1"},
        {"kernel=3 dilation=0", "dilation 0,0 must be at least 1"},
        {"pad=-1", "pad -1 is negative"},
        {"kernel=65536,65536", "too many positions"},
    };
    char line[256];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(line, sizeof line, "gradcheck max_pool2d --input 1x1x4x4 --set %s", refused[i].attributes);
        ck_assert_msg(run(reel_command_gradcheck, line) == REEL_USAGE, "%s: %s", refused[i].attributes, said);
        expect(refused[i].words);
    }
    ck_assert_int_eq(run(reel_command_gradcheck, "gradcheck max_pool2d --input 1x1x4x4 --set kernel=2 pad=1"), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {an_op_and_its_gradients_from_files,  bf16_is_computed_and_written_as_float,
                                  integers_and_left_out_inputs,        mistakes_are_named,
                                  the_ledger_lists_every_op,           gradients_are_checked_on_request,
                                  windows_that_do_not_fit_are_refused, a_graph_is_printed};
    return tiny_suite("op_command", tests, sizeof tests / sizeof *tests);
}
