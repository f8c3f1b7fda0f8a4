/* Every element-wise op on the CPU: its own reference loops, on pieces of about PIECE elements, in parallel.

   The visit of the arrays (core/broadcast.h) is cut along the outermost axis whose inside still fits a piece. A piece
   is again a call with smaller shapes and moved pointers, so that an op needs no code of its own here. An element does
   not know in which piece it is computed: the bits are those of the reference. Pieces are small enough for the second
   level cache and large enough to hide the cost of handing them out.

   bf16 is widened and narrowed piece by piece, in smaller pieces whose float copies stay in the cache. */
#include "backends/cpu/cpu.h"
#include "core/broadcast.h"
#include "core/kernel.h"

enum { PIECE = 1 << 14, BF16_PIECE = 1 << 11, ARRAYS = REEL_BROADCAST_INPUTS + 1 };

typedef struct {
    const reel_call *call;
    reel_broadcast visit;
    int axis;       /* that is cut; those before it are gone through one by one */
    int64_t length; /* of a piece along it */
    int64_t each;   /* pieces along it */
    int64_t inside; /* elements of the output in one step of it */
    int64_t pieces;
} cutting;

static void cut(const reel_call *call, int64_t most, cutting *c)
{
    *c = (cutting){.call = call, .inside = 1, .pieces = 1};
    reel_broadcast_of(call, &c->visit);
    for (c->axis = c->visit.rank - 1; c->axis > 0; c->axis--) {
        if (c->inside * c->visit.size[c->axis] > most) break;
        c->inside *= c->visit.size[c->axis];
    }
    int64_t size = c->visit.size[c->axis];
    c->length = most / c->inside < size ? most / c->inside : size;
    c->each = (size + c->length - 1) / c->length;
    for (int i = 0; i < c->axis; i++) c->pieces *= c->visit.size[i];
    c->pieces *= c->each;
}

static void run_piece(const cutting *c, int64_t piece)
{
    const reel_broadcast *v = &c->visit;
    int64_t begin = piece % c->each * c->length, size = v->size[c->axis], outer = piece / c->each;
    int64_t count = begin + c->length < size ? c->length : size - begin;
    reel_array in[REEL_BROADCAST_INPUTS], out = c->call->output[0];
    int64_t at = (outer * size + begin) * c->inside;

    out.data = (char *)out.data + (size_t)at * reel_dtype_size(out.dtype);
    out.shape = (reel_shape){.rank = v->rank - c->axis};
    for (int i = 0; i < out.shape.rank; i++) out.shape.size[i] = i ? v->size[c->axis + i] : count;

    for (int k = 0; k < c->call->inputs; k++) {
        int64_t offset = begin * v->step[k][c->axis], left = outer;
        in[k] = c->call->input[k];
        for (int i = c->axis - 1; i >= 0; left /= v->size[i], i--) offset += left % v->size[i] * v->step[k][i];
        in[k].data = (char *)in[k].data + (size_t)offset * reel_dtype_size(in[k].dtype);
        in[k].shape = out.shape;
        for (int i = 0; i < out.shape.rank; i++)
            if (!v->step[k][c->axis + i]) in[k].shape.size[i] = 1;
    }
    _Alignas(REEL_ALIGNMENT) char copies[REEL_KERNEL_COPIES(ARRAYS, (size_t)ARRAYS * BF16_PIECE)];
    reel_call call = *c->call;
    call.input = in;
    call.output = &out;
    call.scratch = copies;
    call.threads = 1;
    reel_kernel_run(&call.op->reference, &call);
}

static bool has_bf16(const reel_call *call)
{
    bool found = call->output[0].dtype == REEL_BF16;
    for (int k = 0; k < call->inputs; k++) found |= call->input[k].dtype == REEL_BF16;
    return found;
}

reel_status cpu_elementwise(const reel_call *call)
{
    bool copies = has_bf16(call) && !call->op->reference.bf16;
    int64_t elements = reel_elements(&call->output[0].shape);
    if (elements == 0) return REEL_OK;
    if (elements <= PIECE && !copies) return call->op->reference.run(call);
    cutting c;
    cut(call, copies ? BF16_PIECE : PIECE, &c);
#pragma omp parallel for num_threads(call->threads) schedule(static)
    for (int64_t piece = 0; piece < c.pieces; piece++) run_piece(&c, piece);
    return REEL_OK;
}
