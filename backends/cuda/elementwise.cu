/* The element-wise ops on the GPU: one kernel for those of one argument and one for two, made for each formula of
   elementwise.def and each type; and where and broadcast_to, which mix types. Where inputs are as large as the output,
   or one number, a thread makes a pack of elements (pack.cuh); else one element, and neighbours read neighbours
   wherever broadcasting leaves them so. Memory is what limits them all.

   An output may be the memory of an input of the same shape: an element is read by the thread alone that writes it. */
#include "backends/cuda/pack.cuh"
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

/* S is what is stored: T, or bf16 where T is float. */
template <class S, class T, class F>
__global__ static void map1(cuda_walk walk, const S *x, S *y, F formula, unsigned n)
{
    unsigned i = cuda_element();
    int at[1];
    if (i >= n) return;
    cuda_walk_at<1>(walk, i, at);
    y[i] = S(formula(T(x[at[0]])));
}

template <class S, class T, class F>
__global__ static void map2(cuda_walk walk, const S *a, const S *b, S *y, F formula, unsigned n)
{
    unsigned i = cuda_element();
    int at[2];
    if (i >= n) return;
    cuda_walk_at<2>(walk, i, at);
    y[i] = S(formula(T(a[at[0]]), T(b[at[1]])));
}

/* --- the same in packs --- */

template <int N, class S, class T, class F> __global__ static void map1_packs(const S *x, S *y, F formula, unsigned n)
{
    cuda_share share = cuda_share_of<N>(n);
    if (share.element) y[share.at] = S(formula(T(x[share.at])));
    if (!share.pack) return;
    cuda_pack<S, N> value = cuda_pack_at<N>(x, share.at);
    for (int k = 0; k < N; k++) value.at[k] = S(formula(T(value.at[k])));
    cuda_put_pack(y, share.at, value);
}

/* An argument that is an array, or one number for all elements. */
template <class S> struct side {
    const S *at;
    bool one;
    template <int N> __device__ cuda_pack<S, N> pack(unsigned i) const
    {
        cuda_pack<S, N> value;
        if (!one) return cuda_pack_at<N>(at, i);
        for (int k = 0; k < N; k++) value.at[k] = *at;
        return value;
    }
    __device__ S element(unsigned i) const { return at[one ? 0 : i]; }
};

template <int N, class S, class T, class F>
__global__ static void map2_packs(side<S> a, side<S> b, S *y, F formula, unsigned n)
{
    cuda_share share = cuda_share_of<N>(n);
    if (share.element) y[share.at] = S(formula(T(a.element(share.at)), T(b.element(share.at))));
    if (!share.pack) return;
    cuda_pack<S, N> left = a.template pack<N>(share.at), right = b.template pack<N>(share.at);
    for (int k = 0; k < N; k++) left.at[k] = S(formula(T(left.at[k]), T(right.at[k])));
    cuda_put_pack(y, share.at, left);
}

/* An input is as large as the output, so that it is not stretched. */
static bool whole(const reel_call *call, int input)
{
    return reel_elements(&call->input[input].shape) == reel_elements(&call->output[0].shape);
}

template <class S, class T, class F> static reel_status run_map1(const reel_call *call, F formula)
{
    constexpr int N = 16 / sizeof(S);
    const reel_array *y = &call->output[0];
    const S *x = (const S *)call->input[0].data;
    unsigned n = cuda_elements(y);
    if (whole(call, 0)) return cuda_over_packs<N>(call, n, map1_packs<N, S, T, F>, x, (S *)y->data, formula, n);
    return cuda_over(call, n, map1<S, T, F>, cuda_walk_of(call), x, (S *)y->data, formula, n);
}

template <class S> static side<S> side_of(const reel_call *call, int input)
{
    return {(const S *)call->input[input].data, cuda_elements(&call->input[input]) == 1};
}

template <class S, class T, class F> static reel_status run_map2(const reel_call *call, F formula)
{
    constexpr int N = 16 / sizeof(S);
    S *y = (S *)call->output[0].data;
    unsigned n = cuda_elements(&call->output[0]);
    side<S> a = side_of<S>(call, 0), b = side_of<S>(call, 1);
    if ((a.one || whole(call, 0)) && (b.one || whole(call, 1)))
        return cuda_over_packs<N>(call, n, map2_packs<N, S, T, F>, a, b, y, formula, n);
    return cuda_over(call, n, map2<S, T, F>, cuda_walk_of(call), a.at, b.at, y, formula, n);
}

template <class F> static reel_status map1_floats(const reel_call *call, F formula)
{
    if (call->output[0].dtype == REEL_BF16) return run_map1<cuda_bf16, float>(call, formula);
    return cuda_by_float(call->output[0].dtype,
                         [&](auto zero) { return run_map1<decltype(zero), decltype(zero)>(call, formula); });
}

template <class F> static reel_status map2_floats(const reel_call *call, F formula)
{
    if (call->output[0].dtype == REEL_BF16) return run_map2<cuda_bf16, float>(call, formula);
    return cuda_by_float(call->output[0].dtype,
                         [&](auto zero) { return run_map2<decltype(zero), decltype(zero)>(call, formula); });
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
        return map1_floats(call, op##_formula{attribute<attributes>(call)});                                           \
    }

#define MAP2(op, attributes, a, b, result)                                                                             \
    FORMULA(op, attributes, (T a, T b), result)                                                                        \
    reel_status cuda_##op(const reel_call *call)                                                                       \
    {                                                                                                                  \
        return map2_floats(call, op##_formula{attribute<attributes>(call)});                                           \
    }

#define MAP2_NUMBERS(op, attributes, a, b, result)                                                                     \
    FORMULA(op, attributes, (T a, T b), result)                                                                        \
    reel_status cuda_##op(const reel_call *call)                                                                       \
    {                                                                                                                  \
        const op##_formula formula = {attribute<attributes>(call)};                                                    \
        if (call->output[0].dtype == REEL_I32) return run_map2<int32_t, int32_t>(call, formula);                       \
        return map2_floats(call, formula);                                                                             \
    }

#include "backends/cuda/elementwise.def"

/* --- where: u8 sides are refused by the op --- */

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

/* The condition has a type of its own, or that of the sides. */
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
    return cuda_by_dtype(call->output[0].dtype, [&](auto zero) { return choose_by<decltype(zero)>(call); });
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
    return cuda_by_width(call->output[0].dtype,
                         [&](auto zero) { return run_map1<decltype(zero), decltype(zero)>(call, same()); });
}
