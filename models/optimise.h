/* One training step as a graph: gradients of the loss for every trained parameter that it depends on, clipping by
   their global norm, and an Adam or SGD update of each. */
#ifndef REEL_MODELS_OPTIMISE_H
#define REEL_MODELS_OPTIMISE_H

#include "models/net.h"

typedef enum { REEL_ADAM, REEL_SGD } reel_optimiser_kind;

typedef struct {
    reel_optimiser_kind kind;
    double weight_decay; /* decoupled for Adam (AdamW) */
    double momentum;     /* of SGD */
    double clip;         /* largest global norm; 0 or infinite: none */
} reel_optimiser;

typedef struct {
    reel_tensor *step, *lr; /* inputs, f64 scalars: the number of this update, from 1; the learning rate */
    reel_tensor *norm;      /* global norm of the gradients, before clipping */
    reel_tensor **updated;  /* `count` tensors that a plan must want for the update to happen */
    int count;
} reel_update;

/* Moments are parameters named "optim.m.NAME" and "optim.v.NAME" ("optim.momentum.NAME"), not trained. A gradient whose
   norm is not finite changes nothing. `update->updated` is freed by reel_update_free. */
reel_status reel_update_build(const reel_net *net, reel_tensor *loss, const reel_optimiser *optimiser,
                              reel_update *update, reel_error *error);
void reel_update_free(reel_update *update);

#endif
