/* slice: y[i, j, …] = x[start_0 + i * step_0, start_1 + j * step_1, …], NumPy's x[start:stop:step] on several axes.

   x: any shape, any dtype. Positions below zero count from the end; then everything is clamped to the tensor, so that a
   range may be empty. A negative step walks backwards and stops before `stop`; to include the first element, stop must
   be below -size, since -1 means the last one. Cost: a copy of what is taken, in runs as long as the innermost axes
   allow; nothing where it is one run, which a plan makes a view.

   Gradient: dx = slice_gradient(dy), which puts dy back and is zero elsewhere. The two are each other's adjoint, so
   both can be differentiated for ever. */
#include "ops/slice_range.h"

#include "ops/ops.h"

#include <stddef.h>
#include <string.h>

static const reel_attr attrs[] = {
    {"starts", REEL_ATTR_INTS, offsetof(reel_slice_attr, starts), 0, "", NULL, "first position, one an axis"},
    {"stops", REEL_ATTR_INTS, offsetof(reel_slice_attr, stops), 0, "", NULL, "position before which to stop"},
    {"axes", REEL_ATTR_INTS, offsetof(reel_slice_attr, axes), 0, "", NULL, "which axes; empty: the first ones"},
    {"steps", REEL_ATTR_INTS, offsetof(reel_slice_attr, steps), 0, "", NULL, "empty: all 1"},
    {0},
};

reel_tensor *reel_slice(reel_tensor *x, reel_ints starts, reel_ints stops, reel_ints axes, reel_ints steps)
{
    reel_slice_attr attr = {starts, stops, axes, steps};
    return reel_apply1(&reel_op_slice, &attr, x);
}

reel_tensor *reel_slice1(reel_tensor *x, int axis, int64_t start, int64_t stop)
{
    return reel_slice(x, REEL_INTS(start), REEL_INTS(stop), REEL_INTS(axis), (reel_ints){0});
}

static void poison_all(reel_tensor *poison, int parts, reel_tensor **out)
{
    for (int i = 0; i < parts; i++) out[i] = poison;
}

void reel_split(reel_tensor *x, int axis, int parts, reel_tensor **out)
{
    int at = reel_shape_axis(&x->shape, axis);
    if (reel_poisoned(x)) {
        poison_all(x, parts, out);
    } else if (at < 0 || parts < 1 || x->shape.size[at] % parts) {
        char text[REEL_SHAPE_TEXT];
        poison_all(reel_poison(x->graph, "split: %s has no %d equal parts along axis %d; choose parts that divide it",
                               reel_shape_text(&x->shape, text), parts, axis),
                   parts, out);
    } else {
        int64_t size = x->shape.size[at] / parts;
        for (int i = 0; i < parts; i++) out[i] = reel_slice1(x, at, i * size, (i + 1) * size);
    }
}

/* --- what is taken --- */

static int64_t clamped(int64_t position, int64_t size, int64_t low, int64_t high)
{
    if (position < 0) position = position < -size ? -1 : position + size;
    return position < low ? low : position > high ? high : position;
}

const char *reel_slice_ranges(const reel_slice_attr *attr, const reel_shape *shape, reel_slice_range *range)
{
    int n = attr->starts.count;
    bool used[REEL_MAX_RANK] = {false};
    if (attr->stops.count != n || (attr->axes.count && attr->axes.count != n) ||
        (attr->steps.count && attr->steps.count != n))
        return "starts, stops, axes and steps must have as many entries as each other";
    if (n > shape->rank) return "there are more starts than axes";
    for (int k = 0; k < shape->rank; k++) {
        range->first[k] = 0;
        range->step[k] = 1;
        range->count[k] = shape->size[k];
    }
    for (int i = 0; i < n; i++) {
        int k = reel_shape_axis(shape, attr->axes.count ? attr->axes.at[i] : i);
        int64_t step = attr->steps.count ? attr->steps.at[i] : 1;
        if (k < 0 || used[k]) return "every axis must be in range and named once";
        if (step == 0 || step == INT64_MIN) return "a step must not be 0";
        used[k] = true;
        int64_t size = shape->size[k], low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
        int64_t start = clamped(attr->starts.at[i], size, low, high),
                stop = clamped(attr->stops.at[i], size, low, high);
        int64_t length = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
        range->count[k] = length > 0 ? (length - 1) / stride + 1 : 0;
        range->first[k] = range->count[k] ? start : 0;
        range->step[k] = range->count[k] > 1 ? step : 1;
    }
    return NULL;
}

static bool shape_rule(reel_rule *r)
{
    reel_slice_range range = {.step = {0}};
    const reel_shape *x = &r->input[0]->shape;
    const char *wrong = reel_slice_ranges(r->attr, x, &range);
    if (wrong) return reel_reject(r, "%s", wrong);
    r->shape[0].rank = x->rank;
    for (int k = 0; k < x->rank; k++) r->shape[0].size[k] = range.count[k];
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_slice_attr *a = g->attr;
    const reel_shape *x = &g->x[0]->shape;
    reel_slice_gradient_attr adjoint = {a->starts, a->stops, a->axes, a->steps, {.count = x->rank}};
    memcpy(adjoint.size.at, x->size, sizeof x->size);
    g->dx[0] = reel_slice_gradient(g->dy[0], adjoint);
}

static reel_status reference(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const size_t size = reel_dtype_size(x->dtype);
    int64_t stride[REEL_MAX_RANK] = {0}, elements = reel_elements(&y->shape);
    reel_slice_range range = {.step = {0}};
    reel_slice_ranges(call->attr, &x->shape, &range);
    reel_shape_strides(&x->shape, stride);
    for (int64_t i = 0; i < elements; i++) {
        int64_t from = reel_slice_offset(&range, &x->shape, stride, x->shape.rank, i);
        memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)from * size, size);
    }
    return REEL_OK;
}

/* What is taken lies in one run when all axes before the last one that is cut have one position each. */
static int64_t run_of_input(const reel_node *node)
{
    const reel_shape *x = &node->input[0]->shape;
    int64_t run, stride[REEL_MAX_RANK] = {0};
    reel_slice_range range = {.step = {0}};
    reel_slice_ranges(node->attr, x, &range);
    reel_shape_strides(x, stride);
    int axes = reel_slice_run(&range, x, &run);
    for (int k = 0; k < axes; k++)
        if (range.count[k] != 1) return -1;
    return reel_slice_offset(&range, x, stride, axes, 0);
}

static reel_samples samples(const reel_node *node)
{
    const reel_slice_attr *a = node->attr;
    for (int i = 0; i < a->starts.count; i++)
        if (reel_shape_axis(&node->input[0]->shape, a->axes.count ? a->axes.at[i] : i) == 0)
            return (reel_samples){.inputs = 0};
    return (reel_samples){.inputs = 1};
}

const reel_op reel_op_slice = {.name = "slice",
                               .summary = "x[start:stop:step] along axes",
                               .least_inputs = 1,
                               .most_inputs = 1,
                               .outputs = 1,
                               .attr_size = sizeof(reel_slice_attr),
                               .attrs = attrs,
                               .shape = shape_rule,
                               .gradient = gradient_rule,
                               .reference = {reference, .bf16 = true},
                               .samples = samples,
                               .run_of_input = run_of_input};
