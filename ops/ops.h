/* Every op of reel, and the functions that apply them. `reel_op_NAME` is the op's row (core/op.h); builders take and
   return tensors, infer shapes at once and never fail loudly: see core/graph.h on errors.

   The list itself is ops.def; this header only adds the C signatures. */
#ifndef REEL_OPS_OPS_H
#define REEL_OPS_OPS_H

#include "core/graph.h"

#define REEL_OP(name) extern const reel_op reel_op_##name;
#include "ops/ops.def"
#undef REEL_OP

extern const reel_op *const reel_ops[]; /* all of them, NULL at the end */
extern const int reel_ops_count;
const reel_op *reel_op_find(const char *name); /* NULL when there is none */

#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/linear.h"
#include "ops/convolution.h"
#include "ops/pooling.h"
#include "ops/resize.h"
#include "ops/layout.h"
#include "ops/normalise.h"
#include "ops/recurrent.h"
#include "ops/distance.h"
#include "ops/losses.h"
#include "ops/optimise.h"

#endif
