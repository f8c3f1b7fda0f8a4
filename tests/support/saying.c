/* See saying.h. */
#include "tests/support/saying.h"

#include "backends/registry.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *variable, const char *word)
{
    if (variable && word) setenv(variable, word, 1);
    if (variable && !word) unsetenv(variable);
}

reel_backend *cuda_saying(const char *a, const char *word_a, const char *b, const char *word_b, reel_error *error)
{
    say(a, word_a);
    say(b, word_b);
    reel_backend *backend = reel_backend_open("cuda:0", 1, error);
    say(a, NULL);
    say(b, NULL);
    return backend;
}

reel_backend *must_open_saying(const char *a, const char *word_a, const char *b, const char *word_b)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = cuda_saying(a, word_a, b, word_b, &error);
    ck_assert_msg(backend != NULL, "%s", error.text);
    return backend;
}

void refused_saying(const char *variable, const char *word, const char *part)
{
    char said[64];
    reel_error error = {REEL_OK, ""};
    snprintf(said, sizeof said, "%s=%s", variable, word);
    ck_assert_msg(!cuda_saying(variable, word, NULL, NULL, &error), "%s was taken", said);
    ck_assert_int_eq(error.status, REEL_USAGE);
    ck_assert_msg(strstr(error.text, said) && strstr(error.text, part), "%s", error.text);
}
