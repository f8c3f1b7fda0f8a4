/* Every row of the table of op cases, in every mode, those of the CPU with every instruction set that this machine can
   run; and every op of ops.def in the table. */
#include "backends/cpu/cpu.h"
#include "backends/cpu/isa.h"
#include "tests/support/op_table.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static reel_backend *reference, *cpu;

static void with_every_set(const char *mode, case_check check)
{
    char text[64];
    cpu_isa before = cpu_isa_current();
    for (cpu_isa isa = CPU_ISA_PORTABLE; isa <= cpu_this_machine().widest; isa++) {
        cpu_isa_use(isa);
        snprintf(text, sizeof text, "%s, %s", mode, cpu_isa_name(isa));
        over_table(text, check);
    }
    cpu_isa_use(before);
}

static bool float_against_double(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F32, reference, REEL_F64, reference, 2e-5, why, size);
}

static bool cpu_double(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F64, cpu, REEL_F64, reference, 1e-12, why, size);
}

static bool cpu_float(const op_problem *p, char *why, size_t size)
{
    return agree(p, REEL_F32, cpu, REEL_F64, reference, 2e-5, why, size);
}

static bool reference_bf16(const op_problem *p, char *why, size_t size)
{
    return bf16_agrees(p, reference, reference, why, size);
}

static bool cpu_bf16(const op_problem *p, char *why, size_t size)
{
    return bf16_agrees(p, cpu, reference, why, size);
}

static bool any_threads_in(reel_dtype dtype, const op_problem *p, char *why, size_t size)
{
    static const int counts[] = {2, 3, 4, 8};
    op_results one = {0}, many = {0};
    cpu->threads = 1;
    bool ok = op_run(&one, p, dtype, cpu, why, size);
    for (int i = 0; ok && i < 4; i++) {
        cpu->threads = counts[i];
        ok = op_run(&many, p, dtype, cpu, why, size) && op_results_same_bits(&one, &many);
        if (!ok) snprintf(why, size, "%d threads give other bits than 1", counts[i]);
        op_results_free(&many);
    }
    cpu->threads = 2;
    op_results_free(&one);
    return ok;
}

static bool any_threads(const op_problem *p, char *why, size_t size)
{
    return any_threads_in(REEL_F32, p, why, size);
}

static bool any_threads_bf16(const op_problem *p, char *why, size_t size)
{
    return any_threads_in(REEL_BF16, p, why, size);
}

static bool gradients(const op_problem *p, int order, char *why, size_t size)
{
    bool any = false;
    for (int i = 0; i < p->inputs; i++) any |= p->input[i].differentiate;
    if (!any || p->op->flags & REEL_OP_NO_GRADIENT) return true;
    op_graph g;
    reel_error error = {REEL_OK, ""};
    reel_check_result result = {.passed = false};
    reel_check_options options = REEL_CHECK_DEFAULTS;
    options.order = order;
    options.entries = 60;
    reel_check_input input[CASE_INPUTS];
    int inputs = 0;
    if (op_graph_build(&g, p, REEL_F64, reference)) {
        for (int i = 0; i < p->inputs; i++)
            if (g.input[i]) input[inputs++] = (reel_check_input){g.input[i], g.value[i], p->input[i].differentiate};
        reel_gradcheck(g.output, p->op->outputs, input, inputs, reference, &options, &result, &error);
    } else
        error = *reel_graph_error(g.graph);
    snprintf(why, size,
             "%s; input %d entry %lld: analytic %.12g, differences %.12g (%d checked, %d skipped, %d failed)",
             error.text, result.input, (long long)result.entry, result.analytic, result.numeric, result.checked,
             result.skipped, result.failed);
    op_graph_free(&g);
    return result.passed && error.status == REEL_OK;
}

static bool first_order(const op_problem *p, char *why, size_t size)
{
    return gradients(p, 1, why, size);
}
static bool second_order(const op_problem *p, char *why, size_t size)
{
    return gradients(p, 2, why, size);
}

START_TEST(float_agrees_with_double)
{
    over_table("float against double", float_against_double);
}
END_TEST
START_TEST(gradients_agree_with_differences)
{
    over_table("gradient", first_order);
}
END_TEST
START_TEST(second_gradients_agree_with_differences)
{
    over_table("second gradient", second_order);
}
END_TEST
START_TEST(cpu_agrees_with_reference_in_double)
{
    with_every_set("cpu, double", cpu_double);
}
END_TEST
START_TEST(cpu_agrees_with_reference_in_float)
{
    with_every_set("cpu, float", cpu_float);
}
END_TEST
START_TEST(reference_rounds_bf16)
{
    over_table("reference, bf16", reference_bf16);
}
END_TEST
START_TEST(cpu_rounds_bf16)
{
    with_every_set("cpu, bf16", cpu_bf16);
}
END_TEST
START_TEST(threads_do_not_change_bits)
{
    with_every_set("threads", any_threads);
    over_table("threads, bf16", any_threads_bf16);
}
END_TEST

START_TEST(every_op_has_rows)
{
    for (int i = 0; i < reel_ops_count; i++) {
        const reel_op *op = reel_ops[i];
        int rows = 0, least = op->flags & (REEL_OP_NO_GRADIENT | REEL_OP_UPDATES) ? 1 : 5;
        for (const op_case *const *group = case_groups; *group; group++)
            for (const op_case *row = *group; row->op; row++) rows += !strcmp(row->op, op->name);
        ck_assert_msg(rows >= least, "%s has %d rows in tests/cases, wants %d", op->name, rows, least);
        ck_assert_msg(op->flags & REEL_OP_NO_GRADIENT || op->gradient, "%s has neither a gradient nor says so",
                      op->name);
    }
}
END_TEST

/* --- attributes --- */

static size_t field_bytes(const reel_attr *a)
{
    static const size_t size[] = {[REEL_ATTR_FLOAT] = sizeof(double),
                                  [REEL_ATTR_BOOL] = sizeof(bool),
                                  [REEL_ATTR_CHOICE] = sizeof(int),
                                  [REEL_ATTR_INTS] = sizeof(reel_ints)};
    return a->kind == REEL_ATTR_INT ? (size_t)a->count * sizeof(int) : size[a->kind];
}

/* Whether the byte belongs to a value: not to padding, and in a list of integers not beyond its end. */
static bool counts(const reel_op *op, const char *attr, size_t byte)
{
    for (const reel_attr *a = op->attrs; a->name; a++) {
        if (byte < a->offset || byte >= a->offset + field_bytes(a)) continue;
        if (a->kind != REEL_ATTR_INTS) return true;
        const reel_ints *list = (const void *)(attr + a->offset);
        size_t in = byte - a->offset, start = offsetof(reel_ints, at);
        return in < sizeof list->count || (in >= start && in < start + (size_t)list->count * sizeof *list->at);
    }
    return false;
}

/* A byte of a struct that is no field's can only be there to align the next one. */
START_TEST(attributes_are_equal_by_their_fields_alone)
{
    _Alignas(16) char one[512], other[512];
    for (int i = 0; i < reel_ops_count; i++) {
        const reel_op *op = reel_ops[i];
        if (!op->attr_size) continue;
        ck_assert_msg(op->attrs && op->attr_size <= sizeof one, "%s", op->name);
        reel_attr_defaults(op, one);
        size_t gap = 0;
        for (size_t byte = 0; byte < op->attr_size; byte++) {
            memcpy(other, one, op->attr_size);
            other[byte] = (char)(other[byte] ^ 1);
            ck_assert_msg(reel_attr_equal(op, one, other) == !counts(op, one, byte), "%s, byte %zu", op->name, byte);
            bool named = false;
            for (const reel_attr *a = op->attrs; a->name; a++)
                named |= byte >= a->offset && byte < a->offset + field_bytes(a);
            gap = named ? 0 : gap + 1;
            ck_assert_msg(gap < sizeof(double), "%s: no row of its table names byte %zu", op->name, byte);
        }
    }
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    reference = reel_reference_backend();
    cpu = reel_cpu_backend(2, &error);
    if (!reference || !cpu) return 2;
    cpu->serial_below = 0; /* the rows are small, and threads are to be tested */
    const TTest *const tests[] = {
        every_op_has_rows,
        attributes_are_equal_by_their_fields_alone,
        float_agrees_with_double,
        gradients_agree_with_differences,
        second_gradients_agree_with_differences,
        cpu_agrees_with_reference_in_double,
        cpu_agrees_with_reference_in_float,
        reference_rounds_bf16,
        cpu_rounds_bf16,
        threads_do_not_change_bits,
    };
    int code = tiny_suite("ops", tests, sizeof tests / sizeof *tests);
    reference->close(reference);
    cpu->close(cpu);
    return code;
}
