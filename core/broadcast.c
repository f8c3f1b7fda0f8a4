/* See broadcast.h. */
#include "core/broadcast.h"

/* The step of an input along each axis of the output. */
static void steps_of(const reel_shape *input, const reel_shape *output, int64_t step[REEL_MAX_RANK])
{
    int64_t stride[REEL_MAX_RANK];
    int missing = output->rank - input->rank;
    reel_shape_strides(input, stride);
    for (int i = 0; i < output->rank; i++)
        step[i] = i < missing || input->size[i - missing] == 1 ? 0 : stride[i - missing];
}

/* Whether going over axis `outer` continues where a full pass over the axis `last` of the visit has ended. */
static bool mergeable(const reel_broadcast *visit, int inputs, int64_t step[][REEL_MAX_RANK], int outer)
{
    int last = visit->rank - 1;
    for (int k = 0; k < inputs; k++)
        if (step[k][outer] != visit->step[k][last] * visit->size[last]) return false;
    return true;
}

void reel_broadcast_of(const reel_call *call, reel_broadcast *visit)
{
    const reel_shape *out = &call->output[0].shape;
    int64_t step[REEL_BROADCAST_INPUTS][REEL_MAX_RANK] = {{0}};
    *visit = (reel_broadcast){.rank = 0};
    for (int k = 0; k < call->inputs; k++) steps_of(&call->input[k].shape, out, step[k]);

    /* From the innermost axis outwards, kept in that order until the end. */
    for (int i = out->rank - 1; i >= 0; i--) {
        if (out->size[i] == 1) continue;
        if (visit->rank && mergeable(visit, call->inputs, step, i)) {
            visit->size[visit->rank - 1] *= out->size[i];
            continue;
        }
        visit->size[visit->rank] = out->size[i];
        for (int k = 0; k < call->inputs; k++) visit->step[k][visit->rank] = step[k][i];
        visit->rank++;
    }
    if (!visit->rank) visit->size[visit->rank++] = 1;

    for (int i = 0, j = visit->rank - 1; i < j; i++, j--) {
        int64_t size = visit->size[i];
        visit->size[i] = visit->size[j];
        visit->size[j] = size;
        for (int k = 0; k < call->inputs; k++) {
            int64_t s = visit->step[k][i];
            visit->step[k][i] = visit->step[k][j];
            visit->step[k][j] = s;
        }
    }
}
