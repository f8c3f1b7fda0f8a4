/* pad: y is x with before[a] elements added in front of axis a and after[a] behind it

   x of any shape and dtype; one entry an axis in both lists; y's sizes are before + size + after. A negative entry
   crops that many elements. What is added is constant: `value`;  edge: the outermost element;  reflect: what is met
   walking back from the edge, so that 1 2 3 padded by two becomes v v 1 2 3 v v, 1 1 1 2 3 3 3 and 3 2 1 2 3 2 1.
   Reflection adds at most size - 1 elements a side.

   Affine in x; the adjoint of its linear part is pad_gradient. Cost: one copy. */
#include "core/element.h"
#include "ops/ops.h"
#include "ops/pad_source.h"

#include <stddef.h>
#include <string.h>

const reel_attr reel_pad_attributes[] = {
    {"before", REEL_ATTR_INTS, offsetof(reel_pad_attr, before), 1, "", NULL, "elements added in front, one an axis"},
    {"after", REEL_ATTR_INTS, offsetof(reel_pad_attr, after), 1, "", NULL, "elements added behind, one an axis"},
    {"mode", REEL_ATTR_CHOICE, offsetof(reel_pad_attr, mode), 1, "constant", "constant|reflect|edge", "what is added"},
    {"value", REEL_ATTR_FLOAT, offsetof(reel_pad_attr, value), 1, "0", NULL, "of constant"},
    {0}};

reel_tensor *reel_pad(reel_tensor *x, reel_pad_attr attr)
{
    return reel_apply1(&reel_op_pad, &attr, x);
}

bool reel_pad_shape(const reel_rule *r, const reel_pad_attr *attr, const reel_shape *x, reel_shape *y)
{
    *y = *x;
    if (attr->before.count != x->rank || attr->after.count != x->rank)
        return reel_reject(r, "before and after have %d and %d entries, expected %d: one an axis", attr->before.count,
                           attr->after.count, x->rank);
    for (int a = 0; a < x->rank; a++) {
        int64_t before = attr->before.at[a], after = attr->after.at[a], n = x->size[a];
        if (before > INT64_MAX / 4 || after > INT64_MAX / 4 || before < -n || after < -n || before + n + after < 0)
            return reel_reject(r, "axis %d of size %lld cannot be padded by %lld and %lld", a, (long long)n,
                               (long long)before, (long long)after);
        y->size[a] = before + n + after;
        if (attr->mode != REEL_PAD_CONSTANT && n == 0 && y->size[a] > 0)
            return reel_reject(r, "axis %d is empty: there is nothing to repeat; pad with a constant", a);
        if (attr->mode == REEL_PAD_REFLECT && (before >= n || after >= n) && y->size[a] > 0)
            return reel_reject(r, "reflecting axis %d of size %lld can add at most %lld elements a side", a,
                               (long long)n, (long long)n - 1);
    }
    return true;
}

static bool shape(reel_rule *r)
{
    r->dtype[0] = r->input[0]->dtype;
    return reel_pad_shape(r, r->attr, &r->input[0]->shape, &r->shape[0]);
}

static void gradient(reel_gradient *g)
{
    if (g->wanted[0]) g->dx[0] = reel_pad_gradient(g->dy[0], *(const reel_pad_attr *)g->attr);
}

static reel_status run(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const reel_pad_attr *attr = call->attr;
    double added; /* the widest of all dtypes */
    reel_set_element(&added, x->dtype, 0, attr->value);
    size_t size = reel_dtype_size(x->dtype);
    int64_t count = reel_elements(&y->shape);
    for (int64_t at = 0; at < count; at++) {
        int64_t from = reel_pad_element(attr, &x->shape, &y->shape, at);
        memcpy((char *)y->data + at * (int64_t)size,
               from < 0 ? (const char *)&added : (const char *)x->data + from * (int64_t)size, size);
    }
    return REEL_OK;
}

reel_samples reel_pad_samples(const reel_node *node)
{
    const reel_pad_attr *a = node->attr;
    return (reel_samples){.inputs = a->before.count && !a->before.at[0] && !a->after.at[0]};
}

const reel_op reel_op_pad = {.name = "pad",
                             .summary = "y = x with elements added around it, or cropped",
                             .least_inputs = 1,
                             .most_inputs = 1,
                             .outputs = 1,
                             .attr_size = sizeof(reel_pad_attr),
                             .attrs = reel_pad_attributes,
                             .shape = shape,
                             .gradient = gradient,
                             .reference = {run, .bf16 = true},
                             .samples = reel_pad_samples};
