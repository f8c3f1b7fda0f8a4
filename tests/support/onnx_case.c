/* See onnx_case.h. */
#include "tests/support/onnx_case.h"

#include "core/file.h"
#include "core/memory.h"
#include "tools/array_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    onnx_case *to;
    const char *folder;
    char *rest; /* of the line, behind the word taken last */
    reel_error error;
} reader;

static bool refuse(reader *r, const char *what)
{
    reel_fail(&r->error, REEL_BAD_DATA, "%s/case.txt: expected %s", r->to->name, what);
    return false;
}

static const char *word(reader *r)
{
    const char *found = strtok_r(NULL, " ", &r->rest);
    return found ? found : "";
}

static bool take_number(reader *r, int below, int *number)
{
    char *end;
    const char *text = word(r);
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < 0 || value >= below) return refuse(r, "the number of an input or output");
    *number = (int)value;
    return true;
}

static bool take_values(reader *r, onnx_attr *a)
{
    for (const char *text = word(r); *text; text = word(r)) {
        char *end;
        if (a->count == ONNX_LIST) return refuse(r, "a shorter list of values");
        errno = 0;
        a->number[a->count] = strtod(text, &end);
        if (a->kind == 'i') a->integer[a->count] = strtoll(text, &end, 10);
        if (end == text || *end || (a->kind == 'i' && errno)) return refuse(r, "numbers as values of an attribute");
        a->count++;
    }
    return a->list || a->count == 1 ? true : refuse(r, "one value of a single attribute");
}

static bool read_attr(reader *r)
{
    if (r->to->attrs == ONNX_ATTRS) return refuse(r, "fewer attributes");
    onnx_attr *a = &r->to->attr[r->to->attrs++];
    snprintf(a->key, sizeof a->key, "%s", word(r));
    const char *kind = word(r);
    a->list = !strcmp(kind, "ints") || !strcmp(kind, "floats");
    a->kind = *kind;
    if (!strcmp(kind, "string") || !strcmp(kind, "strings")) {
        snprintf(a->text, sizeof a->text, "%s", r->rest ? r->rest : "");
        return true;
    }
    if (!a->list && strcmp(kind, "int") != 0 && strcmp(kind, "float") != 0)
        return refuse(r, "int, float, ints, floats or string as the kind of an attribute");
    return take_values(r, a);
}

static bool load(reader *r, const char *file, onnx_value *value)
{
    char path[2048];
    if (!*file || strchr(file, '/') || value->present) return refuse(r, "each array once, by the plain name of a file");
    snprintf(path, sizeof path, "%s/%s/%s", r->folder, r->to->name, file);
    value->present = reel_npy_read(&value->array, path, &r->error) == REEL_OK;
    return value->present;
}

/* The dtype and shape that the line names must be those of the file; a scalar may be stored as one element. */
static bool check_header(reader *r, onnx_value *value)
{
    char shape[256] = "scalar";
    size_t used = 0;
    const char *dtype = word(r), *expected = word(r);
    if (!strcmp(expected, "scalar") && value->array.rank == 1 && value->array.shape[0] == 1) value->array.rank = 0;
    for (int i = 0; i < value->array.rank; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%lld", i ? "x" : "",
                                 (long long)value->array.shape[i]);
    if (strcmp(dtype, value->array.dtype) != 0 || strcmp(expected, shape) != 0)
        return refuse(r, "the dtype and shape that the array file has");
    return true;
}

static bool read_array(reader *r, onnx_value *values, int room, int *count)
{
    int i;
    if (!take_number(r, room, &i)) return false;
    const char *file = word(r);
    if (i >= *count) *count = i + 1;
    if (!strcmp(file, "none")) return true;
    return load(r, file, &values[i]) && check_header(r, &values[i]);
}

static bool read_gradient(reader *r, onnx_value *values, int room)
{
    int i;
    return take_number(r, room, &i) && load(r, word(r), &values[i]);
}

static bool read_line(reader *r, char *line)
{
    onnx_case *c = r->to;
    const char *what = strtok_r(line, " ", &r->rest);
    if (!what) return true;
    if (!strcmp(what, "op")) return snprintf(c->op, sizeof c->op, "%s", word(r)) > 0;
    if (!strcmp(what, "attr")) return read_attr(r);
    if (!strcmp(what, "input")) return read_array(r, c->input, ONNX_INPUTS, &c->inputs);
    if (!strcmp(what, "output")) return read_array(r, c->output, ONNX_OUTPUTS, &c->outputs);
    if (!strcmp(what, "cotangent")) return read_gradient(r, &c->cotangent, 1);
    if (!strcmp(what, "grad")) return read_gradient(r, c->gradient, ONNX_INPUTS);
    return !strcmp(what, "nograd") || refuse(r, "op, attr, input, output, cotangent, grad or nograd");
}

static bool same_shape(const onnx_value *a, const onnx_value *b)
{
    reel_shape x = reel_npy_shape(&a->array), y = reel_npy_shape(&b->array);
    return reel_shape_equal(&x, &y);
}

static bool check_whole(reader *r)
{
    const onnx_case *c = r->to;
    bool gradients = false;
    if (!*c->op || !c->outputs) return refuse(r, "an op and at least one output");
    for (int i = 0; i < ONNX_INPUTS; i++) {
        if (!c->gradient[i].present) continue;
        gradients = true;
        if (!c->input[i].present || !same_shape(&c->input[i], &c->gradient[i]))
            return refuse(r, "gradients of the shape of their inputs");
    }
    if (gradients != c->cotangent.present) return refuse(r, "gradients and a cotangent, or neither");
    if (gradients && (!c->output[0].present || !same_shape(&c->output[0], &c->cotangent)))
        return refuse(r, "a cotangent of the shape of output 0");
    return true;
}

bool onnx_case_read(onnx_case *c, const char *folder, const char *name, char *why, size_t size)
{
    char path[2048], *save;
    unsigned char *text = NULL;
    size_t bytes;
    reader r = {.to = c, .folder = folder};
    *c = (onnx_case){.attrs = 0};
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s/case.txt", folder, name);
    bool ok = reel_file_read(path, 1 << 20, &text, &bytes, &r.error) == REEL_OK;
    for (char *line = ok ? strtok_r((char *)text, "\n", &save) : NULL; ok && line; line = strtok_r(NULL, "\n", &save))
        ok = read_line(&r, line);
    ok = ok && check_whole(&r);
    reel_free(text);
    snprintf(why, size, "%s", r.error.text);
    return ok;
}

void onnx_case_free(onnx_case *c)
{
    for (int i = 0; i < ONNX_INPUTS; i++) {
        reel_npy_free(&c->input[i].array);
        reel_npy_free(&c->gradient[i].array);
    }
    for (int i = 0; i < ONNX_OUTPUTS; i++) reel_npy_free(&c->output[i].array);
    reel_npy_free(&c->cotangent.array);
}
