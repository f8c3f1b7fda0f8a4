/* See isa.h. */
#include "backends/cpu/isa.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CPU_ISAS] = {"portable", "avx2", "avx512", "amx"};

const char *cpu_isa_name(cpu_isa isa)
{
    return names[isa];
}

/* --- what the machine can run --- */

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bits of CPUID leaf 1 in ecx, of leaf 7 in edx, and of the register XCR0, where the system enables state. */
enum { OSXSAVE = 1 << 27, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, TILE_STATE = 3 << 17 };
enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* of arch_prctl */

static bool system_saves_tiles(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & TILE_STATE) == TILE_STATE;
}

static bool has_amx(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    return d & AMX_TILE && d & AMX_BF16 && __builtin_cpu_supports("avx512bf16");
}

static cpu_machine look(void)
{
    cpu_machine machine = {CPU_ISA_PORTABLE, false};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) machine.widest = CPU_ISA_AVX2;
    if (machine.widest == CPU_ISA_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        machine.widest = CPU_ISA_AVX512;
    if (machine.widest == CPU_ISA_AVX512 && has_amx()) {
        machine.amx_refused = !system_saves_tiles() || syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) != 0;
        if (!machine.amx_refused) machine.widest = CPU_ISA_AMX;
    }
    return machine;
}
#else
static cpu_machine look(void)
{
    return (cpu_machine){CPU_ISA_PORTABLE, false};
}
#endif

/* Asking takes microseconds, much more where a hypervisor answers. What was found, plus one; zero before. */
cpu_machine cpu_this_machine(void)
{
    enum { REFUSED = 64 };
    static atomic_int found;
    int code = atomic_load(&found);
    if (!code) {
        cpu_machine machine = look();
        code = 1 + (int)machine.widest + (machine.amx_refused ? REFUSED : 0);
        atomic_store(&found, code);
    }
    return (cpu_machine){(cpu_isa)(code % REFUSED - 1), code >= REFUSED};
}

/* --- the choice --- */

static void list_up_to(cpu_isa widest, char *text, size_t size)
{
    text[0] = 0;
    for (int i = 0; i <= (int)widest; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
    }
}

reel_status cpu_isa_pick(cpu_isa *isa, const char *asked, cpu_machine machine, reel_error *error)
{
    char known[64], runs[64];
    *isa = machine.widest;
    if (!asked || !*asked) return REEL_OK;
    list_up_to(CPU_ISAS - 1, known, sizeof known);
    list_up_to(machine.widest, runs, sizeof runs);
    int i = 0;
    while (i < CPU_ISAS && strcmp(asked, names[i]) != 0) i++;
    if (i == CPU_ISAS)
        return reel_fail(error, REEL_USAGE,
                         "CPU backend: REEL_ISA=%s is no instruction set; known are %s, and this machine runs %s",
                         asked, known, runs);
    if (i > (int)machine.widest)
        return reel_fail(error, REEL_ENVIRONMENT, "CPU backend: REEL_ISA=%s: %s; it runs %s", asked,
                         i == CPU_ISA_AMX && machine.amx_refused
                             ? "this machine has AMX, but its system does not let this process use it"
                             : "this machine cannot run it",
                         runs);
    *isa = (cpu_isa)i;
    return REEL_OK;
}

static atomic_int current = -1;

void cpu_isa_use(cpu_isa isa)
{
    atomic_store_explicit(&current, (int)isa, memory_order_relaxed);
}

cpu_isa cpu_isa_current(void)
{
    int isa = atomic_load_explicit(&current, memory_order_relaxed);
    return isa < 0 ? cpu_this_machine().widest : (cpu_isa)isa;
}

reel_status cpu_isa_choose(cpu_isa *isa, reel_error *error)
{
    reel_status status = cpu_isa_pick(isa, getenv("REEL_ISA"), cpu_this_machine(), error);
    if (!status) cpu_isa_use(*isa);
    return status;
}
