/* distance_transform and distance_classes on the GPU, exact: everything before the root is a whole number.

   First each pixel's distance to the nearest pixel of the other side in its own column, object and background being the
   sides: a thread a column, down and up, neighbours side by side. Then each pixel looks along its row, outwards: at
   (y, x + d) the other side is g(x + d) away in the column, so d^2 + g^2 in all, and nothing beyond d is nearer than d,
   so that the search ends as soon as d^2 is not less than the best. Where distances are what they are in masks, that is
   soon; at worst it is a row a pixel.

   A column's distances are kept as +g for pixels of the object and -g for the background, so that one plane holds both
   sides' (the distance of a pixel to its own side being 0). */
#include "backends/cuda/device.cuh"

struct planes {
    int height, width, count;
};

static planes planes_of(const reel_call *call)
{
    const reel_shape *s = &call->input[0].shape;
    planes p = {(int)s->size[s->rank - 2], (int)s->size[s->rank - 1], 1};
    for (int k = 0; k < s->rank - 2; k++) p.count *= (int)s->size[k];
    return p;
}

/* Farther than any pixel of a plane, and yet a number whose square, doubled, is one. */
enum { FAR = 1 << 20 };

template <class T> __global__ static void measure_columns(planes all, const T *mask, int32_t *signed_distance)
{
    unsigned column = cuda_element();
    if (column >= (unsigned)all.count * (unsigned)all.width) return;
    unsigned first = column / (unsigned)all.width * (unsigned)(all.height * all.width) + column % (unsigned)all.width;
    const T *in = mask + first;
    int32_t *out = signed_distance + first;
    int since[2] = {FAR, FAR}; /* rows since the last pixel of background, of the object */
    for (int y = 0; y < all.height; y++) {
        bool object = in[y * all.width] != 0;
        since[object] = 0;
        if (since[!object] < FAR) since[!object]++;
        out[y * all.width] = since[!object];
    }
    since[0] = since[1] = FAR;
    for (int y = all.height - 1; y >= 0; y--) {
        bool object = in[y * all.width] != 0;
        since[object] = 0;
        if (since[!object] < FAR) since[!object]++;
        int nearest = out[y * all.width] < since[!object] ? out[y * all.width] : since[!object];
        out[y * all.width] = object ? nearest : -nearest;
    }
}

/* Squared distance from a pixel to the nearest of the other side; FAR * FAR at least when there is none, or none nearer
   than `limit`. */
__device__ static int64_t to_other_side(const planes &all, const int32_t *row, int x, int limit)
{
    int mine = row[x];
    int64_t best = (int64_t)mine * mine;
    for (int d = 1; d < limit && (int64_t)d * d < best; d++) {
        for (int side = -1; side <= 1; side += 2) {
            int at = x + side * d;
            if (at < 0 || at >= all.width) continue;
            int64_t g = (row[at] > 0) == (mine > 0) ? row[at] : 0;
            if (d * (int64_t)d + g * g < best) best = d * (int64_t)d + g * g;
        }
    }
    return best;
}

template <class T> __global__ static void write_distances(planes all, const int32_t *column, T *y, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    int x = (int)(at % (unsigned)all.width);
    if (column[at] < 0) {
        y[at] = 0;
        return;
    }
    int64_t squared = to_other_side(all, column + at - x, x, all.width);
    y[at] = squared >= (int64_t)FAR * FAR ? (T)INFINITY : (T)sqrt((double)squared);
}

__global__ static void write_classes(planes all, const int32_t *column, int32_t *y, int border, int bin, unsigned n)
{
    unsigned at = cuda_element();
    if (at >= n) return;
    int x = (int)(at % (unsigned)all.width), most = border / bin, beyond = border + 1;
    bool object = column[at] > 0;
    int64_t squared = to_other_side(all, column + at - x, x, beyond);
    if (squared >= (int64_t)beyond * beyond) {
        y[at] = object ? 2 * most + 1 : 0;
        return;
    }
    int bins = (int)sqrt((double)squared) / bin;
    y[at] = object ? most + 1 + bins : most - bins;
}

size_t cuda_distance_scratch(const reel_call *call)
{
    return (size_t)reel_elements(&call->input[0].shape) * sizeof(int32_t);
}

static reel_status measure(const reel_call *call, planes all)
{
    const reel_array *x = &call->input[0];
    int64_t columns = reel_elements(&x->shape) ? (int64_t)all.count * all.width : 0;
    int32_t *column = (int32_t *)call->scratch;
    if (x->dtype == REEL_U8)
        return cuda_over(call, columns, measure_columns<uint8_t>, all, (const uint8_t *)x->data, column);
    if (x->dtype == REEL_I32)
        return cuda_over(call, columns, measure_columns<int32_t>, all, (const int32_t *)x->data, column);
    return cuda_by_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, columns, measure_columns<T>, all, (const T *)x->data, column);
    });
}

reel_status cuda_distance_transform(const reel_call *call)
{
    const reel_array *y = &call->output[0];
    planes all = planes_of(call);
    reel_status status = measure(call, all);
    if (status) return status;
    return cuda_by_float(y->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, cuda_elements(y), write_distances<T>, all, (const int32_t *)call->scratch, (T *)y->data,
                         cuda_elements(y));
    });
}

reel_status cuda_distance_classes(const reel_call *call)
{
    const reel_distance_classes_attr *attr = (const reel_distance_classes_attr *)call->attr;
    const reel_array *y = &call->output[0];
    planes all = planes_of(call);
    reel_status status = measure(call, all);
    if (status) return status;
    return cuda_over(call, cuda_elements(y), write_classes, all, (const int32_t *)call->scratch, (int32_t *)y->data,
                     attr->border, attr->bin, cuda_elements(y));
}
