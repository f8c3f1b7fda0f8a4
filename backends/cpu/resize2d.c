/* resize2d and its adjoint in float32, one axis after the other.

   Forward, an input row is stretched to the output's width once, and output rows are mixtures of two stretched rows: a
   pass over contiguous memory. The adjoint goes the other way: a mixture of the few rows of dy that an input row took
   part in, then a shrink. Tasks are a few rows of a plane; each computes the stretched rows it needs, so that a single
   plane keeps many threads busy. float64 runs the reference loops.

   Scratch: the tables of the axes, those of columns again as separate arrays (vectors read them in order), and one or
   two rows a thread. */
#include "core/clones.h"
#include "ops/resize_taps.h"

#include <omp.h>
#include <string.h>

enum { ROWS = 32 }; /* of the result, in a task */

typedef struct {
    reel_resize_tables t;
    int32_t *low, *high; /* of output columns */
    float *weight;       /* of high */
    float *rows;         /* 2 a thread */
} scratch;

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* --- forward --- */

size_t cpu_resize2d_scratch(const reel_call *call)
{
    const int64_t *in = &call->input[0].shape.size[2], *out = &call->output[0].shape.size[2];
    return aligned(reel_resize_tables_bytes(in, out)) + 3 * aligned((size_t)out[1] * sizeof(float)) +
           2 * (size_t)call->threads * aligned((size_t)out[1] * sizeof(float));
}

static scratch lay_out(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    const int64_t *in = &x->shape.size[2], *out = &y->shape.size[2];
    char *at = call->scratch;
    size_t row = aligned((size_t)out[1] * sizeof(float));
    scratch s = {.t = reel_resize_tables_fill(call->attr, &x->shape, &y->shape, at)};
    at += aligned(reel_resize_tables_bytes(in, out));
    s.low = (int32_t *)(void *)at;
    s.high = (int32_t *)(void *)(at + row);
    s.weight = (float *)(void *)(at + 2 * row);
    s.rows = (float *)(void *)(at + 3 * row);
    for (int64_t q = 0; q < out[1]; q++) {
        s.low[q] = s.t.tap[1][q].low;
        s.high[q] = s.t.tap[1][q].high;
        s.weight[q] = (float)s.t.tap[1][q].weight;
    }
    return s;
}

CLONES static void stretch(const float *restrict x, const int32_t *restrict low, const int32_t *restrict high,
                           const float *restrict weight, int64_t count, float *restrict y)
{
    for (int64_t q = 0; q < count; q++) {
        float w = weight[q], a = x[low[q]], b = x[high[q]];
        y[q] = w > 0 ? (1 - w) * a + w * b : a;
    }
}

CLONES static void mix(const float *restrict a, const float *restrict b, float w, int64_t count, float *restrict y)
{
    for (int64_t q = 0; q < count; q++) y[q] = (1 - w) * a[q] + w * b[q];
}

/* Output rows from..until-1 of one plane; `row` are two buffers, `held` the input rows in them. */
static void make_rows(const scratch *s, const float *x, int64_t from, int64_t until, float *row[2], float *y)
{
    int64_t held[2] = {-1, -1}, width = s->t.out[1];
    for (int64_t p = from; p < until; p++) {
        const reel_resize_tap *tap = &s->t.tap[0][p];
        int32_t need[2] = {tap->low, tap->high};
        if (held[1] == need[0]) { /* the lower row of the last output is the upper one now */
            float *other = row[0];
            row[0] = row[1], row[1] = other;
            held[1] = held[0], held[0] = need[0];
        }
        for (int k = 0; k < (tap->weight > 0 ? 2 : 1); k++) {
            if (held[k] == need[k]) continue;
            stretch(x + need[k] * s->t.in[1], s->low, s->high, s->weight, width, row[k]);
            held[k] = need[k];
        }
        if (tap->weight > 0)
            mix(row[0], row[1], (float)tap->weight, width, y + p * width);
        else
            memcpy(y + p * width, row[0], (size_t)width * sizeof *y);
    }
}

reel_status cpu_resize2d(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    if (x->dtype != REEL_F32) return call->op->reference.run(call);
    scratch s = lay_out(call);
    int64_t width = s.t.out[1], pieces = (s.t.out[0] + ROWS - 1) / ROWS;
    int64_t stride = (int64_t)(aligned((size_t)width * sizeof(float)) / sizeof(float));
#pragma omp parallel for num_threads(call->threads)
    for (int64_t task = 0; task < s.t.planes * pieces; task++) {
        int64_t plane = task / pieces, from = task % pieces * ROWS;
        int64_t until = from + ROWS < s.t.out[0] ? from + ROWS : s.t.out[0];
        float *first = s.rows + stride * 2 * omp_get_thread_num(), *row[2] = {first, first + stride};
        make_rows(&s, (const float *)x->data + plane * s.t.in[0] * s.t.in[1], from, until, row,
                  (float *)y->data + plane * s.t.out[0] * width);
    }
    return REEL_OK;
}

/* --- adjoint --- */

size_t cpu_resize2d_gradient_scratch(const reel_call *call)
{
    const int64_t *in = &call->output[0].shape.size[2], *out = &call->input[0].shape.size[2];
    size_t row = aligned((size_t)out[1] * sizeof(float));
    return aligned(reel_resize_tables_bytes(in, out)) + 2 * row + (size_t)call->threads * row;
}

/* The shares that the input's columns take of outputs, one column's after the other: two an output at most. */
static void fill_shares(const reel_resize_tables *t, float *share)
{
    for (int64_t j = 0; j < t->in[1]; j++)
        for (int64_t q = t->range[1][j].first; q <= t->range[1][j].last; q++)
            *share++ = (float)reel_resize_share(&t->tap[1][q], j);
}

CLONES static void add_row(const float *restrict dy, float share, int64_t count, bool add, float *restrict sum)
{
    if (add)
        for (int64_t q = 0; q < count; q++) sum[q] += share * dy[q];
    else
        for (int64_t q = 0; q < count; q++) sum[q] = share * dy[q];
}

static void shrink(const reel_resize_tables *t, const float *share, const float *sum, float *dx)
{
    for (int64_t j = 0; j < t->in[1]; j++) {
        reel_resize_range range = t->range[1][j];
        float value = 0;
        for (int64_t q = range.first; q <= range.last; q++) value += *share++ * sum[q];
        dx[j] = value;
    }
}

/* Row i of one plane of dx. */
static void gather_row(const reel_resize_tables *t, const float *share, const float *dy, int64_t i, float *sum,
                       float *dx)
{
    reel_resize_range range = t->range[0][i];
    for (int64_t p = range.first; p <= range.last; p++)
        add_row(dy + p * t->out[1], (float)reel_resize_share(&t->tap[0][p], i), t->out[1], p > range.first, sum);
    if (range.first <= range.last)
        shrink(t, share, sum, dx);
    else
        memset(dx, 0, (size_t)t->in[1] * sizeof *dx);
}

reel_status cpu_resize2d_gradient(const reel_call *call)
{
    const reel_array *dy = &call->input[0], *dx = &call->output[0];
    const reel_resize2d_gradient_attr *attr = call->attr;
    if (dy->dtype != REEL_F32) return call->op->reference.run(call);
    reel_resize_tables t = reel_resize_tables_fill(&attr->resize, &dx->shape, &dy->shape, call->scratch);
    int64_t stride = (int64_t)(aligned((size_t)t.out[1] * sizeof(float)) / sizeof(float));
    float *share = (float *)(void *)((char *)call->scratch + aligned(reel_resize_tables_bytes(t.in, t.out)));
    float *rows = share + 2 * stride;
    fill_shares(&t, share);
#pragma omp parallel for num_threads(call->threads)
    for (int64_t row = 0; row < t.planes * t.in[0]; row++)
        gather_row(&t, share, (const float *)dy->data + row / t.in[0] * t.out[0] * t.out[1], row % t.in[0],
                   rows + omp_get_thread_num() * stride, (float *)dx->data + row * t.in[1]);
    return REEL_OK;
}
