/* How far a long command is: one line that is drawn over itself on a terminal, with an estimate of what is left; plain
   lines, now and then, anywhere else. Everything goes to stderr, so that stdout stays what a program reads. */
#ifndef REEL_TOOLS_PROGRESS_H
#define REEL_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *what; /* "train" */
    uint64_t first, total;
    bool terminal, quiet;
    double start, last;
} reel_progress;

/* `first` steps of `total` are done already. */
void reel_progress_begin(reel_progress *p, const char *what, uint64_t first, uint64_t total, bool quiet);
/* `done` of `total`; `note` says what is worth seeing: "loss 0.31". */
void reel_progress_show(reel_progress *p, uint64_t done, const char *note);
void reel_progress_end(reel_progress *p);

#endif
