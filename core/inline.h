/* REEL_INLINE: how small functions are defined that kernels share. A compiler for another processor than the host's
   defines it, before it includes anything of reel, to mean functions for both. */
#ifndef REEL_CORE_INLINE_H
#define REEL_CORE_INLINE_H

#ifndef REEL_INLINE
#define REEL_INLINE static inline
#endif

#endif
