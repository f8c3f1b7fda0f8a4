/* One element of an array of any dtype as a double, which holds every value of all of them. For what is done once or
   rarely: filling, reading and printing. Reference kernels use ops/value.h. */
#ifndef REEL_CORE_ELEMENT_H
#define REEL_CORE_ELEMENT_H

#include "core/bf16.h"
#include "core/shape.h"

static inline double reel_element(const void *data, reel_dtype dtype, int64_t i)
{
    switch (dtype) {
    case REEL_F32:
        return ((const float *)data)[i];
    case REEL_F64:
        return ((const double *)data)[i];
    case REEL_BF16:
        return reel_bf16_to_float(((const reel_bf16 *)data)[i]);
    case REEL_I32:
        return ((const int32_t *)data)[i];
    default:
        return ((const uint8_t *)data)[i];
    }
}

/* Floats are rounded to the nearest, bf16 by way of f32. For an integer the value must be one that it can hold, and
   loses its fraction. */
static inline void reel_set_element(void *data, reel_dtype dtype, int64_t i, double value)
{
    switch (dtype) {
    case REEL_F32:
        ((float *)data)[i] = (float)value;
        break;
    case REEL_F64:
        ((double *)data)[i] = value;
        break;
    case REEL_BF16:
        ((reel_bf16 *)data)[i] = reel_bf16_from_float((float)value);
        break;
    case REEL_I32:
        ((int32_t *)data)[i] = (int32_t)value;
        break;
    default:
        ((uint8_t *)data)[i] = (uint8_t)value;
    }
}

#endif
