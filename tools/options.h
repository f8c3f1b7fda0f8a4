/* The front door of every command: a table of options says what a command takes, and from it come the parser, the
   messages about mistakes and the text of --help, so that the three cannot disagree.

       typedef struct { const char *data; int steps; bool json; } train_options;
       static const reel_option table[] = {
           REEL_OPTION("data", STRING, train_options, data, "DIR", "folder of the data set", .required = true),
           REEL_OPTION("steps", INT, train_options, steps, "N", "optimiser steps", .fallback = "1000", .low = 1,
                       .high = 1e9),
           REEL_OPTION("json", FLAG, train_options, json, NULL, "print JSON"),
           {0},
       };
       static const reel_usage usage = {"train", "Trains a network.", table, NULL};

   Both `--name value` and `--name=value` are understood, each option at most once. A list takes every argument up to
   the next option, and may be given again to go on with it: `--set a=1 --set b=2` is `--set a=1 b=2`. */
#ifndef REEL_TOOLS_OPTIONS_H
#define REEL_TOOLS_OPTIONS_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    int height, width;
} reel_size;

/* Reads "HxW", both above zero. */
bool reel_size_read(reel_size *size, const char *text);

enum { REEL_MOST_WORDS = 32 };

typedef struct {
    int count;
    const char *at[REEL_MOST_WORDS]; /* point into argv */
} reel_words;

/* The type of an option and the C type of its field. */
typedef enum {
    REEL_OPTION_FLAG,   /* bool: true when given; takes no value */
    REEL_OPTION_INT,    /* int */
    REEL_OPTION_DOUBLE, /* double, finite */
    REEL_OPTION_SIZE,   /* reel_size, written HxW */
    REEL_OPTION_STRING, /* const char *, points into argv; NULL when neither given nor defaulted */
    REEL_OPTION_CHOICE, /* int: the place of the word in `detail`, from 0 */
    REEL_OPTION_SEED,   /* uint64_t */
    REEL_OPTION_BYTES,  /* size_t, written 2000000, 1500MiB or 4GiB */
    REEL_OPTION_LIST,   /* reel_words, empty when not given */
} reel_option_type;

typedef struct {
    const char *name; /* without the dashes */
    reel_option_type type;
    size_t offset;        /* of the field */
    const char *detail;   /* of a choice "first|second|third"; else what the help calls the value: "DIR" */
    const char *help;     /* one line; longer ones are wrapped */
    const char *fallback; /* the default, written as on the command line; NULL leaves zero */
    double low, high;     /* range of an int, a double or the sides of a size, ends included; low = high: no bounds */
    bool required;
    bool positional; /* given without its name; in the order of the table */
    /* What must hold for the option to mean anything, else giving it is a mistake. Conditions separated by spaces:
       "lengthen", that option is given; "optimiser=sgd", that choice or string has this value, given or by default;
       after ! it is the opposite that must hold. */
    const char *with;
} reel_option;

/* A row of the table; the members above from `fallback` on may follow by name. */
#define REEL_OPTION(word, kind, structure, field, shown, text, ...)                                                    \
    {                                                                                                                  \
        .name = word, .type = REEL_OPTION_##kind, .offset = offsetof(structure, field), .detail = shown, .help = text, \
        __VA_ARGS__                                                                                                    \
    }

typedef struct {
    const char *command;        /* "train" */
    const char *summary;        /* what it does: a sentence or a few, wrapped */
    const reel_option *options; /* up to 64, ended by one without a name */
    const char *notes;          /* printed as it is at the end of the help; may be NULL */
} reel_usage;

/* Reads argv[1..] into the structure `values`, defaults first. With --help among the arguments nothing else is looked
   at and *help is true. Failures are REEL_USAGE. */
reel_status reel_options_parse(const reel_usage *usage, int argc, char **argv, void *values, bool *help,
                               reel_error *error);

void reel_options_help(const reel_usage *usage, FILE *to);

/* What a command begins with: parses, prints the help or the mistake, and returns the exit code to leave with, or -1 to
   go on. */
int reel_options_begin(const reel_usage *usage, int argc, char **argv, void *values);

/* Prints "reel COMMAND: text" to stderr and returns the exit code. */
int reel_complain(const reel_usage *usage, const reel_error *error);

/* The candidate that is fewest edits (insert, delete, replace a letter) from `word`, or NULL when none is close. */
const char *reel_nearest_word(const char *word, const char *const *candidates, int n);

#endif
