/* Instruction sets that the CPU backend has kernels for, and the choice among them.

   A convolution or a product has one small kernel for each set, and the same loops around all of them. Which one runs
   is decided when the backend is opened, from the feature bits of the processor and from what the system has switched
   on, never from the model number: a virtual machine may hide that. The environment variable REEL_ISA forces a
   narrower set, for tests and comparisons.

   The sets are ordered: a machine that runs one runs all before it, and a kernel asks `cpu_isa_current() >= …`.

   AMX needs more than its feature bits. Tiles hold 8 KiB that the system would have to save with every switch and
   signal, so that Linux gives them only to a process that asks (arch_prctl, ARCH_REQ_XCOMP_PERM; the permission holds
   for all threads), and may refuse.

   Loops without such a kernel are vectorised by the compiler (core/clones.h); their numbers are the same in
   every set, and REEL_ISA leaves them alone. */
#ifndef REEL_BACKENDS_CPU_ISA_H
#define REEL_BACKENDS_CPU_ISA_H

#include "core/error.h"

typedef enum {
    CPU_ISA_PORTABLE, /* vectors of 16 bytes, by the compiler, on any processor */
    CPU_ISA_AVX2,     /* and FMA */
    CPU_ISA_AVX512,   /* F, BW, DQ and VL */
    CPU_ISA_AMX,      /* tiles of bfloat16, and AVX512-BF16 to make bfloat16 */
    CPU_ISAS,
} cpu_isa;

const char *cpu_isa_name(cpu_isa isa);

/* What a machine can run: every set up to the widest. */
typedef struct {
    cpu_isa widest;
    bool amx_refused; /* the processor has AMX, and the system does not let this process use it */
} cpu_machine;

/* This machine. The first call asks the processor, and the system for AMX; later ones are cheap. */
cpu_machine cpu_this_machine(void);

/* The set that `asked` names on such a machine; the widest where it is NULL or empty. A name that is unknown is
   REEL_USAGE, one that the machine cannot run REEL_ENVIRONMENT. */
reel_status cpu_isa_pick(cpu_isa *isa, const char *asked, cpu_machine machine, reel_error *error);

/* Picks what REEL_ISA asks for on this machine, and makes it the current one. */
reel_status cpu_isa_choose(cpu_isa *isa, reel_error *error);

/* The set to compute with, cheap enough to ask on every call: what was chosen last, before any choice the widest. It
   holds for the process; a plan that was made under one set must be run under it. */
cpu_isa cpu_isa_current(void);
void cpu_isa_use(cpu_isa isa); /* for tests: no wider than the machine's */

#endif
