/* Opens what `--data` names: a folder, or the built-in moving_shapes. */
#ifndef REEL_TOOLS_DATA_H
#define REEL_TOOLS_DATA_H

#include "datasets/dataset.h"

#define REEL_LAYOUTS "any|davis2016|davis2017|ytvos" /* choices of --layout, in the order of reel_layout */

typedef struct {
    const char *name;   /* a folder or "moving_shapes" */
    int layout;         /* reel_layout */
    const char *split;  /* NULL: the layout's own for this purpose */
    int height, width;  /* of generated frames */
    uint64_t seed;      /* of generated videos */
    int videos, frames; /* of generated videos */
} reel_data_choice;

reel_status reel_data_open(reel_dataset *set, const reel_data_choice *choice, reel_error *error);

#endif
