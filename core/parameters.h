/* Parameters are the tensors that outlive graphs: weights, running statistics and the optimiser's moments. The graph of
   5 frames, of 10 frames and of inference name the same ones.

   A parameter is declared with its shape and how it starts; its memory is asked for, on the backend's device, only when
   a plan is about to run or values are written, so that a dry run costs nothing. */
#ifndef REEL_CORE_PARAMETERS_H
#define REEL_CORE_PARAMETERS_H

#include "core/backend.h"

typedef enum {
    REEL_INIT_CONSTANT, /* every element is `value` */
    REEL_INIT_UNIFORM,  /* uniform in (-value, value) */
    REEL_INIT_NORMAL,   /* normal, deviation `value` */
} reel_init_kind;

typedef struct {
    reel_init_kind kind;
    double value;
} reel_init;

typedef struct reel_parameters reel_parameters;

struct reel_parameter {
    reel_parameters *set;
    const char *name; /* "encoder.features.0.weight" */
    reel_dtype dtype;
    reel_shape shape;
    size_t bytes;
    reel_init init;
    bool trained; /* false for moments, running statistics, step counts */
    void *data;   /* on the backend's device; NULL until needed */
};

/* Values start from (seed, name), so that adding a layer does not change the others. */
reel_parameters *reel_parameters_new(reel_backend *backend, uint64_t seed);
void reel_parameters_free(reel_parameters *set);
reel_backend *reel_parameters_backend(const reel_parameters *set);

/* Finds or declares. A second declaration with another shape or dtype is an error in `error`; NULL then. */
reel_parameter *reel_parameter_declare(reel_parameters *set, const char *name, reel_dtype dtype, reel_shape shape,
                                       reel_init init, bool trained, reel_error *error);
reel_parameter *reel_parameter_find(const reel_parameters *set, const char *name);
int reel_parameters_count(const reel_parameters *set);
reel_parameter *reel_parameter_at(const reel_parameters *set, int i); /* in order of declaration */

/* Makes the memory and the first values if they are not there yet. */
reel_status reel_parameter_prepare(reel_parameter *parameter, reel_error *error);
/* Whole values, from and to host memory, in the parameter's dtype. */
reel_status reel_parameter_write(reel_parameter *parameter, const void *data, reel_error *error);
reel_status reel_parameter_read(reel_parameter *parameter, void *data, reel_error *error);

#endif
