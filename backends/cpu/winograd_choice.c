/* Which convolutions go by Winograd's filtering: see winograd.h. */
#include "backends/cpu/winograd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = 32, /* of x and of y, at least: the transforms cost as much as some twenty channels */
    LEAST = 6,     /* tiles: the kernels' transform is paid for by so many */
};

static atomic_bool refused;

void cpu_winograd_use(bool use)
{
    atomic_store_explicit(&refused, !use, memory_order_relaxed);
}

reel_status cpu_winograd_choose(reel_error *error)
{
    const char *asked = getenv("REEL_WINOGRAD");
    bool on = !asked || !*asked || strcmp(asked, "on") == 0;
    if (!on && strcmp(asked, "off") != 0)
        return reel_fail(error, REEL_USAGE, "CPU backend: REEL_WINOGRAD=%s is neither on nor off", asked);
    cpu_winograd_use(on);
    return REEL_OK;
}

bool cpu_winograd_serves(const reel_conv2d_geometry *g, reel_dtype dtype)
{
    bool step = g->stride[0] == 1 && g->stride[1] == 1 && g->dilation[0] == 1 && g->dilation[1] == 1;
    if (atomic_load_explicit(&refused, memory_order_relaxed) || cpu_brgemm_choose(dtype)->packed != REEL_F32)
        return false;
    if (g->kh != g->kw || (g->kh != 3 && g->kh != 5) || g->groups != 1 || !step) return false;
    if (g->cg < CHANNELS || g->kg < CHANNELS) return false;
    int64_t m = WINOGRAD_SIDE + 1 - g->kh, tiles = cpu_pieces(g->p, m) * cpu_pieces(g->q, m);
    return g->n * tiles >= LEAST && g->p * g->q * g->kh * g->kw >= 2 * tiles * WINOGRAD_POINTS;
}
