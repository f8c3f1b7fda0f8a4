/* CLONES before a function: GCC compiles it for several vector widths and takes the widest that the machine has when
   the program loads. For plain loops that the compiler vectorises by itself; their bits are the same in every clone. */
#ifndef REEL_CORE_CLONES_H
#define REEL_CORE_CLONES_H

#ifdef __x86_64__
#define CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CLONES
#endif

#endif
