/* See fold.h. */
#include "ops/fold.h"

#include "ops/ops.h"
#include "ops/value.h"

const reel_attr reel_fold_attrs[] = {
    {"axes", REEL_ATTR_INTS, offsetof(reel_reduce_attr, axes), 1, "", NULL, "axes to shrink; none: all of them"},
    {"keep", REEL_ATTR_BOOL, offsetof(reel_reduce_attr, keep), 1, "0", NULL, "leave a size of 1 where an axis was"},
    {0}};

/* --- which axes --- */

static void marks_of_axes(const reel_reduce_attr *attr, const reel_shape *x, bool marks[REEL_MAX_RANK])
{
    for (int i = 0; i < x->rank; i++) marks[i] = !attr->axes.count;
    for (int i = 0; i < attr->axes.count; i++) marks[reel_shape_axis(x, attr->axes.at[i])] = true;
}

static void marks_of_shapes(const reel_shape *from, const reel_shape *to, bool marks[REEL_MAX_RANK])
{
    int missing = from->rank - to->rank;
    for (int i = 0; i < from->rank; i++) marks[i] = i < missing || (to->size[i - missing] == 1 && from->size[i] != 1);
}

void reel_fold_of(const reel_call *call, reel_fold *fold)
{
    const reel_shape *x = &call->input[0].shape;
    bool marks[REEL_MAX_RANK];
    int64_t stride[REEL_MAX_RANK];
    if (call->op == &reel_op_sum_to)
        marks_of_shapes(x, &call->output[0].shape, marks);
    else
        marks_of_axes(call->attr, x, marks);
    reel_shape_strides(x, stride);

    *fold = (reel_fold){.outputs = 1, .each = 1};
    reel_fold_axes *last = NULL;
    for (int i = 0; i < x->rank; i++) {
        reel_fold_axes *axes = marks[i] ? &fold->reduced : &fold->kept;
        *(marks[i] ? &fold->each : &fold->outputs) *= x->size[i];
        if (x->size[i] == 1) continue;
        if (axes != last) axes->size[axes->count++] = 1;
        last = axes;
        axes->size[axes->count - 1] *= x->size[i];
        axes->stride[axes->count - 1] = stride[i];
    }
}

/* --- shapes --- */

reel_shape reel_fold_kept_shape(const reel_shape *x, const reel_reduce_attr *attr)
{
    bool marks[REEL_MAX_RANK];
    reel_shape kept = *x;
    marks_of_axes(attr, x, marks);
    for (int i = 0; i < x->rank; i++)
        if (marks[i]) kept.size[i] = 1;
    return kept;
}

bool reel_fold_shape(reel_rule *rule)
{
    const reel_reduce_attr *attr = rule->attr;
    const reel_tensor *x = rule->input[0];
    bool marks[REEL_MAX_RANK] = {0};
    if (!reel_dtype_is_float(x->dtype)) return reel_reject(rule, "reduces floats; reel_cast converts");
    for (int i = 0; i < attr->axes.count; i++) {
        int axis = reel_shape_axis(&x->shape, attr->axes.at[i]);
        if (axis < 0)
            return reel_reject(rule, "axis %lld is out of range for rank %d", (long long)attr->axes.at[i],
                               x->shape.rank);
        if (marks[axis]) return reel_reject(rule, "axis %d is given twice", axis);
        marks[axis] = true;
    }
    marks_of_axes(attr, &x->shape, marks);
    reel_shape *y = &rule->shape[0];
    *y = (reel_shape){.rank = 0};
    for (int i = 0; i < x->shape.rank; i++)
        if (!marks[i] || attr->keep) y->size[y->rank++] = marks[i] ? 1 : x->shape.size[i];
    rule->dtype[0] = x->dtype;
    return true;
}

bool reel_fold_shape_nonempty(reel_rule *rule)
{
    if (!reel_fold_shape(rule)) return false;
    if (reel_elements(&rule->shape[0]) && !reel_elements(&rule->input[0]->shape))
        return reel_reject(rule, "there are no elements to take it of; an axis that is shrunk has size 0");
    return true;
}

bool reel_fold_sums(reel_rule *rule)
{
    rule->dtype[0] = reel_dtype_of_sum(rule->dtype[0]);
    return true;
}

/* --- reference --- */

double reel_fold_plus(double a, double b)
{
    return a + b;
}

double reel_fold_flops(const reel_node *node)
{
    return (double)reel_elements(&node->input[0]->shape);
}

reel_status reel_fold_run(const reel_call *call, double initial, double (*combine)(double, double), bool mean)
{
    reel_fold n;
    reel_fold_of(call, &n);
    for (int64_t o = 0; o < n.outputs; o++) {
        int64_t base = reel_fold_offset(&n.kept, o);
        double y = initial;
        for (int64_t r = 0; r < n.each; r++)
            y = combine(y, reel_value(&call->input[0], base + reel_fold_offset(&n.reduced, r)));
        reel_set_value(&call->output[0], o, mean ? y / (double)n.each : y);
    }
    return REEL_OK;
}

/* --- gradient --- */

void reel_fold_extreme_gradient(reel_gradient *g)
{
    const reel_reduce_attr *attr = g->attr;
    reel_tensor *x = g->x[0];
    reel_shape kept = reel_fold_kept_shape(&x->shape, attr);
    reel_tensor *chosen = reel_equal(x, reel_reshape(g->y[0], kept));
    reel_tensor *share =
        reel_div(reel_reshape(g->dy[0], kept), reel_cast(reel_sum(chosen, attr->axes, true), x->dtype));
    g->dx[0] = reel_mul(chosen, share);
}
