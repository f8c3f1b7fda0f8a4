/* exp of a float without a branch or a call, so that loops over it become vector code.

   x = n ln 2 + r with |r| <= ln(2) / 2: adding and subtracting 1.5 * 2^23 rounds to the integer n, ln 2 is subtracted
   in two parts of which the first has few digits, so that n times it is exact, and e^r is its Taylor polynomial to r^7,
   whose remainder is below 5e-9. 2^n goes in as exponent bits. The error is about one unit in the last place. Below
   -87 the result is 0 (subnormal numbers are not made), above 88.3 it is infinite, a little early; NaN gives NaN. */
#ifndef REEL_BACKENDS_CPU_EXPONENTIAL_H
#define REEL_BACKENDS_CPU_EXPONENTIAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float cpu_expf(float x)
{
    const float rounder = 12582912.0f;
    float z = x * 1.44269504f + rounder, n = z - rounder, r = (x - n * 0.693359375f) + n * 2.12194440e-4f, scale;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1;
    p = p * r + 1;
    uint32_t bits;
    memcpy(&bits, &z, sizeof bits); /* the low bits of z are those of n */
    bits = (bits + 127) << 23;
    memcpy(&scale, &bits, sizeof scale);
    float y = p * scale;
    y = x < -87.0f ? 0 : y;
    return x > 88.3f ? INFINITY : y;
}

#endif
