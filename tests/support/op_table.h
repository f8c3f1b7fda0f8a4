/* The whole table of op cases, run in one mode after another. */
#ifndef REEL_TESTS_OP_TABLE_H
#define REEL_TESTS_OP_TABLE_H

#include "tests/support/op_run.h"

typedef bool (*case_check)(const op_problem *p, char *why, size_t size);

/* Checks every row, or those of the op that REEL_TEST_OP names, prints the bad ones, and fails the test if there are.
 */
void over_table(const char *mode, case_check check);

/* Two ways of computing a row: the same dtypes and, within the tolerance, the same values. */
bool agree(const op_problem *p, reel_dtype da, reel_backend *a, reel_dtype db, reel_backend *b, double tolerance,
           char *why, size_t size);

/* bf16 against double on the same, rounded, inputs. An output is rounded once: half a unit in the last of eight places,
   and a little for the float before it; one in f32 is not. A gradient is a chain of ops that round each. */
bool bf16_agrees(const op_problem *p, reel_backend *backend, reel_backend *reference, char *why, size_t size);

/* Runs a row, which must come out right: floats against double within the tolerance, bf16 as above. */
void must_agree(const op_case *row, reel_dtype type, reel_backend *backend, reel_backend *reference, double tolerance);

/* Runs a row in float32, which must fail and tell this. */
void must_fail(const op_case *row, reel_backend *backend, const char *part);

#endif
