/* Seconds on a clock that only goes forward, from an arbitrary start: for measuring, not for dates. */
#ifndef REEL_CORE_CLOCK_H
#define REEL_CORE_CLOCK_H

#include <time.h>

static inline double reel_seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

#endif
