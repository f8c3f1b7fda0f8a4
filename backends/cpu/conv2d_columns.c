/* Panels of the columns matrix (conv2d.h). A matrix row is one kernel position of one channel: the plane of x, shifted.
   With stride 1 and equal widths the shift is one copy, after which the columns that wrapped around are cleared; else
   each output row is copied on its own. Elements are moved as bytes: zero has the same bits in both float types.
   Cost: one write an element, and reads from cache. */
#include "backends/cpu/conv2d.h"

#include <string.h>

typedef struct {
    int64_t h, w, q;
    int64_t stride[2];
    int64_t down, right; /* where output (0, 0) looks, relative to element (0, 0) */
    size_t element;
} view;

static void clear(char *to, int64_t count, size_t element)
{
    if (count <= 0) return;
    if (count > 8) {
        memset(to, 0, (size_t)count * element);
        return;
    }
    for (int64_t i = 0; i < count * (int64_t)(element / 4); i++) ((uint32_t *)(void *)to)[i] = 0;
}

/* Outputs t0..t1-1 of a plane when t + shift is the element that output t looks at, borders apart. */
static void copy_shifted(const view *v, const char *plane, int64_t t0, int64_t t1, char *to)
{
    int64_t e = (int64_t)v->element, w = v->w, shift = v->down * w + v->right;
    int64_t a = cpu_least(cpu_most(t0, -v->down * w), t1), b = cpu_most(cpu_least(t1, (v->h - v->down) * w), a);
    clear(to, a - t0, v->element);
    clear(to + (b - t0) * e, t1 - b, v->element);
    int64_t first = cpu_most(a, -shift), last = cpu_least(b, v->h * w - shift);
    if (last > first) memcpy(to + (first - t0) * e, plane + (first + shift) * e, (size_t)((last - first) * e));
    if (v->right == 0 || b == a) return;
    for (int64_t row = a / w * w; row < b; row += w) {
        int64_t from = v->right < 0 ? row : cpu_most(row, row + w - v->right);
        int64_t until = v->right < 0 ? cpu_least(row + w, row - v->right) : row + w;
        from = cpu_most(from, a);
        until = cpu_least(until, b);
        clear(to + (from - t0) * e, until - from, v->element);
    }
}

static void copy_strided(const char *from, int64_t stride, int64_t count, size_t element, char *to)
{
    if (stride == 1)
        memcpy(to, from, (size_t)count * element);
    else if (element == 4)
        for (int64_t i = 0; i < count; i++)
            ((uint32_t *)(void *)to)[i] = ((const uint32_t *)(const void *)from)[i * stride];
    else
        for (int64_t i = 0; i < count; i++)
            ((uint64_t *)(void *)to)[i] = ((const uint64_t *)(const void *)from)[i * stride];
}

static void copy_rows(const view *v, const char *plane, int64_t t0, int64_t t1, char *to)
{
    int64_t e = (int64_t)v->element, s = v->stride[1];
    /* Outputs low..high-1 of a row look inside the picture. */
    int64_t low = v->right < 0 ? (-v->right + s - 1) / s : 0;
    int64_t high = v->right < v->w ? (v->w - 1 - v->right) / s + 1 : 0;
    for (int64_t t = t0; t < t1;) {
        int64_t row = t / v->q * v->stride[0] + v->down, begin = t % v->q, end = cpu_least(v->q, begin + t1 - t);
        int64_t a = cpu_least(cpu_most(begin, low), end), b = cpu_most(cpu_least(end, high), a);
        if (row < 0 || row >= v->h) a = b = end;
        clear(to, a - begin, v->element);
        if (b > a)
            copy_strided(plane + (row * v->w + a * s + v->right) * e, s, b - a, v->element, to + (a - begin) * e);
        clear(to + (b - begin) * e, end - b, v->element);
        to += (end - begin) * e;
        t += end - begin;
    }
}

void cpu_conv2d_columns(const reel_conv2d_geometry *g, size_t element, const char *x, int64_t r0, int64_t r1,
                        int64_t t0, int64_t t1, char *panel, int64_t row)
{
    int64_t positions = g->kh * g->kw, plane = g->h * g->w * (int64_t)element;
    bool shifted = g->stride[0] == 1 && g->stride[1] == 1 && g->q == g->w;
    view v = {.h = g->h, .w = g->w, .q = g->q, .stride = {g->stride[0], g->stride[1]}, .element = element};
    for (int64_t r = r0; r < r1; r++, panel += row * (int64_t)element) {
        v.down = r % positions / g->kw * g->dilation[0] - g->top;
        v.right = r % g->kw * g->dilation[1] - g->left;
        (shifted ? copy_shifted : copy_rows)(&v, x + r / positions * plane, t0, t1, panel);
    }
}
