/* The front door: what the option table accepts, what it refuses and in which words, and the help made from it. */
#include "tests/support/tiny.h"
#include "tools/device.h"
#include "tools/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum colour { RED, GREEN, BLUE };
typedef struct {
    bool loud;
    int steps;
    double rate;
    reel_size size;
    const char *path, *input, *extra;
    int colour;
    uint64_t seed;
} paint_options;

static const reel_option table[] = {
    REEL_OPTION("input", STRING, paint_options, input, "FILE", "what to paint", .positional = true, .required = true),
    REEL_OPTION("extra", STRING, paint_options, extra, "EXTRA", "what else", .positional = true),
    REEL_OPTION("loud", FLAG, paint_options, loud, NULL, "say what happens"),
    REEL_OPTION("steps", INT, paint_options, steps, "N", "how many steps", .fallback = "10", .low = 1, .high = 100),
    REEL_OPTION("rate", DOUBLE, paint_options, rate, "X", "how fast", .fallback = "0.5"),
    REEL_OPTION("size", SIZE, paint_options, size, "HxW", "how large", .fallback = "256x448", .low = 1, .high = 4096),
    REEL_OPTION("path", STRING, paint_options, path, "DIR", "where to"),
    REEL_OPTION("colour", CHOICE, paint_options, colour, "red|green|blue", "which colour", .fallback = "green"),
    REEL_OPTION("seed", SEED, paint_options, seed, "SEED", "start of the random numbers"),
    {0},
};
static const reel_usage usage = {"paint", "Paints a picture.", table, "notes stand at the end"};

/* The words of a command line after the command's name, ended by NULL. */
#define WORDS(...)                                                                                                     \
    (const char *[])                                                                                                   \
    {                                                                                                                  \
        "paint", __VA_ARGS__, NULL                                                                                     \
    }

static reel_status parse(const char *const *word, paint_options *options, reel_error *error)
{
    char text[16][64], *argv[17];
    int argc = 0;
    for (; word[argc]; argc++) {
        ck_assert_int_lt(argc, 16);
        snprintf(text[argc], sizeof text[argc], "%s", word[argc]);
        argv[argc] = text[argc];
    }
    argv[argc] = NULL;
    *options = (paint_options){0};
    *error = (reel_error){0};
    bool help;
    reel_status status = reel_options_parse(&usage, argc, argv, options, &help, error);
    ck_assert(!help);
    ck_assert_int_eq(status, error->status);
    /* Strings point into argv, which ends here. */
    static char kept[3][64];
    const char **string[] = {&options->path, &options->input, &options->extra};
    for (int i = 0; i < 3; i++)
        if (*string[i]) {
            snprintf(kept[i], sizeof kept[i], "%s", *string[i]);
            *string[i] = kept[i];
        }
    return status;
}

static paint_options accept(const char *const *word)
{
    paint_options options;
    reel_error error;
    ck_assert_msg(parse(word, &options, &error) == REEL_OK, "%s", error.text);
    return options;
}

static void refuse(const char *const *word, const char *message)
{
    paint_options options;
    reel_error error;
    ck_assert_int_eq(parse(word, &options, &error), REEL_USAGE);
    ck_assert_msg(strstr(error.text, message) != NULL, "'%s' does not say '%s'", error.text, message);
    ck_assert_ptr_null(strchr(error.text, '\n'));
}

START_TEST(defaults_hold_where_nothing_is_said)
{
    paint_options o = accept(WORDS("in.png"));
    ck_assert_str_eq(o.input, "in.png");
    ck_assert(!o.loud && o.steps == 10 && o.rate == 0.5 && o.size.height == 256 && o.size.width == 448);
    ck_assert(!o.path && !o.extra && o.colour == GREEN && o.seed == 0);
}
END_TEST

START_TEST(values_follow_a_blank_or_an_equals_sign)
{
    paint_options o = accept(WORDS("--loud", "--steps", "100", "--rate=-1e-3", "a", "--size", "48x64", "--path=", "b",
                                   "--colour=blue", "--seed", "18446744073709551615"));
    ck_assert(o.loud && o.steps == 100 && o.rate == -1e-3 && o.size.height == 48 && o.size.width == 64);
    ck_assert(o.colour == BLUE && o.seed == UINT64_MAX);
    ck_assert_str_eq(o.path, "");
    ck_assert_str_eq(o.input, "a");
    ck_assert_str_eq(o.extra, "b");
    ck_assert(accept(WORDS("a", "--rate", "-2")).rate == -2);
    ck_assert_str_eq(accept(WORDS("a", "--path", "x=y")).path, "x=y");
    ck_assert_str_eq(accept(WORDS("--loud", "--", "--steps")).input, "--steps");
    ck_assert_str_eq(accept(WORDS("-")).input, "-");
}
END_TEST

START_TEST(unknown_words_are_refused_with_the_nearest_known)
{
    refuse(WORDS("a", "--stpes", "3"), "unknown option --stpes; did you mean --steps?");
    refuse(WORDS("a", "--color=red"), "did you mean --colour?");
    refuse(WORDS("a", "--xylophone"), "unknown option --xylophone; `reel paint --help`");
    refuse(WORDS("a", "--input", "b"), "unknown option --input");
    refuse(WORDS("a", "--="), "unknown option --");
    refuse(WORDS("a", "-s"), "two dashes");
    refuse(WORDS("a", "b", "c"), "unexpected argument 'c'");
    refuse(WORDS("a", "--step", "3"), "did you mean --steps?");
}
END_TEST

START_TEST(missing_and_repeated_options_are_refused)
{
    refuse(WORDS("--loud"), "FILE is missing: what to paint");
    refuse(WORDS("a", "--steps"), "--steps needs a value: N");
    refuse(WORDS("a", "--path", "--loud"), "--path needs a value: DIR");
    refuse(WORDS("a", "--steps", "3", "--steps=3"), "--steps is given twice");
    refuse(WORDS("a", "--loud", "--loud"), "--loud is given twice");
    refuse(WORDS("a", "--loud=yes"), "--loud takes no value");
}
END_TEST

START_TEST(malformed_values_are_refused)
{
    static const char *const steps[] = {"",    "x",   "3x",          " 3", "3 ",  "+3", "3.0",
                                        "1e1", "0x3", "99999999999", "0",  "101", "-"};
    static const char *const rates[] = {"", "x", "1x", " 1", "1,5", "nan", "inf", "1e999", "--"};
    static const char *const sizes[] = {"",        "256",   "x448",   "256x",   "256x448x3",
                                        "256*448", "0x448", "-1x448", "5000x1", "1x5000"};
    static const char *const seeds[] = {"", "-1", "+1", "1.5", "18446744073709551616", " 1", "0x1"};
    static const char *const colours[] = {"", "Red", "re", "reds", "red|green", "2"};
    static const struct {
        const char *name;
        const char *const *value;
        size_t n;
    } all[] = {{"--steps", steps, sizeof steps / sizeof *steps},
               {"--rate", rates, sizeof rates / sizeof *rates},
               {"--size", sizes, sizeof sizes / sizeof *sizes},
               {"--seed", seeds, sizeof seeds / sizeof *seeds},
               {"--colour", colours, sizeof colours / sizeof *colours}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; i < all[k].n; i++) {
            char word[64];
            snprintf(word, sizeof word, "%s=%s", all[k].name, all[k].value[i]);
            refuse(WORDS("a", word), all[k].name);
        }
    refuse(WORDS("a", "--steps", "101"), "--steps: '101' is not a whole number in 1..100");
    refuse(WORDS("a", "--colour", "pink"), "'pink' is none of red|green|blue");
}
END_TEST

START_TEST(help_is_made_from_the_table)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    reel_options_help(&usage, stream);
    fclose(stream);
    static const char *const parts[] = {"usage: reel paint FILE [EXTRA] [options]\n",
                                        "\nPaints a picture.\n",
                                        "--steps N",
                                        "how many steps (default 10)\n",
                                        "--colour red|green|blue",
                                        "FILE",
                                        "what to paint (required)\n",
                                        "  --loud  ",
                                        "--help",
                                        "\nnotes stand at the end\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "the help lacks '%s':\n%s", parts[i], text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) ck_assert_uint_le(strlen(line), 100);
    free(text);
}
END_TEST

START_TEST(asking_for_help_outweighs_mistakes)
{
    char name[] = "paint", wrong[] = "--wrong", ask[] = "--help";
    char *argv[] = {name, wrong, ask, NULL};
    paint_options options = {0};
    reel_error error = {0};
    bool help = false;
    ck_assert_int_eq(reel_options_parse(&usage, 3, argv, &options, &help, &error), REEL_OK);
    ck_assert(help);
}
END_TEST

typedef struct {
    reel_words brush;
    const char *input;
} list_options;

START_TEST(lists_take_words_up_to_the_next_option_and_go_on)
{
    static const reel_option options[] = {
        REEL_OPTION("input", STRING, list_options, input, "FILE", "what to paint", .positional = true),
        REEL_OPTION("brush", LIST, list_options, brush, "NAME", "what with"),
        {0},
    };
    static const reel_usage lists = {"paint", "Paints.", options, NULL};
    char words[][16] = {"paint", "wall", "--brush", "round", "-", "--brush=a=1"};
    char *argv[8] = {0};
    list_options values = {.input = NULL};
    reel_error error = {0};
    bool help;
    for (int i = 0; i < 6; i++) argv[i] = words[i];
    ck_assert_msg(!reel_options_parse(&lists, 6, argv, &values, &help, &error), "%s", error.text);
    ck_assert_int_eq(values.brush.count, 3);
    ck_assert_str_eq(values.brush.at[0], "round");
    ck_assert_str_eq(values.brush.at[1], "-");
    ck_assert_str_eq(values.brush.at[2], "a=1");
    ck_assert_str_eq(values.input, "wall");
    char *none[] = {words[0], words[2], NULL};
    ck_assert_int_eq(reel_options_parse(&lists, 2, none, &values, &help, &error), REEL_USAGE);
    char *many[REEL_MOST_WORDS + 4];
    many[0] = words[0], many[1] = words[2];
    for (int i = 2; i < REEL_MOST_WORDS + 4; i++) many[i] = words[3];
    values = (list_options){.input = NULL};
    error = (reel_error){0};
    ck_assert_int_eq(reel_options_parse(&lists, REEL_MOST_WORDS + 3, many, &values, &help, &error), REEL_USAGE);
    ck_assert_msg(strstr(error.text, "32") != NULL, "%s", error.text);
}
END_TEST

/* Options that mean something in company only. */
typedef struct {
    const char *data;
    int kind, mode, more;
    bool fast, slow;
} company_options;

static void meet(const char *said, const char *const *word)
{
    static const reel_option company[] = {
        REEL_OPTION("mode", CHOICE, company_options, mode, "wash|dry", "what", .positional = true),
        REEL_OPTION("data", STRING, company_options, data, "DIR", "a folder", .fallback = "here"),
        REEL_OPTION("kind", CHOICE, company_options, kind, "soft|hard", "which", .fallback = "soft"),
        REEL_OPTION("fast", FLAG, company_options, fast, NULL, "hurry", .with = "kind=hard"),
        REEL_OPTION("slow", FLAG, company_options, slow, NULL, "no hurry", .with = "!fast data=here"),
        REEL_OPTION("more", INT, company_options, more, "N", "how much", .with = "mode=dry !data=there"),
        {0},
    };
    static const reel_usage chores = {"chores", "Does chores.", company, NULL};
    char text[8][16], *argv[9] = {text[0]};
    int argc = 1;
    for (; *word; word++, argc++) {
        snprintf(text[argc], sizeof text[argc], "%s", *word);
        argv[argc] = text[argc];
    }
    company_options values;
    bool help;
    reel_error error = {0};
    ck_assert_int_eq(reel_options_parse(&chores, argc, argv, &values, &help, &error), said ? REEL_USAGE : REEL_OK);
    ck_assert_msg(!strcmp(error.text, said ? said : ""), "%s", error.text);
}

#define MEET(said, ...) meet(said, (const char *[]){__VA_ARGS__, NULL})

START_TEST(options_that_would_do_nothing_are_refused)
{
    MEET("--fast is for --kind hard; leave it away or say that", "--fast");
    MEET("--fast is for --kind hard; leave it away or say that", "--fast", "--kind", "soft");
    MEET(NULL, "--fast", "--kind", "hard");
    MEET(NULL, "--kind", "hard", "--fast");
    MEET(NULL, "--slow");
    MEET(NULL, "--slow", "--data", "here");
    MEET("--slow is not for --fast; leave it away", "--slow", "--fast", "--kind=hard");
    MEET("--slow is for --data here; leave it away or say that", "--slow", "--data", "there");
    MEET("--more is for dry; leave it away or say that", "wash", "--more", "3");
    MEET("--more is not for --data there; leave it away", "dry", "--more", "3", "--data", "there");
    MEET(NULL, "dry", "--more", "3");
}
END_TEST

START_TEST(nearest_words_are_near)
{
    static const char *const words[] = {"train", "eval", "segment", "op", "ops"};
    ck_assert_str_eq(reel_nearest_word("tarin", words, 5), "train");
    ck_assert_str_eq(reel_nearest_word("segmnet", words, 5), "segment");
    ck_assert_str_eq(reel_nearest_word("opp", words, 5), "op");
    ck_assert_ptr_null(reel_nearest_word("zz", words, 5));
    ck_assert_ptr_null(reel_nearest_word("photosynthesis", words, 5));
    ck_assert_ptr_null(reel_nearest_word("", words, 5));
    char long_word[200];
    memset(long_word, 'a', sizeof long_word);
    long_word[199] = 0;
    ck_assert_ptr_null(reel_nearest_word(long_word, words, 5));
}
END_TEST

START_TEST(the_help_names_every_device)
{
    for (int i = 0; reel_backend_name(i); i++)
        ck_assert_msg(strstr(REEL_DEVICE_HELP, reel_backend_name(i)) != NULL, "%s", reel_backend_name(i));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        defaults_hold_where_nothing_is_said,
        values_follow_a_blank_or_an_equals_sign,
        unknown_words_are_refused_with_the_nearest_known,
        missing_and_repeated_options_are_refused,
        malformed_values_are_refused,
        help_is_made_from_the_table,
        asking_for_help_outweighs_mistakes,
        lists_take_words_up_to_the_next_option_and_go_on,
        options_that_would_do_nothing_are_refused,
        nearest_words_are_near,
        the_help_names_every_device,
    };
    return tiny_suite("options", tests, sizeof tests / sizeof *tests);
}
