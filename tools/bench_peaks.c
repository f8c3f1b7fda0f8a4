/* reel bench peaks: what this machine can do at most, in the process that will be compared with it. */
#include "backends/cpu/peaks.h"
#include "tools/bench.h"
#include "tools/device.h"
#include "tools/options.h"

typedef struct {
    int threads;
    bool json;
} peaks_options;

static const reel_option table[] = {
    REEL_OPTION("threads", INT, peaks_options, threads, "N", "0: all cores", .fallback = "2", .low = 0, .high = 1024),
    REEL_OPTION("json", FLAG, peaks_options, json, NULL, "print one line of JSON"),
    {0},
};
static const reel_usage usage = {
    "bench peaks", "Measures the peaks of multiply-adds and of memory, on one thread and on several.", table, NULL};

typedef struct {
    const char *name, *unit; /* giga-operations or gigabytes a second */
    double value[2];         /* on one thread, on all */
} peak;

enum { MEMORY_PEAKS = 4, MOST_PEAKS = CPU_ISAS + MEMORY_PEAKS };

static int measure(peak *list, int threads)
{
    static const char *const names[CPU_ISAS] = {"multiply-add, portable, fp32", "multiply-add, avx2, fp32",
                                                "multiply-add, avx512, fp32", "multiply-add, amx, bf16"};
    int count = 0, number[2] = {1, threads};
    for (cpu_isa isa = CPU_ISA_PORTABLE; isa <= cpu_this_machine().widest; isa++, count++) {
        list[count] = (peak){.name = names[isa], .unit = "GFLOP/s"};
        for (int t = 0; t < 2; t++) list[count].value[t] = cpu_peak_multiply_add(isa, number[t]) / 1e9;
    }
    peak memory[MEMORY_PEAKS] = {{"second-level cache, read", "GB/s", {0}},
                                 {"second-level cache, triad", "GB/s", {0}},
                                 {"memory, read", "GB/s", {0}},
                                 {"memory, triad", "GB/s", {0}}};
    for (int t = 0; t < 2; t++) {
        cpu_bandwidth near = cpu_peak_bandwidth(cpu_cache_sized(), number[t]);
        cpu_bandwidth far = cpu_peak_bandwidth(cpu_memory_sized(number[t]), number[t]);
        double rates[MEMORY_PEAKS] = {near.read, near.triad, far.read, far.triad};
        for (int i = 0; i < MEMORY_PEAKS; i++) memory[i].value[t] = rates[i] / 1e9;
    }
    for (int i = 0; i < MEMORY_PEAKS; i++) list[count++] = memory[i];
    return count;
}

static void print_peaks(const peak *list, int count, const reel_backend *backend, bool json)
{
    const char *chosen = cpu_isa_name(cpu_isa_current());
    if (json)
        printf("{\"isa\": \"%s\", \"threads\": %d, \"peaks\": [", chosen, backend->threads);
    else
        printf("instruction set %s%s%s\n%-32s %9s %9s\n", chosen, backend->note ? "; " : "",
               backend->note ? backend->note : "", "threads", "1", "all");
    for (int i = 0; i < count; i++) {
        const peak *p = &list[i];
        if (json)
            printf("%s{\"name\": \"%s\", \"unit\": \"%s\", \"one\": %.1f, \"all\": %.1f}", i ? ", " : "", p->name,
                   p->unit, p->value[0], p->value[1]);
        else
            printf("%-32s %9.1f %9.1f %s\n", p->name, p->value[0], p->value[1], p->unit);
    }
    if (json) printf("]}\n");
}

int reel_bench_peaks(int argc, char **argv)
{
    peaks_options o;
    reel_error error = {REEL_OK, ""};
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    reel_backend *backend = reel_device_open("cpu", o.threads, &error); /* says what REEL_ISA allows */
    if (!backend) return reel_complain(&usage, &error);
    peak list[MOST_PEAKS];
    print_peaks(list, measure(list, backend->threads), backend, o.json);
    backend->close(backend);
    return REEL_OK;
}
