/* See op_table.h. */
#include "tests/support/op_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void over_table(const char *mode, case_check check)
{
    int rows = 0, bad = 0;
    const char *only = getenv("REEL_TEST_OP");
    for (const op_case *const *group = case_groups; *group; group++) {
        for (const op_case *row = *group; row->op; row++) {
            op_problem p;
            char why[1200] = "the row cannot be read";
            if (only && strcmp(only, row->op) != 0) continue;
            rows++;
            if (!op_problem_read(&p, row) || !check(&p, why, sizeof why)) {
                bad++;
                printf("%s: %s {%s} %s: %s\n", mode, row->op, row->attrs ? row->attrs : "", row->inputs, why);
            }
        }
    }
    printf("%s: %d rows, %d bad\n", mode, rows, bad);
    ck_assert_msg(rows > 0, "the table is empty");
    ck_assert_msg(bad == 0, "%s: %d of %d rows are bad", mode, bad, rows);
}

bool agree(const op_problem *p, reel_dtype da, reel_backend *a, reel_dtype db, reel_backend *b, double tolerance,
           char *why, size_t size)
{
    op_results ra = {0}, rb = {0};
    bool ok = op_run(&ra, p, da, a, why, size) && op_run(&rb, p, db, b, why, size);
    if (ok) {
        for (int k = 0; k < ra.count; k++)
            if (ra.dtype[k] != rb.dtype[k] && !reel_dtype_is_float(rb.dtype[k])) ok = false;
        double distance = op_results_distance(&ra, &rb, 0, -1);
        ok = ok && distance <= tolerance;
        snprintf(why, size, "relative distance %.3g, allowed %.3g", distance, tolerance);
    }
    op_results_free(&ra);
    op_results_free(&rb);
    return ok;
}

bool bf16_agrees(const op_problem *p, reel_backend *backend, reel_backend *reference, char *why, size_t size)
{
    op_results half = {0}, whole = {0};
    op_problem rounded = *p;
    rounded.rounded = true;
    bool ok =
        op_run(&half, p, REEL_BF16, backend, why, size) && op_run(&whole, &rounded, REEL_F64, reference, why, size);
    int outputs = p->op->outputs;
    for (int k = 0; ok && k < outputs; k++) {
        double y = op_results_distance(&half, &whole, k, k + 1);
        ok = y <= (half.dtype[k] == REEL_F32 ? 2e-5 : 1.01 * 0x1p-8);
        snprintf(why, size, "relative distance %.3g of output %d", y, k);
    }
    double dx = ok ? op_results_distance(&half, &whole, outputs, -1) : 0;
    if (dx > 0x1p-6) {
        ok = false;
        snprintf(why, size, "relative distance %.3g of gradients", dx);
    }
    op_results_free(&half);
    op_results_free(&whole);
    return ok;
}

void must_agree(const op_case *row, reel_dtype type, reel_backend *backend, reel_backend *reference, double tolerance)
{
    char why[256] = "";
    op_problem p;
    ck_assert(op_problem_read(&p, row));
    bool ok = type == REEL_BF16 ? bf16_agrees(&p, backend, reference, why, sizeof why)
                                : agree(&p, type, backend, REEL_F64, reference, tolerance, why, sizeof why);
    ck_assert_msg(ok, "%s %s %s: %s", row->op, row->attrs, row->inputs, why);
}

void must_fail(const op_case *row, reel_backend *backend, const char *part)
{
    char why[256] = "";
    op_problem p;
    op_results r = {0};
    ck_assert(op_problem_read(&p, row));
    ck_assert(!op_run(&r, &p, REEL_F32, backend, why, sizeof why));
    ck_assert_msg(strstr(why, part), "'%s' lacks '%s'", why, part);
    op_results_free(&r);
}
