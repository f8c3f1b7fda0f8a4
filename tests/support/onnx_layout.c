/* Operators of ONNX that move elements. */
#include "tests/support/onnx_build.h"

#include "core/memory.h"
#include "tools/array_file.h"

#include <string.h>

static void concat(onnx_build *b)
{
    reel_tensor *list[ONNX_INPUTS];
    for (int i = 0; i < b->from->inputs; i++) list[i] = onnx_input(b, i);
    b->output[0] = reel_concat(list, b->from->inputs, (int)onnx_int(b, "axis", 1));
}

/* Sizes are an attribute, an input, or as equal as the axis allows, the last one smaller. */
static void split(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    reel_ints sizes = {.count = 0};
    int axis = (int)onnx_int(b, "axis", 0), parts = b->from->outputs;
    onnx_ignore(b, "num_outputs");
    if (axis < 0) axis += x->shape.rank;
    if (!onnx_ints(b, "split", &sizes)) onnx_list(b, 1, &sizes);
    int64_t equal = (x->shape.size[axis] + parts - 1) / parts, at = 0;
    for (int k = 0; k < parts; k++) {
        int64_t end = at + (k < sizes.count ? sizes.at[k] : equal);
        if (end > x->shape.size[axis]) end = x->shape.size[axis];
        b->output[k] = reel_slice1(x, axis, at, end);
        at = end;
    }
}

static void slice(onnx_build *b)
{
    reel_ints starts = {0}, stops = {0}, axes = {0}, steps = {0};
    if (!onnx_ints(b, "starts", &starts)) onnx_list(b, 1, &starts);
    if (!onnx_ints(b, "ends", &stops)) onnx_list(b, 2, &stops);
    if (!onnx_ints(b, "axes", &axes)) onnx_list(b, 3, &axes);
    onnx_list(b, 4, &steps);
    b->output[0] = reel_slice(onnx_input(b, 0), starts, stops, axes, steps);
}

static void transpose(onnx_build *b)
{
    reel_ints order = {.count = 0};
    onnx_ints(b, "perm", &order);
    b->output[0] = reel_permute(onnx_input(b, 0), order);
}

/* 0 keeps a size, unless `allowzero` says that it is meant; -1 is what is left. */
static void reshape(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    reel_ints size = {.count = 0};
    bool zero = onnx_int(b, "allowzero", 0) != 0;
    if (!onnx_ints(b, "shape", &size)) onnx_list(b, 1, &size);
    for (int i = 0; i < size.count; i++)
        if (!size.at[i] && !zero && i < x->shape.rank) size.at[i] = x->shape.size[i];
    b->output[0] = onnx_reshaped(x, size.count, size.at);
}

static void flatten(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    int64_t axis = onnx_int(b, "axis", 1), size[2] = {1, 1};
    if (axis < 0) axis += x->shape.rank;
    for (int i = 0; i < x->shape.rank; i++) size[i >= axis] *= x->shape.size[i];
    b->output[0] = onnx_reshaped(x, 2, size);
}

/* Which of `rank` axes the node names; negative ones count from the end. */
static unsigned named_axes(onnx_build *b, int rank, bool *any)
{
    reel_ints axes = {.count = 0};
    unsigned set = 0;
    *any = onnx_ints(b, "axes", &axes) || onnx_list(b, 1, &axes);
    for (int i = 0; i < axes.count; i++) set |= 1u << ((axes.at[i] < 0 ? axes.at[i] + rank : axes.at[i]) & 31);
    return set;
}

static void squeeze(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    reel_shape shape = {.rank = 0};
    bool any;
    unsigned set = named_axes(b, x->shape.rank, &any);
    for (int i = 0; i < x->shape.rank; i++)
        if (any ? !(set >> i & 1) : x->shape.size[i] != 1) shape.size[shape.rank++] = x->shape.size[i];
    b->output[0] = reel_reshape(x, shape);
}

static void unsqueeze(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    bool any;
    reel_shape shape = {.rank = b->from->output[0].array.rank};
    unsigned set = named_axes(b, shape.rank, &any);
    for (int i = 0, from = 0; i < shape.rank; i++)
        shape.size[i] = set >> i & 1 || from == x->shape.rank ? 1 : x->shape.size[from++];
    b->output[0] = reel_reshape(x, shape);
}

/* A constant of i32 from input i, in which `size` is added to what is negative. */
static reel_tensor *positions(onnx_build *b, int i, int64_t size)
{
    const reel_npy *array = &b->from->input[i].array;
    int32_t *at = reel_alloc(array->elements, sizeof *at);
    if (!at) return onnx_absent(b, "memory");
    for (size_t k = 0; k < array->elements; k++) {
        double value = reel_npy_number(array, k);
        at[k] = (int32_t)(value < 0 ? value + (double)size : value);
    }
    reel_tensor *index = reel_constant(b->graph, REEL_I32, reel_npy_shape(array), at);
    reel_free(at);
    return index;
}

static void gather(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    int axis = (int)onnx_int(b, "axis", 0);
    if (axis < 0) axis += x->shape.rank;
    b->output[0] = reel_gather(x, positions(b, 1, x->shape.size[axis]), axis);
}

/* off + (on - off) * one_hot */
static void one_hot(onnx_build *b)
{
    int axis = (int)onnx_int(b, "axis", -1), depth = (int)onnx_number(b, 1, 0);
    reel_tensor *values = onnx_real_input(b, 2);
    reel_tensor *off = reel_slice1(values, 0, 0, 1), *on = reel_slice1(values, 0, 1, 2);
    reel_tensor *hot = reel_one_hot(positions(b, 0, depth), depth, axis, b->real);
    b->output[0] = reel_add(off, reel_mul(reel_sub(on, off), hot));
}

static void pad(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    const char *mode = onnx_text(b, "mode", "constant");
    reel_ints pads = {.count = 0}, axes = {.count = 0};
    if (!onnx_ints(b, "pads", &pads) && !onnx_list(b, 1, &pads)) onnx_ints(b, "paddings", &pads);
    reel_pad_attr attr = {.before.count = x->shape.rank,
                          .after.count = x->shape.rank,
                          .mode = !strcmp(mode, "reflect") ? REEL_PAD_REFLECT
                                  : !strcmp(mode, "edge")  ? REEL_PAD_EDGE
                                                           : REEL_PAD_CONSTANT,
                          .value = onnx_number(b, 2, onnx_float(b, "value", 0))};
    if (!strcmp(mode, "wrap")) onnx_absent(b, "padding that wraps around");
    if (!onnx_list(b, 3, &axes))
        for (axes.count = 0; axes.count < x->shape.rank; axes.count++) axes.at[axes.count] = axes.count;
    for (int i = 0; i < axes.count && 2 * axes.count == pads.count; i++) {
        int64_t axis = axes.at[i] < 0 ? axes.at[i] + x->shape.rank : axes.at[i];
        attr.before.at[axis] = pads.at[i];
        attr.after.at[axis] = pads.at[axes.count + i];
    }
    b->output[0] = reel_pad(x, attr);
}

static void expand(onnx_build *b)
{
    reel_tensor *x = onnx_input(b, 0);
    reel_ints size = {.count = 0};
    onnx_list(b, 1, &size);
    reel_shape shape = {.rank = size.count}, both;
    memcpy(shape.size, size.at, sizeof *size.at * (size_t)size.count);
    b->output[0] = reel_shape_broadcast(&x->shape, &shape, &both) ? reel_broadcast_to(x, both) : NULL;
}

const onnx_rule onnx_layout_rules[] = {
    {"Concat", 1, concat},
    {"Split", 1, split},
    {"Slice", 1, slice},
    {"Transpose", 1, transpose},
    {"Reshape", 1, reshape},
    {"Flatten", 1, flatten},
    {"Squeeze", 1, squeeze},
    {"Unsqueeze", 1, unsqueeze},
    {"Gather", 2, gather},
    {"OneHot", 3, one_hot},
    {"Pad", 1, pad},
    {"Expand", 2, expand},
    {0},
};
