/* See onnx_build.h. */
#include "tests/support/onnx_build.h"

#include "core/memory.h"
#include "tools/array_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

reel_tensor *onnx_absent(onnx_build *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!*b->absent) vsnprintf(b->absent, sizeof b->absent, format, arguments);
    va_end(arguments);
    return reel_poison(b->graph, "absent: %s", b->absent);
}

/* --- inputs --- */

bool onnx_has(const onnx_build *b, int i)
{
    return i < b->from->inputs && b->from->input[i].present;
}

static reel_tensor *make_input(onnx_build *b, int i, bool changed)
{
    const reel_npy *array = &b->from->input[i].array;
    reel_error error = {REEL_OK, ""};
    char name[16];
    snprintf(name, sizeof name, "x%d", i);
    if (!strcmp(array->dtype, "<f2")) return onnx_absent(b, "half precision");
    reel_dtype dtype = reel_npy_is_float(array) ? b->real : reel_npy_dtype(array);
    reel_shape shape = reel_npy_shape(array);
    if (!changed) return reel_input(b->graph, name, dtype, shape);
    reel_parameter *w = reel_parameter_declare(b->set, name, dtype, shape, (reel_init){0}, true, &error);
    return w ? reel_parameter_in(b->graph, w) : reel_poison(b->graph, "%s", error.text);
}

reel_tensor *onnx_input(onnx_build *b, int i)
{
    if (!onnx_has(b, i)) return NULL;
    if (!b->input[i]) b->input[i] = make_input(b, i, false);
    return b->input[i];
}

reel_tensor *onnx_changed_input(onnx_build *b, int i)
{
    if (!onnx_has(b, i)) return NULL;
    if (!b->input[i]) b->input[i] = make_input(b, i, true);
    return b->input[i];
}

reel_tensor *onnx_real_input(onnx_build *b, int i)
{
    reel_tensor *x = onnx_input(b, i);
    return x && !reel_poisoned(x) && x->dtype != b->real ? reel_cast(x, b->real) : x;
}

double onnx_number(onnx_build *b, int i, double fallback)
{
    if (!onnx_has(b, i)) return fallback;
    const reel_npy *array = &b->from->input[i].array;
    if (array->elements != 1) return onnx_absent(b, "input %d as more than one number", i), fallback;
    return reel_npy_number(array, 0);
}

bool onnx_list(onnx_build *b, int i, reel_ints *list)
{
    if (!onnx_has(b, i)) return false;
    const reel_npy *array = &b->from->input[i].array;
    *list = (reel_ints){.count = (int)array->elements};
    if (reel_npy_is_float(array) || array->elements > REEL_MAX_RANK)
        return onnx_absent(b, "input %d as a list of more than %d", i, REEL_MAX_RANK), false;
    for (int k = 0; k < list->count; k++) list->at[k] = reel_npy_integer(array, (size_t)k);
    return true;
}

int onnx_numbers(onnx_build *b, int i, double at[REEL_MAX_RANK])
{
    if (!onnx_has(b, i)) return 0;
    const reel_npy *array = &b->from->input[i].array;
    if (array->elements > REEL_MAX_RANK) return onnx_absent(b, "input %d longer than %d", i, REEL_MAX_RANK), 0;
    for (size_t k = 0; k < array->elements; k++) at[k] = reel_npy_number(array, k);
    return (int)array->elements;
}

/* --- attributes --- */

static const onnx_attr *find(const onnx_build *b, const char *key)
{
    for (int i = 0; i < b->from->attrs; i++)
        if (!strcmp(b->from->attr[i].key, key)) return &b->from->attr[i];
    return NULL;
}

static const onnx_attr *ask(onnx_build *b, const char *key)
{
    const onnx_attr *a = find(b, key);
    if (a) b->asked[a - b->from->attr] = true;
    return a;
}

bool onnx_given(const onnx_build *b, const char *key)
{
    return find(b, key) != NULL;
}
void onnx_ignore(onnx_build *b, const char *key)
{
    ask(b, key);
}

int64_t onnx_int(onnx_build *b, const char *key, int64_t fallback)
{
    const onnx_attr *a = ask(b, key);
    return a && a->count ? a->integer[0] : fallback;
}

double onnx_float(onnx_build *b, const char *key, double fallback)
{
    const onnx_attr *a = ask(b, key);
    return a && a->count ? a->number[0] : fallback;
}

const char *onnx_text(onnx_build *b, const char *key, const char *fallback)
{
    const onnx_attr *a = ask(b, key);
    return a ? a->text : fallback;
}

bool onnx_ints(onnx_build *b, const char *key, reel_ints *list)
{
    const onnx_attr *a = ask(b, key);
    if (!a) return false;
    if (a->count > REEL_MAX_RANK) return onnx_absent(b, "attribute %s longer than %d", key, REEL_MAX_RANK), false;
    *list = (reel_ints){.count = a->count};
    memcpy(list->at, a->integer, sizeof *list->at * (size_t)a->count);
    return true;
}

reel_tensor *onnx_reshaped(reel_tensor *x, int rank, const int64_t *size)
{
    reel_shape shape = {.rank = rank};
    memcpy(shape.size, size, sizeof *size * (size_t)rank);
    return reel_reshape(x, shape);
}

/* --- the whole --- */

static const onnx_rule *find_rule(const char *op)
{
    static const onnx_rule *const groups[] = {onnx_plain_rules, onnx_layout_rules, onnx_spatial_rules,
                                              onnx_state_rules};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const onnx_rule *rule = groups[g]; rule->op; rule++)
            if (!strcmp(rule->op, op)) return rule;
    return NULL;
}

bool onnx_build_case(onnx_build *b)
{
    const onnx_rule *rule = find_rule(b->from->op);
    b->torch = !strncmp(b->from->name, "pytorch-", 8);
    if (!rule) return onnx_absent(b, "the operator"), false;
    for (int i = 0; i < rule->least || i == 0; i++)
        if (!onnx_has(b, i)) return onnx_absent(b, "%s without input %d", rule->op, i), false;
    rule->build(b);
    for (int i = 0; i < b->from->attrs; i++)
        if (!b->asked[i]) onnx_absent(b, "attribute %s", b->from->attr[i].key);
    for (int k = 0; k < b->from->outputs; k++)
        if (b->from->output[k].present && !b->output[k]) onnx_absent(b, "output %d", k);
    return !*b->absent && !reel_failed(reel_graph_error(b->graph));
}
