/* See graph_print.h. Nodes of one scope in one time step form a group; groups are what --fold shows and what the
   clusters of a picture are. A node counts as backward from the first one that reel_gradients made: what it recomputes
   keeps its old scope, but comes later. */
#include "tools/graph_print.h"

#include "core/memory.h"

#include <limits.h>
#include <string.h>

typedef struct {
    const char *scope;
    int time, first, last; /* first and last of a chain through sketch.next */
    int nodes;
    double flops, bytes; /* operations, and bytes of what the nodes make */
    bool backward;
} group;

typedef struct {
    FILE *to;
    reel_graph *graph;
    int nodes;
    bool *shown;
    int *group_of, *next; /* per node; -1 for none */
    int *seen;            /* per group: the group that has an edge from here already */
    group *groups;
    int count, backward_from;
} sketch;

/* --- gathering --- */

static bool is_source(const reel_node *node)
{
    return (node->op->flags & REEL_OP_SOURCE) != 0;
}

static bool find_shown(sketch *s, const reel_graph_view *view)
{
    for (int i = 0; i < view->count; i++) s->shown[view->wanted[i]->node->id] = true;
    for (int i = s->nodes - 1; i >= 0; i--) {
        const reel_node *node = reel_graph_node(s->graph, i);
        for (int k = 0; s->shown[i] && k < node->inputs; k++)
            if (node->input[k]) s->shown[node->input[k]->node->id] = true;
        if (!strncmp(node->scope, "gradient", 8)) s->backward_from = i;
    }
    return true;
}

static int find_group(sketch *s, const reel_node *node)
{
    bool backward = node->id >= s->backward_from;
    for (int g = s->count - 1; g >= 0; g--)
        if (s->groups[g].time == node->time && s->groups[g].backward == backward &&
            !strcmp(s->groups[g].scope, node->scope))
            return g;
    s->groups[s->count] =
        (group){.scope = node->scope, .time = node->time, .first = -1, .last = -1, .backward = backward};
    return s->count++;
}

static void find_groups(sketch *s)
{
    for (int i = 0; i < s->nodes; i++) {
        const reel_node *node = reel_graph_node(s->graph, i);
        s->group_of[i] = s->next[i] = -1;
        if (!s->shown[i] || is_source(node)) continue;
        group *g = &s->groups[s->group_of[i] = find_group(s, node)];
        if (g->last >= 0)
            s->next[g->last] = i;
        else
            g->first = i;
        g->last = i;
        g->nodes++;
        g->flops += reel_node_flops(node);
        for (int k = 0; k < node->op->outputs; k++)
            g->bytes += (double)reel_elements(&node->output[k].shape) * (double)reel_dtype_size(node->output[k].dtype);
    }
}

static bool begin(sketch *s, FILE *to, reel_graph *graph, const reel_graph_view *view)
{
    size_t n = (size_t)reel_graph_nodes(graph);
    *s = (sketch){.to = to, .graph = graph, .nodes = (int)n, .backward_from = INT_MAX};
    s->shown = reel_alloc(n, sizeof *s->shown);
    s->group_of = reel_alloc(n, sizeof *s->group_of);
    s->next = reel_alloc(n, sizeof *s->next);
    s->seen = reel_alloc(n, sizeof *s->seen);
    s->groups = reel_alloc(n, sizeof *s->groups);
    if (!s->shown || !s->group_of || !s->next || !s->seen || !s->groups) return false;
    find_shown(s, view);
    find_groups(s);
    return true;
}

static bool end(sketch *s, bool ok)
{
    reel_free(s->shown);
    reel_free(s->group_of);
    reel_free(s->next);
    reel_free(s->seen);
    reel_free(s->groups);
    return ok;
}

/* --- text --- */

static void print_time(FILE *to, int time)
{
    if (time >= 0)
        fprintf(to, "%5d", time);
    else
        fprintf(to, "%5s", "");
}

static void print_node(const sketch *s, const reel_node *node)
{
    char shape[REEL_SHAPE_TEXT], attr[512] = "";
    if (node->attr) reel_attr_text(node->op, node->attr, attr, sizeof attr);
    fprintf(s->to, "%6d", node->id);
    print_time(s->to, node->time);
    fprintf(s->to, "  %-32s %s", node->scope, node->op->name);
    if (node->output[0].name) fprintf(s->to, " %s", node->output[0].name);
    if (*attr) fprintf(s->to, " {%s}", attr);
    fputs(" ->", s->to);
    for (int k = 0; k < node->op->outputs; k++)
        fprintf(s->to, " %s %s", reel_dtype_name(node->output[k].dtype),
                reel_shape_text(&node->output[k].shape, shape));
    for (int k = 0; k < node->inputs; k++) {
        fputs(k ? ", " : "  (", s->to);
        if (!node->input[k])
            fputc('-', s->to);
        else if (node->input[k]->output)
            fprintf(s->to, "%d.%d", node->input[k]->node->id, node->input[k]->output);
        else
            fprintf(s->to, "%d", node->input[k]->node->id);
    }
    fputs(node->inputs ? ")\n" : "\n", s->to);
}

static void print_totals(const sketch *s)
{
    int forward = 0, backward = 0;
    double flops = 0, back_flops = 0;
    for (int g = 0; g < s->count; g++) {
        *(s->groups[g].backward ? &backward : &forward) += s->groups[g].nodes;
        *(s->groups[g].backward ? &back_flops : &flops) += s->groups[g].flops;
    }
    fprintf(s->to, "forward: %d nodes, %.4g operations\n", forward, flops);
    if (backward) fprintf(s->to, "backward: %d nodes, %.4g operations\n", backward, back_flops);
}

bool reel_graph_print_text(FILE *to, reel_graph *graph, const reel_graph_view *view)
{
    sketch s;
    if (!begin(&s, to, graph, view)) return end(&s, false);
    if (view->fold)
        fprintf(to, "%6s%5s  %-40s %6s %12s %12s\n", "first", "time", "scope", "nodes", "operations", "bytes");
    else
        fprintf(to, "%6s%5s  %-32s op -> outputs  (inputs)\n", "id", "time", "scope");
    for (int i = 0; i < s.nodes && !view->fold; i++)
        if (s.shown[i]) print_node(&s, reel_graph_node(graph, i));
    for (int g = 0; g < s.count && view->fold; g++) {
        const group *p = &s.groups[g];
        fprintf(to, "%6d", p->first);
        print_time(to, p->time);
        fprintf(to, "  %-40s %6d %12.4g %12.4g\n", p->scope, p->nodes, p->flops, p->bytes);
    }
    print_totals(&s);
    return end(&s, true);
}

/* --- picture --- */

static void print_quoted(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', to);
        fputc(*text, to);
    }
}

/* A box: op, attributes, shape. */
static void draw_node(const sketch *s, const reel_node *node)
{
    char shape[REEL_SHAPE_TEXT], attr[512] = "";
    if (node->attr) reel_attr_text(node->op, node->attr, attr, sizeof attr);
    fprintf(s->to, "    n%d [label=\"%s", node->id, node->op->name);
    if (*attr) fputs("\\n", s->to);
    print_quoted(s->to, attr);
    fprintf(s->to, "\\n%s\"%s];\n", reel_shape_text(&node->output[0].shape, shape),
            node->id >= s->backward_from ? ", color=red" : "");
}

static void draw_group(const sketch *s, int g, bool fold)
{
    const group *p = &s->groups[g];
    const char *colour = p->backward ? "red" : "black";
    if (fold) {
        fprintf(s->to, "    g%d [label=\"", g);
        print_quoted(s->to, p->scope);
        fprintf(s->to, "\\n%d nodes\", color=%s];\n", p->nodes, colour);
        return;
    }
    fprintf(s->to, "   subgraph cluster_g%d {\n    label=\"", g);
    print_quoted(s->to, p->scope);
    fprintf(s->to, "\"; color=%s;\n", p->backward ? "salmon" : "gray");
    for (int i = p->first; i >= 0; i = s->next[i]) draw_node(s, reel_graph_node(s->graph, i));
    fputs("   }\n", s->to);
}

static void draw_groups(const sketch *s, bool fold)
{
    int last = -1;
    for (int g = 0; g < s->count; g++)
        if (s->groups[g].time > last) last = s->groups[g].time;
    for (int time = -1; time <= last; time++) {
        if (time >= 0) fprintf(s->to, "  subgraph cluster_t%d {\n   label=\"time %d\";\n", time, time);
        for (int g = 0; g < s->count; g++)
            if (s->groups[g].time == time) draw_group(s, g, fold);
        if (time >= 0) fputs("  }\n", s->to);
    }
}

/* Inputs and parameters, each once; constants would only be clutter. */
static void draw_sources(const sketch *s)
{
    char shape[REEL_SHAPE_TEXT];
    for (int i = 0; i < s->nodes; i++) {
        const reel_node *node = reel_graph_node(s->graph, i);
        if (!s->shown[i] || !is_source(node) || node->op == &reel_op_constant) continue;
        fprintf(s->to, "  n%d [shape=ellipse, style=filled, fillcolor=%s, label=\"", i,
                node->op == &reel_op_parameter ? "lightblue" : "lightyellow");
        print_quoted(s->to, node->output[0].name ? node->output[0].name : node->op->name);
        fprintf(s->to, "\\n%s\"];\n", reel_shape_text(&node->output[0].shape, shape));
    }
}

static void draw_edge(sketch *s, int from, int to, bool fold)
{
    const reel_node *node = reel_graph_node(s->graph, from);
    const char *colour = to >= s->backward_from ? " [color=red]" : "";
    if (node->op == &reel_op_constant) return;
    if (!fold || is_source(node)) {
        fprintf(s->to, fold ? "  n%d -> g%d%s;\n" : "  n%d -> n%d%s;\n", from, fold ? s->group_of[to] : to, colour);
        return;
    }
    int a = s->group_of[from], b = s->group_of[to];
    if (a == b || s->seen[a] == b + 1) return;
    s->seen[a] = b + 1;
    fprintf(s->to, "  g%d -> g%d%s;\n", a, b, colour);
}

bool reel_graph_print_dot(FILE *to, reel_graph *graph, const reel_graph_view *view)
{
    sketch s;
    if (!begin(&s, to, graph, view)) return end(&s, false);
    fputs("digraph reel {\n  rankdir=TB; node [shape=box, fontsize=10]; fontsize=10;\n", to);
    draw_sources(&s);
    draw_groups(&s, view->fold);
    for (int g = 0; g < s.count; g++)
        for (int i = s.groups[g].first; i >= 0; i = s.next[i]) {
            const reel_node *node = reel_graph_node(graph, i);
            for (int k = 0; k < node->inputs; k++)
                if (node->input[k]) draw_edge(&s, node->input[k]->node->id, i, view->fold);
        }
    fputs("}\n", to);
    return end(&s, true);
}
