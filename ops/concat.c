/* concat: the inputs one after the other along an axis.

   Inputs: any number of tensors of one dtype and one rank (at least 1), equal in every size but that of the axis;
   y has the sum of their sizes there. The order of the inputs fixes the meaning of imported weights that read y.
   Cost: a copy. For [N, C, H, W] along C it is one long copy an input and sample. Where all axes before the joined one
   have size 1, a plan lets inputs be computed in their places, and nothing is copied.

   Gradient: dx_i = the slice of dy that input i filled. */
#include "ops/ops.h"
#include "ops/samples.h"

#include <string.h>

static const reel_attr attrs[] = {
    {"axis", REEL_ATTR_INT, offsetof(reel_concat_attr, axis), .count = 1, .initial = "1", .help = "where to join"},
    {0},
};

reel_tensor *reel_concat(reel_tensor *const *list, int count, int axis)
{
    reel_concat_attr attr = {axis};
    return reel_apply(list[0]->graph, &reel_op_concat, list, count, &attr);
}

static bool shape_rule(reel_rule *r)
{
    const reel_concat_attr *a = r->attr;
    const reel_tensor *first = r->input[0];
    reel_shape y = first->shape;
    int axis = reel_shape_axis(&y, a->axis);
    if (axis < 0) return reel_reject(r, "axis %d is outside the %d axes of the inputs", a->axis, y.rank);
    for (int i = 1; i < r->inputs; i++) {
        const reel_tensor *x = r->input[i];
        if (!x) return reel_reject(r, "input %d is missing; give every tensor to be joined", i);
        if (x->dtype != first->dtype || x->shape.rank != y.rank)
            return reel_reject(r, "input %d differs from input 0 in dtype or rank; make them equal first", i);
        for (int k = 0; k < y.rank; k++)
            if (k != axis && x->shape.size[k] != y.size[k])
                return reel_reject(r, "input %d has size %lld on axis %d, expected %lld as input 0 has", i,
                                   (long long)x->shape.size[k], k, (long long)y.size[k]);
        if (__builtin_add_overflow(y.size[axis], x->shape.size[axis], &y.size[axis]))
            return reel_reject(r, "the sizes along axis %d add up to more than this machine can count", axis);
    }
    r->shape[0] = y;
    r->dtype[0] = first->dtype;
    return true;
}

static void gradient_rule(reel_gradient *g)
{
    const reel_concat_attr *a = g->attr;
    int axis = reel_shape_axis(&g->x[0]->shape, a->axis);
    int64_t start = 0;
    for (int i = 0; i < g->inputs; i++) {
        int64_t stop = start + g->x[i]->shape.size[axis];
        if (g->wanted[i]) g->dx[i] = reel_slice1(g->dy[0], axis, start, stop);
        start = stop;
    }
}

static reel_status reference(const reel_call *call)
{
    const reel_concat_attr *a = call->attr;
    const reel_array *y = &call->output[0];
    int axis = reel_shape_axis(&y->shape, a->axis);
    int64_t outer = 1;
    size_t inner = reel_dtype_size(y->dtype); /* bytes of one entry along the axis */
    for (int k = 0; k < axis; k++) outer *= y->shape.size[k];
    for (int k = axis + 1; k < y->shape.rank; k++) inner *= (size_t)y->shape.size[k];
    char *to = y->data;
    for (int64_t o = 0; o < outer; o++)
        for (int i = 0; i < call->inputs; i++) {
            size_t bytes = (size_t)call->input[i].shape.size[axis] * inner;
            if (bytes && call->input[i].data != to)
                memcpy(to, (const char *)call->input[i].data + (size_t)o * bytes, bytes);
            to += bytes;
        }
    return REEL_OK;
}

/* An input lies in the output in one run when all axes before the joined one have one position each. */
static int64_t run_of_output(const reel_node *node, int input)
{
    const reel_concat_attr *a = node->attr;
    const reel_shape *y = &node->output[0].shape;
    int axis = reel_shape_axis(y, a->axis);
    int64_t before = 0;
    for (int k = 0; k < axis; k++)
        if (y->size[k] != 1) return -1;
    for (int i = 0; i < input; i++) before += reel_elements(&node->input[i]->shape);
    return before;
}

static reel_samples samples(const reel_node *node)
{
    return reel_samples_beside(node, ((const reel_concat_attr *)node->attr)->axis);
}

const reel_op reel_op_concat = {.name = "concat",
                                .summary = "inputs one after the other along an axis",
                                .least_inputs = 1,
                                .outputs = 1,
                                .attr_size = sizeof(reel_concat_attr),
                                .attrs = attrs,
                                .shape = shape_rule,
                                .gradient = gradient_rule,
                                .reference = {reference, .bf16 = true},
                                .samples = samples,
                                .run_of_output = run_of_output};
