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
        start += c.bytes;
        if (x == to) continue; /* it was computed there */
#pragma omp parallel for num_threads(call->threads) schedule(static) if (c.tasks > 1)
        for (int64_t i = 0; i < c.tasks; i++) {
            piece p = piece_of(&c, i);
            for (int64_t o = p.first; o < p.end; o++)
                memcpy(to + (size_t)o * row + p.from, x + (size_t)o * c.bytes + p.from, p.count);
        }
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

enum { BLOCK = 16 };

typedef struct {
    const reel_array *x, *y;
    size_t size;
    int64_t from[REEL_MAX_RANK], to[REEL_MAX_RANK]; /* strides of x and y, in elements, along the axes of y */
    int rank, fast;                                 /* fast: the axis of y along which x lies in order */
} permuting;

/* An m by n block, x in order along m, y along n: both sides stay in the cache whatever the strides. */
static void copy_block(const permuting *p, const char *x, char *y, int64_t m, int64_t n)
{
    int64_t from = p->from[p->rank - 1], to = p->to[p->fast];
    for (int64_t i = 0; i < m; i++) {
        if (p->size == 2)
            for (int64_t j = 0; j < n; j++) memcpy(y + (i * to + j) * 2, x + (i + j * from) * 2, 2);
        else if (p->size == 4)
            for (int64_t j = 0; j < n; j++) memcpy(y + (i * to + j) * 4, x + (i + j * from) * 4, 4);
        else if (p->size == 8)
            for (int64_t j = 0; j < n; j++) memcpy(y + (i * to + j) * 8, x + (i + j * from) * 8, 8);
        else
            for (int64_t j = 0; j < n; j++) y[i * to + j] = x[i + j * from];
    }
}

/* BLOCK positions along the fast axis, all of the last axis. */
static void copy_stripe(const permuting *p, int64_t stripe)
{
    const int64_t *size = p->y->shape.size, stripes = (size[p->fast] + BLOCK - 1) / BLOCK;
    int64_t begin = stripe % stripes * BLOCK, m = size[p->fast] - begin < BLOCK ? size[p->fast] - begin : BLOCK;
    int64_t from = begin, to = begin * p->to[p->fast], left = stripe / stripes, last = size[p->rank - 1];
    for (int k = p->rank - 2; k >= 0; k--) {
        if (k == p->fast) continue;
        from += left % size[k] * p->from[k];
        to += left % size[k] * p->to[k];
        left /= size[k];
    }
    for (int64_t j = 0; j < last; j += BLOCK)
        copy_block(p, (const char *)p->x->data + (size_t)(from + j * p->from[p->rank - 1]) * p->size,
                   (char *)p->y->data + (size_t)(to + j) * p->size, m, last - j < BLOCK ? last - j : BLOCK);
}

/* The last axis stays the last: lines of it are copied whole. */
static void copy_lines(const reel_call *call, const permuting *p)
{
    const int64_t *size = p->y->shape.size, n = size[p->rank - 1], lines = reel_elements(&p->y->shape) / n;
    const cutting c = cut(lines, (size_t)n * p->size);
#pragma omp parallel for num_threads(call->threads) schedule(static) if (c.tasks > 1)
    for (int64_t i = 0; i < c.tasks; i++) {
        piece part = piece_of(&c, i);
        for (int64_t line = part.first; line < part.end; line++) {
            int64_t from = 0, left = line;
            for (int k = p->rank - 2; k >= 0; left /= size[k], k--) from += left % size[k] * p->from[k];
            memcpy((char *)p->y->data + (size_t)(line * n) * p->size + part.from,
                   (const char *)p->x->data + (size_t)from * p->size + part.from, part.count);
        }
    }
}

reel_status cpu_permute(const reel_call *call)
{
    const reel_permute_attr *a = call->attr;
    const reel_array *x = &call->input[0], *y = &call->output[0];
    permuting p = {.x = x, .y = y, .size = reel_dtype_size(x->dtype), .rank = x->shape.rank};
    int64_t x_stride[REEL_MAX_RANK] = {0}, elements = reel_elements(&x->shape);
    if (p.rank == 0 || elements == 0) return call->op->reference.run(call);
    reel_shape_strides(&x->shape, x_stride);
    reel_shape_strides(&y->shape, p.to);
    for (int k = 0; k < p.rank; k++) {
        int axis = a->order.count ? reel_shape_axis(&x->shape, a->order.at[k]) : p.rank - 1 - k;
        p.from[k] = x_stride[axis];
        if (axis == p.rank - 1) p.fast = k;
    }
    if (p.fast == p.rank - 1) {
        copy_lines(call, &p);
        return REEL_OK;
    }
    const int64_t *size = y->shape.size, stripes = (size[p.fast] + BLOCK - 1) / BLOCK;
    const int64_t tasks = elements / size[p.fast] / size[p.rank - 1] * stripes;
#pragma omp parallel for num_threads(call->threads) schedule(static) if (elements * (int64_t)p.size > PIECE)
    for (int64_t i = 0; i < tasks; i++) copy_stripe(&p, i);
    return REEL_OK;
}
