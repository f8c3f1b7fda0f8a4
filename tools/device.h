/* How a command opens the device that it was asked for. */
#ifndef REEL_TOOLS_DEVICE_H
#define REEL_TOOLS_DEVICE_H

#include "backends/registry.h"

/* What --help says of --device: every name in backends/registry.c. */
#define REEL_DEVICE_HELP "cpu; cuda or cuda:N, an NVIDIA GPU counted from 0; or reference, plain loops"

/* reel_backend_open; what the backend has to say about itself goes to stderr, once a process. */
reel_backend *reel_device_open(const char *device, int threads, reel_error *error);

#endif
