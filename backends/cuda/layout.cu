/* permute, slice, slice_gradient and concat on the GPU: each copies elements from one place to another, so that all are
   one kernel, which walks over the elements that are copied with a step an axis in both arrays. Values are moved as
   whole numbers of their width, or several at once where they stay side by side. Where a permutation leaves neighbours
   in x and neighbours in y on different axes, squares of both axes are turned in shared memory, so that reads and
   writes are in order. Memory limits it. */
#include "backends/cuda/pack.cuh"

extern "C" {
#include "ops/slice_range.h"
}

/* Element i of the walk, counted row-major, goes from x[from] to y[to]. */
struct copying {
    int rank;
    cuda_divider size[REEL_MAX_RANK];
    int from[REEL_MAX_RANK], to[REEL_MAX_RANK];
    int first_from, first_to;
    unsigned elements;
};

template <class T> __global__ static void copy_elements(copying c, const T *x, T *y)
{
    unsigned i = cuda_element();
    if (i >= c.elements) return;
    int from = c.first_from, to = c.first_to;
    for (int axis = c.rank - 1; axis >= 0; axis--) {
        int place = (int)(axis ? cuda_split(&i, c.size[axis]) : i);
        from += place * c.from[axis];
        to += place * c.to[axis];
    }
    y[to] = x[from];
}

/* Appends an axis, outermost first; merges it into the one before where both arrays go on evenly. */
static void append(copying *c, int64_t size, int64_t from, int64_t to)
{
    c->elements *= (unsigned)size;
    if (size == 1) return;
    int last = c->rank - 1;
    if (c->rank && c->from[last] == from * size && c->to[last] == to * size)
        size *= c->size[last].size;
    else
        last = c->rank++;
    c->size[last] = cuda_divider_of(size);
    c->from[last] = (int)from;
    c->to[last] = (int)to;
}

static bool even(const copying *c)
{
    bool all = !(c->first_from % 2) && !(c->first_to % 2) && !(c->size[c->rank - 1].size % 2);
    for (int k = 0; k < c->rank - 1; k++) all = all && !(c->from[k] % 2) && !(c->to[k] % 2);
    return all;
}

/* Counts in elements of twice the width for as long as runs of neighbours allow it; returns the width. */
static size_t widen(copying *c, size_t width)
{
    int last = c->rank - 1;
    if (last < 0 || c->from[last] != 1 || c->to[last] != 1) return width;
    for (; width < 16 && even(c); width *= 2) {
        c->elements /= 2;
        c->first_from /= 2;
        c->first_to /= 2;
        c->size[last] = cuda_divider_of(c->size[last].size / 2);
        for (int k = 0; k < last; k++) c->from[k] /= 2, c->to[k] /= 2;
    }
    return width;
}

template <class T>
static reel_status copy_as(const reel_call *call, const copying *c, const reel_array *x, const reel_array *y)
{
    return cuda_over(call, c->elements, copy_elements<T>, *c, (const T *)x->data, (T *)y->data);
}

static reel_status copy(const reel_call *call, copying c, const reel_array *x, const reel_array *y)
{
    switch (widen(&c, reel_dtype_size(y->dtype))) {
    case 1:
        return copy_as<uint8_t>(call, &c, x, y);
    case 2:
        return copy_as<uint16_t>(call, &c, x, y);
    case 4:
        return copy_as<uint32_t>(call, &c, x, y);
    case 8:
        return copy_as<uint64_t>(call, &c, x, y);
    default:
        return copy_as<cuda_pack<uint64_t, 2>>(call, &c, x, y);
    }
}

/* --- permute --- */

enum { SQUARE = 32, ROWS = 8, LEAST = 8 };

/* Axis p goes on by one in x, axis q in y; `rest` walks over the others. */
struct turning {
    copying rest;
    cuda_divider squares_p, squares_q;
    unsigned p, q;
    int from_q, to_p;
};

template <class T> __global__ static void turn_squares(turning t, const T *x, T *y)
{
    __shared__ T square[SQUARE][SQUARE + 1]; /* one more, so that a column lies in as many banks as a row */
    unsigned block = blockIdx.x, q = cuda_split(&block, t.squares_q) * SQUARE;
    unsigned p = cuda_split(&block, t.squares_p) * SQUARE;
    int from = 0, to = 0;
    for (int axis = t.rest.rank - 1; axis >= 0; axis--) {
        int place = (int)cuda_split(&block, t.rest.size[axis]);
        from += place * t.rest.from[axis];
        to += place * t.rest.to[axis];
    }
    for (unsigned r = threadIdx.y; r < SQUARE; r += ROWS)
        if (q + r < t.q && p + threadIdx.x < t.p)
            square[r][threadIdx.x] = x[from + (int)(q + r) * t.from_q + (int)(p + threadIdx.x)];
    __syncthreads();
    for (unsigned r = threadIdx.y; r < SQUARE; r += ROWS)
        if (p + r < t.p && q + threadIdx.x < t.q)
            y[to + (int)(p + r) * t.to_p + (int)(q + threadIdx.x)] = square[threadIdx.x][r];
}

/* Whether there are two such axes, long enough to be worth it. */
static bool turns(const copying *c, turning *t)
{
    int p = 0, q = 0;
    while (p < c->rank && c->from[p] != 1) p++;
    while (q < c->rank && c->to[q] != 1) q++;
    if (p == c->rank || q == c->rank || p == q || c->size[p].size < LEAST || c->size[q].size < LEAST) return false;
    *t = turning{.p = c->size[p].size, .q = c->size[q].size, .from_q = c->from[q], .to_p = c->to[p]};
    t->squares_p = cuda_divider_of((t->p + SQUARE - 1) / SQUARE);
    t->squares_q = cuda_divider_of((t->q + SQUARE - 1) / SQUARE);
    for (int k = 0; k < c->rank; k++) {
        if (k == p || k == q) continue;
        t->rest.size[t->rest.rank] = c->size[k];
        t->rest.from[t->rest.rank] = c->from[k];
        t->rest.to[t->rest.rank++] = c->to[k];
    }
    t->rest.elements = c->elements / (t->p * t->q);
    return true;
}

reel_status cuda_permute(const reel_call *call)
{
    const reel_permute_attr *a = (const reel_permute_attr *)call->attr;
    const reel_array *x = &call->input[0], *y = &call->output[0];
    int64_t from[REEL_MAX_RANK], to[REEL_MAX_RANK];
    copying c = {.elements = 1};
    turning t;
    reel_shape_strides(&x->shape, from);
    reel_shape_strides(&y->shape, to);
    for (int k = 0; k < y->shape.rank; k++) {
        int axis = a->order.count ? reel_shape_axis(&x->shape, a->order.at[k]) : x->shape.rank - 1 - k;
        append(&c, y->shape.size[k], from[axis], to[k]);
    }
    if (!c.elements || !turns(&c, &t)) return copy(call, c, x, y);
    return cuda_by_width(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_launch(call, t.rest.elements * t.squares_p.size * t.squares_q.size, dim3(SQUARE, ROWS),
                           turn_squares<T>, t, (const T *)x->data, (T *)y->data);
    });
}

/* --- slice, slice_gradient, concat --- */

/* The copy between a whole and the part that a slice takes of it; back: from the part to the whole. */
static copying slicing(const reel_slice_attr *attr, const reel_array *whole, const reel_array *part, bool back)
{
    reel_slice_range range;
    int64_t in_whole[REEL_MAX_RANK], in_part[REEL_MAX_RANK];
    copying c = {.elements = 1};
    reel_slice_ranges(attr, &whole->shape, &range);
    reel_shape_strides(&whole->shape, in_whole);
    reel_shape_strides(&part->shape, in_part);
    for (int k = 0; k < whole->shape.rank; k++) {
        int64_t step = in_whole[k] * range.step[k];
        *(back ? &c.first_to : &c.first_from) += (int)(range.first[k] * in_whole[k]);
        append(&c, range.count[k], back ? in_part[k] : step, back ? step : in_part[k]);
    }
    return c;
}

reel_status cuda_slice(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    copying c = slicing((const reel_slice_attr *)call->attr, x, y, false);
    return copy(call, c, x, y);
}

reel_status cuda_slice_gradient(const reel_call *call)
{
    const reel_slice_gradient_attr *a = (const reel_slice_gradient_attr *)call->attr;
    const reel_slice_attr slice = {a->starts, a->stops, a->axes, a->steps};
    const reel_array *dy = &call->input[0], *y = &call->output[0];
    reel_status status = cuda_clear(call, y);
    copying c = slicing(&slice, y, dy, true);
    return status ? status : copy(call, c, dy, y);
}

reel_status cuda_concat(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    int axis = reel_shape_axis(&y->shape, ((const reel_concat_attr *)call->attr)->axis);
    int64_t outer = 1, inner = 1, start = 0;
    for (int k = 0; k < axis; k++) outer *= y->shape.size[k];
    for (int k = axis + 1; k < y->shape.rank; k++) inner *= y->shape.size[k];
    reel_status status = REEL_OK;
    for (int k = 0; !status && k < call->inputs; k++) {
        int64_t run = call->input[k].shape.size[axis] * inner;
        bool in_place = call->input[k].data == (char *)y->data + (size_t)start * reel_dtype_size(y->dtype);
        copying c = {.first_to = (int)start, .elements = 1};
        append(&c, outer, run, y->shape.size[axis] * inner);
        append(&c, run, 1, 1);
        if (!in_place) status = copy(call, c, &call->input[k], y); /* else it was computed there */
        start += run;
    }
    return status;
}
