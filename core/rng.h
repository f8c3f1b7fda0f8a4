/* Random numbers as a function, not a stream: reel_random(key, counter) is the same 64 bits wherever, whenever and on
   whatever thread it is asked. A draw is named by what it is for (seed, step, node, element), so that resuming,
   reordering and threading cannot change it.

   The mixer is SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014) applied to a Weyl sequence of the counter
   and once more to the key. */
#ifndef REEL_CORE_RNG_H
#define REEL_CORE_RNG_H

#include "core/inline.h"

#include <math.h>
#include <stdint.h>

REEL_INLINE uint64_t reel_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A key from its parts: reel_key(reel_key(seed, step), node) and so on. */
REEL_INLINE uint64_t reel_key(uint64_t key, uint64_t part)
{
    return reel_mix(key ^ reel_mix(part + 0x9e3779b97f4a7c15u));
}

REEL_INLINE uint64_t reel_random(uint64_t key, uint64_t counter)
{
    return reel_mix(reel_mix(counter * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u) ^ key);
}

/* Uniform in [0, 1), 53 bits. */
REEL_INLINE double reel_uniform(uint64_t key, uint64_t counter)
{
    return (double)(reel_random(key, counter) >> 11) * 0x1p-53;
}

__extension__ typedef unsigned __int128 reel_u128;

/* Uniform integer in 0..n-1 (n > 0); the bias of the multiplication is below n / 2^64. */
static inline uint64_t reel_below(uint64_t key, uint64_t counter, uint64_t n)
{
    return (uint64_t)(((reel_u128)reel_random(key, counter) * n) >> 64);
}

/* Standard normal (Box and Muller 1958); uses counters 2c and 2c + 1 of its key. */
static inline double reel_normal(uint64_t key, uint64_t counter)
{
    double u = 1 - reel_uniform(key, 2 * counter), v = reel_uniform(key, 2 * counter + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
