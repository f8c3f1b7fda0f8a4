/* sum, mean, sum_to, max and min on the CPU.

   The merged axes (ops/fold.h) leave two patterns. When the last axis is reduced, an output is made from contiguous
   rows; when it is kept, a tile of neighbouring outputs is made from rows added element by element. Both are a task:
   `width` outputs and a range of what makes them. There is a task for every output or tile, and when these are too few
   to share among threads, several a tile, whose results are combined in order at the end. How work is cut depends on
   the shape alone, so that the bits do not depend on the number of threads.

   Accumulators are double: a float sum of millions of elements would lose half its digits, and reading memory is what
   takes the time. Rows are added in 16 interleaved lanes, which vectorise without reordering at the compiler's whim. */
#include "backends/cpu/cpu.h"
#include "core/bf16.h"
#include "core/clones.h"
#include "ops/fold.h"
#include "ops/ops.h"
#include "ops/value.h"

#include <math.h>

enum {
    LANES = 16,
    TILE = 512,       /* outputs that one task makes together, at most */
    CHUNK = 1 << 15,  /* elements below which a task is not cut */
    ENOUGH_TASKS = 64 /* tiles from which none is cut */
};

/* --- loops over elements --- */

typedef struct {
    double initial;
    double (*combine)(double a, double b);
    double (*row)(double acc, const void *x, int64_t at, int64_t n);    /* acc with x[at..at+n-1] */
    void (*columns)(double *acc, const void *x, int64_t at, int64_t n); /* acc[j] with x[at + j] */
} folder;

#define FOLDER(name, type, start, operation, value)                                                                    \
    CLONES static double name##_row(double acc, const void *x, int64_t at, int64_t n)                                  \
    {                                                                                                                  \
        const type *v = (const type *)x + at;                                                                          \
        double lane[LANES];                                                                                            \
        int64_t i = 0;                                                                                                 \
        if (n < LANES) {                                                                                               \
            for (; i < n; i++) acc = operation(acc, value(v[i]));                                                      \
            return acc;                                                                                                \
        }                                                                                                              \
        for (int j = 0; j < LANES; j++) lane[j] = start;                                                               \
        for (; i + LANES <= n; i += LANES)                                                                             \
            for (int j = 0; j < LANES; j++) lane[j] = operation(lane[j], value(v[i + j]));                             \
        for (int j = 0; i < n; i++, j++) lane[j] = operation(lane[j], value(v[i]));                                    \
        for (int half = LANES / 2; half; half /= 2)                                                                    \
            for (int j = 0; j < half; j++) lane[j] = operation(lane[j], lane[j + half]);                               \
        return operation(acc, lane[0]);                                                                                \
    }                                                                                                                  \
    CLONES static void name##_columns(double *acc, const void *x, int64_t at, int64_t n)                               \
    {                                                                                                                  \
        const type *v = (const type *)x + at;                                                                          \
        for (int64_t j = 0; j < n; j++) acc[j] = operation(acc[j], value(v[j]));                                       \
    }

static inline double plus(double a, double b)
{
    return a + b;
}
static inline double larger(double a, double b)
{
    return ((b > a) | (b != b)) ? b : a;
}
static inline double smaller(double a, double b)
{
    return ((b < a) | (b != b)) ? b : a;
}

#define WIDE(bits) ((double)reel_bf16_to_float(bits))
FOLDER(sum_bf16, reel_bf16, 0, plus, WIDE)
FOLDER(sum_f32, float, 0, plus, (double))
FOLDER(sum_f64, double, 0, plus, (double))
FOLDER(max_f32, float, -INFINITY, larger, (double))
FOLDER(max_f64, double, -INFINITY, larger, (double))
FOLDER(min_f32, float, INFINITY, smaller, (double))
FOLDER(min_f64, double, INFINITY, smaller, (double))

static const folder sums[] = {[REEL_BF16] = {0, plus, sum_bf16_row, sum_bf16_columns},
                              [REEL_F32] = {0, plus, sum_f32_row, sum_f32_columns},
                              [REEL_F64] = {0, plus, sum_f64_row, sum_f64_columns}};
static const folder maxima[] = {[REEL_F32] = {-INFINITY, larger, max_f32_row, max_f32_columns},
                                [REEL_F64] = {-INFINITY, larger, max_f64_row, max_f64_columns}};
static const folder minima[] = {[REEL_F32] = {INFINITY, smaller, min_f32_row, min_f32_columns},
                                [REEL_F64] = {INFINITY, smaller, min_f64_row, min_f64_columns}};

/* --- cutting --- */

typedef struct {
    reel_fold fold;
    bool columns;           /* the last axis is kept */
    int64_t line;           /* outputs that are neighbours in x: the last kept axis, or 1 */
    int64_t width, tiles;   /* outputs a tile, tiles a line */
    int64_t length, chunks; /* of what makes a tile, elements a chunk and chunks */
    int64_t tasks;          /* lines * tiles * chunks */
} plan;

static plan plan_of(const reel_call *call)
{
    plan p = {.line = 1, .width = 1, .tiles = 1, .chunks = 1};
    reel_fold_of(call, &p.fold);
    const reel_fold_axes *kept = &p.fold.kept;
    p.columns = kept->count && kept->stride[kept->count - 1] == 1;
    if (p.columns) {
        p.line = kept->size[kept->count - 1];
        p.width = p.line < TILE ? p.line : TILE;
        p.tiles = p.line ? (p.line + p.width - 1) / p.width : 0;
    }
    int64_t lines = p.line ? p.fold.outputs / p.line : 0, all = lines * p.tiles;
    p.length = p.fold.each;
    if (all && all < ENOUGH_TASKS && p.fold.each * p.width > CHUNK) {
        int64_t finest = (p.fold.each * p.width + CHUNK - 1) / CHUNK, most = ENOUGH_TASKS / all;
        p.chunks = finest < most ? finest : most;
        p.length = (p.fold.each + p.chunks - 1) / p.chunks;
        p.chunks = (p.fold.each + p.length - 1) / p.length;
    }
    p.tasks = all * p.chunks;
    return p;
}

/* --- tasks --- */

typedef struct {
    const reel_call *call;
    const folder *with;
    plan plan;
} work;

/* The outputs of tile t = 0..lines * tiles - 1: the first of them, and how many. */
static int64_t tile_outputs(const plan *p, int64_t t, int64_t *count)
{
    int64_t begin = t % p->tiles * p->width;
    *count = p->line - begin < p->width ? p->line - begin : p->width;
    return t / p->tiles * p->line + begin;
}

static void finish(const work *w, int64_t output, double value)
{
    if (w->call->op == &reel_op_mean) value /= (double)w->plan.fold.each;
    reel_set_value(&w->call->output[0], output, value);
}

static void fold_columns(const work *w, double *acc, int64_t base, int64_t count, int64_t begin, int64_t end)
{
    const void *x = w->call->input[0].data;
    for (int64_t r = begin; r < end; r++)
        w->with->columns(acc, x, base + reel_fold_offset(&w->plan.fold.reduced, r), count);
}

static double fold_rows(const work *w, int64_t base, int64_t begin, int64_t end)
{
    double acc = w->with->initial;
    const void *x = w->call->input[0].data;
    const reel_fold_axes *reduced = &w->plan.fold.reduced;
    int64_t row = reduced->count ? reduced->size[reduced->count - 1] : 1;
    for (int64_t r = begin, n; r < end; r += n) {
        n = row - r % row < end - r ? row - r % row : end - r;
        acc = w->with->row(acc, x, base + reel_fold_offset(reduced, r), n);
    }
    return acc;
}

static void run_task(const work *w, int64_t task)
{
    const plan *p = &w->plan;
    int64_t count, first = tile_outputs(p, task / p->chunks, &count), begin = task % p->chunks * p->length;
    int64_t end = begin + p->length < p->fold.each ? begin + p->length : p->fold.each;
    int64_t base = reel_fold_offset(&p->fold.kept, first);
    double own[TILE], *acc = p->chunks > 1 ? (double *)w->call->scratch + task * p->width : own;

    for (int64_t j = 0; j < count; j++) acc[j] = w->with->initial;
    if (p->columns)
        fold_columns(w, acc, base, count, begin, end);
    else
        acc[0] = fold_rows(w, base, begin, end);
    if (p->chunks > 1) return;
    for (int64_t j = 0; j < count; j++) finish(w, first + j, acc[j]);
}

/* Combines what the chunks of tile t have left in scratch. */
static void join_chunks(const work *w, int64_t t)
{
    const plan *p = &w->plan;
    const double *part = (const double *)w->call->scratch + t * p->chunks * p->width;
    int64_t count, first = tile_outputs(p, t, &count);
    for (int64_t j = 0; j < count; j++) {
        double value = part[j];
        for (int64_t c = 1; c < p->chunks; c++) value = w->with->combine(value, part[c * p->width + j]);
        finish(w, first + j, value);
    }
}

static reel_status run(const reel_call *call, const folder *with)
{
    work w = {call, with, plan_of(call)};
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t task = 0; task < w.plan.tasks; task++) run_task(&w, task);
    if (w.plan.chunks > 1)
        for (int64_t t = 0; t < w.plan.tasks / w.plan.chunks; t++) join_chunks(&w, t);
    return REEL_OK;
}

reel_status cpu_sum(const reel_call *call)
{
    return run(call, &sums[call->input[0].dtype]);
}
reel_status cpu_max(const reel_call *call)
{
    return run(call, &maxima[call->input[0].dtype]);
}
reel_status cpu_min(const reel_call *call)
{
    return run(call, &minima[call->input[0].dtype]);
}

size_t cpu_fold_scratch(const reel_call *call)
{
    plan p = plan_of(call);
    return p.chunks > 1 ? (size_t)(p.tasks * p.width) * sizeof(double) : 0;
}
