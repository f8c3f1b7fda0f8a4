/* What the files of element-wise ops share: shape rules, and macros that turn one expression into reference loops for
   float and double (and int32_t where integers make sense).

       ELEMENTWISE1(relu, x, x <= 0 ? 0 : x)
       ELEMENTWISE2(mul, a, b, a * b)
       ELEMENTWISE1_WITH(scale, const T factor = (T)ATTR(reel_scale_attr)->factor, x, factor * x)

   each define NAME_reference, to be put in the op's row. Inside an expression T is the element type, and <tgmath.h>
   makes exp(x) a float function of floats. A reference loop runs row by row: the visit of core/broadcast.h is walked
   with an odometer and a row is a plain loop whose inputs step by 0 or 1, one loop each, so that compilers vectorise
   them. Writing over an input of the output's shape is correct, as element i is read before it is written and nothing
   else reads it; `omp simd` tells the compiler so. */
#ifndef REEL_OPS_ELEMENTWISE_KERNEL_H
#define REEL_OPS_ELEMENTWISE_KERNEL_H

#include "core/op.h"

#include <tgmath.h>

enum { REEL_ELEMENTWISE = REEL_OP_ELEMENTWISE | REEL_OP_INPLACE }; /* the flags of most of them */

/* --- shape rules: the output has the inputs' dtype and broadcast shape --- */

bool reel_elementwise_floats(reel_rule *rule);  /* floats */
bool reel_elementwise_numbers(reel_rule *rule); /* or i32 */

/* --- rows --- */

/* n elements of every array; input k steps by step[k], 0 or 1. */
typedef void reel_row(const reel_call *call, int64_t n, void *out, const void *const *in, const int64_t *step);

reel_status reel_elementwise_rows(const reel_call *call, reel_row *row);
/* Picks the row by the output's dtype; i32 may be NULL. */
reel_status reel_elementwise_run(const reel_call *call, reel_row *f32, reel_row *f64, reel_row *i32);

#define ATTR(type) ((const type *)call->attr)

#define ELEMENTWISE_LOOP(p, pi, expression)                                                                            \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        const T p = pi;                                                                                                \
        z_[i] = (T)(expression);                                                                                       \
    }

#define ELEMENTWISE_ROW1(function, type, setup, p, expression)                                                         \
    static void function(const reel_call *call, int64_t n, void *out, const void *const *in, const int64_t *step)      \
    {                                                                                                                  \
        typedef type T;                                                                                                \
        setup;                                                                                                         \
        const T *p_ = in[0];                                                                                           \
        T *z_ = out;                                                                                                   \
        (void)call;                                                                                                    \
        if (step[0])                                                                                                   \
            ELEMENTWISE_LOOP(p, p_[i], expression)                                                                     \
        else                                                                                                           \
            ELEMENTWISE_LOOP(p, p_[0], expression)                                                                     \
    }

#define ELEMENTWISE_LOOP2(p, pi, q, qi, expression)                                                                    \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        const T p = pi, q = qi;                                                                                        \
        z_[i] = (T)(expression);                                                                                       \
    }

#define ELEMENTWISE_ROW2(function, type, setup, p, q, expression)                                                      \
    static void function(const reel_call *call, int64_t n, void *out, const void *const *in, const int64_t *step)      \
    {                                                                                                                  \
        typedef type T;                                                                                                \
        setup;                                                                                                         \
        const T *p_ = in[0], *q_ = in[1];                                                                              \
        T *z_ = out;                                                                                                   \
        (void)call;                                                                                                    \
        if (step[0] && step[1])                                                                                        \
            ELEMENTWISE_LOOP2(p, p_[i], q, q_[i], expression)                                                          \
        else if (step[0])                                                                                              \
            ELEMENTWISE_LOOP2(p, p_[i], q, q_[0], expression)                                                          \
        else if (step[1])                                                                                              \
            ELEMENTWISE_LOOP2(p, p_[0], q, q_[i], expression)                                                          \
        else                                                                                                           \
            ELEMENTWISE_LOOP2(p, p_[0], q, q_[0], expression)                                                          \
    }

#define ELEMENTWISE_REFERENCE(name, integers)                                                                          \
    static reel_status name##_reference(const reel_call *call)                                                         \
    {                                                                                                                  \
        return reel_elementwise_run(call, name##_f32, name##_f64, integers);                                           \
    }

#define ELEMENTWISE1_WITH(name, setup, p, expression)                                                                  \
    ELEMENTWISE_ROW1(name##_f32, float, setup, p, expression)                                                          \
    ELEMENTWISE_ROW1(name##_f64, double, setup, p, expression)                                                         \
    ELEMENTWISE_REFERENCE(name, NULL)

#define ELEMENTWISE2_WITH(name, setup, p, q, expression)                                                               \
    ELEMENTWISE_ROW2(name##_f32, float, setup, p, q, expression)                                                       \
    ELEMENTWISE_ROW2(name##_f64, double, setup, p, q, expression)                                                      \
    ELEMENTWISE_REFERENCE(name, NULL)

#define ELEMENTWISE1(name, p, expression) ELEMENTWISE1_WITH(name, , p, expression)
#define ELEMENTWISE2(name, p, q, expression) ELEMENTWISE2_WITH(name, , p, q, expression)

/* With an expression of its own for int32_t. */
#define ELEMENTWISE2_NUMBERS(name, p, q, expression, integer_expression)                                               \
    ELEMENTWISE_ROW2(name##_f32, float, , p, q, expression)                                                            \
    ELEMENTWISE_ROW2(name##_f64, double, , p, q, expression)                                                           \
    ELEMENTWISE_ROW2(name##_i32, int32_t, , p, q, integer_expression)                                                  \
    ELEMENTWISE_REFERENCE(name, name##_i32)

#endif
