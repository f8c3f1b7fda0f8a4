/* See op_call.h. */
#include "tools/op_call.h"

#include "core/element.h"
#include "core/memory.h"
#include "core/plan.h"
#include "core/rng.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The earlier word of the list that sets the same attribute as word i, or NULL. */
static const char *set_before(const reel_words *settings, int i)
{
    size_t length = strcspn(settings->at[i], "=");
    for (int k = 0; k < i; k++)
        if (strcspn(settings->at[k], "=") == length && !strncmp(settings->at[k], settings->at[i], length))
            return settings->at[k];
    return NULL;
}

reel_status reel_op_call_begin(reel_op_call *call, const char *name, const reel_words *settings, reel_error *error)
{
    *call = (reel_op_call){.op = reel_op_find(name)};
    if (!call->op) {
        const char **names = reel_alloc((size_t)reel_ops_count, sizeof *names);
        if (!names) return reel_fail_memory(error);
        for (int i = 0; i < reel_ops_count; i++) names[i] = reel_ops[i]->name;
        const char *nearest = reel_nearest_word(name, names, reel_ops_count);
        reel_free(names);
        return reel_fail(error, REEL_USAGE, "there is no op '%s'%s%s%s (`reel ops` lists all)", name,
                         nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    if (call->op->attr_size > sizeof call->attr)
        return reel_fail(error, REEL_USAGE, "%s: its attributes are too large for this command", name);
    reel_attr_defaults(call->op, call->attr);
    for (int i = 0; i < settings->count; i++) {
        const char *before = set_before(settings, i);
        if (before)
            return reel_fail(error, REEL_USAGE, "%s: '%s' comes after '%s'; set each attribute once", name,
                             settings->at[i], before);
        reel_status status = reel_attr_set(call->op, call->attr, settings->at[i], error);
        if (status) return status;
    }
    return REEL_OK;
}

/* An op that updates changes its first inputs, and only parameters can be changed. */
static reel_tensor *make_input(reel_op_call *call, int i, reel_error *error)
{
    const reel_op_argument *in = &call->input[i];
    char name[24];
    snprintf(name, sizeof name, "input %d", i);
    if (!(call->op->flags & REEL_OP_UPDATES) || i >= call->op->outputs)
        return reel_input(call->graph, name, in->dtype, in->shape);
    reel_parameter *w = reel_parameter_declare(call->set, name, in->dtype, in->shape, (reel_init){0}, true, error);
    return w ? reel_parameter_in(call->graph, w) : NULL;
}

reel_status reel_op_call_build(reel_op_call *call, reel_backend *backend, reel_error *error)
{
    call->graph = reel_graph_new();
    call->set = reel_parameters_new(backend, 1);
    if (!call->graph || !call->set) return reel_fail_memory(error);
    for (int i = 0; i < call->inputs; i++) {
        if (!call->input[i].present) continue;
        call->x[i] = make_input(call, i, error);
        if (!call->x[i]) return error->status;
    }
    reel_tensor *y = reel_apply(call->graph, call->op, call->x, call->inputs, call->op->attr_size ? call->attr : NULL);
    for (int k = 0; k < call->op->outputs; k++) call->y[k] = reel_output(y, k);
    const reel_error *wrong = reel_graph_error(call->graph);
    return reel_failed(wrong) ? reel_fail(error, wrong->status, "%s", wrong->text) : REEL_OK;
}

bool reel_op_call_differentiable(const reel_op_call *call, int i)
{
    const reel_op_argument *in = &call->input[i];
    return in->present && !in->fixed && reel_dtype_is_float(in->dtype) && call->op->gradient &&
           !(call->op->flags & (REEL_OP_NO_GRADIENT | REEL_OP_UPDATES)) && reel_dtype_is_float(call->y[0]->dtype);
}

reel_status reel_op_call_write(const reel_op_call *call, reel_plan *plan, reel_error *error)
{
    reel_status status = REEL_OK;
    for (int i = 0; !status && i < call->inputs; i++) {
        if (!call->x[i]) continue;
        const reel_node *node = call->x[i]->node;
        status = node->op == &reel_op_parameter
                     ? reel_parameter_write(node->source.parameter, call->input[i].value, error)
                     : reel_plan_write(plan, call->x[i], call->input[i].value, error);
    }
    return status;
}

void reel_op_call_free(reel_op_call *call)
{
    for (int i = 0; i < call->inputs; i++) reel_free(call->input[i].value);
    reel_graph_free(call->graph);
    reel_parameters_free(call->set);
}

/* --- drawing --- */

typedef enum { REAL, POSITIVE, APART, UNIT, MASK, WHOLE, BYTE } kind;

static bool read_kind(const char *word, size_t length, kind *k, int *below)
{
    static const char *const names[] = {"real", "positive", "apart", "unit", "mask"};
    for (int i = 0; i < 5; i++) {
        if (strlen(names[i]) != length || strncmp(word, names[i], length) != 0) continue;
        *k = (kind)i;
        return true;
    }
    size_t prefix = !strncmp(word, "int", 3) ? 3 : !strncmp(word, "byte", 4) ? 4 : 0;
    *k = prefix == 3 ? WHOLE : BYTE;
    char *end;
    long most = *k == WHOLE ? INT_MAX : 256, bound = 0;
    if (prefix && isdigit((unsigned char)word[prefix])) bound = strtol(word + prefix, &end, 10);
    if (bound < 1 || bound > most || end != word + length) return false;
    *below = (int)bound;
    return true;
}

static bool read_shape(const char *text, reel_shape *shape)
{
    *shape = REEL_SCALAR_SHAPE;
    if (!strcmp(text, "scalar")) return true;
    for (; shape->rank < REEL_MAX_RANK; text++) {
        char *end;
        if (*text < '0' || *text > '9') return false;
        shape->size[shape->rank++] = strtoll(text, &end, 10);
        if (!*end) return true;
        if (*end != 'x') return false;
        text = end;
    }
    return false;
}

/* Element i of n. `apart` is a permutation of places 0.02 apart on either side of zero: i -> a i + b with a odd, modulo
   a power of two not below n. */
static double draw(kind k, int below, uint64_t key, uint64_t i, int64_t n)
{
    double u = reel_uniform(key, i);
    uint64_t size = 1;
    switch (k) {
    case POSITIVE:
        return 0.5 + u;
    case UNIT:
        return 0.1 + 0.8 * u;
    case MASK:
        return u < 0.5;
    case WHOLE:
    case BYTE:
        return floor(u * below);
    case APART:
        while ((int64_t)size < n) size *= 2;
        return 0.02 * ((double)((i * (2 * (key % 1021) + 1) + key / 7) % size) - (double)size / 2) + 0.01;
    default:
        return 2 * u - 1;
    }
}

reel_status reel_op_argument_draw(reel_op_argument *input, const char *word, reel_dtype real, uint64_t seed,
                                  reel_error *error)
{
    kind k = REAL;
    int below = 0;
    int64_t n;
    size_t bytes;
    *input = (reel_op_argument){.present = strcmp(word, "-") != 0, .fixed = *word == '!'};
    if (!input->present) return REEL_OK;
    const char *text = word + input->fixed, *colon = strchr(text, ':');
    if ((colon && !read_kind(text, (size_t)(colon - text), &k, &below)) ||
        !read_shape(colon ? colon + 1 : text, &input->shape))
        return reel_fail(error, REEL_USAGE,
                         "'%s' is no input; write it as 2x3x5x5, as kind:2x3x5x5 with the kind real, positive, apart, "
                         "unit, mask, intN or byteN, or as - for one left out",
                         word);
    input->dtype = k == WHOLE ? REEL_I32 : k == BYTE ? REEL_U8 : real;
    input->fixed |= k == MASK;
    if (!reel_shape_measure(&input->shape, input->dtype, &n, &bytes))
        return reel_fail(error, REEL_USAGE, "'%s' is larger than any memory", word);
    input->value = reel_alloc_raw(bytes, 1);
    if (!input->value) return reel_fail_memory(error);
    for (int64_t i = 0; i < n; i++)
        reel_set_element(input->value, input->dtype, i, draw(k, below, seed, (uint64_t)i, n));
    return REEL_OK;
}
