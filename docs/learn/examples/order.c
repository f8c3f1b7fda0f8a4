/* Why the walk goes through the nodes in the reverse of the order of definition.

   A toy backward pass over scalars, on the graph's own nodes, twice: once in depth-first order from the result, once
   in the reverse of the order of definition. It knows add and mul. The function is y = (a + a) + a with a = x x, so
   that dy/dx = 6 x. */
#include "autograd/gradient.h"
#include "core/plan.h"
#include "ops/ops.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 32 };

typedef struct {
    double gradient[MOST]; /* per tensor */
    bool visited[MOST];    /* per node */
} walk;

static double value_of(reel_tensor *x)
{
    double value = 0;
    reel_eval(x, &value, NULL);
    return value;
}

/* Hands the gradient of a node's output to its inputs. */
static void push(walk *w, const reel_node *node)
{
    double dy = w->gradient[node->output[0].id];
    if (!strcmp(node->op->name, "add"))
        for (int k = 0; k < 2; k++) w->gradient[node->input[k]->id] += dy;
    if (!strcmp(node->op->name, "mul"))
        for (int k = 0; k < 2; k++) w->gradient[node->input[k]->id] += dy * value_of(node->input[1 - k]);
}

static void depth_first(walk *w, const reel_node *node)
{
    if (w->visited[node->id]) return;
    w->visited[node->id] = true;
    push(w, node);
    for (int k = 0; k < node->inputs; k++) depth_first(w, node->input[k]->node);
}

/* Ways from a node down to x: how often the rules would run if every arrival were passed on at once. */
static long ways(const reel_node *node)
{
    long sum = node->inputs == 0;
    for (int k = 0; k < node->inputs; k++) sum += ways(node->input[k]->node);
    return sum;
}

int main(void)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *x = reel_constant(graph, REEL_F64, REEL_SCALAR_SHAPE, (double[]){5});
    reel_tensor *a = reel_mul(x, x);
    reel_tensor *b = reel_add(a, a);
    reel_tensor *y = reel_add(a, b);

    walk deep = {{0}, {0}}, reverse = {{0}, {0}};
    deep.gradient[y->id] = reverse.gradient[y->id] = 1;
    depth_first(&deep, y->node);
    for (int i = y->node->id; i >= 0; i--) push(&reverse, reel_graph_node(graph, i));
    printf("depth first           dy/dx = %g\n", deep.gradient[x->id]);
    printf("reverse of definition dy/dx = %g\n", reverse.gradient[x->id]);
    printf("reel                  dy/dx = %g\n", value_of(reel_gradient_of(y, x)));

    reel_tensor *z = x;
    for (int i = 0; i < 20; i++) z = reel_add(z, z);
    int before = reel_graph_nodes(graph);
    reel_tensor *dz = reel_gradient_of(z, x);
    printf("20 times z = z + z: %ld ways to x, %d nodes of gradient, dz/dx = %.0f\n", ways(z->node),
           reel_graph_nodes(graph) - before, value_of(dz));
    reel_graph_free(graph);
    return 0;
}
