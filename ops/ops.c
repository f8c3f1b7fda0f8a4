/* The table of every op, made from ops.def. */
#include "ops/ops.h"

#include <string.h>

#define REEL_OP(name) &reel_op_##name,
const reel_op *const reel_ops[] = {
#include "ops/ops.def"
    NULL,
};
#undef REEL_OP

const int reel_ops_count = (int)(sizeof reel_ops / sizeof *reel_ops) - 1;

const reel_op *reel_op_find(const char *name)
{
    for (int i = 0; i < reel_ops_count; i++)
        if (!strcmp(reel_ops[i]->name, name)) return reel_ops[i];
    return NULL;
}
