/* dropout: y_i = x_i * m_i, where m_i is 0 with probability p and 1 / (1 - p) otherwise, so that the expected value of
   y is x (Srivastava et al. 2014). At p = 1 all of y is 0. NaN stays NaN, dropped or not.

   m_i is a function of the node's random key and i (core/rng.h) and is kept nowhere: whoever has the key draws the same
   mask again, on any thread. So the gradient, dy_i * m_i, is this very op applied to dy with the key of this node. */
#include "core/rng.h"
#include "ops/ops.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"p", REEL_ATTR_FLOAT, offsetof(reel_dropout_attr, p), 1, "0.5", NULL, "probability of a zero, 0 to 1"}, {0}};

reel_tensor *reel_dropout(reel_tensor *x, double p)
{
    return reel_apply1(&reel_op_dropout, &(reel_dropout_attr){p}, x);
}

static bool shape(reel_rule *r)
{
    double p = ((const reel_dropout_attr *)r->attr)->p;
    if (!(p >= 0 && p <= 1)) return reel_reject(r, "p is %g, expected a probability between 0 and 1", p);
    if (!reel_dtype_is_float(r->input[0]->dtype)) return reel_reject(r, "takes floats; reel_cast converts");
    r->dtype[0] = r->input[0]->dtype;
    r->shape[0] = r->input[0]->shape;
    return true;
}

static void gradient(reel_gradient *g)
{
    if (reel_poisoned(g->dy[0])) return;
    reel_node *again = reel_clone_node((reel_node *)g->node, g->dy);
    if (again) g->dx[0] = &again->output[0];
}

#define DROP(type)                                                                                                     \
    static void drop_##type(const reel_call *call, double p, int64_t begin, int64_t end)                               \
    {                                                                                                                  \
        const type *x = call->input[0].data, kept = p < 1 ? (type)(1 / (1 - p)) : 0;                                   \
        type *y = call->output[0].data;                                                                                \
        for (int64_t i = begin; i < end; i++)                                                                          \
            y[i] = x[i] * (reel_uniform(call->random_key, (uint64_t)i) >= p ? kept : 0);                               \
    }
DROP(float)
DROP(double)

void reel_dropout_range(const reel_call *call, int64_t begin, int64_t end)
{
    double p = ((const reel_dropout_attr *)call->attr)->p;
    (call->output[0].dtype == REEL_F32 ? drop_float : drop_double)(call, p, begin, end);
}

static reel_status dropout_reference(const reel_call *call)
{
    reel_dropout_range(call, 0, reel_elements(&call->output[0].shape));
    return REEL_OK;
}

const reel_op reel_op_dropout = {.name = "dropout",
                                 .summary = "x with a random part zeroed and the rest scaled up",
                                 .least_inputs = 1,
                                 .most_inputs = 1,
                                 .outputs = 1,
                                 .flags = REEL_OP_RANDOM | REEL_OP_INPLACE,
                                 .attr_size = sizeof(reel_dropout_attr),
                                 .attrs = attributes,
                                 .shape = shape,
                                 .gradient = gradient,
                                 .reference = {dropout_reference, NULL}};
