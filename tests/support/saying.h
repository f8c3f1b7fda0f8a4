/* The first GPU, or the emulated one, opened while variables of the environment say something; they say nothing
   afterwards. */
#ifndef REEL_TESTS_SAYING_H
#define REEL_TESTS_SAYING_H

#include "core/backend.h"

/* Variable `a` says one word and `b` another. A word that is NULL: it says nothing; a variable: there is no such. */
reel_backend *cuda_saying(const char *a, const char *word_a, const char *b, const char *word_b, reel_error *error);
/* As cuda_saying; fails the test when it cannot be opened. */
reel_backend *must_open_saying(const char *a, const char *word_a, const char *b, const char *word_b);

/* Opening is refused as a usage error that tells the variable with its word, and this. */
void refused_saying(const char *variable, const char *word, const char *part);

#endif
