/* See elementwise_kernel.h. */
#include "ops/elementwise_kernel.h"

#include "core/broadcast.h"
#include "core/graph.h"

/* --- shape rules --- */

static bool broadcast_rule(reel_rule *rule)
{
    rule->dtype[0] = rule->input[0]->dtype;
    rule->shape[0] = rule->input[0]->shape;
    for (int i = 1; i < rule->inputs; i++) {
        const reel_tensor *x = rule->input[i];
        if (x->dtype != rule->dtype[0])
            return reel_reject(rule, "inputs must share one dtype, not %s and %s; reel_cast converts",
                               reel_dtype_name(rule->dtype[0]), reel_dtype_name(x->dtype));
        if (!reel_shape_broadcast(&rule->shape[0], &x->shape, &rule->shape[0]))
            return reel_reject(rule, "shapes do not broadcast: counted from the last axis, sizes must agree or be 1");
    }
    return true;
}

bool reel_elementwise_floats(reel_rule *rule)
{
    if (!reel_dtype_is_float(rule->input[0]->dtype))
        return reel_reject(rule, "takes floats, not %s; reel_cast converts", reel_dtype_name(rule->input[0]->dtype));
    return broadcast_rule(rule);
}

bool reel_elementwise_numbers(reel_rule *rule)
{
    if (rule->input[0]->dtype == REEL_U8) return reel_reject(rule, "takes floats or i32, not u8; reel_cast converts");
    return broadcast_rule(rule);
}

/* --- rows --- */

reel_status reel_elementwise_rows(const reel_call *call, reel_row *row)
{
    reel_broadcast visit;
    int64_t at[REEL_MAX_RANK] = {0}, step[REEL_BROADCAST_INPUTS];
    const void *in[REEL_BROADCAST_INPUTS];
    char *out = call->output[0].data;
    int64_t elements = reel_elements(&call->output[0].shape);
    if (!elements) return REEL_OK;
    reel_broadcast_of(call, &visit);
    int last = visit.rank - 1;
    size_t row_bytes = (size_t)visit.size[last] * reel_dtype_size(call->output[0].dtype);
    for (int k = 0; k < call->inputs; k++) step[k] = visit.step[k][last];

    for (int64_t rows = elements / visit.size[last]; rows > 0; rows--, out += row_bytes) {
        for (int k = 0; k < call->inputs; k++) {
            int64_t offset = 0;
            for (int i = 0; i < last; i++) offset += at[i] * visit.step[k][i];
            in[k] = (const char *)call->input[k].data + (size_t)offset * reel_dtype_size(call->input[k].dtype);
        }
        row(call, visit.size[last], out, in, step);
        for (int i = last - 1; i >= 0 && ++at[i] == visit.size[i]; i--) at[i] = 0;
    }
    return REEL_OK;
}

reel_status reel_elementwise_run(const reel_call *call, reel_row *f32, reel_row *f64, reel_row *i32)
{
    switch (call->output[0].dtype) {
    case REEL_F32:
        return reel_elementwise_rows(call, f32);
    case REEL_F64:
        return reel_elementwise_rows(call, f64);
    default:
        break;
    }
    if (i32 && call->output[0].dtype == REEL_I32) return reel_elementwise_rows(call, i32);
    return reel_fail(call->error, REEL_USAGE, "%s: no kernel for %s", call->op->name,
                     reel_dtype_name(call->output[0].dtype));
}
