/* See clock.h. Here and not in the header, so that including it asks for nothing but C. */
#include "core/clock.h"

#include <time.h>

double reel_seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}
