/* distance_transform and distance_classes on the CPU: the same integer arithmetic as the references, columns in tiles
   and then rows, in parallel. */
#include "backends/cpu/cpu.h"
#include "ops/distance.h"
#include "ops/squared_distance.h"

#include <math.h>

enum { COLUMNS = 32 };

/* Scratch: a plane of column distances, three numbers a pixel for rows that are worked on at once, a plane of bytes. */
size_t cpu_distance_scratch(const reel_call *call)
{
    const reel_shape *s = &call->input[0].shape;
    return (size_t)(s->size[s->rank - 1] * s->size[s->rank - 2]) * (4 * sizeof(int64_t) + 1);
}

/* One plane of what is to be found, nearest of which each pixel looks for. */
typedef struct {
    const reel_call *call;
    int64_t height, width;
    int64_t first; /* element of the arrays at which the plane begins */
    int64_t *column, *rows;
    uint8_t *feature;
} plane;

static plane planes_of(const reel_call *call)
{
    const reel_shape *s = &call->input[0].shape;
    plane p = {.call = call, .height = s->size[s->rank - 2], .width = s->size[s->rank - 1]};
    p.column = call->scratch;
    p.rows = p.column + p.height * p.width;
    p.feature = (uint8_t *)(p.rows + 3 * p.height * p.width);
    return p;
}

static bool is_zero(const reel_array *x, int64_t i)
{
    switch (x->dtype) {
    case REEL_F32:
        return ((const float *)x->data)[i] == 0;
    case REEL_F64:
        return ((const double *)x->data)[i] == 0;
    case REEL_I32:
        return ((const int32_t *)x->data)[i] == 0;
    default:
        return ((const uint8_t *)x->data)[i] == 0;
    }
}

/* Marks the pixels that are zero, or those that are not, and measures every column. */
static void find_columns(const plane *p, bool zero)
{
    int64_t tiles = (p->width + COLUMNS - 1) / COLUMNS;
#pragma omp parallel for num_threads(p->call->threads) schedule(static)
    for (int64_t i = 0; i < tiles; i++) {
        int64_t begin = i * COLUMNS, end = begin + COLUMNS < p->width ? begin + COLUMNS : p->width;
        for (int64_t y = 0; y < p->height; y++)
            for (int64_t at = y * p->width + begin; at < y * p->width + end; at++)
                p->feature[at] = is_zero(&p->call->input[0], p->first + at) == zero;
        reel_column_distances(p->feature, p->height, p->width, begin, end, p->column);
    }
}

/* Squared distances of row y. */
static const int64_t *measure_row(const plane *p, int64_t y)
{
    int64_t *squared = p->rows + 3 * y * p->width;
    reel_squared_distance_row(p->column + y * p->width, squared, p->width, squared + p->width);
    return squared;
}

static void write_distances(const plane *p, int64_t y)
{
    const int64_t *squared = measure_row(p, y), at = p->first + y * p->width;
    const reel_array *out = &p->call->output[0];
    for (int64_t x = 0; x < p->width; x++) {
        double d = squared[x] == REEL_INFINITELY_FAR ? INFINITY : sqrt((double)squared[x]);
        if (out->dtype == REEL_F32)
            ((float *)out->data)[at + x] = (float)d;
        else
            ((double *)out->data)[at + x] = d;
    }
}

reel_status cpu_distance_transform(const reel_call *call)
{
    plane p = planes_of(call);
    int64_t area = p.height * p.width, planes = area ? reel_elements(&call->input[0].shape) / area : 0;
    for (int64_t i = 0; i < planes; i++) {
        p.first = i * area;
        find_columns(&p, true);
#pragma omp parallel for num_threads(call->threads) schedule(static)
        for (int64_t y = 0; y < p.height; y++) write_distances(&p, y);
    }
    return REEL_OK;
}

/* --- classes --- */

/* The pixels of row y on one side, whose distances to the other side have been measured. A distance needs its root
   only within the border. */
static void write_classes(const plane *p, int64_t y, bool object)
{
    const reel_distance_classes_attr *a = p->call->attr;
    const int64_t *squared = measure_row(p, y), beyond = (int64_t)(a->border + 1) * (a->border + 1);
    const uint8_t *other = p->feature + y * p->width;
    const int32_t most = a->border / a->bin, far = object ? 2 * most + 1 : 0;
    int32_t *out = (int32_t *)p->call->output[0].data + p->first + y * p->width;
    for (int64_t x = 0; x < p->width; x++) {
        if (other[x]) continue;
        int32_t bins = squared[x] < beyond ? (int32_t)sqrt((double)squared[x]) / a->bin : 0;
        out[x] = squared[x] >= beyond ? far : object ? most + 1 + bins : most - bins;
    }
}

reel_status cpu_distance_classes(const reel_call *call)
{
    plane p = planes_of(call);
    int64_t area = p.height * p.width, planes = area ? call->input[0].shape.size[0] : 0;
    for (int64_t i = 0; i < planes; i++) {
        p.first = i * area;
        for (int object = 0; object < 2; object++) {
            find_columns(&p, object);
#pragma omp parallel for num_threads(call->threads) schedule(static)
            for (int64_t y = 0; y < p.height; y++) write_classes(&p, y, object);
        }
    }
    return REEL_OK;
}
