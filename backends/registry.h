/* The list of backends: the one place that knows them all by name. */
#ifndef REEL_BACKENDS_REGISTRY_H
#define REEL_BACKENDS_REGISTRY_H

#include "core/backend.h"

/* "cpu"; "cuda" or "cuda:N", the N-th GPU from 0; or "reference" (plain loops, one thread). threads 0: all cores this
   process may use; only "cpu" reads it. NULL and one line in `error` when there is no such device; never another one
   instead. Close with backend->close(backend). */
reel_backend *reel_backend_open(const char *device, int threads, reel_error *error);

/* The name of the i-th kind of device, from 0; NULL behind the last. */
const char *reel_backend_name(int i);

/* Whether this build runs the op on the i-th kind of device, and with a kernel of the backend's `own` or with the op's
   reference loops. Needs no device. */
bool reel_backend_covers(int i, const reel_op *op, bool *own);

#endif
