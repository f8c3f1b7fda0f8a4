/* A graph records what is to be computed: nodes (one application of an op) and tensors (their outputs). Defining does
   no arithmetic; shapes, dtypes, names and time steps are settled at once, numbers come when a plan runs.

   The order in which nodes are defined is the order in which they run. It is a topological order by construction, it
   needs no sorting, and it makes an op that changes a parameter mean what a reader expects: those defined before see
   the old value, those after the new one.

   Errors are sticky: an invalid call returns the graph's poison tensor, whatever takes a poison tensor returns it too,
   and the graph keeps the first message. A model is written without a check a line; planning, or reel_graph_error,
   asks once. */
#ifndef REEL_CORE_GRAPH_H
#define REEL_CORE_GRAPH_H

#include "core/op.h"

struct reel_tensor {
    reel_graph *graph;
    reel_node *node; /* that makes it */
    int output;      /* which of the node's outputs */
    int id;          /* dense, in order of definition */
    reel_dtype dtype;
    reel_shape shape;
    const char *name; /* of an input or parameter, or given by reel_name; else NULL */
};

typedef struct reel_parameter reel_parameter;

struct reel_node {
    const reel_op *op;
    int id;
    int inputs;
    reel_tensor **input; /* an entry is NULL for an optional input left out */
    reel_tensor *output; /* op->outputs of them */
    void *attr;
    const char *scope;   /* "decoder.2" */
    int time;            /* time step, -1 outside any */
    int segment;         /* recomputation segment, -1 outside any */
    uint64_t random_key; /* of ops that draw random numbers */
    union {
        const void *constant;      /* data of a constant */
        reel_parameter *parameter; /* of a parameter */
    } source;
};

reel_graph *reel_graph_new(void); /* NULL when out of memory */
void reel_graph_free(reel_graph *graph);
/* The first mistake in defining the graph, REEL_OK when there is none. */
const reel_error *reel_graph_error(const reel_graph *graph);

/* Nodes and tensors are numbered from 0 in the order of their definition. */
int reel_graph_nodes(const reel_graph *graph);
reel_node *reel_graph_node(const reel_graph *graph, int id);
int reel_graph_tensors(const reel_graph *graph);

/* --- sources --- */

/* A tensor whose values are written before each run (core/plan.h). */
reel_tensor *reel_input(reel_graph *graph, const char *name, reel_dtype dtype, reel_shape shape);
/* The data are copied. */
reel_tensor *reel_constant(reel_graph *graph, reel_dtype dtype, reel_shape shape, const void *data);
/* A scalar of the dtype of `like`. */
reel_tensor *reel_scalar_like(reel_tensor *like, double value);
/* A parameter, which outlives the graph (core/parameters.h); asked for twice, it is the same tensor. */
reel_tensor *reel_parameter_in(reel_graph *graph, reel_parameter *parameter);

extern const reel_op reel_op_input, reel_op_constant, reel_op_parameter;

/* --- nodes --- */

/* Appends a node. `attr` is a struct of op->attr_size bytes, NULL for the defaults. Returns output 0; the others are
   reel_output(tensor, k). */
reel_tensor *reel_apply(reel_graph *graph, const reel_op *op, reel_tensor *const *inputs, int count, const void *attr);
reel_tensor *reel_output(reel_tensor *first, int k);

#define reel_apply1(op, attr, a) reel_apply((a)->graph, op, (reel_tensor *[]){a}, 1, attr)
#define reel_apply2(op, attr, a, b) reel_apply((a)->graph, op, (reel_tensor *[]){a, b}, 2, attr)
#define reel_apply3(op, attr, a, b, c) reel_apply((a)->graph, op, (reel_tensor *[]){a, b, c}, 3, attr)

/* A copy of `node` with other inputs, same attributes, scope, time and random key: recomputation. */
reel_node *reel_clone_node(reel_node *node, reel_tensor *const *inputs);

/* Gives a tensor a name to be shown by; returns the tensor. */
reel_tensor *reel_name(reel_tensor *x, const char *name);

/* True for what a failed definition returned; whatever is built on it is poisoned, too. */
bool reel_poisoned(const reel_tensor *x);
/* Records an error that a builder found itself and returns the poison tensor. */
reel_tensor *reel_poison(reel_graph *graph, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an allocation that failed, and for a failure that was recorded elsewhere. */
reel_tensor *reel_poison_memory(reel_graph *graph);
reel_tensor *reel_poison_with(reel_graph *graph, const reel_error *error);

/* --- where nodes are --- */

/* Nodes carry the scope ("decoder.2") and the time that are current when they are defined, for messages. */
void reel_scope_push(reel_graph *graph, const char *name);
void reel_scope_pop(reel_graph *graph);
const char *reel_scope(const reel_graph *graph);
void reel_set_time(reel_graph *graph, int time); /* -1: none */
/* Nodes defined between begin and end are recomputed in the backward pass instead of kept (autograd/gradient.h). */
void reel_segment_begin(reel_graph *graph);
void reel_segment_end(reel_graph *graph);
int reel_segments(const reel_graph *graph);

/* "conv2d 'decoder.2.merge' (frame 4)", into text; returns text. */
enum { REEL_NODE_TEXT = 256 };
char *reel_node_text(const reel_node *node, char text[REEL_NODE_TEXT]);

/* Floating-point operations of one run, by the op's own count, else one an element of its output. */
double reel_node_flops(const reel_node *node);

#endif
