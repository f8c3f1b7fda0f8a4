/* See op_run.h. */
#include "tests/support/op_run.h"

#include "core/element.h"
#include "core/memory.h"
#include "core/rng.h"
#include "tools/op_call.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading a row --- */

/* Whether the word makes sense, and whether its input is differentiated. */
static bool read_input(case_input *in, const char *word)
{
    reel_op_argument drawn;
    reel_error error = {REEL_OK, ""};
    if (reel_op_argument_draw(&drawn, word, REEL_F64, 0, &error)) return false;
    *in = (case_input){word, drawn.present && !drawn.fixed && reel_dtype_is_float(drawn.dtype)};
    reel_free(drawn.value);
    return true;
}

bool op_problem_read(op_problem *p, const op_case *row)
{
    char text[1024], *save;
    *p = (op_problem){.from = row, .op = reel_op_find(row->op)};
    reel_error error = {REEL_OK, ""};
    if (!p->op) return printf("there is no op %s\n", row->op), false;
    reel_attr_defaults(p->op, p->attr);
    snprintf(text, sizeof text, "%s", row->attrs ? row->attrs : "");
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (reel_attr_set(p->op, p->attr, word, &error)) return printf("%s\n", error.text), false;
    snprintf(p->text, sizeof p->text, "%s", row->inputs);
    for (char *word = strtok_r(p->text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (p->inputs == CASE_INPUTS || !read_input(&p->input[p->inputs++], word))
            return printf("%s: cannot read input '%s'\n", row->op, word), false;
    return true;
}

/* --- building --- */

static reel_tensor *make_input(op_graph *g, const op_problem *p, int i, reel_dtype dtype, reel_shape shape)
{
    char name[16];
    snprintf(name, sizeof name, "x%d", i);
    reel_error error = {REEL_OK, ""};
    if (!(p->op->flags & REEL_OP_UPDATES && i < p->op->outputs)) return reel_input(g->graph, name, dtype, shape);
    reel_parameter *w = reel_parameter_declare(g->set, name, dtype, shape, (reel_init){0}, true, &error);
    return w ? reel_parameter_in(g->graph, w) : reel_poison(g->graph, "%s", error.text);
}

/* What bf16 would hold, in the dtype that it is in. */
static void round_to_bf16(reel_op_argument *x)
{
    for (int64_t i = 0; i < reel_elements(&x->shape); i++) {
        reel_bf16 rounded = reel_bf16_from_float((float)reel_element(x->value, x->dtype, i));
        reel_set_element(x->value, x->dtype, i, reel_bf16_to_float(rounded));
    }
}

bool op_graph_build(op_graph *g, const op_problem *p, reel_dtype real, reel_backend *backend)
{
    *g = (op_graph){.graph = reel_graph_new(), .set = reel_parameters_new(backend, 1)};
    if (!g->graph || !g->set) return false;
    for (int i = 0; i < p->inputs; i++) {
        reel_op_argument drawn;
        reel_error error = {REEL_OK, ""};
        if (reel_op_argument_draw(&drawn, p->input[i].word, real, reel_key(97, (uint64_t)i), &error)) return false;
        if (!drawn.present) continue;
        if (p->rounded && reel_dtype_is_float(drawn.dtype)) round_to_bf16(&drawn);
        g->value[i] = drawn.value;
        g->input[i] = make_input(g, p, i, drawn.dtype, drawn.shape);
    }
    reel_tensor *y = reel_apply(g->graph, p->op, g->input, p->inputs, p->op->attr_size ? p->attr : NULL);
    for (int k = 0; k < p->op->outputs; k++) g->output[k] = reel_output(y, k);
    return !reel_failed(reel_graph_error(g->graph));
}

void op_graph_free(op_graph *g)
{
    for (int i = 0; i < CASE_INPUTS; i++) reel_free(g->value[i]);
    reel_graph_free(g->graph);
    reel_parameters_free(g->set);
}

/* --- running --- */

/* Gradients of sum(y * r) over the float outputs, r a fixed ramp so that every entry counts differently. */
static int add_gradients(const op_graph *g, const op_problem *p, reel_tensor **gradient)
{
    reel_tensor *wrt[CASE_INPUTS], *loss = NULL;
    int count = 0;
    for (int i = 0; i < p->inputs; i++)
        if (p->input[i].differentiate) wrt[count++] = g->input[i];
    if (!count || p->op->flags & REEL_OP_NO_GRADIENT) return 0;
    for (int k = 0; k < p->op->outputs; k++) {
        reel_tensor *y = g->output[k];
        if (!reel_dtype_is_float(y->dtype)) continue;
        int64_t n = reel_elements(&y->shape);
        double *r = reel_alloc((size_t)n, sizeof *r);
        for (int64_t i = 0; i < n; i++) r[i] = reel_normal(reel_key(5, (uint64_t)k), (uint64_t)i);
        reel_tensor *ramp = reel_constant(g->graph, REEL_F64, y->shape, r);
        if (p->rounded) ramp = reel_cast(ramp, REEL_BF16);
        ramp = reel_cast(ramp, y->dtype);
        reel_tensor *part = reel_sum_all(reel_mul(y, ramp));
        loss = loss ? reel_add(loss, part) : part;
        reel_free(r);
    }
    reel_gradients(loss, wrt, count, gradient);
    return count;
}

static reel_status write_inputs(const op_graph *g, reel_plan *plan, reel_error *error)
{
    reel_status status = REEL_OK;
    for (int i = 0; !status && i < CASE_INPUTS; i++) {
        if (!g->input[i]) continue;
        const reel_node *node = g->input[i]->node;
        status = node->op == &reel_op_parameter ? reel_parameter_write(node->source.parameter, g->value[i], error)
                                                : reel_plan_write(plan, g->input[i], g->value[i], error);
    }
    return status;
}

static reel_status run_graph(op_results *r, op_graph *g, const op_problem *p, reel_backend *backend, reel_error *error)
{
    reel_tensor *wanted[CASE_RESULTS];
    for (int k = 0; k < p->op->outputs; k++) wanted[k] = g->output[k];
    int count = p->op->outputs + add_gradients(g, p, wanted + p->op->outputs);
    reel_plan *plan = reel_plan_new(g->graph, backend, wanted, count, error);
    reel_status status = plan ? write_inputs(g, plan, error) : REEL_USAGE;
    if (plan) reel_plan_random(plan, 3, 4);
    if (!status) status = reel_plan_run(plan, error);
    for (int i = 0; !status && i < count; i++) {
        r->dtype[i] = wanted[i]->dtype;
        r->shape[i] = wanted[i]->shape;
        r->data[i] = reel_alloc((size_t)reel_elements(&r->shape[i]), reel_dtype_size(r->dtype[i]));
        r->count = i + 1;
        status = r->data[i] ? reel_plan_read(plan, wanted[i], r->data[i], error) : reel_fail_memory(error);
    }
    reel_plan_free(plan);
    return status;
}

bool op_run(op_results *r, const op_problem *p, reel_dtype real, reel_backend *backend, char *why, size_t size)
{
    op_graph g;
    reel_error error = {REEL_OK, ""};
    *r = (op_results){0};
    if (!op_graph_build(&g, p, real, backend))
        reel_fail(&error, REEL_USAGE, "%s", reel_graph_error(g.graph)->text);
    else
        run_graph(r, &g, p, backend, &error);
    snprintf(why, size, "%s", error.text);
    op_graph_free(&g);
    return error.status == REEL_OK;
}

void op_results_free(op_results *r)
{
    for (int i = 0; i < r->count; i++) reel_free(r->data[i]);
    r->count = 0;
}

/* --- comparing --- */

static double at(const op_results *r, int k, int64_t i)
{
    return reel_element(r->data[k], r->dtype[k], i);
}

double op_results_distance(const op_results *a, const op_results *b, int first, int end)
{
    double worst = a->count == b->count ? 0 : 1e9;
    for (int k = first; k != end && k < a->count && k < b->count; k++) {
        if (!reel_shape_equal(&a->shape[k], &b->shape[k])) return 1e9;
        double largest = 1e-6, far = 0;
        for (int64_t i = 0; i < reel_elements(&a->shape[k]); i++) {
            double x = at(a, k, i), y = at(b, k, i);
            if (x == y || (isnan(x) && isnan(y))) {
                if (isfinite(y)) largest = fmax(largest, fabs(y));
                continue;
            }
            if (!reel_dtype_is_float(a->dtype[k]) || !isfinite(x) || !isfinite(y)) return 1e9;
            far = fmax(far, fabs(x - y));
            largest = fmax(largest, fabs(y));
        }
        worst = fmax(worst, far / largest);
    }
    return worst;
}

bool op_results_same_bits(const op_results *a, const op_results *b)
{
    bool same = a->count == b->count;
    for (int k = 0; same && k < a->count; k++)
        same = reel_shape_equal(&a->shape[k], &b->shape[k]) &&
               !memcmp(a->data[k], b->data[k], (size_t)reel_elements(&a->shape[k]) * reel_dtype_size(a->dtype[k]));
    return same;
}
