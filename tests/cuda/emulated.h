/* What tests ask of the emulated GPU (cuda_runtime.h), and what it counts. */
#ifndef REEL_TESTS_CUDA_EMULATED_H
#define REEL_TESTS_CUDA_EMULATED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int devices;           /* -1: there is no driver */
    bool old_gpu;          /* one that the kernels were not compiled for */
    size_t memory;         /* bytes that a device has */
    bool backwards;        /* the last block and the last thread run first */
    bool beside_at_once;   /* a stream that waits for no other does its work at once instead of late */
    int fail_launch;       /* the n-th launch from now fails; 0: none does */
    int fail_synchronize;  /* the n-th wait tells of an illegal address */
    int fail_instantiate;  /* the n-th graph cannot be made ready */
    long long launches;    /* by the host, so far */
    long long recorded;    /* graphs made ready, so far */
    long long replays;     /* of graphs, so far */
    bool no_library;       /* cuBLASLt is not installed */
    bool fail_product;     /* cuBLASLt fails to start one */
    bool products_refused; /* cuBLASLt has no way for any */
    long long products;    /* of cuBLASLt, so far */
    bool no_cudnn;         /* cuDNN is not installed */
    bool unknown_shapes;   /* cuDNN has no way for any convolution */
    int fail_convolution;  /* the status that cuDNN's convolutions end with; 0: they are computed */
    long long convolved;   /* convolutions of cuDNN, so far */
    double library_time;   /* milliseconds that one of those takes; a kernel takes one */
    double clock;          /* of the device */
    int objects;           /* streams, events, graphs and blocks of pinned memory that are there */
} emulated_machine;

#ifdef __cplusplus
extern "C" {
#endif
extern emulated_machine emulated;
#ifdef __cplusplus
}
#endif

#endif
