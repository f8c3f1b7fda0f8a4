/* A file of weights, whichever of the two formats it is in: safetensors or PyTorch's .pth. The first bytes tell. */
#ifndef REEL_MODELS_WEIGHTS_H
#define REEL_MODELS_WEIGHTS_H

#include "core/parameters.h"
#include "models/pth.h"
#include "models/safetensors.h"

typedef struct {
    bool is_pth;
    union {
        reel_pth pth;
        reel_safetensors safetensors;
    } file;
} reel_weights;

reel_status reel_weights_open(reel_weights *weights, const char *path, reel_error *error);
void reel_weights_close(reel_weights *weights);

/* As it was opened, for messages. */
const char *reel_weights_path(const reel_weights *weights);

/* The arrays, sorted by name. */
const reel_stored *reel_weights_list(const reel_weights *weights, size_t *count);
const reel_stored *reel_weights_find(const reel_weights *weights, const char *name);

/* Values as floats, whatever float type the file has; `to` holds stored->elements. */
reel_status reel_weights_read(const reel_weights *weights, const reel_stored *stored, float *to, reel_error *error);

#endif
