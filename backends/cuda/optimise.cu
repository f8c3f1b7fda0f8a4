/* adam and sgd on the GPU: one pass over memory, which limits them. Step, rate and scale are scalars on the device;
   what follows from them for every element, a block's first thread works out. An update leaves everything as it is when
   a kernel of the run has refused a value, or the scale is not finite.

   A network has some hundred parameters, most of them small. Their updates follow each other in a run, so a call only
   notes what is to be done, and updates by one rule are started together: when the list is full, or something else is
   started, copied or waited for (cuda_start_waiting). One that reads or writes what another on the list writes comes
   after it, in a list of its own. */
#include "backends/cuda/several.cuh"

extern "C" {
#include "ops/update.h"
}

enum { PIECE = CUDA_THREADS * 8, ARRAYS = 4, SCALARS = 3 };

/* A scalar of either float type; one left out is 1. */
struct scalar {
    const void *data;
    bool single;
};

static scalar scalar_of(const reel_call *call, int input)
{
    if (input >= call->inputs) return {NULL, false};
    return {call->input[input].data, call->input[input].dtype == REEL_F32};
}

__device__ static double value_of(scalar s)
{
    return !s.data ? 1 : s.single ? (double)*(const float *)s.data : *(const double *)s.data;
}

/* --- the rules: what holds for all elements, and what becomes of one --- */

template <class T> struct adam {
    reel_adam_attr attr;
    scalar t, lr, scale;
    __device__ reel_adam_step prepare() const
    {
        return reel_adam_step_at(&attr, value_of(t), value_of(lr), value_of(scale));
    }
    __device__ void apply(const reel_adam_step &s, void *const at[ARRAYS], unsigned i) const
    {
        T *w = (T *)at[0], *m = (T *)at[1], *v = (T *)at[2], before = w[i];
        T g = (T)s.scale * ((const T *)at[3])[i] + (T)s.l2 * before;
        T mean = (T)s.beta1 * m[i] + (T)(1 - s.beta1) * g;
        T square = (T)s.beta2 * v[i] + (T)(1 - s.beta2) * (g * g);
        m[i] = mean;
        v[i] = square;
        w[i] = (T)s.keep * before - (T)s.rate * mean / (sqrt(square) * (T)(1 / s.root) + (T)s.epsilon);
    }
};

struct sgd_step {
    double rate, scale;
};

template <class T> struct sgd {
    reel_sgd_attr attr;
    scalar lr, scale;
    __device__ sgd_step prepare() const { return {value_of(lr), value_of(scale)}; }
    __device__ void apply(const sgd_step &s, void *const at[ARRAYS], unsigned i) const
    {
        T *w = (T *)at[0], *buffer = (T *)at[1], before = w[i], momentum = (T)attr.momentum;
        T g = (T)s.scale * ((const T *)at[3])[i] + (T)attr.weight_decay * before, b = momentum * buffer[i] + g;
        buffer[i] = b;
        w[i] = before - (T)s.rate * (attr.nesterov ? g + momentum * b : b);
    }
};

/* S is what the rule prepares. */
template <class S, class R>
__global__ static void update(cuda_several<ARRAYS> all, R rule, const unsigned long long *fault)
{
    __shared__ S s;
    if (threadIdx.x == 0) s = rule.prepare();
    __syncthreads();
    if (*fault != CUDA_NO_FAULT || !isfinite(s.scale)) return;
    cuda_piece p = cuda_piece_of(all, PIECE);
    for (unsigned i = p.begin + threadIdx.x; i < p.end; i += blockDim.x) rule.apply(s, all.at[p.entry], i);
}

/* --- the list of updates that wait --- */

struct cuda_updates {
    reel_call call; /* the first of them: its op, attributes and device */
    reel_dtype dtype;
    scalar number[SCALARS];
    cuda_several<ARRAYS> arrays;
};

template <class T> static reel_status start(const cuda_updates *u, T)
{
    const unsigned long long *fault = &cuda_of(&u->call)->start->fault;
    const void *attr = u->call.attr;
    const scalar *n = u->number;
    if (u->call.op == &reel_op_adam)
        return cuda_launch(&u->call, u->arrays.pieces, CUDA_THREADS, update<reel_adam_step, adam<T>>, u->arrays,
                           adam<T>{*(const reel_adam_attr *)attr, n[0], n[1], n[2]}, fault);
    return cuda_launch(&u->call, u->arrays.pieces, CUDA_THREADS, update<sgd_step, sgd<T>>, u->arrays,
                       sgd<T>{*(const reel_sgd_attr *)attr, n[0], n[1]}, fault);
}

reel_status cuda_start_updates(cuda_device *device, reel_error *error)
{
    cuda_updates *u = device->updates;
    device->waiting = false;
    u->call.error = error;
    return cuda_by_float(u->dtype, [&](auto zero) { return start(u, zero); });
}

/* The call writes or reads what an update of the list writes. */
static bool depends(const cuda_updates *u, const reel_call *call)
{
    for (unsigned entry = 0; entry < u->arrays.count; entry++)
        for (int k = 0; k < call->inputs; k++)
            for (int out = 0; out < u->call.outputs; out++)
                if (call->input[k].data == u->arrays.at[entry][out]) return true;
    return false;
}

static bool may_join(const cuda_updates *u, const reel_call *call, const scalar number[SCALARS])
{
    bool same = u->call.op == call->op && u->dtype == call->output[0].dtype &&
                reel_attr_equal(call->op, u->call.attr, call->attr) && u->arrays.count < CUDA_SEVERAL;
    for (int k = 0; k < SCALARS; k++)
        same = same && u->number[k].data == number[k].data && u->number[k].single == number[k].single;
    return same && !depends(u, call);
}

static reel_status note(const reel_call *call, int gradient, const scalar number[SCALARS])
{
    cuda_device *device = cuda_of(call);
    cuda_updates *u = device->updates;
    if (!u && !(u = device->updates = (cuda_updates *)reel_alloc(1, sizeof *u))) return reel_fail_memory(call->error);
    if (device->waiting && !may_join(u, call, number)) {
        reel_status status = cuda_start_updates(device, call->error);
        if (status) return status;
    }
    if (!device->waiting) {
        *u = cuda_updates{.call = *call, .dtype = call->output[0].dtype};
        memcpy(u->number, number, sizeof u->number);
        device->waiting = true;
    }
    void *at[ARRAYS] = {call->output[0].data, call->output[1].data, NULL, call->input[gradient].data};
    if (call->outputs > 2) at[2] = call->output[2].data;
    cuda_append(&u->arrays, cuda_elements(&call->output[0]), PIECE, at);
    return REEL_OK;
}

reel_status cuda_adam(const reel_call *call)
{
    const scalar number[SCALARS] = {scalar_of(call, REEL_ADAM_STEP), scalar_of(call, REEL_ADAM_LR),
                                    scalar_of(call, REEL_ADAM_SCALE)};
    return note(call, REEL_ADAM_GRADIENT, number);
}

reel_status cuda_sgd(const reel_call *call)
{
    const scalar number[SCALARS] = {scalar_of(call, REEL_SGD_LR), scalar_of(call, REEL_SGD_SCALE), {NULL, false}};
    return note(call, REEL_SGD_GRADIENT, number);
}
