/* lstm_cell and its backward pass on the GPU, a kernel each: a thread does everything for one element of the state, so
   that each array is read or written once and nothing lies in between. The formulas are those of ops/lstm_cell.c and
   ops/lstm_cell_gradient.c. Memory limits them. */
#include "backends/cuda/device.cuh"

extern "C" {
#include "ops/lstm_cell.h"
}

enum { I, F, O, G }; /* gates, in the order in which they lie */

template <class T> __device__ static T logistic(T x)
{
    return 1 / (1 + exp(-x));
}

template <class T> __device__ static T activate(int kind, T x)
{
    return kind == REEL_LSTM_TANH ? tanh(x) : kind == REEL_LSTM_SIGMOID ? logistic(x) : x < 0 ? T(0) : x;
}

/* The derivative of an activation, from its value. */
template <class T> __device__ static T slope(int kind, T y)
{
    return kind == REEL_LSTM_TANH ? 1 - y * y : kind == REEL_LSTM_SIGMOID ? y * (1 - y) : T(y > 0);
}

/* A peephole weight for each channel, or for each element of a sample; NULL for none. */
template <class T> struct peephole {
    const T *weight;
    bool by_channel;
};

template <class T> static peephole<T> peephole_of(const reel_call *call, int input)
{
    if (input >= call->inputs) return {NULL, false};
    const reel_array *w = &call->input[input];
    return {(const T *)w->data, w->shape.rank == 1};
}

/* Where an element is: in an array of the state's shape, and in one of the gates'. */
struct cells {
    unsigned elements;
    cuda_divider run, plane; /* elements of a sample and of a channel of the state */
};

static cells cells_of(const reel_call *call)
{
    const reel_array *c = &call->input[1];
    int64_t plane = 1;
    for (int k = 2; k < c->shape.rank; k++) plane *= c->shape.size[k];
    return {cuda_elements(c), cuda_divider_of(plane * c->shape.size[1]), cuda_divider_of(plane)};
}

struct cell {
    unsigned at, gate, inside; /* inside: of the sample */
};

__device__ static cell cell_of(const cells &all, unsigned at)
{
    unsigned sample = at, inside = cuda_split(&sample, all.run);
    return {at, sample * 4 * all.run.size + inside, inside};
}

template <class T> __device__ static T weight_of(const peephole<T> &w, const cells &all, cell e)
{
    return !w.weight ? T(0) : w.weight[w.by_channel ? cuda_divide(e.inside, all.plane) : e.inside];
}

template <class T>
__global__ static void forward(cells all, reel_lstm_cell_attr attr, const T *z, const T *c_in, peephole<T> wi,
                               peephole<T> wf, peephole<T> wo, T *h, T *c_out, T *gates)
{
    unsigned at = cuda_element(), run = all.run.size;
    if (at >= all.elements) return;
    cell e = cell_of(all, at);
    T c = c_in[at];
    T i = logistic(z[e.gate] + weight_of(wi, all, e) * c);
    T f = logistic(z[e.gate + F * run] + weight_of(wf, all, e) * c + (T)attr.forget_bias);
    T g = activate(attr.candidate, z[e.gate + G * run]);
    c = f * c + i * g;
    T o = logistic(z[e.gate + O * run] + weight_of(wo, all, e) * c);
    h[at] = o * activate(attr.output, c);
    c_out[at] = c;
    gates[e.gate] = i;
    gates[e.gate + F * run] = f;
    gates[e.gate + O * run] = o;
    gates[e.gate + G * run] = g;
}

/* An element of an array that may have been left out, for zero. */
template <class T> __device__ static T or_zero(const T *x, unsigned at)
{
    return x ? x[at] : T(0);
}

template <class T> struct backward_inputs {
    const T *gates, *c_in, *c_out, *dh, *dc, *dgates;
    peephole<T> w[3];
};

template <class T>
__global__ static void backward(cells all, reel_lstm_cell_attr attr, backward_inputs<T> in, T *dz, T *dc_in)
{
    unsigned at = cuda_element(), run = all.run.size;
    if (at >= all.elements) return;
    cell e = cell_of(all, at);
    T q[4], reaches[4], w[3];
    for (int k = 0; k < 4; k++) q[k] = in.gates[e.gate + (unsigned)k * run];
    for (int k = 0; k < 4; k++) reaches[k] = or_zero(in.dgates, e.gate + (unsigned)k * run);
    for (int k = 0; k < 3; k++) w[k] = weight_of(in.w[k], all, e);
    T p = activate(attr.output, in.c_out[at]), dh = or_zero(in.dh, at);
    T dz_o = (dh * p + reaches[O]) * q[O] * (1 - q[O]);
    T d = or_zero(in.dc, at) + dh * q[O] * slope(attr.output, p) + w[O] * dz_o;
    T dz_i = (d * q[G] + reaches[I]) * q[I] * (1 - q[I]);
    T dz_f = (d * in.c_in[at] + reaches[F]) * q[F] * (1 - q[F]);
    dz[e.gate] = dz_i;
    dz[e.gate + F * run] = dz_f;
    dz[e.gate + O * run] = dz_o;
    dz[e.gate + G * run] = (d * q[I] + reaches[G]) * slope(attr.candidate, q[G]);
    dc_in[at] = d * q[F] + w[I] * dz_i + w[F] * dz_f;
}

reel_status cuda_lstm_cell(const reel_call *call)
{
    cells all = cells_of(call);
    return cuda_by_float(call->input[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return cuda_over(call, all.elements, forward<T>, all, *(const reel_lstm_cell_attr *)call->attr,
                         (const T *)call->input[0].data, (const T *)call->input[1].data, peephole_of<T>(call, 2),
                         peephole_of<T>(call, 3), peephole_of<T>(call, 4), (T *)call->output[0].data,
                         (T *)call->output[1].data, (T *)call->output[2].data);
    });
}

reel_status cuda_lstm_cell_gradient(const reel_call *call)
{
    cells all = cells_of(call);
    return cuda_by_float(call->input[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        const reel_array *in = call->input;
        backward_inputs<T> inputs = {(const T *)in[0].data,
                                     (const T *)in[1].data,
                                     (const T *)in[2].data,
                                     (const T *)in[3].data,
                                     (const T *)in[4].data,
                                     (const T *)in[5].data,
                                     {peephole_of<T>(call, 6), peephole_of<T>(call, 7), peephole_of<T>(call, 8)}};
        return cuda_over(call, all.elements, backward<T>, all, *(const reel_lstm_cell_attr *)call->attr, inputs,
                         (T *)call->output[0].data, (T *)call->output[1].data);
    });
}
