/* reshape: y has the elements of x, in the same row-major order, under another shape.

   x: any shape, any dtype; size: the new sizes, one of which may be -1 and becomes what is left. It costs nothing: y is
   the memory of x. With a zero among the other sizes a -1 has no single meaning and is refused.

   Gradient: dx = reshape(dy, shape of x). */
#include "ops/ops.h"

static const reel_attr attrs[] = {
    {"size", REEL_ATTR_INTS, offsetof(reel_reshape_attr, size), .initial = "-1", .help = "new sizes; one may be -1"},
    {0},
};

reel_tensor *reel_reshape(reel_tensor *x, reel_shape shape)
{
    if (shape.rank < 0 || shape.rank > REEL_MAX_RANK)
        return reel_poison(x->graph, "reshape: rank %d; a shape has 0 to %d sizes", shape.rank, REEL_MAX_RANK);
    reel_reshape_attr attr = {.size.count = shape.rank};
    for (int i = 0; i < shape.rank; i++) attr.size.at[i] = shape.size[i];
    return reel_apply1(&reel_op_reshape, &attr, x);
}

static bool shape_rule(reel_rule *r)
{
    const reel_reshape_attr *a = r->attr;
    const reel_tensor *x = r->input[0];
    int64_t elements = reel_elements(&x->shape), known = 1;
    int open = -1;
    char text[REEL_SHAPE_TEXT];
    reel_shape shape = {.rank = a->size.count};
    for (int i = 0; i < shape.rank; i++) {
        shape.size[i] = a->size.at[i];
        if (shape.size[i] == -1 && open < 0)
            open = i;
        else if (shape.size[i] < 0)
            return reel_reject(r, "size %d is %lld; sizes are 0 or more, and one of them may be -1", i,
                               (long long)shape.size[i]);
        else if (__builtin_mul_overflow(known, shape.size[i], &known))
            return reel_reject(r, "the sizes asked for overflow; give sizes whose product is %lld",
                               (long long)elements);
    }
    if (open >= 0) {
        if (known == 0 || elements % known)
            return reel_reject(r, "size %d cannot be worked out: %lld elements do not divide by the other sizes", open,
                               (long long)elements);
        shape.size[open] = elements / known;
    } else if (known != elements) {
        return reel_reject(r, "%s has %lld elements, the input has %lld; the two must be equal",
                           reel_shape_text(&shape, text), (long long)known, (long long)elements);
    }
    r->shape[0] = shape;
    r->dtype[0] = x->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    g->dx[0] = reel_reshape(g->dy[0], g->x[0]->shape);
}

const reel_op reel_op_reshape = {.name = "reshape",
                                 .summary = "the same elements under another shape",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .flags = REEL_OP_VIEW,
                                 .attr_size = sizeof(reel_reshape_attr),
                                 .attrs = attrs,
                                 .shape = shape_rule,
                                 .gradient = gradient_rule};
