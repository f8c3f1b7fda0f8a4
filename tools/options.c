/* See options.h. Numbers are read by strtod and its kin; the program never calls setlocale, so the decimal point is a
   point everywhere. The help is in options_help.c. */
#include "tools/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, MAX_WORD = 64 };

/* What a value belongs to, for messages: "--steps" or "DIR". */
typedef struct {
    char text[MAX_WORD + 3];
} label;

static label label_of(const reel_option *option)
{
    label l;
    snprintf(l.text, sizeof l.text, "%s%s", option->positional ? "" : "--",
             option->positional && option->detail ? option->detail : option->name);
    return l;
}

static int count_options(const reel_usage *usage)
{
    int n = 0;
    while (n < MAX_OPTIONS && usage->options[n].name) n++;
    return n;
}

/* Edits between two words: one row of the Levenshtein table at a time. */
static int distance(const char *a, const char *b)
{
    int row[MAX_WORD + 1], n = (int)strlen(b);
    if (n > MAX_WORD || strlen(a) > MAX_WORD) return INT_MAX;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

const char *reel_nearest_word(const char *word, const char *const *candidates, int n)
{
    const char *nearest = NULL;
    int least = strlen(word) < 6 ? 2 : (int)strlen(word) / 3;
    for (int i = 0; i < n; i++) {
        int d = distance(word, candidates[i]);
        /* A word none of whose letters stay is no misspelling. */
        if (d <= least && d < (int)strlen(word) && (!nearest || d < least)) {
            least = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

static bool in_range(const reel_option *option, double value)
{
    return option->low == option->high || (value >= option->low && value <= option->high);
}

static reel_status reject(const reel_option *option, const char *text, const char *expected, reel_error *error)
{
    if (option->low != option->high)
        return reel_fail(error, REEL_USAGE, "%s: '%s' is not %s in %g..%g", label_of(option).text, text, expected,
                         option->low, option->high);
    return reel_fail(error, REEL_USAGE, "%s: '%s' is not %s", label_of(option).text, text, expected);
}

/* A whole number that begins at *text, digits only after an optional minus; *text moves behind it. */
static bool read_whole(const char **text, int *value)
{
    const char *digits = *text + (**text == '-');
    if (!isdigit((unsigned char)*digits)) return false;
    char *end;
    errno = 0;
    long number = strtol(*text, &end, 10);
    if (errno || number < INT_MIN || number > INT_MAX) return false;
    *value = (int)number;
    *text = end;
    return true;
}

static reel_status store_int(const reel_option *option, const char *text, int *field, reel_error *error)
{
    const char *rest = text;
    if (!read_whole(&rest, field) || *rest || !in_range(option, *field))
        return reject(option, text, "a whole number", error);
    return REEL_OK;
}

static reel_status store_double(const reel_option *option, const char *text, double *field, reel_error *error)
{
    char *end = NULL;
    if (!isspace((unsigned char)*text)) *field = strtod(text, &end);
    if (!end || end == text || *end || !isfinite(*field) || !in_range(option, *field))
        return reject(option, text, "a number", error);
    return REEL_OK;
}

bool reel_size_read(reel_size *size, const char *text)
{
    return read_whole(&text, &size->height) && *text++ == 'x' && read_whole(&text, &size->width) && !*text &&
           size->height > 0 && size->width > 0;
}

static reel_status store_size(const reel_option *option, const char *text, reel_size *field, reel_error *error)
{
    if (!reel_size_read(field, text) || !in_range(option, field->height) || !in_range(option, field->width))
        return reject(option, text, "a size HxW (height, then width, such as 256x448) with sides", error);
    return REEL_OK;
}

static reel_status store_seed(const reel_option *option, const char *text, uint64_t *field, reel_error *error)
{
    char *end = NULL;
    errno = 0;
    if (isdigit((unsigned char)*text)) *field = strtoull(text, &end, 10);
    if (!end || *end || errno) return reject(option, text, "a whole number from 0 to 2^64 - 1", error);
    return REEL_OK;
}

/* A number of bytes: digits and a point, then KiB, MiB, GiB or nothing. */
static reel_status store_bytes(const reel_option *option, const char *text, size_t *field, reel_error *error)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    char *end = NULL;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : 0;
    for (int i = 0; end && i < 4; i++) {
        if (strcmp(end, units[i]) != 0) continue;
        double bytes = number * (double)((size_t)1 << 10 * i);
        if (bytes < 1 || bytes >= 0x1p60) break;
        *field = (size_t)bytes;
        return REEL_OK;
    }
    return reject(option, text, "an amount of memory such as 4GiB, 1500MiB or 2000000000", error);
}

static reel_status store_choice(const reel_option *option, const char *text, int *field, reel_error *error)
{
    size_t length = strlen(text);
    const char *word = option->detail;
    for (int i = 0; word; i++) {
        const char *bar = strchr(word, '|');
        size_t n = bar ? (size_t)(bar - word) : strlen(word);
        if (n == length && !strncmp(word, text, n)) {
            *field = i;
            return REEL_OK;
        }
        word = bar ? bar + 1 : NULL;
    }
    return reel_fail(error, REEL_USAGE, "%s: '%s' is none of %s", label_of(option).text, text, option->detail);
}

static reel_status store_word(const reel_option *option, const char *text, reel_words *field, reel_error *error)
{
    if (field->count == REEL_MOST_WORDS)
        return reel_fail(error, REEL_USAGE, "%s: more than %d values", label_of(option).text, REEL_MOST_WORDS);
    field->at[field->count++] = text;
    return REEL_OK;
}

static reel_status store(const reel_option *option, const char *text, void *values, reel_error *error)
{
    void *field = (char *)values + option->offset;
    switch (option->type) {
    case REEL_OPTION_FLAG:
        *(bool *)field = true;
        return REEL_OK;
    case REEL_OPTION_INT:
        return store_int(option, text, field, error);
    case REEL_OPTION_DOUBLE:
        return store_double(option, text, field, error);
    case REEL_OPTION_SIZE:
        return store_size(option, text, field, error);
    case REEL_OPTION_STRING:
        *(const char **)field = text;
        return REEL_OK;
    case REEL_OPTION_CHOICE:
        return store_choice(option, text, field, error);
    case REEL_OPTION_SEED:
        return store_seed(option, text, field, error);
    case REEL_OPTION_BYTES:
        return store_bytes(option, text, field, error);
    case REEL_OPTION_LIST:
        return store_word(option, text, field, error);
    }
    return reel_fail(error, REEL_USAGE, "%s: an option of unknown type", label_of(option).text);
}

/* One reading of a command line: which option comes next, and which were given. */
typedef struct {
    const reel_usage *usage;
    int options, next, argc;
    char **argv;
    uint64_t given;
} reading;

static reel_status unknown(const reading *r, const char *name, reel_error *error)
{
    const char *names[MAX_OPTIONS];
    int n = 0;
    for (int i = 0; i < r->options; i++)
        if (!r->usage->options[i].positional) names[n++] = r->usage->options[i].name;
    const char *nearest = reel_nearest_word(name, names, n);
    if (nearest)
        return reel_fail(error, REEL_USAGE, "unknown option --%s; did you mean --%s? (`reel %s --help` lists all)",
                         name, nearest, r->usage->command);
    return reel_fail(error, REEL_USAGE, "unknown option --%s; `reel %s --help` lists all", name, r->usage->command);
}

static int find_option(const reading *r, const char *name)
{
    for (int i = 0; i < r->options; i++)
        if (!r->usage->options[i].positional && !strcmp(r->usage->options[i].name, name)) return i;
    return -1;
}

static bool at_value(const reading *r)
{
    return r->next < r->argc && strncmp(r->argv[r->next], "--", 2) != 0;
}

static reel_status read_named(reading *r, const char *argument, void *values, reel_error *error)
{
    char name[MAX_WORD + 1];
    const char *equals = strchr(argument, '=');
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - argument) : INT_MAX, argument);
    int i = find_option(r, name);
    if (i < 0) return unknown(r, name, error);
    const reel_option *option = &r->usage->options[i];
    if (r->given >> i & 1 && option->type != REEL_OPTION_LIST)
        return reel_fail(error, REEL_USAGE, "--%s is given twice; once is enough", name);
    r->given |= (uint64_t)1 << i;
    if (option->type == REEL_OPTION_FLAG) {
        if (equals) return reel_fail(error, REEL_USAGE, "--%s takes no value; leave away '%s'", name, equals);
        return store(option, NULL, values, error);
    }
    if (equals) return store(option, equals + 1, values, error);
    if (!at_value(r)) return reel_fail(error, REEL_USAGE, "--%s needs a value: %s", name, option->detail);
    reel_status status = store(option, r->argv[r->next++], values, error);
    while (!status && option->type == REEL_OPTION_LIST && at_value(r))
        status = store(option, r->argv[r->next++], values, error);
    return status;
}

static reel_status read_positional(reading *r, const char *argument, void *values, reel_error *error)
{
    for (int i = 0; i < r->options; i++) {
        const reel_option *option = &r->usage->options[i];
        if (!option->positional || (r->given >> i & 1)) continue;
        r->given |= (uint64_t)1 << i;
        return store(option, argument, values, error);
    }
    return reel_fail(error, REEL_USAGE, "unexpected argument '%s'; options begin with --, `reel %s --help` lists them",
                     argument, r->usage->command);
}

/* A structure on the stack holds anything: what is neither given nor defaulted becomes zero here. */
static void clear_field(const reel_option *option, void *values)
{
    static const size_t bytes[] = {[REEL_OPTION_FLAG] = sizeof(bool),      [REEL_OPTION_INT] = sizeof(int),
                                   [REEL_OPTION_DOUBLE] = sizeof(double),  [REEL_OPTION_SIZE] = sizeof(reel_size),
                                   [REEL_OPTION_STRING] = sizeof(char *),  [REEL_OPTION_CHOICE] = sizeof(int),
                                   [REEL_OPTION_SEED] = sizeof(uint64_t),  [REEL_OPTION_BYTES] = sizeof(size_t),
                                   [REEL_OPTION_LIST] = sizeof(reel_words)};
    memset((char *)values + option->offset, 0, bytes[option->type]);
}

static reel_status set_defaults(const reading *r, void *values, reel_error *error)
{
    for (int i = 0; i < r->options; i++) {
        const reel_option *option = &r->usage->options[i];
        clear_field(option, values);
        reel_status status = option->fallback ? store(option, option->fallback, values, error) : REEL_OK;
        if (status) return status;
    }
    return REEL_OK;
}

static reel_status check_required(const reading *r, reel_error *error)
{
    for (int i = 0; i < r->options; i++) {
        const reel_option *option = &r->usage->options[i];
        if (option->required && !(r->given >> i & 1))
            return reel_fail(error, REEL_USAGE, "%s is missing: %s", label_of(option).text, option->help);
    }
    return REEL_OK;
}

/* Whether `value` is what the option holds; NULL: whether it was given. */
static bool holds(const reading *r, int i, const char *value, const void *values)
{
    const reel_option *option = &r->usage->options[i];
    const void *field = (const char *)values + option->offset;
    int wanted;
    if (!value) return r->given >> i & 1;
    if (option->type == REEL_OPTION_CHOICE)
        return !store_choice(option, value, &wanted, NULL) && wanted == *(const int *)field;
    const char *text = option->type == REEL_OPTION_STRING ? *(const char *const *)field : NULL;
    return text && !strcmp(text, value);
}

/* One condition of an option that was given. */
static reel_status check_condition(const reading *r, const reel_option *option, const char *condition,
                                   const void *values, reel_error *error)
{
    char name[MAX_WORD + 1];
    bool opposite = *condition == '!';
    snprintf(name, sizeof name, "%s", condition + opposite);
    char *value = strchr(name, '=');
    if (value) *value++ = 0;
    int i = 0;
    while (i < r->options && strcmp(r->usage->options[i].name, name) != 0) i++;
    if (i == r->options)
        return reel_fail(error, REEL_USAGE, "%s: a condition on an unknown option", label_of(option).text);
    if (holds(r, i, value, values) != opposite) return REEL_OK;
    const reel_option *other = &r->usage->options[i];
    bool alone = value && other->positional; /* "train" says more than "train|infer train" */
    return reel_fail(error, REEL_USAGE, "%s is%s for %s%s%s; leave it away%s", label_of(option).text,
                     opposite ? " not" : "", alone ? "" : label_of(other).text, value && !alone ? " " : "",
                     value ? value : "", opposite ? "" : " or say that");
}

static reel_status check_company(const reading *r, const void *values, reel_error *error)
{
    for (int i = 0; i < r->options; i++) {
        const char *condition = r->given >> i & 1 ? r->usage->options[i].with : NULL;
        while (condition && *condition) {
            char one[MAX_WORD + 1];
            size_t length = strcspn(condition, " ");
            snprintf(one, sizeof one, "%.*s", (int)length, condition);
            reel_status status = check_condition(r, &r->usage->options[i], one, values, error);
            if (status) return status;
            condition += length + (condition[length] == ' ');
        }
    }
    return REEL_OK;
}

reel_status reel_options_parse(const reel_usage *usage, int argc, char **argv, void *values, bool *help,
                               reel_error *error)
{
    reading r = {.usage = usage, .options = count_options(usage), .next = 1, .argc = argc, .argv = argv};
    *help = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) *help = true;
    if (*help) return REEL_OK;
    reel_status status = set_defaults(&r, values, error);
    bool only_positional = false;
    while (!status && r.next < argc) {
        const char *argument = argv[r.next++];
        if (!only_positional && !strcmp(argument, "--"))
            only_positional = true;
        else if (!only_positional && !strncmp(argument, "--", 2))
            status = read_named(&r, argument + 2, values, error);
        else if (!only_positional && argument[0] == '-' && argument[1])
            status = reel_fail(error, REEL_USAGE,
                               "unknown option %s; options begin with two dashes, `reel %s --help` "
                               "lists them",
                               argument, usage->command);
        else
            status = read_positional(&r, argument, values, error);
    }
    if (!status) status = check_required(&r, error);
    return status ? status : check_company(&r, values, error);
}

int reel_complain(const reel_usage *usage, const reel_error *error)
{
    fprintf(stderr, "reel %s: %s\n", usage->command, error->text);
    return (int)error->status;
}

int reel_options_begin(const reel_usage *usage, int argc, char **argv, void *values)
{
    reel_error error = {0};
    bool help;
    if (reel_options_parse(usage, argc, argv, values, &help, &error)) return reel_complain(usage, &error);
    if (!help) return -1;
    reel_options_help(usage, stdout);
    return REEL_OK;
}
