/* Seconds on a clock that only goes forward, from an arbitrary start: for measuring, not for dates. */
#ifndef REEL_CORE_CLOCK_H
#define REEL_CORE_CLOCK_H

double reel_seconds(void);

#endif
