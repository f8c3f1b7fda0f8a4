/* Convolutions by cuDNN, NVIDIA's library, where it is installed (cudnn.cu). It is opened at run time, and nothing here
   needs it.

   It takes those whose arrays are all bf16, or all float32 with REEL_TF32=on or off (it has nothing like the split),
   and whose padding is the same on both sides. Only algorithms that give the same bits from run to run are used. */
#ifndef REEL_BACKENDS_CUDA_DNN_CUH
#define REEL_BACKENDS_CUDA_DNN_CUH

#include "backends/cuda/cudnn.cuh"
#include "backends/cuda/direction.cuh"

static constexpr size_t DNN_WORKSPACE = 64 << 20; /* the most bytes of scratch memory of a call */

/* How the library would compute one. */
struct dnn_way {
    int algorithm;
    dnn_math math;
    size_t workspace;
};

/* NULL where the library is missing, or does not work here. */
struct cuda_dnn *dnn_open(const cuda_device *device);
void dnn_close(struct cuda_dnn *dnn); /* NULL: nothing to do */

/* Whether the library has a way for a convolution; shapes and types are looked at, no data. */
bool dnn_ask(const struct cuda_dnn *dnn, const reel_call *call, cuda_direction direction, const reel_conv2d_geometry &g,
             dnn_way *way);

/* Runs one, whose bias must fit (bias.cuh). *done is false, and y is anything, where the library refuses it after
   all. */
reel_status dnn_run(const struct cuda_dnn *dnn, const reel_call *call, cuda_direction direction,
                    const reel_conv2d_geometry &g, const dnn_way &way, bool *done);

#endif
