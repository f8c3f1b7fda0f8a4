/* backends/cpu/isa.h: which instruction set is taken on machines of every kind, and what a wrong wish gets. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/isa.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(without_a_wish_the_widest)
{
    for (cpu_isa widest = CPU_ISA_PORTABLE; widest < CPU_ISAS; widest++) {
        cpu_isa isa = CPU_ISAS;
        ck_assert_int_eq(cpu_isa_pick(&isa, NULL, (cpu_machine){widest, false}, NULL), REEL_OK);
        ck_assert_int_eq(isa, widest);
        ck_assert_int_eq(cpu_isa_pick(&isa, "", (cpu_machine){widest, true}, NULL), REEL_OK);
        ck_assert_int_eq(isa, widest);
    }
}
END_TEST

START_TEST(a_wish_up_to_the_widest)
{
    for (cpu_isa widest = CPU_ISA_PORTABLE; widest < CPU_ISAS; widest++)
        for (cpu_isa wish = CPU_ISA_PORTABLE; wish < CPU_ISAS; wish++) {
            cpu_isa isa = CPU_ISAS;
            reel_error error = {REEL_OK, ""};
            reel_status status = cpu_isa_pick(&isa, cpu_isa_name(wish), (cpu_machine){widest, false}, &error);
            ck_assert_int_eq(status, wish <= widest ? REEL_OK : REEL_ENVIRONMENT);
            if (wish <= widest) ck_assert_int_eq(isa, wish);
            if (wish > widest) ck_assert_ptr_nonnull(strstr(error.text, "cannot run it; it runs portable"));
        }
}
END_TEST

START_TEST(amx_that_the_system_refuses)
{
    cpu_isa isa;
    reel_error error = {REEL_OK, ""};
    cpu_machine machine = {CPU_ISA_AVX512, true};
    ck_assert_int_eq(cpu_isa_pick(&isa, NULL, machine, &error), REEL_OK);
    ck_assert_int_eq(isa, CPU_ISA_AVX512);
    ck_assert_int_eq(cpu_isa_pick(&isa, "amx", machine, &error), REEL_ENVIRONMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "does not let this process use it; it runs portable, avx2, avx512"));
}
END_TEST

START_TEST(an_unknown_name)
{
    static const char *const wrong[] = {"sse9", "AVX2", "avx512 ", "avx", "avx2,avx512", "-"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cpu_isa isa;
        reel_error error = {REEL_OK, ""};
        ck_assert_int_eq(cpu_isa_pick(&isa, wrong[i], (cpu_machine){CPU_ISA_AMX, false}, &error), REEL_USAGE);
        ck_assert_ptr_nonnull(strstr(error.text, wrong[i]));
        ck_assert_ptr_nonnull(strstr(error.text, "known are portable, avx2, avx512, amx"));
    }
}
END_TEST

START_TEST(the_backend_obeys)
{
    cpu_isa before = cpu_isa_current();
    reel_error error = {REEL_OK, ""};
    ck_assert_int_eq(setenv("REEL_ISA", "portable", 1), 0);
    reel_backend *backend = reel_cpu_backend(1, &error);
    ck_assert_ptr_nonnull(backend);
    ck_assert_int_eq(cpu_isa_current(), CPU_ISA_PORTABLE);
    backend->close(backend);
    ck_assert_int_eq(setenv("REEL_ISA", "sse9", 1), 0);
    ck_assert_ptr_null(reel_cpu_backend(1, &error));
    ck_assert_int_eq(error.status, REEL_USAGE);
    ck_assert_int_eq(cpu_isa_current(), CPU_ISA_PORTABLE);
    unsetenv("REEL_ISA");
    cpu_isa_use(before);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {without_a_wish_the_widest, a_wish_up_to_the_widest, amx_that_the_system_refuses,
                                  an_unknown_name, the_backend_obeys};
    return tiny_suite("isa", tests, sizeof tests / sizeof *tests);
}
