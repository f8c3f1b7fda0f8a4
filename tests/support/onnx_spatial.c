/* Operators of ONNX with windows: convolution, pooling, resizing. reel has planes only: a line [N, C, L] becomes a
   plane of height 1, and a volume is absent. */
#include "tests/support/onnx_build.h"

#include "core/memory.h"

#include <math.h>
#include <string.h>

/* --- planes --- */

static bool is_line(const reel_tensor *x)
{
    return x->shape.rank == 3;
}

static reel_tensor *plane(onnx_build *b, reel_tensor *x)
{
    if (!x || reel_poisoned(x) || x->shape.rank == 4) return x;
    if (!is_line(x)) return onnx_absent(b, "%d-D", x->shape.rank - 2);
    return reel_reshape(x, REEL_SHAPE(x->shape.size[0], x->shape.size[1], 1, x->shape.size[2]));
}

static reel_tensor *as_line(reel_tensor *y)
{
    if (reel_poisoned(y)) return y;
    return reel_reshape(y, REEL_SHAPE(y->shape.size[0], y->shape.size[1], y->shape.size[3]));
}

/* --- windows --- */

typedef struct {
    int kernel[2], stride[2], dilation[2], pad[4];
    bool same_upper, same_lower;
} window;

/* The values of an attribute for the two axes; on a line the first keeps `neutral`. */
static bool pair(onnx_build *b, const char *key, bool line, int neutral, int at[2])
{
    reel_ints list;
    at[0] = at[1] = neutral;
    if (!onnx_ints(b, key, &list) || list.count != (line ? 1 : 2)) return false;
    if (!line) at[0] = (int)list.at[0];
    at[1] = (int)list.at[list.count - 1];
    return true;
}

static window window_of(onnx_build *b, bool line)
{
    window w = {.pad = {0}};
    reel_ints pads = {.count = 0};
    const char *automatic = onnx_text(b, "auto_pad", "NOTSET");
    pair(b, "kernel_shape", line, 1, w.kernel);
    pair(b, "strides", line, 1, w.stride);
    pair(b, "dilations", line, 1, w.dilation);
    onnx_ints(b, "pads", &pads);
    if (pads.count == 2) w.pad[1] = (int)pads.at[0], w.pad[3] = (int)pads.at[1];
    for (int i = 0; i < 4 && pads.count == 4; i++) w.pad[i] = (int)pads.at[i];
    w.same_upper = !strcmp(automatic, "SAME_UPPER");
    w.same_lower = !strcmp(automatic, "SAME_LOWER");
    if (!strcmp(automatic, "VALID")) memset(w.pad, 0, sizeof w.pad);
    return w;
}

/* The odd pixel of a padding goes to the end, unless `lower`. */
static void share_padding(window *w, int axis, int64_t total, bool lower)
{
    if (total < 0) total = 0;
    w->pad[axis] = (int)(lower ? total - total / 2 : total / 2);
    w->pad[axis + 2] = (int)(total - w->pad[axis]);
}

/* SAME: as many outputs as inputs, divided by the stride and rounded up. */
static void resolve_same(window *w, const reel_tensor *x)
{
    for (int axis = 0; axis < 2 && (w->same_upper || w->same_lower); axis++) {
        int64_t n = x->shape.size[axis + 2], out = (n + w->stride[axis] - 1) / w->stride[axis];
        int64_t reach = (int64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
        share_padding(w, axis, (out - 1) * w->stride[axis] + reach - n, w->same_lower);
    }
}

/* --- convolution --- */

static void conv(onnx_build *b)
{
    bool line = is_line(onnx_input(b, 0));
    reel_tensor *x = plane(b, onnx_input(b, 0)), *kernel = plane(b, onnx_input(b, 1));
    window w = window_of(b, line);
    int groups = (int)onnx_int(b, "group", 1);
    if (reel_poisoned(kernel) || reel_poisoned(x)) return;
    for (int i = 0; i < 2; i++) w.kernel[i] = (int)kernel->shape.size[i + 2];
    resolve_same(&w, x);
    reel_conv2d_attr attr = {.groups = groups};
    memcpy(attr.stride, w.stride, sizeof attr.stride);
    memcpy(attr.dilation, w.dilation, sizeof attr.dilation);
    memcpy(attr.pad, w.pad, sizeof attr.pad);
    reel_tensor *y = reel_conv2d(x, kernel, onnx_input(b, 2), attr);
    b->output[0] = line ? as_line(y) : y;
}

/* A wanted output size becomes padding where the full output is larger, and output padding where it is smaller. */
static void fit_output(window *w, const reel_tensor *x, const int wanted[2], int extra[2])
{
    for (int axis = 0; axis < 2; axis++) {
        int64_t reach = (int64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
        int64_t full = w->stride[axis] * (x->shape.size[axis + 2] - 1) + extra[axis] + reach;
        share_padding(w, axis, full - wanted[axis], !w->same_upper);
        if (full < wanted[axis]) extra[axis] += (int)(wanted[axis] - full);
    }
}

static void conv_transpose(onnx_build *b)
{
    bool line = is_line(onnx_input(b, 0));
    reel_tensor *x = plane(b, onnx_input(b, 0)), *kernel = plane(b, onnx_input(b, 1));
    window w = window_of(b, line);
    reel_conv_transpose2d_attr attr = {.conv.groups = (int)onnx_int(b, "group", 1)};
    int wanted[2];
    bool sized = pair(b, "output_shape", line, 1, wanted);
    pair(b, "output_padding", line, 0, attr.output_pad);
    if (reel_poisoned(kernel) || reel_poisoned(x)) return;
    for (int i = 0; i < 2; i++) {
        w.kernel[i] = (int)kernel->shape.size[i + 2];
        if (!sized) wanted[i] = (int)x->shape.size[i + 2] * w.stride[i];
    }
    if (sized || w.same_upper || w.same_lower) fit_output(&w, x, wanted, attr.output_pad);
    memcpy(attr.conv.stride, w.stride, sizeof w.stride);
    memcpy(attr.conv.dilation, w.dilation, sizeof w.dilation);
    memcpy(attr.conv.pad, w.pad, sizeof w.pad);
    reel_tensor *y = reel_conv_transpose2d(x, kernel, onnx_input(b, 2), attr);
    b->output[0] = line ? as_line(y) : y;
}

/* --- pooling --- */

static reel_max_pool2d_attr pool_attr(onnx_build *b, const reel_tensor *x, bool line)
{
    window w = window_of(b, line);
    if (!reel_poisoned(x)) resolve_same(&w, x);
    reel_max_pool2d_attr attr = {.ceil_mode = onnx_int(b, "ceil_mode", 0) != 0};
    memcpy(attr.kernel, w.kernel, sizeof w.kernel);
    memcpy(attr.stride, w.stride, sizeof w.stride);
    memcpy(attr.dilation, w.dilation, sizeof w.dilation);
    memcpy(attr.pad, w.pad, sizeof w.pad);
    return attr;
}

/* ONNX counts the position of a maximum through the whole input; reel through the window. What lies between is a table
   of the window's offsets and the place of the window's first element. In doubles, which hold all such integers. */
static reel_tensor *flat_index(onnx_build *b, const reel_tensor *x, reel_tensor *y, const reel_max_pool2d_attr *a)
{
    bool columns = onnx_int(b, "storage_order", 0) != 0;
    int64_t height = x->shape.size[2], width = x->shape.size[3], down = columns ? 1 : width;
    int64_t across = columns ? height : 1, cells = (int64_t)a->kernel[0] * a->kernel[1];
    double *table = reel_alloc((size_t)cells, sizeof *table);
    double *base = reel_alloc((size_t)reel_elements(&y->shape), sizeof *base);
    if (!table || !base) onnx_absent(b, "memory");
    for (int64_t k = 0; table && base && k < cells; k++)
        table[k] = (double)(k / a->kernel[1] * a->dilation[0] * down + k % a->kernel[1] * a->dilation[1] * across);
    int64_t rows = y->shape.size[2], row = y->shape.size[3], planes = y->shape.size[0] * y->shape.size[1];
    for (int64_t i = 0; table && base && i < planes * rows * row; i++) {
        int64_t top = i / row % rows * a->stride[0] - a->pad[0], left = i % row * a->stride[1] - a->pad[1];
        base[i] = (double)(i / (rows * row) * height * width + top * down + left * across);
    }
    reel_tensor *index = reel_output(y, 1);
    if (!reel_poisoned(index) && index->dtype != REEL_I32) index = reel_cast(index, REEL_I32);
    reel_tensor *offset =
        reel_gather(reel_constant(b->graph, REEL_F64, REEL_SHAPE(cells), table ? table : base), index, 0);
    reel_tensor *flat = reel_add(offset, reel_constant(b->graph, REEL_F64, y->shape, base));
    reel_free(table);
    reel_free(base);
    return reel_cast(flat, REEL_I32);
}

static void max_pool(onnx_build *b)
{
    bool line = is_line(onnx_input(b, 0));
    reel_tensor *x = plane(b, onnx_input(b, 0));
    reel_max_pool2d_attr attr = pool_attr(b, x, line);
    reel_tensor *y = reel_max_pool2d(x, attr);
    b->output[0] = line ? as_line(y) : y;
    onnx_ignore(b, "storage_order");
    if (b->from->outputs < 2 || reel_poisoned(y)) return;
    reel_tensor *index = flat_index(b, x, y, &attr);
    b->output[1] = line ? as_line(index) : index;
}

static void average_pool(onnx_build *b)
{
    bool line = is_line(onnx_input(b, 0));
    reel_tensor *x = plane(b, onnx_input(b, 0));
    reel_avg_pool2d_attr attr = {.window = pool_attr(b, x, line),
                                 .count_include_pad = onnx_int(b, "count_include_pad", 0) != 0};
    reel_tensor *y = reel_avg_pool2d(x, attr);
    b->output[0] = line ? as_line(y) : y;
}

/* Everything behind the channels. */
static reel_ints spatial_axes(const reel_tensor *x)
{
    reel_ints axes = {.count = 0};
    for (int i = 2; i < x->shape.rank; i++) axes.at[axes.count++] = i;
    return axes;
}

static void global_average_pool(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    b->output[0] = reel_mean(x, spatial_axes(x), true);
}

static void global_max_pool(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    b->output[0] = reel_max(x, spatial_axes(x), true);
}

/* --- resizing --- */

static int index_of(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word)) return i;
    return -1;
}

typedef struct {
    double scale[REEL_MAX_RANK]; /* 0: what the sizes say */
    int64_t size[REEL_MAX_RANK];
    bool fraction; /* a scale asks for a size that is no whole number */
} resize_plan;

/* One scale for all axes, so that nothing is larger, or smaller, than asked for. */
static void keep_aspect(onnx_build *b, resize_plan *p, const reel_tensor *x, const reel_ints *axes)
{
    const char *policy = onnx_text(b, "keep_aspect_ratio_policy", "stretch");
    double best = 0;
    if (!strcmp(policy, "stretch")) return;
    for (int i = 0; i < axes->count; i++) {
        int64_t axis = axes->at[i];
        double scale = (double)p->size[axis] / (double)x->shape.size[axis];
        best = i == 0 ? scale : !strcmp(policy, "not_larger") ? fmin(best, scale) : fmax(best, scale);
    }
    for (int i = 0; i < axes->count; i++) {
        int64_t axis = axes->at[i];
        p->scale[axis] = best;
        p->size[axis] = (int64_t)floor(best * (double)x->shape.size[axis] + 0.5);
    }
}

static resize_plan plan_resize(onnx_build *b, const reel_tensor *x, int scales_at, int sizes_at)
{
    resize_plan p = {.fraction = false};
    reel_ints axes = {.count = 0};
    double value[REEL_MAX_RANK];
    if (!onnx_ints(b, "axes", &axes))
        for (; axes.count < x->shape.rank; axes.count++) axes.at[axes.count] = axes.count;
    for (int i = 0; i < axes.count; i++) axes.at[i] = (axes.at[i] + x->shape.rank) % x->shape.rank;
    memcpy(p.size, x->shape.size, sizeof p.size);
    int scales = onnx_numbers(b, scales_at, value);
    for (int i = 0; i < scales && i < axes.count; i++) {
        double exact = value[i] * (double)x->shape.size[axes.at[i]];
        p.scale[axes.at[i]] = value[i];
        p.size[axes.at[i]] = (int64_t)floor(exact);
        p.fraction |= exact != floor(exact);
    }
    int sizes = scales ? 0 : onnx_numbers(b, sizes_at, value);
    for (int i = 0; i < sizes && i < axes.count; i++) p.size[axes.at[i]] = (int64_t)value[i];
    keep_aspect(b, &p, x, &axes);
    return p;
}

static void finish_resize(onnx_build *b, reel_tensor *x, const resize_plan *p, reel_resize2d_attr attr)
{
    for (int i = 0; i < 2; i++)
        if (p->size[i] != x->shape.size[i]) onnx_absent(b, "resizing along the batch or the channels");
    bool line = is_line(x);
    attr.scale_height = line ? 1 : p->scale[2];
    attr.scale_width = p->scale[line ? 2 : 3];
    reel_tensor *y = reel_resize2d(plane(b, x), line ? 1 : (int)p->size[2], (int)p->size[line ? 2 : 3], attr);
    b->output[0] = line ? as_line(y) : y;
}

static void resize(onnx_build *b)
{
    static const char *const modes[] = {"nearest", "linear", NULL};
    static const char *const aligns[] = {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", NULL};
    static const char *const roundings[] = {"floor", "round_prefer_floor", "round_prefer_ceil", "ceil", NULL};
    reel_tensor *x = onnx_input(b, 0);
    bool early = b->from->inputs == 2; /* opset 10: X and scales, corners aligned at the upper left */
    const char *align = onnx_text(b, "coordinate_transformation_mode", early ? "asymmetric" : "half_pixel");
    const char *mode = onnx_text(b, "mode", "nearest");
    resize_plan p = plan_resize(b, x, early ? 1 : 2, 3);
    onnx_ignore(b, "extrapolation_value");
    onnx_ignore(b, "cubic_coeff_a");
    onnx_ignore(b, "exclude_outside");
    if (onnx_int(b, "antialias", 0)) onnx_absent(b, "resizing with antialias");
    if (!strcmp(align, "half_pixel_symmetric") && !p.fraction) align = "half_pixel"; /* the same then */
    reel_resize2d_attr attr = {
        .mode = index_of(mode, modes),
        .align = index_of(align, aligns),
        .rounding = index_of(onnx_text(b, "nearest_mode", early ? "floor" : "round_prefer_floor"), roundings)};
    if (attr.mode < 0) onnx_absent(b, "resizing by %s interpolation", mode);
    if (attr.align < 0) onnx_absent(b, "resizing with %s", align);
    if (attr.align == REEL_ALIGN_CORNERS && p.fraction)
        onnx_absent(b, "align_corners of a scale that gives no whole size: ONNX and torch differ");
    finish_resize(b, x, &p, attr);
}

/* The predecessor of Resize. */
static void upsample(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    bool nearest = !strcmp(onnx_text(b, "mode", "nearest"), "nearest");
    resize_plan p = plan_resize(b, x, 1, 3);
    reel_resize2d_attr attr = {
        .mode = nearest ? REEL_NEAREST : REEL_BILINEAR, .align = REEL_ASYMMETRIC, .rounding = REEL_FLOOR};
    finish_resize(b, x, &p, attr);
}

const onnx_rule onnx_spatial_rules[] = {
    {"Conv", 2, conv},
    {"ConvTranspose", 2, conv_transpose},
    {"MaxPool", 1, max_pool},
    {"AveragePool", 1, average_pool},
    {"GlobalAveragePool", 1, global_average_pool},
    {"GlobalMaxPool", 1, global_max_pool},
    {"Resize", 1, resize},
    {"Upsample", 1, upsample},
    {0},
};
