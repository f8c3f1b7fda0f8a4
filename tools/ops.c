/* `reel ops`: every op, what it takes, and what covers it. All of it is asked of the op table and of the backends of
   this build, nothing is written down a second time. */
#include "backends/registry.h"
#include "ops/ops.h"
#include "tools/commands.h"
#include "tools/device.h"
#include "tools/op_call.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BACKENDS = 8 };

typedef struct {
    const char *name;
    bool json;
} ops_options;

static const reel_option table[] = {
    REEL_OPTION("op", STRING, ops_options, name, "OP", "an op to explain; without it, all are listed",
                .positional = true),
    REEL_OPTION("json", FLAG, ops_options, json, NULL, "print JSON with every attribute"),
    {0},
};
static const reel_usage usage = {
    "ops", "Lists the ops, or explains one.", table,
    "In the list: own, the backend has a kernel for it; loops, it runs the op's plain reference loops; view, nothing "
    "is\n"
    "moved; -, it refuses the op. A gradient is made of other ops of this list, and so has a gradient itself."};

typedef struct {
    int count;
    const char *name[MOST_BACKENDS];
    int number[MOST_BACKENDS]; /* in the registry */
} backend_list;

static backend_list list_backends(void)
{
    backend_list list = {.count = 0};
    for (int i = 0; list.count < MOST_BACKENDS && reel_backend_name(i); i++) {
        if (!strcmp(reel_backend_name(i), "reference")) continue; /* loops by definition */
        list.name[list.count] = reel_backend_name(i);
        list.number[list.count++] = i;
    }
    return list;
}

static const char *kernel_word(int backend, const reel_op *op)
{
    bool own = false;
    if (op->flags & REEL_OP_VIEW) return "view";
    if (!reel_backend_covers(backend, op, &own)) return "-";
    return own ? "own" : "loops";
}

static bool has_gradient(const reel_op *op)
{
    return op->gradient && !(op->flags & (REEL_OP_NO_GRADIENT | REEL_OP_UPDATES));
}

static bool explained(const reel_op *op)
{
    bool all = op->summary && *op->summary;
    for (const reel_attr *a = op->attrs; a && a->name; a++) all = all && a->help && *a->help;
    return all;
}

static const char *kind_name(const reel_attr *a)
{
    static const char *const names[] = {[REEL_ATTR_INT] = "int",
                                        [REEL_ATTR_FLOAT] = "float",
                                        [REEL_ATTR_BOOL] = "bool",
                                        [REEL_ATTR_CHOICE] = "choice",
                                        [REEL_ATTR_INTS] = "ints"};
    return names[a->kind];
}

static const struct {
    unsigned flag;
    const char *name;
} flags[] = {{REEL_OP_VIEW, "view"},     {REEL_OP_INPLACE, "in-place"},        {REEL_OP_UPDATES, "updates"},
             {REEL_OP_RANDOM, "random"}, {REEL_OP_NO_GRADIENT, "no-gradient"}, {REEL_OP_ELEMENTWISE, "elementwise"}};
enum { FLAGS = sizeof flags / sizeof flags[0] };

/* --- for people --- */

static void print_list(const backend_list *list)
{
    int gradients = 0;
    printf("%-24s", "op");
    for (int b = 0; b < list->count; b++) printf(" %-6s", list->name[b]);
    printf(" %-9s formula\n", "gradient");
    for (int i = 0; i < reel_ops_count; i++) {
        const reel_op *op = reel_ops[i];
        printf("%-24s", op->name);
        for (int b = 0; b < list->count; b++) printf(" %-6s", kernel_word(list->number[b], op));
        printf(" %-9s %s\n", has_gradient(op) ? "yes" : "-", op->summary ? op->summary : "");
        gradients += has_gradient(op);
    }
    printf("%d ops, %d with a gradient\n", reel_ops_count, gradients);
}

static void print_inputs(const reel_op *op)
{
    if (!op->most_inputs)
        printf("  inputs     %d or more\n", op->least_inputs);
    else if (op->least_inputs == op->most_inputs)
        printf("  inputs     %d\n", op->least_inputs);
    else
        printf("  inputs     %d to %d\n", op->least_inputs, op->most_inputs);
    printf("  outputs    %d\n", op->outputs);
}

static void print_one(const reel_op *op, const backend_list *list)
{
    printf("%s: %s\n", op->name, op->summary ? op->summary : "");
    print_inputs(op);
    printf("  gradient   %s\n", has_gradient(op) ? "yes" : "none");
    for (int b = 0; b < list->count; b++) printf("  %-10s %s\n", list->name[b], kernel_word(list->number[b], op));
    for (int f = 0; f < FLAGS; f++)
        if (op->flags & flags[f].flag) printf("  %s\n", flags[f].name);
    if (op->attrs && op->attrs->name) printf("attributes:\n");
    for (const reel_attr *a = op->attrs; a && a->name; a++) {
        printf("  %s=%s  (%s", a->name, a->initial, a->kind == REEL_ATTR_CHOICE ? a->choices : kind_name(a));
        if (a->kind == REEL_ATTR_INT && a->count > 1) printf(", 1 or %d", a->count);
        printf(")  %s\n", a->help ? a->help : "");
    }
}

/* --- for programs --- */

static json_t *attributes_json(const reel_op *op)
{
    json_t *all = json_array();
    for (const reel_attr *a = op->attrs; a && a->name; a++)
        json_array_append_new(all, json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s?}", "name", a->name, "kind", kind_name(a),
                                             "count", a->kind == REEL_ATTR_INT ? a->count : 1, "default", a->initial,
                                             "choices", a->choices, "help", a->help));
    return all;
}

static json_t *op_json(const reel_op *op, const backend_list *list)
{
    json_t *names = json_array(), *kernels = json_object();
    for (int f = 0; f < FLAGS; f++)
        if (op->flags & flags[f].flag) json_array_append_new(names, json_string(flags[f].name));
    for (int b = 0; b < list->count; b++)
        json_object_set_new(kernels, list->name[b], json_string(kernel_word(list->number[b], op)));
    return json_pack("{s:s, s:s?, s:i, s:o, s:i, s:o, s:o, s:o, s:b, s:b, s:b}", "name", op->name, "summary",
                     op->summary, "least_inputs", op->least_inputs, "most_inputs",
                     op->most_inputs ? json_integer(op->most_inputs) : json_null(), "outputs", op->outputs, "flags",
                     names, "attributes", attributes_json(op), "kernels", kernels, "gradient", has_gradient(op),
                     "second_gradient", has_gradient(op), "documented", explained(op));
}

static reel_status print_json(const reel_op *only, const backend_list *list, reel_error *error)
{
    json_t *all = json_array();
    for (int i = 0; i < reel_ops_count; i++)
        if (!only || only == reel_ops[i]) json_array_append_new(all, op_json(reel_ops[i], list));
    char *text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (!text) return reel_fail_memory(error);
    puts(text);
    free(text);
    return REEL_OK;
}

/* The list tells what the CPU backend runs, so that what is wrong with it, as with REEL_ISA, is wrong here. */
static reel_status try_cpu(reel_error *error)
{
    reel_backend *backend = reel_device_open("cpu", 1, error);
    if (!backend) return error->status;
    backend->close(backend);
    return REEL_OK;
}

int reel_command_ops(int argc, char **argv)
{
    ops_options o = {.name = NULL};
    reel_error error = {REEL_OK, ""};
    reel_op_call call = {.op = NULL};
    const backend_list list = list_backends();
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    if (try_cpu(&error)) return reel_complain(&usage, &error);
    if (o.name && reel_op_call_begin(&call, o.name, &(reel_words){0}, &error)) return reel_complain(&usage, &error);
    if (o.json)
        print_json(call.op, &list, &error);
    else if (call.op)
        print_one(call.op, &list);
    else
        print_list(&list);
    return reel_failed(&error) ? reel_complain(&usage, &error) : REEL_OK;
}
