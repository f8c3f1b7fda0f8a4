/* The table of op cases: what each op is tried on. tests/test_ops.c runs every row in every mode: forward in float
   against double, gradients and second gradients against differences, every backend against the reference kernels,
   1 to 8 threads bit for bit.

   A row is {op, attributes, inputs}: attributes as the command line sets them ("stride=2 pad=1"); inputs separated by
   blanks, each KIND:SHAPE such as real:2x3x5x5 or real:scalar, or "-" for an optional input left out. Kinds:

     real      uniform in -1..1                     positive  uniform in 0.5..1.5
     apart     pairwise 0.01 apart and away from 0  unit      uniform in 0.1..0.9
     mask      0 or 1, not differentiated           intN      i32 in 0..N-1      byteN  u8 in 0..N-1

   A float kind after '!' is not differentiated. */
#ifndef REEL_TESTS_CASES_H
#define REEL_TESTS_CASES_H

typedef struct {
    const char *op, *attrs, *inputs;
} op_case;

/* Each ends with an all-NULL row. */
extern const op_case cases_elementwise[], cases_reduce[], cases_linear[], cases_normalise[], cases_convolution[],
    cases_pooling[], cases_resize[], cases_layout[], cases_recurrent[], cases_distance[], cases_losses[],
    cases_optimise[];

extern const op_case *const case_groups[]; /* all of the above, NULL at the end */

#endif
