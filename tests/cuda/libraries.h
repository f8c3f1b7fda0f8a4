/* The stand-ins of libraries that are opened at run time: the function of that name, or none. */
#ifndef REEL_TESTS_CUDA_LIBRARIES_H
#define REEL_TESTS_CUDA_LIBRARIES_H

void *emulate_cublas(const char *function);
void *emulate_cudnn(const char *function);

#endif
