/* See gradcheck.h. */
#include "autograd/gradcheck.h"

#include "autograd/gradient.h"
#include "core/memory.h"
#include "core/rng.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

typedef struct {
    reel_check_input *input;
    int inputs;
    const reel_check_options *options;
    reel_plan *loss_plan;
    reel_tensor *loss;
    double **gradient, **kept, **direction; /* per input, NULL when not checked */
    double largest;                         /* gradient entry */
    double at_zero;                         /* L(x) */
    reel_check_result *result;
    reel_error *error;
} checker;

static int64_t elements(const reel_check_input *in)
{
    return reel_elements(&in->tensor->shape);
}

/* --- the numbers --- */

static reel_status set_input(reel_plan *plan, const reel_check_input *in, reel_error *error)
{
    if (in->tensor->node->op == &reel_op_parameter)
        return reel_parameter_write(in->tensor->node->source.parameter, in->value, error);
    return reel_plan_write(plan, in->tensor, in->value, error);
}

static reel_status loss_at(checker *c, double *loss)
{
    reel_status status = REEL_OK;
    for (int i = 0; !status && i < c->inputs; i++) status = set_input(c->loss_plan, &c->input[i], c->error);
    if (!status) status = reel_plan_run(c->loss_plan, c->error);
    return status ? status : reel_plan_read(c->loss_plan, c->loss, loss, c->error);
}

/* L at x + t * direction, for the whole direction or one entry of it. */
static reel_status loss_along(checker *c, int which, int64_t entry, double t, double *loss)
{
    for (int i = 0; i < c->inputs; i++) {
        if (!c->input[i].check) continue;
        double *x = c->input[i].value;
        for (int64_t j = 0; which < 0 && j < elements(&c->input[i]); j++) x[j] = c->kept[i][j] + t * c->direction[i][j];
        if (which == i) x[entry] = c->kept[i][entry] + t;
    }
    reel_status status = loss_at(c, loss);
    for (int i = 0; i < c->inputs; i++)
        if (c->input[i].check && (which < 0 || which == i))
            memcpy(c->input[i].value, c->kept[i], sizeof(double) * (size_t)elements(&c->input[i]));
    return status;
}

/* --- one comparison --- */

/* A corner puts the central difference wrong by at most half of its gap, so that a gap of twice the tolerance is where
   it begins to matter. */
static bool corner(const checker *c, const double l[4], double tolerance)
{
    double e = c->options->step, f = c->at_zero;
    double forward = (l[0] - f) / e, backward = (f - l[1]) / e;
    double near_forward = (l[2] - f) / (e / 2), near_backward = (f - l[3]) / (e / 2);
    double far_gap = fabs(forward - backward), near_gap = fabs(near_forward - near_backward);
    double steps_differ = fabs((forward + backward) - (near_forward + near_backward)) / 2;
    return (far_gap > 2 * tolerance && near_gap > 0.75 * far_gap) || steps_differ > 0.5 * tolerance;
}

/* Along one entry (which >= 0) or the whole direction (which = -1), whose analytic slope is given. */
static reel_status compare(checker *c, int which, int64_t entry, double analytic)
{
    double e = c->options->step, l[4];
    const double t[4] = {e, -e, e / 2, -e / 2};
    for (int k = 0; k < 4; k++) {
        reel_status status = loss_along(c, which, entry, t[k], &l[k]);
        if (status) return status;
    }
    double numeric = (4 * (l[2] - l[3]) / e - (l[0] - l[1]) / (2 * e)) / 3; /* Richardson: error O(e^4) */
    double scale = fmax(fmax(fabs(analytic), fabs(numeric)), c->largest);
    double noise = 1e-15 * fabs(c->at_zero) / e;
    double tolerance = c->options->absolute + c->options->relative * scale + 20 * noise;
    reel_check_result *r = c->result;
    if (corner(c, l, tolerance)) {
        r->skipped++;
        return REEL_OK;
    }
    r->checked++;
    double ratio = fabs(numeric - analytic) / tolerance;
    if (!(ratio <= 1)) r->failed++;
    if (which < 0) r->worst_direction = fmax(r->worst_direction, fabs(numeric - analytic) / fmax(scale, 1e-300));
    if (!(ratio <= r->worst) && (which >= 0 || r->worst <= 1)) {
        r->worst = ratio;
        r->input = which;
        r->entry = entry;
        r->analytic = analytic;
        r->numeric = numeric;
    }
    return REEL_OK;
}

static reel_status compare_entries(checker *c)
{
    int64_t total = 0;
    for (int i = 0; i < c->inputs; i++) total += c->input[i].check ? elements(&c->input[i]) : 0;
    uint64_t drawn = 0;
    double share = total > c->options->entries ? (double)c->options->entries / (double)total : 1;
    for (int i = 0; i < c->inputs; i++) {
        for (int64_t j = 0; c->input[i].check && j < elements(&c->input[i]); j++) {
            if (share < 1 && reel_uniform(reel_key(c->options->seed, 11), drawn++) >= share) continue;
            reel_status status = compare(c, i, j, c->gradient[i][j]);
            if (status) return status;
        }
    }
    return REEL_OK;
}

static reel_status compare_directions(checker *c)
{
    for (int d = 0; d < c->options->directions; d++) {
        double slope = 0, norm = 0;
        uint64_t key = reel_key(reel_key(c->options->seed, 7), (uint64_t)d), n = 0;
        for (int i = 0; i < c->inputs; i++)
            for (int64_t j = 0; c->input[i].check && j < elements(&c->input[i]); j++) {
                c->direction[i][j] = reel_normal(key, n++);
                norm += c->direction[i][j] * c->direction[i][j];
            }
        for (int i = 0; i < c->inputs; i++)
            for (int64_t j = 0; c->input[i].check && j < elements(&c->input[i]); j++) {
                c->direction[i][j] /= sqrt(norm);
                slope += c->gradient[i][j] * c->direction[i][j];
            }
        reel_status status = n ? compare(c, -1, d, slope) : REEL_OK;
        if (status) return status;
    }
    return REEL_OK;
}

/* --- building and running --- */

/* sum over the outputs of sum(y * r). */
static reel_tensor *fold(reel_tensor *const *output, int outputs, uint64_t seed)
{
    reel_tensor *loss = NULL;
    for (int k = 0; k < outputs; k++) {
        reel_tensor *y = output[k];
        if (reel_poisoned(y) || !reel_dtype_is_float(y->dtype)) continue;
        int64_t n = reel_elements(&y->shape);
        double *r = reel_alloc((size_t)n, sizeof *r);
        if (!r) return reel_poison_memory(y->graph);
        for (int64_t j = 0; j < n; j++) r[j] = reel_normal(reel_key(seed, (uint64_t)k + 100), (uint64_t)j);
        reel_tensor *part = reel_sum_all(reel_mul(y, reel_constant(y->graph, REEL_F64, y->shape, r)));
        reel_free(r);
        loss = loss ? reel_add(loss, part) : part;
    }
    return loss;
}

static reel_status read_gradients(checker *c, reel_tensor *const *dx, reel_backend *backend)
{
    reel_plan *plan = reel_plan_new(c->loss->graph, backend, dx, c->inputs, c->error);
    reel_status status = plan ? REEL_OK : REEL_USAGE;
    for (int i = 0; !status && i < c->inputs; i++) status = set_input(plan, &c->input[i], c->error);
    if (!status) status = reel_plan_run(plan, c->error);
    for (int i = 0; !status && i < c->inputs; i++) {
        if (!c->input[i].check) continue;
        status = reel_plan_read(plan, dx[i], c->gradient[i], c->error);
        for (int64_t j = 0; j < elements(&c->input[i]); j++) c->largest = fmax(c->largest, fabs(c->gradient[i][j]));
    }
    reel_plan_free(plan);
    return status;
}

static bool allocate(checker *c)
{
    c->gradient = reel_alloc((size_t)c->inputs, sizeof *c->gradient);
    c->kept = reel_alloc((size_t)c->inputs, sizeof *c->kept);
    c->direction = reel_alloc((size_t)c->inputs, sizeof *c->direction);
    bool ok = c->gradient && c->kept && c->direction;
    for (int i = 0; ok && i < c->inputs; i++) {
        if (!c->input[i].check) continue;
        size_t n = (size_t)elements(&c->input[i]);
        c->gradient[i] = reel_alloc(n, sizeof(double));
        c->kept[i] = reel_alloc(n, sizeof(double));
        c->direction[i] = reel_alloc(n, sizeof(double));
        ok = c->gradient[i] && c->kept[i] && c->direction[i];
        if (ok) memcpy(c->kept[i], c->input[i].value, n * sizeof(double));
    }
    return ok;
}

static void release(checker *c)
{
    for (int i = 0; i < c->inputs; i++) {
        if (c->gradient) reel_free(c->gradient[i]);
        if (c->kept) reel_free(c->kept[i]);
        if (c->direction) reel_free(c->direction[i]);
    }
    reel_free(c->gradient);
    reel_free(c->kept);
    reel_free(c->direction);
    reel_plan_free(c->loss_plan);
}

static reel_status check(checker *c, reel_tensor *const *dx, reel_backend *backend)
{
    if (!allocate(c)) return reel_fail_memory(c->error);
    reel_status status = read_gradients(c, dx, backend);
    if (!status) {
        c->loss_plan = reel_plan_new(c->loss->graph, backend, &c->loss, 1, c->error);
        status = c->loss_plan ? loss_at(c, &c->at_zero) : REEL_USAGE;
    }
    if (!status) status = compare_entries(c);
    if (!status) status = compare_directions(c);
    c->result->passed = !c->result->failed && c->result->checked && c->result->skipped <= c->result->checked;
    return status;
}

reel_status reel_gradcheck(reel_tensor *const *output, int outputs, reel_check_input *input, int inputs,
                           reel_backend *backend, const reel_check_options *options, reel_check_result *result,
                           reel_error *error)
{
    *result = (reel_check_result){.input = -1, .entry = -1};
    for (int i = 0; i < inputs; i++)
        if (input[i].check && input[i].tensor->dtype != REEL_F64)
            return reel_fail(error, REEL_USAGE, "gradcheck works in double precision; input %d is %s", i,
                             reel_dtype_name(input[i].tensor->dtype));
    reel_tensor **wrt = reel_alloc(3 * (size_t)inputs, sizeof(reel_tensor *));
    if (!wrt) return reel_fail_memory(error);
    reel_tensor **dx = wrt + inputs, **checked = dx + inputs;
    int count = 0;
    for (int i = 0; i < inputs; i++) {
        wrt[i] = input[i].tensor;
        if (input[i].check) checked[count++] = input[i].tensor;
    }
    reel_tensor *loss = fold(output, outputs, options->seed);
    for (int order = 1; loss && order < options->order; order++) {
        reel_gradients(loss, checked, count, dx);
        loss = fold(dx, count, options->seed + (uint64_t)order);
    }
    reel_status status = REEL_USAGE;
    if (!loss || !count)
        reel_fail(error, REEL_USAGE, "gradcheck: there is no float output, or no input, to check");
    else {
        reel_gradients(loss, wrt, inputs, dx);
        checker c = {
            .input = input, .inputs = inputs, .options = options, .loss = loss, .result = result, .error = error};
        status = check(&c, dx, backend);
        release(&c);
    }
    reel_free(wrt);
    return status;
}
