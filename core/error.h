/* How failure travels. The library never exits, prints or aborts: a function that can fail takes a `reel_error *` and
   returns a status; the first failure is kept and later ones are ignored, because the first is the cause.

   One message is one line: what went wrong, where (path or node), what was expected, what to do. The status is also
   the exit code of the command, so that a script learns the kind of failure without reading the text. Control bytes,
   which paths and names may hold, become '?', so that a message stays one line. */
#ifndef REEL_CORE_ERROR_H
#define REEL_CORE_ERROR_H

#include <stdbool.h>

typedef enum {
    REEL_OK = 0,
    REEL_USAGE = 1,       /* the caller asked for something that has no meaning: shapes, flags, arguments */
    REEL_ENVIRONMENT = 2, /* this machine cannot do it: memory, device, a missing library */
    REEL_BAD_DATA = 3,    /* a file or value read from outside is malformed or contradicts another one */
    REEL_IO = 4,          /* opening, reading or writing failed: missing file, permission, full disk */
    REEL_NONFINITE = 5,   /* a loss, gradient or weight is NaN or infinite */
} reel_status;

typedef struct {
    reel_status status;
    char text[1024];
} reel_error;

/* Records a failure unless one is recorded already; `error` may be NULL. Returns the status given, so that a
   function can end with `return reel_fail(error, REEL_IO, "…")`. */
reel_status reel_fail(reel_error *error, reel_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The failure every allocation shares. */
reel_status reel_fail_memory(reel_error *error);

/* What an analyser that reads one file at a time cannot see: failing returns the status that it was given. */
#ifdef __clang_analyzer__
#define reel_fail(error, status, ...) ((void)(reel_fail)(error, status, __VA_ARGS__), (status))
#define reel_fail_memory(error) ((void)(reel_fail_memory)(error), REEL_ENVIRONMENT)
#endif

static inline bool reel_failed(const reel_error *error)
{
    return error && error->status != REEL_OK;
}

#endif
