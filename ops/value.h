/* Elements of a float array read and written as double, whatever its dtype: reference kernels are written once and
   sum in double. The branch costs little beside clarity; fast kernels do not use this. */
#ifndef REEL_OPS_VALUE_H
#define REEL_OPS_VALUE_H

#include "core/op.h"

static inline double reel_value(const reel_array *a, int64_t i)
{
    return a->dtype == REEL_F32 ? (double)((const float *)a->data)[i] : ((const double *)a->data)[i];
}

static inline void reel_set_value(const reel_array *a, int64_t i, double value)
{
    if (a->dtype == REEL_F32)
        ((float *)a->data)[i] = (float)value;
    else
        ((double *)a->data)[i] = value;
}

#endif
