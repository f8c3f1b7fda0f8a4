/* bfloat16: the upper 16 bits of a float, so a sign, 8 bits of exponent and 7 of fraction. It reaches as far as a float
   and is 2^-8 of a value off at most; what is computed is computed in float, and only stored like this.

   Rounding is to the nearest, and to the even one of two that are equally near: adding 0x7fff, and one more where the
   last bit that stays is set, carries into that bit exactly when it should go up, and past the largest finite value
   into infinity. NaN stays NaN, made quiet, lest its fraction be cut to that of infinity. Denormals are kept: this is
   integer arithmetic, which knows nothing of a mode that flushes them. */
#ifndef REEL_CORE_BF16_H
#define REEL_CORE_BF16_H

#include "core/inline.h"

#include <stdint.h>
#include <string.h>

typedef uint16_t reel_bf16;

REEL_INLINE float reel_bf16_to_float(reel_bf16 x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

REEL_INLINE reel_bf16 reel_bf16_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1), quiet = bits | 0x400000;
    return (reel_bf16)(((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
}

/* n elements, the work shared by `threads`. The arrays do not overlap. */
void reel_bf16_widen(const reel_bf16 *from, float *to, int64_t n, int threads);
void reel_bf16_narrow(const float *from, reel_bf16 *to, int64_t n, int threads);

#endif
