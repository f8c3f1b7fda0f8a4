/* The text of --help, made from the same table as the parser: a usage line, the summary, a line an option. */
#include "tools/options.h"

#include <string.h>

enum { COLUMN = 26, WIDTH = 100 };

/* Prints words from column `at` on, broken before WIDTH and indented by `indent`. */
static void print_wrapped(const char *text, int at, int indent, FILE *to)
{
    bool first = true;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (!first && at + 1 + n > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', to);
            at++;
        }
        fwrite(text, 1, (size_t)n, to);
        at += n;
        text += n + (text[n] == ' ');
        first = false;
    }
    fputc('\n', to);
}

static int print_name(const reel_option *option, FILE *to)
{
    if (option->positional) return fprintf(to, "%s", option->detail ? option->detail : option->name);
    if (option->type == REEL_OPTION_FLAG) return fprintf(to, "--%s", option->name);
    return fprintf(to, "--%s %s%s", option->name, option->detail ? option->detail : "VALUE",
                   option->type == REEL_OPTION_LIST ? "..." : "");
}

static void print_option(const reel_option *option, FILE *to)
{
    char help[1024];
    int n = snprintf(help, sizeof help, "%s", option->help);
    if (n < 0 || n >= (int)sizeof help) return;
    if (option->required)
        snprintf(help + n, sizeof help - (size_t)n, " (required)");
    else if (option->fallback)
        snprintf(help + n, sizeof help - (size_t)n, " (default %s)", option->fallback);
    fputs("  ", to);
    int at = 2 + print_name(option, to);
    if (at + 2 > COLUMN) {
        fputc('\n', to);
        at = 0;
    }
    fprintf(to, "%*s", COLUMN - at, "");
    print_wrapped(help, COLUMN, COLUMN, to);
}

void reel_options_help(const reel_usage *usage, FILE *to)
{
    fprintf(to, "usage: reel %s", usage->command);
    for (const reel_option *o = usage->options; o->name; o++) {
        if (!o->required && !o->positional) continue;
        fputs(o->required ? " " : " [", to);
        print_name(o, to);
        if (!o->required) fputc(']', to);
    }
    fputs(" [options]\n\n", to);
    print_wrapped(usage->summary, 0, 0, to);
    fputs("\noptions:\n", to);
    for (const reel_option *o = usage->options; o->name; o++) print_option(o, to);
    fprintf(to, "  %-*s%s\n", COLUMN - 2, "--help", "print this text");
    if (usage->notes) fprintf(to, "\n%s\n", usage->notes);
}
