/* Opening libraries at run time, as tests have it: NVIDIA's are stand-ins (cublas.cpp, cudnn.cpp), of one version each,
   and can be missing. */
#include "tests/cuda/libraries.h"

#include <cuda_runtime.h>

struct library {
    const char *file;
    const bool *missing;
    void *(*find)(const char *function);
};
static const library libraries[] = {
    {"libcublasLt.so.12", &emulated.no_library, emulate_cublas},
    {"libcudnn.so.8", &emulated.no_cudnn, emulate_cudnn},
};

void *emulate_dlopen(const char *name, int)
{
    for (const library &l : libraries)
        if (!strcmp(name, l.file) && !*l.missing) return (void *)&l;
    return nullptr;
}

void *emulate_dlsym(void *opened, const char *name)
{
    return ((const library *)opened)->find(name);
}

int emulate_dlclose(void *)
{
    return 0;
}
