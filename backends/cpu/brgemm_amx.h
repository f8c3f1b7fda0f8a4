/* The tiles of brgemm.h for bfloat16 on AMX; `points` by 16 x `vectors` lanes. See brgemm_amx.c. */
#ifndef REEL_BACKENDS_CPU_BRGEMM_AMX_H
#define REEL_BACKENDS_CPU_BRGEMM_AMX_H

#include "backends/cpu/brgemm.h"

cpu_tile cpu_amx_16_1, cpu_amx_16_2, cpu_amx_32_1, cpu_amx_32_2;

/* Sets up the tile registers of this thread, and gives them back. */
void cpu_amx_begin(void);
void cpu_amx_end(void);

#endif
