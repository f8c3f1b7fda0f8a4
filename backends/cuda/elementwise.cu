/* The element-wise ops on the GPU: one kernel for those of one argument and one for two, made for each formula of
   elementwise.def and each type; and where, cast and broadcast_to, which mix types. A thread makes one element;
   neighbours read neighbours wherever broadcasting leaves them so. Memory is what limits them all.

   An output may be the memory of an input of the same shape: an element is read by the thread alone that writes it. */
#include "backends/cuda/walk.cuh"

/* The type in which whole numbers wrap around. */
template <class T> struct wide {
    typedef T type;
};
template <> struct wide<int32_t> {
    typedef int64_t type;
};

struct none {
};

template <class A> static A attribute(const reel_call *call)
{
    return *(const A *)call->attr;
}
template <> none attribute<none>(const reel_call *)
{
    return none();
}

template <class T, class F> __global__ static void map1(cuda_walk walk, const T *x, T *y, F formula, unsigned n)
{
    unsigned i = cuda_element();
    int at[1];
    if (i >= n) return;
    cuda_walk_at<1>(walk, i, at);
    y[i] = formula(x[at[0]]);
}

template <class T, class F>
__global__ static void map2(cuda_walk walk, const T *a, const T *b, T *y, F formula, unsigned n)
{
    unsigned i = cuda_element();
    int at[2];
    if (i >= n) return;
    cuda_walk_at<2>(walk, i, at);
    y[i] = formula(a[at[0]], b[at[1]]);
}

template <class T, class F> static reel_status run_map1(const reel_call *call, F formula)
{
    const reel_array *y = &call->output[0];
    return cuda_over(call, cuda_elements(y), map1<T, F>, cuda_walk_of(call), (const T *)call->input[0].data,
                     (T *)y->data, formula, cuda_elements(y));
}

template <class T, class F> static reel_status run_map2(const reel_call *call, F formula)
{
    const reel_array *y = &call->output[0];
    return cuda_over(call, cuda_elements(y), map2<T, F>, cuda_walk_of(call), (const T *)call->input[0].data,
                     (const T *)call->input[1].data, (T *)y->data, formula, cuda_elements(y));
}

/* A formula as a function object, and the kernel of its op. */
#define FORMULA(op, attributes, parameters, result)                                                                    \
    namespace                                                                                                          \
    {                                                                                                                  \
    struct op##_formula {                                                                                              \
        attributes attr;                                                                                               \
        template <class T, class W = typename wide<T>::type> __device__ T operator() parameters const                  \
        {                                                                                                              \
            return T(result);                                                                                          \
        }                                                                                                              \
    };                                                                                                                 \
    }

#define MAP1(op, attributes, x, result)                                                                                \
    FORMULA(op, attributes, (T x), result)                                                                             \
    reel_status cuda_##op(const reel_call *call)                                                                       \
    {                                                                                                                  \
        const op##_formula formula = {attribute<attributes>(call)};                                                    \
        return cuda_by_float(call->output[0].dtype,                                                                    \
                             [&](auto zero) { return run_map1<decltype(zero)>(call, formula); });                      \
    }

#define MAP2(op, attributes, a, b, result)                                                                             \
    FORMULA(op, attributes, (T a, T b), result)                                                                        \
    reel_status cuda_##op(const reel_call *call)                                                                       \
    {                                                                                                                  \
        const op##_formula formula = {attribute<attributes>(call)};                                                    \
        return cuda_by_float(call->output[0].dtype,                                                                    \
                             [&](auto zero) { return run_map2<decltype(zero)>(call, formula); });                      \
    }

#define MAP2_NUMBERS(op, attributes, a, b, result)                                                                     \
    FORMULA(op, attributes, (T a, T b), result)                                                                        \
    reel_status cuda_##op(const reel_call *call)                                                                       \
    {                                                                                                                  \
        const op##_formula formula = {attribute<attributes>(call)};                                                    \
        if (call->output[0].dtype == REEL_I32) return run_map2<int32_t>(call, formula);                                \
        return cuda_by_float(call->output[0].dtype,                                                                    \
                             [&](auto zero) { return run_map2<decltype(zero)>(call, formula); });                      \
    }

#include "backends/cuda/elementwise.def"

/* --- where --- */

template <class T, class C>
__global__ static void choose(cuda_walk walk, const C *condition, const T *a, const T *b, T *y, unsigned n)
{
    unsigned i = cuda_element();
    int at[3];
    if (i >= n) return;
    cuda_walk_at<3>(walk, i, at);
    y[i] = condition[at[0]] != 0 ? a[at[1]] : b[at[2]];
}

template <class T, class C> static reel_status run_choose(const reel_call *call)
{
    const reel_array *in = call->input, *y = &call->output[0];
    return cuda_over(call, cuda_elements(y), choose<T, C>, cuda_walk_of(call), (const C *)in[0].data,
                     (const T *)in[1].data, (const T *)in[2].data, (T *)y->data, cuda_elements(y));
}

template <class T> static reel_status choose_by(const reel_call *call)
{
    switch (call->input[0].dtype) {
    case REEL_U8:
        return run_choose<T, uint8_t>(call);
    case REEL_I32:
        return run_choose<T, int32_t>(call);
    default:
        return run_choose<T, T>(call);
    }
}

reel_status cuda_where(const reel_call *call)
{
    if (call->output[0].dtype == REEL_I32) return choose_by<int32_t>(call);
    return cuda_by_float(call->output[0].dtype, [&](auto zero) { return choose_by<decltype(zero)>(call); });
}

/* --- broadcast_to --- */

namespace
{
struct same {
    template <class T> __device__ T operator()(T x) const { return x; }
};
} // namespace

reel_status cuda_broadcast_to(const reel_call *call)
{
    return cuda_by_width(call->output[0].dtype, [&](auto zero) { return run_map1<decltype(zero)>(call, same()); });
}

/* --- cast --- */

__device__ static double within(double value, double low, double high)
{
    return value != value ? 0 : value < low ? low : value > high ? high : value;
}
__device__ static void convert(double value, float *y)
{
    *y = (float)value;
}
__device__ static void convert(double value, double *y)
{
    *y = value;
}
__device__ static void convert(double value, int32_t *y)
{
    *y = (int32_t)within(value, INT_MIN, INT_MAX);
}
__device__ static void convert(double value, uint8_t *y)
{
    *y = (uint8_t)within(value, 0, UINT8_MAX);
}

template <class From, class To> __global__ static void cast(const From *x, To *y, unsigned n)
{
    unsigned i = cuda_element();
    if (i < n) convert((double)x[i], &y[i]);
}

reel_status cuda_cast(const reel_call *call)
{
    const reel_array *x = &call->input[0], *y = &call->output[0];
    return cuda_by_dtype(x->dtype, [&](auto from) {
        return cuda_by_dtype(y->dtype, [&](auto to) {
            typedef decltype(from) From;
            typedef decltype(to) To;
            return cuda_over(call, cuda_elements(y), cast<From, To>, (const From *)x->data, (To *)y->data,
                             cuda_elements(y));
        });
    });
}
