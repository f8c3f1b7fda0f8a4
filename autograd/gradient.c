/* See gradient.h. */
#include "autograd/gradient.h"

#include "core/memory.h"
#include "ops/ops.h"

#include <string.h>

typedef struct {
    reel_graph *graph;
    int nodes, tensors;    /* when the walk began; what the rules add is not walked */
    reel_tensor **sum;     /* per tensor: the gradient so far */
    bool *depends;         /* per tensor: a wanted tensor is among what it comes from */
    reel_node **clone;     /* per node of a recomputed segment */
    bool *recomputed;      /* per segment */
    int *segment_start;    /* per segment: its first node; the others follow on it */
    reel_tensor **scratch; /* four arrays of the most inputs a node has, or REEL_MAX_OUTPUTS */
    bool *wanted;
    int room;
} walk;

static bool fail_memory(walk *w)
{
    reel_poison_memory(w->graph);
    return false;
}

static bool begin(walk *w, reel_graph *graph)
{
    *w = (walk){.graph = graph, .nodes = reel_graph_nodes(graph), .tensors = reel_graph_tensors(graph)};
    w->room = REEL_MAX_OUTPUTS;
    for (int i = 0; i < w->nodes; i++)
        if (reel_graph_node(graph, i)->inputs > w->room) w->room = reel_graph_node(graph, i)->inputs;
    w->sum = reel_alloc((size_t)w->tensors, sizeof *w->sum);
    w->depends = reel_alloc((size_t)w->tensors, sizeof *w->depends);
    w->clone = reel_alloc((size_t)w->nodes, sizeof *w->clone);
    w->recomputed = reel_alloc((size_t)reel_segments(graph), sizeof *w->recomputed);
    w->segment_start = reel_alloc((size_t)reel_segments(graph), sizeof *w->segment_start);
    w->scratch = reel_alloc(4 * (size_t)w->room, sizeof(reel_tensor *));
    w->wanted = reel_alloc((size_t)w->room, sizeof *w->wanted);
    if (!w->sum || !w->depends || !w->clone || !w->recomputed || !w->segment_start || !w->scratch || !w->wanted)
        return fail_memory(w);
    for (int i = w->nodes - 1; i >= 0; i--)
        if (reel_graph_node(graph, i)->segment >= 0) w->segment_start[reel_graph_node(graph, i)->segment] = i;
    return true;
}

static void end(walk *w)
{
    reel_free(w->sum);
    reel_free(w->depends);
    reel_free(w->clone);
    reel_free(w->recomputed);
    reel_free(w->segment_start);
    reel_free(w->scratch);
    reel_free(w->wanted);
}

/* Marks what depends on the wanted tensors, from the first node to the last. */
static void mark_dependents(walk *w, reel_tensor *const *wrt, int count)
{
    for (int i = 0; i < count; i++) w->depends[wrt[i]->id] = true;
    for (int i = 0; i < w->nodes; i++) {
        const reel_node *node = reel_graph_node(w->graph, i);
        if (node->op->flags & REEL_OP_NO_GRADIENT) continue;
        bool depends = false;
        for (int k = 0; k < node->inputs; k++) depends |= node->input[k] && w->depends[node->input[k]->id];
        for (int k = 0; depends && k < node->op->outputs; k++)
            if (reel_dtype_is_float(node->output[k].dtype)) w->depends[node->output[k].id] = true;
    }
}

/* In the wider of the two dtypes: a rule may answer f32 for bf16. */
static reel_tensor *plus(reel_tensor *sum, reel_tensor *dx)
{
    if (!sum) return dx;
    reel_dtype wider = sum->dtype == REEL_BF16 ? dx->dtype : sum->dtype;
    return reel_add(reel_cast(sum, wider), reel_cast(dx, wider));
}

static void accumulate(walk *w, const reel_tensor *x, reel_tensor *dx)
{
    if (!dx || !w->depends[x->id]) return;
    if (!reel_poisoned(dx) && !reel_shape_equal(&dx->shape, &x->shape)) dx = reel_sum_to(dx, x->shape);
    w->sum[x->id] = plus(w->sum[x->id], dx);
}

static reel_tensor *twin(const walk *w, reel_tensor *t)
{
    reel_node *copy = t && t->node->id < w->nodes ? w->clone[t->node->id] : NULL;
    return copy ? &copy->output[t->output] : t;
}

/* Clones the nodes of a segment; their inputs from outside stay what they are. */
static bool recompute(walk *w, int segment)
{
    w->recomputed[segment] = true;
    for (int i = w->segment_start[segment]; i < w->nodes; i++) {
        reel_node *node = reel_graph_node(w->graph, i);
        if (node->segment != segment) break;
        if (node->op->flags & (REEL_OP_SOURCE | REEL_OP_UPDATES)) continue;
        for (int k = 0; k < node->inputs; k++) w->scratch[k] = twin(w, node->input[k]);
        w->clone[i] = reel_clone_node(node, w->scratch);
        if (!w->clone[i]) return fail_memory(w);
    }
    return true;
}

static bool visit(walk *w, reel_node *node)
{
    char text[REEL_NODE_TEXT];
    if (node->op->flags & (REEL_OP_SOURCE | REEL_OP_NO_GRADIENT)) return true;
    bool reached = false;
    for (int k = 0; k < node->op->outputs; k++) reached |= w->sum[node->output[k].id] != NULL;
    if (!reached) return true;
    if (node->segment >= 0 && !w->recomputed[node->segment] && !recompute(w, node->segment)) return false;
    reel_tensor **x = w->scratch, **y = x + w->room, **dy = y + w->room, **dx = dy + w->room;
    memset(w->scratch, 0, 4 * (size_t)w->room * sizeof(reel_tensor *));
    for (int k = 0; k < node->inputs; k++) {
        x[k] = twin(w, node->input[k]);
        w->wanted[k] = node->input[k] && w->depends[node->input[k]->id];
    }
    for (int k = 0; k < node->op->outputs; k++) {
        y[k] = twin(w, &node->output[k]);
        dy[k] = w->sum[node->output[k].id];
        if (dy[k] && !(node->op->flags & REEL_OP_ANY_COTANGENT)) dy[k] = reel_cast(dy[k], node->output[k].dtype);
    }
    if (!node->op->gradient) {
        reel_poison(w->graph, "%s: this op has no gradient rule; detach its inputs", reel_node_text(node, text));
        return false;
    }
    reel_gradient g = {.graph = w->graph,
                       .node = node,
                       .attr = node->attr,
                       .inputs = node->inputs,
                       .x = x,
                       .y = y,
                       .dy = dy,
                       .dx = dx,
                       .wanted = w->wanted};
    reel_set_time(w->graph, node->time);
    if (*node->scope) reel_scope_push(w->graph, node->scope);
    node->op->gradient(&g);
    if (*node->scope) reel_scope_pop(w->graph);
    for (int k = 0; k < node->inputs; k++)
        if (w->wanted[k]) accumulate(w, node->input[k], dx[k]);
    return !reel_failed(reel_graph_error(w->graph));
}

static reel_tensor *zeros_like(reel_tensor *x)
{
    return reel_broadcast_to(reel_scalar_like(x, 0), x->shape);
}

static bool walk_back(walk *w, reel_tensor *y, reel_tensor *cotangent, reel_tensor *const *wrt, int count)
{
    if (!begin(w, y->graph)) return false;
    mark_dependents(w, wrt, count);
    if (!w->depends[y->id]) return true;
    if (!reel_shape_equal(&cotangent->shape, &y->shape)) {
        reel_poison(y->graph, "gradient: the cotangent must have the shape of what is differentiated");
        return false;
    }
    accumulate(w, y, cotangent);
    for (int i = y->node->id; i >= 0; i--)
        if (!visit(w, reel_graph_node(w->graph, i))) return false;
    return true;
}

void reel_gradients_along(reel_tensor *y, reel_tensor *cotangent, reel_tensor *const *wrt, int count,
                          reel_tensor **gradient)
{
    reel_graph *graph = y->graph;
    reel_tensor *poison = NULL;
    if (reel_poisoned(y) || reel_poisoned(cotangent)) poison = reel_poison(graph, "gradient of a failed tensor");
    for (int i = 0; i < count; i++)
        if (reel_poisoned(wrt[i])) poison = reel_poison(graph, "gradient by a failed tensor");
    if (!poison && !reel_dtype_is_float(y->dtype)) poison = reel_poison(graph, "gradient: only floats have one");
    walk w = {0};
    reel_scope_push(graph, "gradient");
    if (!poison && !walk_back(&w, y, cotangent, wrt, count)) poison = reel_poison(graph, "gradient: failed");
    for (int i = 0; i < count; i++) {
        reel_tensor *dx = poison ? poison : w.sum[wrt[i]->id];
        gradient[i] = dx ? reel_cast(dx, wrt[i]->dtype) : zeros_like(wrt[i]);
    }
    reel_set_time(graph, -1);
    reel_scope_pop(graph);
    end(&w);
}

void reel_gradients(reel_tensor *loss, reel_tensor *const *wrt, int count, reel_tensor **gradient)
{
    reel_tensor *one = reel_scalar_like(loss, 1);
    if (!reel_poisoned(loss) && loss->shape.rank) one = reel_broadcast_to(one, loss->shape);
    reel_gradients_along(loss, one, wrt, count, gradient);
}

reel_tensor *reel_gradient_of(reel_tensor *loss, reel_tensor *wrt)
{
    reel_tensor *gradient;
    reel_gradients(loss, &wrt, 1, &gradient);
    return gradient;
}
