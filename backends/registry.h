/* The list of backends: the one place that knows them all by name. */
#ifndef REEL_BACKENDS_REGISTRY_H
#define REEL_BACKENDS_REGISTRY_H

#include "core/backend.h"

/* "cpu" or "reference" (plain loops, one thread). threads 0: all cores this process may use. NULL and one line in
   `error` when there is no such device; never another one instead. Close with backend->close(backend). */
reel_backend *reel_backend_open(const char *device, int threads, reel_error *error);

/* The name of the i-th device, from 0; NULL behind the last. */
const char *reel_backend_name(int i);

#endif
