/* What an op is. An op is a row of facts and functions; everything else (graph, walker, planner, backends, command
   line, reference page, ledger) works on the row and knows no op by name. Adding an op adds a file and a row.

   Attributes are a plain C struct an op, described by a table, so that one piece of code can fill them with defaults,
   set them from "stride=2", print them and check them, whatever the op. */
#ifndef REEL_CORE_OP_H
#define REEL_CORE_OP_H

#include "core/error.h"
#include "core/shape.h"

typedef struct reel_graph reel_graph;
typedef struct reel_tensor reel_tensor;
typedef struct reel_node reel_node;
typedef struct reel_op reel_op;
typedef struct reel_backend reel_backend;

enum { REEL_MAX_OUTPUTS = 4 };

/* --- attributes ------------------------------------------------------------------------------------------------ */

typedef enum {
    REEL_ATTR_INT,    /* int[count]; "2" sets all of them, "2,1" each */
    REEL_ATTR_FLOAT,  /* double */
    REEL_ATTR_BOOL,   /* bool; "0" or "1" */
    REEL_ATTR_CHOICE, /* int, an index into `choices` ("sum|mean|none") */
    REEL_ATTR_INTS,   /* reel_ints; "0,-1", empty for none */
} reel_attr_kind;

typedef struct {
    const char *name; /* NULL ends the table */
    reel_attr_kind kind;
    size_t offset;       /* in the attribute struct */
    int count;           /* of REEL_ATTR_INT */
    const char *initial; /* the default, written as the command line would */
    const char *choices;
    const char *help;
} reel_attr;

/* Fills a struct of op->attr_size bytes with the defaults. */
void reel_attr_defaults(const reel_op *op, void *attr);
/* Sets one attribute from "name=value". */
reel_status reel_attr_set(const reel_op *op, void *attr, const char *assignment, reel_error *error);
/* Whether two structs say the same, field by field: the bytes that pad a struct hold anything. */
bool reel_attr_equal(const reel_op *op, const void *a, const void *b);
/* Writes "stride=2,2 pad=1,1,1,1" into text, leaving out what has its default. */
void reel_attr_text(const reel_op *op, const void *attr, char *text, size_t size);

/* --- shape rule ------------------------------------------------------------------------------------------------ */

typedef struct {
    reel_graph *graph;
    const reel_op *op;
    const void *attr;
    int inputs;
    reel_tensor *const *input;          /* NULL for an optional input left out */
    reel_dtype dtype[REEL_MAX_OUTPUTS]; /* to be filled, one an output */
    reel_shape shape[REEL_MAX_OUTPUTS];
} reel_rule;

/* Refuses the call: the message is completed with the op, the node's scope and time step and the inputs' shapes, and
   becomes the graph's error. Returns false, so that a rule ends with `return reel_reject(r, "…")`. */
bool reel_reject(const reel_rule *rule, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- gradient rule --------------------------------------------------------------------------------------------- */

/* A rule reads x, y and dy and sets dx[i] for every i with wanted[i], with ops, so that a second backward pass is free.
   x and y are the node's inputs and outputs, or their recomputed twins. dy[k] is NULL where no gradient reaches output
   k (one at least is not NULL). dx[i] may have the shape that x[i] was broadcast to: the walker sums it back, adds up
   what arrives from several users, and takes a dx left NULL as zero. */
typedef struct {
    reel_graph *graph;
    const reel_node *node;
    const void *attr;
    int inputs;
    reel_tensor **x, **y, **dy, **dx;
    const bool *wanted;
} reel_gradient;

/* --- kernels --------------------------------------------------------------------------------------------------- */

typedef struct {
    void *data; /* NULL for an optional input left out */
    reel_dtype dtype;
    reel_shape shape;
} reel_array;

/* One execution of a node. Data is contiguous and row-major. An output may be the same memory as an input of an op that
   is marked inplace, never otherwise. */
typedef struct {
    const reel_op *op;
    const void *attr;
    int inputs, outputs;
    const reel_array *input, *output;
    void *scratch;       /* as many bytes as the kernel's scratch function asked for, aligned to 64 */
    uint64_t random_key; /* names this node in this run: reel_uniform(random_key, element) */
    uint64_t node_key;   /* names it in all runs: random_key is reel_key(the run's, node_key) */
    int threads;
    reel_backend *backend; /* that runs it: where its kernels find their device */
    reel_error *error;
} reel_call;

typedef struct {
    reel_status (*run)(const reel_call *call);
    size_t (*scratch)(const reel_call *call); /* sees shapes, no data; NULL for none */
    bool bf16; /* reads and writes bf16; otherwise it gets float copies (core/kernel.h) */
} reel_kernel;

/* --- samples --------------------------------------------------------------------------------------------------- */

/* What an op does with samples, which lie on axis 0. Bit k of `inputs`: input k has samples. Sample n of every output
   is a function of sample n of these inputs and of the other inputs as a whole; or output 0 is the sum of that over all
   samples (`summed`). So several nodes may be made one, on their inputs joined on axis 0, with the same attributes. */
typedef struct {
    unsigned inputs; /* 0: neither is true */
    bool summed;
} reel_samples;

/* --- the row --------------------------------------------------------------------------------------------------- */

typedef enum {
    REEL_OP_SOURCE = 1,          /* input, constant, parameter: has no kernel */
    REEL_OP_VIEW = 2,            /* output 0 is the memory of input 0 under another shape */
    REEL_OP_INPLACE = 4,         /* output 0 may be written over an input of equal shape and dtype that dies here */
    REEL_OP_UPDATES = 8,         /* output k is the memory of input k, changed: optimisers */
    REEL_OP_RANDOM = 16,         /* draws random numbers: has a key of its own, kept when the node is recomputed */
    REEL_OP_NO_GRADIENT = 32,    /* constant almost everywhere, or integer: gradients stop here */
    REEL_OP_ELEMENTWISE = 64,    /* one output; an element depends on its counterparts in the inputs, broadcast, alone:
                                    a backend may run the reference kernel on pieces of the arrays */
    REEL_OP_ANY_COTANGENT = 128, /* the gradient rule takes dy in f32 where y is bf16; to others the walker casts it */
} reel_op_flag;

struct reel_op {
    const char *name;
    const char *summary;           /* one line: the formula */
    int least_inputs, most_inputs; /* most_inputs 0: any number */
    int outputs;
    unsigned flags;
    size_t attr_size;
    const reel_attr *attrs; /* every field of the struct; NULL for none */
    bool (*shape)(reel_rule *rule);
    void (*gradient)(reel_gradient *g); /* NULL with REEL_OP_NO_GRADIENT */
    reel_kernel reference;
    /* Where memory can be shared instead of copied (core/sharing.h), in elements; -1 for nowhere, NULL for never: where
       in input 0 the run begins that is output 0, and where in output 0 the run begins that is input k. A kernel finds
       such an input in its place and must not copy it onto itself. */
    int64_t (*run_of_input)(const reel_node *node);
    int64_t (*run_of_output)(const reel_node *node, int k);
    reel_samples (*samples)(const reel_node *node); /* NULL: no samples; ops of elements need none */
    double (*flops)(const reel_node *node);         /* NULL: one operation an output element */
};

#endif
