/* Parameters to a safetensors file and back. One file holds everything a run needs to go on: weights under their names,
   the optimiser's moments under "optim.", and strings that say what the network is. Other tools read the weights by
   name and ignore the rest.

   Saving replaces the file atomically (core/file.h); values stream through one buffer, so that it costs the memory of
   the largest parameter only. Floats are stored in the parameter's own type: what is loaded is what was saved, bit for
   bit. */
#ifndef REEL_MODELS_CHECKPOINT_H
#define REEL_MODELS_CHECKPOINT_H

#include "core/parameters.h"
#include "models/safetensors.h"

/* Replaces `path`; `metadata` are `count` strings that say what the network is. */
reel_status reel_checkpoint_save(const char *path, reel_parameters *set, const reel_metadata *metadata, size_t count,
                                 reel_error *error);

typedef enum {
    REEL_LOAD_ALL,     /* every parameter of the set, moments too: to resume */
    REEL_LOAD_WEIGHTS, /* every trained parameter; moments are left alone: to run or to fine-tune */
    REEL_LOAD_COMMON,  /* trained parameters that the file has under the same name and shape: to start from parts */
} reel_load;

/* Reads values for the declared parameters of the set. Floats convert into each other. Says how many
   parameters are missing or misshapen, and names the first few, before any is changed. NaN and infinity are refused as
   REEL_NONFINITE. `loaded` (may be NULL) is the number of parameters read. */
reel_status reel_checkpoint_load(const reel_safetensors *file, reel_parameters *set, reel_load what, int *loaded,
                                 reel_error *error);

#endif
