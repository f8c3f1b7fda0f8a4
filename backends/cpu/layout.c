/* concat, slice, slice_gradient and permute on the CPU. All of them are copies of runs of bytes; long runs are cut into
   pieces, short ones are taken many at a time, and pieces are copied in parallel. Every byte is written by one copy, so
   how they are cut cannot be seen. */
#include "backends/cpu/cpu.h"
#include "ops/ops.h"
#include "ops/slice_range.h"

#include <string.h>

enum { PIECE = 1 << 17 }; /* bytes */

/* Cuts `runs` runs of `bytes` bytes: pieces of a run, or runs of a task. */
typedef struct {
    int64_t runs, each, group, tasks; /* each: pieces a run; group: runs a task when each is 1 */
    size_t bytes;
} cutting;

static cutting cut(int64_t runs, size_t bytes)
{
    cutting c = {.runs = runs, .bytes = bytes, .each = 1, .group = 1};
    if (bytes > PIECE)
        c.each = 1 + (int64_t)((bytes - 1) / PIECE);
    else if (bytes > 0)
        c.group = (int64_t)(PIECE / bytes);
    c.tasks = bytes ? c.each > 1 ? runs * c.each : (runs + c.group - 1) / c.group : 0;
    return c;
}

/* What task i copies: runs first..end-1, of each the bytes from..from+count-1. */
typedef struct {
    int64_t first, end;
    size_t from, count;
} piece;

static piece piece_of(const cutting *c, int64_t i)
{
    if (c->each == 1) {
        int64_t end = (i + 1) * c->group;
        return (piece){i * c->group, end < c->runs ? end : c->runs, 0, c->bytes};
    }
    size_t from = (size_t)(i % c->each) * PIECE;
    return (piece){i / c->each, i / c->each + 1, from, c->bytes - from < PIECE ? c->bytes - from : PIECE};
}

/* --- concat --- */

reel_status cpu_concat(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    int axis = reel_shape_axis(&y->shape, ((const reel_concat_attr *)call->attr)->axis);
    int64_t outer = 1;
    size_t entry = reel_dtype_size(y->dtype), row, start = 0;
    for (int k = 0; k < axis; k++) outer *= y->shape.size[k];
    for (int k = axis + 1; k < y->shape.rank; k++) entry *= (size_t)y->shape.size[k];
    row = entry * (size_t)y->shape.size[axis];
    for (int k = 0; k < call->inputs; k++) {
        const char *x = call->input[k].data;
        const cutting c = cut(outer, entry * (size_t)call->input[k].shape.size[axis]);
        char *to = (char *)y->data + start;
#pragma omp parallel for num_threads(call->threads) schedule(static) if (c.tasks > 1)
        for (int64_t i = 0; i < c.tasks; i++) {
            piece p = piece_of(&c, i);
            for (int64_t o = p.first; o < p.end; o++)
                memcpy(to + (size_t)o * row + p.from, x + (size_t)o * c.bytes + p.from, p.count);
        }
        start += c.bytes;
    }
    return REEL_OK;
}

/* --- slice and its adjoint --- */

typedef struct {
    reel_slice_range range;
    const reel_shape *shape; /* of the tensor that is, or was, sliced */
    int64_t stride[REEL_MAX_RANK];
    int axes; /* that are walked; the rest is one run */
    size_t size;
    cutting cut;
} slicing;

static slicing slicing_of(const reel_slice_attr *attr, const reel_array *whole)
{
    slicing s = {.shape = &whole->shape, .size = reel_dtype_size(whole->dtype)};
    int64_t run, runs = 1;
    reel_slice_ranges(attr, s.shape, &s.range);
    reel_shape_strides(s.shape, s.stride);
    s.axes = reel_slice_run(&s.range, s.shape, &run);
    for (int k = 0; k < s.axes; k++) runs *= s.range.count[k];
    s.cut = cut(runs, (size_t)run * s.size);
    return s;
}

/* Copies the sliced elements from the whole to the part, or back. */
static void copy_slice(const reel_call *call, const slicing *s, char *whole, char *part, bool back)
{
#pragma omp parallel for num_threads(call->threads) schedule(static) if (s->cut.tasks > 1)
    for (int64_t i = 0; i < s->cut.tasks; i++) {
        piece p = piece_of(&s->cut, i);
        for (int64_t run = p.first; run < p.end; run++) {
            char *in =
                whole + (size_t)reel_slice_offset(&s->range, s->shape, s->stride, s->axes, run) * s->size + p.from;
            char *out = part + (size_t)run * s->cut.bytes + p.from;
            memcpy(back ? in : out, back ? out : in, p.count);
        }
    }
}

reel_status cpu_slice(const reel_call *call)
{
    slicing s = slicing_of(call->attr, &call->input[0]);
    copy_slice(call, &s, call->input[0].data, call->output[0].data, false);
    return REEL_OK;
}

reel_status cpu_slice_gradient(const reel_call *call)
{
    const reel_slice_gradient_attr *a = call->attr;
    const reel_array *y = &call->output[0];
    slicing s = slicing_of(&(reel_slice_attr){a->starts, a->stops, a->axes, a->steps}, y);
    const cutting zero = cut(1, (size_t)reel_elements(&y->shape) * s.size);
#pragma omp parallel for num_threads(call->threads) schedule(static) if (zero.tasks > 1)
    for (int64_t i = 0; i < zero.tasks; i++) {
        piece p = piece_of(&zero, i);
        memset((char *)y->data + p.from, 0, p.count);
    }
    copy_slice(call, &s, y->data, call->input[0].data, true);
    return REEL_OK;
}

/* --- permute --- */

/* n elements of `size` bytes, `stride` of them apart. */
static void copy_line(char *to, const char *from, int64_t n, int64_t stride, size_t size)
{
    if (stride == 1) {
        memcpy(to, from, (size_t)n * size);
    } else if (size == 4) {
        const uint32_t *x = (const uint32_t *)(const void *)from;
        uint32_t *y = (uint32_t *)(void *)to;
        for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
    } else if (size == 8) {
        const uint64_t *x = (const uint64_t *)(const void *)from;
        uint64_t *y = (uint64_t *)(void *)to;
        for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
    } else {
        for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
    }
}

reel_status cpu_permute(const reel_call *call)
{
    const reel_permute_attr *a = call->attr;
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int rank = x->shape.rank;
    size_t size = reel_dtype_size(x->dtype);
    int64_t x_stride[REEL_MAX_RANK] = {0}, stride[REEL_MAX_RANK] = {0}, lines = 1;
    if (rank == 0 || reel_elements(&x->shape) == 0) return call->op->reference.run(call);
    reel_shape_strides(&x->shape, x_stride);
    for (int k = 0; k < rank; k++)
        stride[k] = x_stride[a->order.count ? reel_shape_axis(&x->shape, a->order.at[k]) : rank - 1 - k];
    for (int k = 0; k < rank - 1; k++) lines *= y->shape.size[k];
    const int64_t n = y->shape.size[rank - 1];
    const cutting c = cut(lines, (size_t)n * size);
#pragma omp parallel for num_threads(call->threads) schedule(static) if (c.tasks > 1)
    for (int64_t i = 0; i < c.tasks; i++) {
        piece p = piece_of(&c, i);
        for (int64_t line = p.first; line < p.end; line++) {
            int64_t from = (int64_t)(p.from / size) * stride[rank - 1], left = line;
            for (int k = rank - 2; k >= 0; left /= y->shape.size[k], k--) from += left % y->shape.size[k] * stride[k];
            copy_line((char *)y->data + (size_t)(line * n) * size + p.from, (const char *)x->data + (size_t)from * size,
                      (int64_t)(p.count / size), stride[rank - 1], size);
        }
    }
    return REEL_OK;
}
