/* Says an ONNX node in reel's words: for each operator of ONNX a function that reads attributes and inputs and calls
   builders of ops/. What cannot be said is named, never approximated: onnx_absent ends the translation with a reason,
   and an attribute that no function asked for ends it too. */
#ifndef REEL_TESTS_ONNX_BUILD_H
#define REEL_TESTS_ONNX_BUILD_H

#include "core/parameters.h"
#include "ops/ops.h"
#include "tests/support/onnx_case.h"

typedef struct {
    const onnx_case *from;
    reel_graph *graph;
    reel_parameters *set;            /* for tensors that an optimiser changes */
    reel_dtype real;                 /* what floats are computed in */
    reel_tensor *input[ONNX_INPUTS]; /* made when asked for */
    reel_tensor *output[ONNX_OUTPUTS];
    bool asked[ONNX_ATTRS];
    bool torch; /* exported from PyTorch under the opsets of 2018 */
    char absent[200];
} onnx_build;

typedef struct {
    const char *op;
    int least; /* inputs that must be given */
    void (*build)(onnx_build *b);
} onnx_rule;

/* Translates the case into a graph. False when it cannot be: b->absent says why, or the graph holds the error. */
bool onnx_build_case(onnx_build *b);

/* --- for the rules --- */

bool onnx_has(const onnx_build *b, int i); /* is input i given? */
reel_tensor *onnx_input(onnx_build *b, int i);
/* The same with integers turned into floats. */
reel_tensor *onnx_real_input(onnx_build *b, int i);
/* An input that is changed in place. */
reel_tensor *onnx_changed_input(onnx_build *b, int i);
/* Inputs whose values shape the graph: a scalar, and a list of integers. */
double onnx_number(onnx_build *b, int i, double fallback);
bool onnx_list(onnx_build *b, int i, reel_ints *list);
/* A short list of numbers; how many, 0 when it is not given. */
int onnx_numbers(onnx_build *b, int i, double at[REEL_MAX_RANK]);

int64_t onnx_int(onnx_build *b, const char *key, int64_t fallback);
double onnx_float(onnx_build *b, const char *key, double fallback);
const char *onnx_text(onnx_build *b, const char *key, const char *fallback);
bool onnx_ints(onnx_build *b, const char *key, reel_ints *list);
bool onnx_given(const onnx_build *b, const char *key);
/* Attributes that change nothing here: hints, and what the shapes say already. */
void onnx_ignore(onnx_build *b, const char *key);

reel_tensor *onnx_absent(onnx_build *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* x under another shape, sizes from a list. */
reel_tensor *onnx_reshaped(reel_tensor *x, int rank, const int64_t *size);

extern const onnx_rule onnx_plain_rules[], onnx_layout_rules[], onnx_spatial_rules[], onnx_state_rules[];

#endif
