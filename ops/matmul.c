/* matmul: y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]

   a [..., M, K], b [..., K, N], y [..., M, N]; with transpose_a, a is [..., K, M], with transpose_b, b is [..., N, K].
   The axes before the last two broadcast. Vectors are given as matrices of one row or column. K = 0 gives zeros.

   Gradient: two products of the same kind, da = dy b^T and db = a^T dy, turned as the transposes ask; the walker sums
   away what broadcasting has stretched.
   Cost: 2 M K N operations a matrix. */
#include "ops/ops.h"
#include "ops/value.h"

#include <stddef.h>

static const reel_attr attributes[] = {
    {"transpose_a", REEL_ATTR_BOOL, offsetof(reel_matmul_attr, transpose_a), 1, "0", NULL, "a is stored as K x M"},
    {"transpose_b", REEL_ATTR_BOOL, offsetof(reel_matmul_attr, transpose_b), 1, "0", NULL, "b is stored as N x K"},
    {0}};

reel_tensor *reel_matmul(reel_tensor *a, reel_tensor *b, bool transpose_a, bool transpose_b)
{
    return reel_apply2(&reel_op_matmul, (&(reel_matmul_attr){transpose_a, transpose_b}), a, b);
}

/* --- shape --- */

static bool shape(reel_rule *r)
{
    const reel_matmul_attr *attr = r->attr;
    reel_shape a = r->input[0]->shape, b = r->input[1]->shape;
    if (!reel_dtype_is_float(r->input[0]->dtype) || r->input[1]->dtype != r->input[0]->dtype)
        return reel_reject(r, "multiplies floats of one dtype; reel_cast converts");
    if (a.rank < 2 || b.rank < 2)
        return reel_reject(r, "both need rank 2 or more; reel_reshape makes matrices of vectors");
    int64_t *sa = a.size + a.rank - 2, *sb = b.size + b.rank - 2;
    int64_t m = sa[attr->transpose_a], ka = sa[!attr->transpose_a];
    int64_t n = sb[!attr->transpose_b], kb = sb[attr->transpose_b];
    if (ka != kb)
        return reel_reject(r, "a has %lld columns and b %lld rows%s, these must agree", (long long)ka, (long long)kb,
                           attr->transpose_a || attr->transpose_b ? " (transposed as asked)" : "");
    a.rank -= 2;
    b.rank -= 2;
    reel_shape *y = &r->shape[0];
    if (!reel_shape_broadcast(&a, &b, y))
        return reel_reject(r, "the axes before the last two do not broadcast: sizes must agree or be 1");
    y->size[y->rank++] = m;
    y->size[y->rank++] = n;
    r->dtype[0] = r->input[0]->dtype;
    return true;
}

/* --- gradient --- */

static void gradient(reel_gradient *g)
{
    const reel_matmul_attr *attr = g->attr;
    reel_tensor *a = g->x[0], *b = g->x[1], *dy = g->dy[0];
    bool ta = attr->transpose_a, tb = attr->transpose_b;
    if (g->wanted[0]) g->dx[0] = ta ? reel_matmul(b, dy, tb, true) : reel_matmul(dy, b, false, !tb);
    if (g->wanted[1]) g->dx[1] = tb ? reel_matmul(dy, a, true, ta) : reel_matmul(a, dy, !ta, false);
}

/* --- reference --- */

int64_t reel_matmul_matrix(const reel_call *call, int input, int64_t batch)
{
    const reel_shape *x = &call->input[input].shape, *y = &call->output[0].shape;
    int64_t at = 0, stride = 1;
    int missing = y->rank - x->rank;
    for (int i = y->rank - 3; i >= missing; batch /= y->size[i], i--) {
        int64_t size = x->size[i - missing];
        if (size != 1) at += batch % size * stride;
        stride *= size;
    }
    return at;
}

reel_matmul_sizes reel_matmul_sizes_of(const reel_call *call)
{
    const reel_shape *y = &call->output[0].shape, *a = &call->input[0].shape;
    bool turned = ((const reel_matmul_attr *)call->attr)->transpose_a;
    reel_matmul_sizes s = {.batches = 1, .m = y->size[y->rank - 2], .n = y->size[y->rank - 1]};
    s.k = a->size[a->rank - (turned ? 2 : 1)];
    for (int i = 0; i < y->rank - 2; i++) s.batches *= y->size[i];
    return s;
}

static reel_status matmul_reference(const reel_call *call)
{
    const reel_matmul_attr *attr = call->attr;
    reel_matmul_sizes s = reel_matmul_sizes_of(call);
    const reel_array *a = &call->input[0], *b = &call->input[1];
    for (int64_t batch = 0; batch < s.batches; batch++) {
        int64_t from_a = reel_matmul_matrix(call, 0, batch) * s.m * s.k;
        int64_t from_b = reel_matmul_matrix(call, 1, batch) * s.k * s.n;
        for (int64_t i = 0; i < s.m; i++) {
            for (int64_t j = 0; j < s.n; j++) {
                double sum = 0;
                for (int64_t k = 0; k < s.k; k++)
                    sum += reel_value(a, from_a + (attr->transpose_a ? k * s.m + i : i * s.k + k)) *
                           reel_value(b, from_b + (attr->transpose_b ? j * s.k + k : k * s.n + j));
                reel_set_value(&call->output[0], (batch * s.m + i) * s.n + j, sum);
            }
        }
    }
    return REEL_OK;
}

static double flops(const reel_node *node)
{
    const reel_shape *a = &node->input[0]->shape;
    bool turned = ((const reel_matmul_attr *)node->attr)->transpose_a;
    return 2.0 * (double)reel_elements(&node->output[0].shape) * (double)a->size[a->rank - (turned ? 2 : 1)];
}

/* Of two matrices, the rows of a are samples, and a^T b is a sum over them; matrices of a stack are samples, too. */
static reel_samples samples(const reel_node *node)
{
    const reel_matmul_attr *attr = node->attr;
    const reel_shape *x = &node->input[0]->shape, *y = &node->input[1]->shape;
    int a = x->rank, b = y->rank;
    if (a > 2 && b > 2) return (reel_samples){.inputs = a == b && x->size[0] == y->size[0] ? 3 : 0};
    if (a > 2) return (reel_samples){.inputs = 1};
    if (b > 2) return (reel_samples){.inputs = 0};
    if (!attr->transpose_a) return (reel_samples){.inputs = 1};
    return (reel_samples){.inputs = attr->transpose_b ? 0 : 3, .summed = true};
}

const reel_op reel_op_matmul = {.name = "matmul",
                                .summary = "the matrix product a b",
                                .least_inputs = 2,
                                .most_inputs = 2,
                                .outputs = 1,
                                .attr_size = sizeof(reel_matmul_attr),
                                .attrs = attributes,
                                .shape = shape,
                                .gradient = gradient,
                                .reference = {matmul_reference, NULL},
                                .samples = samples,
                                .flops = flops};
