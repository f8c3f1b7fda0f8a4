/* Attributes by table: defaults, "name=value", comparison, text. See op.h. */
#include "core/op.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a comma-separated list of integers; the number read, or -1. */
static int read_integers(const char *text, int64_t *at, int room)
{
    int count = 0;
    while (*text) {
        char *end;
        errno = 0;
        long long value = strtoll(text, &end, 10);
        if (end == text || errno || count == room || (*end && *end != ',')) return -1;
        at[count++] = value;
        text = *end ? end + 1 : end;
        if (*end == ',' && !*text) return -1;
    }
    return count;
}

static int choice_index(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && !strncmp(choices, value, n)) return i;
        if (!choices[n]) return -1;
        choices += n + 1;
    }
}

static bool set_ints(const reel_attr *a, void *field, const char *value)
{
    int64_t at[REEL_MAX_RANK];
    int count = read_integers(value, at, REEL_MAX_RANK);
    if (a->kind == REEL_ATTR_INTS) {
        if (count < 0) return false;
        reel_ints list = {.count = count};
        memcpy(list.at, at, sizeof *at * (size_t)count);
        *(reel_ints *)field = list;
        return true;
    }
    if (count != 1 && count != a->count) return false;
    for (int i = 0; i < a->count; i++) {
        int64_t v = at[count == 1 ? 0 : i];
        if (v < INT_MIN || v > INT_MAX) return false;
        ((int *)field)[i] = (int)v;
    }
    return true;
}

static bool set_field(const reel_attr *a, void *field, const char *value)
{
    char *end;
    switch (a->kind) {
    case REEL_ATTR_FLOAT:
        *(double *)field = strtod(value, &end);
        return end != value && !*end;
    case REEL_ATTR_BOOL:
        *(bool *)field = value[0] == '1';
        return (value[0] == '0' || value[0] == '1') && !value[1];
    case REEL_ATTR_CHOICE: {
        int index = choice_index(a->choices, value);
        *(int *)field = index;
        return index >= 0;
    }
    default:
        return set_ints(a, field, value);
    }
}

void reel_attr_defaults(const reel_op *op, void *attr)
{
    memset(attr, 0, op->attr_size);
    for (const reel_attr *a = op->attrs; a && a->name; a++) set_field(a, (char *)attr + a->offset, a->initial);
}

static const char *expectation(const reel_attr *a, char text[128])
{
    static const char *const plain[] = {
        [REEL_ATTR_FLOAT] = "a number", [REEL_ATTR_BOOL] = "0 or 1", [REEL_ATTR_INTS] = "integers such as 0,-1"};
    if (a->kind == REEL_ATTR_CHOICE)
        snprintf(text, 128, "one of %s", a->choices);
    else if (a->kind == REEL_ATTR_INT)
        snprintf(text, 128, a->count == 1 ? "an integer" : "1 or %d integers", a->count);
    else
        return plain[a->kind];
    return text;
}

reel_status reel_attr_set(const reel_op *op, void *attr, const char *assignment, reel_error *error)
{
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : strlen(assignment);
    for (const reel_attr *a = op->attrs; a && a->name; a++) {
        if (strlen(a->name) != length || strncmp(a->name, assignment, length) != 0) continue;
        char text[128];
        if (equals && set_field(a, (char *)attr + a->offset, equals + 1)) return REEL_OK;
        return reel_fail(error, REEL_USAGE, "%s: '%s' should be %s=… with %s", op->name, assignment, a->name,
                         expectation(a, text));
    }
    char names[256] = "";
    for (const reel_attr *a = op->attrs; a && a->name; a++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s", a->name);
    return reel_fail(error, REEL_USAGE, "%s: there is no attribute '%.*s'; it has:%s", op->name, (int)length,
                     assignment, *names ? names : " none");
}

static bool field_equal(const reel_attr *a, const void *x, const void *y)
{
    switch (a->kind) {
    case REEL_ATTR_FLOAT:
        return !memcmp(x, y, sizeof(double));
    case REEL_ATTR_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case REEL_ATTR_CHOICE:
        return *(const int *)x == *(const int *)y;
    case REEL_ATTR_INT:
        return !memcmp(x, y, (size_t)a->count * sizeof(int));
    default: {
        const reel_ints *list = x, *other = y;
        return list->count == other->count && !memcmp(list->at, other->at, (size_t)list->count * sizeof *list->at);
    }
    }
}

bool reel_attr_equal(const reel_op *op, const void *a, const void *b)
{
    for (const reel_attr *field = op->attrs; field && field->name; field++)
        if (!field_equal(field, (const char *)a + field->offset, (const char *)b + field->offset)) return false;
    return true;
}

static void field_text(const reel_attr *a, const void *field, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    switch (a->kind) {
    case REEL_ATTR_FLOAT:
        snprintf(text, size, "%.17g", *(const double *)field);
        return;
    case REEL_ATTR_BOOL:
        snprintf(text, size, "%d", *(const bool *)field);
        return;
    case REEL_ATTR_CHOICE: {
        const char *c = a->choices;
        for (int i = *(const int *)field; i > 0; i--) c = strchr(c, '|') + 1;
        snprintf(text, size, "%.*s", (int)strcspn(c, "|"), c);
        return;
    }
    case REEL_ATTR_INT:
        for (int i = 0; i < a->count && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%d", i ? "," : "", ((const int *)field)[i]);
        return;
    default:
        for (int i = 0; i < ((const reel_ints *)field)->count && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "," : "",
                                     (long long)((const reel_ints *)field)->at[i]);
    }
}

void reel_attr_text(const reel_op *op, const void *attr, char *text, size_t size)
{
    _Alignas(16) char initial[512];
    size_t used = 0;
    text[0] = 0;
    if (op->attr_size > sizeof initial) return;
    reel_attr_defaults(op, initial);
    for (const reel_attr *a = op->attrs; a && a->name; a++) {
        char now[256], before[256];
        field_text(a, (const char *)attr + a->offset, now, sizeof now);
        field_text(a, initial + a->offset, before, sizeof before);
        if (!strcmp(now, before) || used >= size) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used ? " " : "", a->name, now);
    }
}
