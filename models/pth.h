/* PyTorch weight files, .pth and .pt, in both containers: the zip archive of torch 1.6 and later, and the row of
   pickles before it, in which torchvision's VGG16 is published. Nothing in the file is executed (see pickle.h).

   The object saved may be a state dictionary or dictionaries and lists around it; tensors get dotted names such as
   "state_dict.features.0.weight". Other values (epochs, learning rates) are passed over. The list is as that of
   safetensors; views with strides are copied to row-major order when they are read.

   Refused: tensors that reach outside their storage or are larger than it (expanded views), big-endian files, whole
   pickled modules, tar archives of torch before 0.1.10, pickles above 16 MiB. */
#ifndef REEL_MODELS_PTH_H
#define REEL_MODELS_PTH_H

#include "models/stored.h"

typedef struct {
    char *path;
    int fd;
    size_t count;
    reel_stored *tensors; /* sorted by name */
} reel_pth;

/* On failure there is nothing to close. */
reel_status reel_pth_open(reel_pth *file, const char *path, reel_error *error);
void reel_pth_close(reel_pth *file);

/* NULL when absent. */
const reel_stored *reel_pth_find(const reel_pth *file, const char *name);

/* Reads all values of one tensor of this file into `buffer` of tensor->bytes bytes, row-major. */
reel_status reel_pth_read(const reel_pth *file, const reel_stored *tensor, void *buffer, reel_error *error);

#endif
