/* The part of `reel gradcheck` that knows networks. */
#ifndef REEL_TOOLS_GRADCHECK_MODEL_H
#define REEL_TOOLS_GRADCHECK_MODEL_H

#include "autograd/gradcheck.h"
#include "core/rng.h"
#include "tools/model_options.h"

typedef struct {
    const char *op;
    reel_words input, set;
    int order, directions, entries, threads, frames;
    double step, relative, absolute;
    uint64_t seed;
    bool json;
    reel_model_options model;
} reel_gradcheck_options;

static inline reel_check_options reel_gradcheck_how(const reel_gradcheck_options *o)
{
    return (reel_check_options){.order = o->order,
                                .directions = o->directions,
                                .entries = o->entries,
                                .step = o->step,
                                .relative = o->relative,
                                .absolute = o->absolute,
                                .seed = o->seed};
}

enum { REEL_WHERE_TEXT = 256 };

/* The loss of a clip of noise, by every trained parameter. `where` names the worst entry. */
reel_status reel_gradcheck_model(reel_gradcheck_options *o, reel_backend *backend, reel_check_result *result,
                                 char where[REEL_WHERE_TEXT], reel_error *error);

#endif
