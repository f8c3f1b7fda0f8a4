/* See error.h. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

#undef reel_fail
#undef reel_fail_memory

reel_status reel_fail(reel_error *error, reel_status status, const char *format, ...)
{
    if (!error || error->status != REEL_OK) return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    for (char *c = error->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    error->status = status;
    return status;
}

reel_status reel_fail_memory(reel_error *error)
{
    return reel_fail(error, REEL_ENVIRONMENT,
                     "out of memory: an allocation was refused; use a smaller size, batch or "
                     "clip, or free memory on this machine");
}
