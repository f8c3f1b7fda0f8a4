/* Operators of ONNX without windows or state: element by element, reductions, products, softmax, losses. */
#include "tests/support/onnx_build.h"

#include <math.h>
#include <string.h>

/* --- one input --- */

#define UNARY(name, expression)                                                                                        \
    static void name(onnx_build *b)                                                                                    \
    {                                                                                                                  \
        reel_tensor *x = onnx_real_input(b, 0);                                                                        \
        b->output[0] = x ? expression : NULL;                                                                          \
    }
UNARY(identity, x)
UNARY(neg, reel_neg(x))
UNARY(exponential, reel_exp(x))
UNARY(logarithm, reel_log(x))
UNARY(square_root, reel_sqrt(x))
UNARY(absolute, reel_abs(x))
UNARY(sign, reel_sign(x))
UNARY(relu, reel_relu(x))
UNARY(sigmoid, reel_sigmoid(x))
UNARY(hyperbolic_tangent, reel_tanh(x))
UNARY(softplus, reel_softplus(x))
UNARY(reciprocal, reel_div(reel_scalar_like(x, 1), x))
UNARY(softsign, reel_div(x, reel_add(reel_abs(x), reel_scalar_like(x, 1))))
UNARY(leaky_relu, reel_leaky_relu(x, onnx_float(b, "alpha", 0.01)))
UNARY(elu, reel_elu(x, onnx_float(b, "alpha", 1)))
UNARY(selu, reel_scale(reel_elu(x, onnx_float(b, "alpha", 1.67326319217681884765625)),
                       onnx_float(b, "gamma", 1.05070102214813232421875)))
UNARY(hard_sigmoid,
      reel_clamp(reel_add(reel_scale(x, onnx_float(b, "alpha", 0.2)), reel_scalar_like(x, onnx_float(b, "beta", 0.5))),
                 0, 1))

static void clip(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    double low = onnx_number(b, 1, onnx_float(b, "min", -INFINITY));
    double high = onnx_number(b, 2, onnx_float(b, "max", INFINITY));
    b->output[0] = low <= high ? reel_clamp(x, low, high)
                               : reel_minimum(reel_maximum(x, reel_scalar_like(x, low)), reel_scalar_like(x, high));
}

/* Without training it changes nothing; the mask it returns is all ones. */
static void dropout(onnx_build *b)
{
    onnx_ignore(b, "seed");
    onnx_ignore(b, "ratio");
    onnx_ignore(b, "is_test");
    bool training = onnx_number(b, 2, 0) != 0;
    if (training && onnx_number(b, 1, 0.5) != 0) onnx_absent(b, "dropout that draws from numpy's generator");
    b->output[0] = onnx_input(b, 0);
}

/* --- two inputs, broadcasting --- */

/* Before opset 7 the second input was aligned at `axis`, not at the end. */
static reel_tensor *second(onnx_build *b, reel_tensor *x)
{
    reel_tensor *y = onnx_real_input(b, 1);
    onnx_ignore(b, "broadcast");
    int64_t axis = onnx_int(b, "axis", -1);
    if (axis < 0 || reel_poisoned(y) || reel_poisoned(x)) return y;
    int64_t size[REEL_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (int i = 0; i < y->shape.rank && axis + i < x->shape.rank; i++) size[axis + i] = y->shape.size[i];
    return onnx_reshaped(y, x->shape.rank, size);
}

#define BINARY(name, builder)                                                                                          \
    static void name(onnx_build *b)                                                                                    \
    {                                                                                                                  \
        reel_tensor *x = onnx_real_input(b, 0);                                                                        \
        b->output[0] = builder(x, second(b, x));                                                                       \
    }
BINARY(add, reel_add)
BINARY(subtract, reel_sub)
BINARY(multiply, reel_mul)
BINARY(divide, reel_div)

/* The result has the type of the base, an integer too. */
static void power(onnx_build *b)
{
    reel_tensor *x = onnx_real_input(b, 0), *y = reel_pow(x, second(b, x));
    bool whole = onnx_input(b, 0)->dtype != b->real;
    b->output[0] = whole ? reel_cast(y, REEL_I32) : y;
}

static void prelu(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0), *slope = onnx_input(b, 1), *zero = reel_scalar_like(x, 0);
    int64_t size[REEL_MAX_RANK] = {slope->shape.size[0], 1, 1, 1, 1, 1, 1, 1};
    if (b->torch && slope->shape.rank == 1 && x->shape.rank > 2) slope = onnx_reshaped(slope, x->shape.rank - 1, size);
    b->output[0] = reel_add(reel_maximum(x, zero), reel_mul(slope, reel_minimum(x, zero)));
}

static void where(onnx_build *b)
{
    b->output[0] = reel_where(onnx_input(b, 0), onnx_input(b, 1), onnx_input(b, 2));
}

/* --- any number of inputs --- */

static reel_tensor *folded(onnx_build *b, reel_tensor *(*join)(reel_tensor *, reel_tensor *))
{
    reel_tensor *y = onnx_input(b, 0);
    for (int i = 1; i < b->from->inputs; i++) y = join(y, onnx_input(b, i));
    return y;
}

static void largest(onnx_build *b)
{
    b->output[0] = folded(b, reel_maximum);
}
static void smallest(onnx_build *b)
{
    b->output[0] = folded(b, reel_minimum);
}
static void sum(onnx_build *b)
{
    b->output[0] = folded(b, reel_add);
}
static void mean(onnx_build *b)
{
    b->output[0] = reel_scale(folded(b, reel_add), 1.0 / b->from->inputs);
}

/* --- reductions --- */

/* Axes are an attribute or, later, an input; none means all, or nothing at all when `noop_with_empty_axes` says so. */
static bool axes_of(onnx_build *b, reel_ints *axes, bool *keep)
{
    *axes = (reel_ints){.count = 0};
    *keep = onnx_int(b, "keepdims", 1) != 0;
    if (!onnx_ints(b, "axes", axes)) onnx_list(b, 1, axes);
    return axes->count || !onnx_int(b, "noop_with_empty_axes", 0);
}

/* reel refuses the largest of no elements; ONNX answers with an infinity. */
static reel_tensor *some(onnx_build *b, reel_tensor *x)
{
    return reel_elements(&x->shape) ? x : onnx_absent(b, "the extreme of no elements");
}

#define some_of(x) some(b, x)
#define REDUCTION(name, before, reduce, after)                                                                         \
    static void name(onnx_build *b)                                                                                    \
    {                                                                                                                  \
        reel_ints axes;                                                                                                \
        bool keep, any = axes_of(b, &axes, &keep);                                                                     \
        reel_tensor *x = before(onnx_input(b, 0));                                                                     \
        b->output[0] = after(any ? reduce(x, axes, keep) : x);                                                         \
    }
REDUCTION(reduce_sum, , reel_sum, )
REDUCTION(reduce_mean, , reel_mean, )
REDUCTION(reduce_max, some_of, reel_max, )
REDUCTION(reduce_min, some_of, reel_min, )
REDUCTION(reduce_l1, reel_abs, reel_sum, )
REDUCTION(reduce_l2, reel_square, reel_sum, reel_sqrt)
REDUCTION(reduce_sum_square, reel_square, reel_sum, )
REDUCTION(reduce_log_sum, , reel_sum, reel_log)

/* log(sum(exp(x))) with the largest taken out, so that exp does not overflow. */
static void reduce_log_sum_exp(onnx_build *b)
{
    reel_ints axes;
    bool keep, any = axes_of(b, &axes, &keep);
    reel_tensor *x = some(b, onnx_input(b, 0));
    b->output[0] = x;
    if (!any) return;
    reel_tensor *top = reel_detach(reel_max(x, axes, true));
    reel_tensor *rest = reel_log(reel_sum(reel_exp(reel_sub(x, top)), axes, keep));
    b->output[0] = reel_add(rest, keep ? top : reel_sum(top, axes, false));
}

static void arg_max(onnx_build *b)
{
    if (onnx_int(b, "select_last_index", 0)) onnx_absent(b, "the last of equal maxima");
    int axis = (int)onnx_int(b, "axis", 0);
    b->output[0] = reel_argmax(onnx_input(b, 0), axis, onnx_int(b, "keepdims", 1) != 0);
}

/* --- products --- */

static void gemm(onnx_build *b)
{
    onnx_ignore(b, "broadcast");
    bool ta = onnx_int(b, "transA", 0) != 0, tb = onnx_int(b, "transB", 0) != 0;
    double alpha = onnx_float(b, "alpha", 1), beta = onnx_float(b, "beta", 1);
    reel_tensor *y = reel_matmul(onnx_input(b, 0), onnx_input(b, 1), ta, tb), *c = onnx_input(b, 2);
    if (alpha != 1) y = reel_scale(y, alpha);
    if (c && beta != 1) c = reel_scale(c, beta);
    b->output[0] = c ? reel_add(y, c) : y;
}

/* A vector is a row on the left and a column on the right, and leaves no axis behind. */
static void matmul(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0), *y = onnx_input(b, 1);
    bool row = x->shape.rank == 1, column = y->shape.rank == 1;
    if (row) x = reel_reshape(x, REEL_SHAPE(1, x->shape.size[0]));
    if (column) y = reel_reshape(y, REEL_SHAPE(y->shape.size[0], 1));
    reel_tensor *z = reel_matmul(x, y, false, false);
    if ((row || column) && !reel_poisoned(z)) {
        reel_shape shape = z->shape;
        if (column) shape.rank--;
        if (row) shape.size[shape.rank - 1 - !column] = shape.size[shape.rank - 1], shape.rank--;
        z = reel_reshape(z, shape);
    }
    b->output[0] = z;
}

/* --- softmax and losses --- */

/* Before opset 13 the axes from `axis` on counted as one. */
static void softmax_like(onnx_build *b, reel_tensor *(*softmax)(reel_tensor *, int))
{
    reel_tensor *x = onnx_input(b, 0);
    int axis = (int)onnx_int(b, "axis", b->torch ? 1 : -1);
    if (!b->torch) {
        b->output[0] = softmax(x, axis);
        return;
    }
    int64_t size[2] = {1, 1};
    for (int i = 0; i < x->shape.rank; i++) size[i >= (axis < 0 ? axis + x->shape.rank : axis)] *= x->shape.size[i];
    b->output[0] = reel_reshape(softmax(onnx_reshaped(x, 2, size), 1), x->shape);
}

static void softmax(onnx_build *b)
{
    softmax_like(b, reel_softmax);
}
static void log_softmax(onnx_build *b)
{
    softmax_like(b, reel_log_softmax);
}

static reel_cross_entropy_attr loss_attr(onnx_build *b)
{
    const char *reduction = onnx_text(b, "reduction", "mean");
    return (reel_cross_entropy_attr){.ignore_index = (int)onnx_int(b, "ignore_index", REEL_IGNORE_NOTHING),
                                     .reduction = !strcmp(reduction, "sum")    ? REEL_REDUCE_SUM
                                                  : !strcmp(reduction, "none") ? REEL_REDUCE_NONE
                                                                               : REEL_REDUCE_MEAN};
}

static void cross_entropy(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    b->output[0] = reel_cross_entropy(x, onnx_input(b, 1), onnx_input(b, 2), loss_attr(b));
    if (b->from->outputs > 1) b->output[1] = reel_log_softmax(x, 1);
}

static void nll_loss(onnx_build *b)
{
    b->output[0] = reel_nll_loss(onnx_input(b, 0), onnx_input(b, 1), onnx_input(b, 2), loss_attr(b));
}

const onnx_rule onnx_plain_rules[] = {
    {"Identity", 1, identity},
    {"Neg", 1, neg},
    {"Exp", 1, exponential},
    {"Log", 1, logarithm},
    {"Sqrt", 1, square_root},
    {"Abs", 1, absolute},
    {"Sign", 1, sign},
    {"Relu", 1, relu},
    {"Sigmoid", 1, sigmoid},
    {"Tanh", 1, hyperbolic_tangent},
    {"Softplus", 1, softplus},
    {"Softsign", 1, softsign},
    {"Reciprocal", 1, reciprocal},
    {"LeakyRelu", 1, leaky_relu},
    {"PRelu", 2, prelu},
    {"Elu", 1, elu},
    {"Selu", 1, selu},
    {"HardSigmoid", 1, hard_sigmoid},
    {"Clip", 1, clip},
    {"Dropout", 1, dropout},
    {"Add", 2, add},
    {"Sub", 2, subtract},
    {"Mul", 2, multiply},
    {"Div", 2, divide},
    {"Pow", 2, power},
    {"Where", 3, where},
    {"Max", 1, largest},
    {"Min", 1, smallest},
    {"Sum", 1, sum},
    {"Mean", 1, mean},
    {"ReduceSum", 1, reduce_sum},
    {"ReduceMean", 1, reduce_mean},
    {"ReduceMax", 1, reduce_max},
    {"ReduceMin", 1, reduce_min},
    {"ReduceL1", 1, reduce_l1},
    {"ReduceL2", 1, reduce_l2},
    {"ReduceSumSquare", 1, reduce_sum_square},
    {"ReduceLogSum", 1, reduce_log_sum},
    {"ReduceLogSumExp", 1, reduce_log_sum_exp},
    {"ArgMax", 1, arg_max},
    {"Gemm", 2, gemm},
    {"MatMul", 2, matmul},
    {"Softmax", 1, softmax},
    {"LogSoftmax", 1, log_softmax},
    {"SoftmaxCrossEntropyLoss", 2, cross_entropy},
    {"NegativeLogLikelihoodLoss", 2, nll_loss},
    {0},
};
