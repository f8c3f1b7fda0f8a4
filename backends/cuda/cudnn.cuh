/* What of cuDNN is used: its functions, found by name at run time, and its numbers, which hold for versions 8 and 9.
   They are written down here so that neither building nor running needs the library; where its header is at hand, the
   compiler compares (cudnn.cu). The functions of the three directions take their arguments in the same order, so one
   type does for all. */
#ifndef REEL_BACKENDS_CUDA_CUDNN_CUH
#define REEL_BACKENDS_CUDA_CUDNN_CUH

#include <cuda_runtime.h>
#include <stddef.h>

enum { DNN_SUCCESS = 0 };
/* A call that is refused before anything has been started: of version 8, and the groups of numbers of version 9. */
enum { DNN_8_BAD = 3, DNN_8_UNSUPPORTED = 9, DNN_9_BAD = 2000, DNN_9_UNSUPPORTED = 3000, DNN_9_GROUP = 1000 };
enum dnn_type { DNN_F32 = 0, DNN_BF16 = 9 };
enum dnn_format { DNN_NCHW = 0 };
enum dnn_mode { DNN_CORRELATION = 1 }; /* kernels are not turned */
/* What products may be made of: whatever tensor cores take (TF32 of float32), their own types, plain float32. */
enum dnn_math { DNN_MATH_DEFAULT = 0, DNN_MATH_TENSOR = 1, DNN_MATH_CONVERT = 2, DNN_MATH_PLAIN = 3 };
enum { DNN_DETERMINISTIC = 1 };

/* A way of computing a convolution, as the library proposes it. */
struct dnn_found {
    int algorithm, status;
    float time;
    size_t memory;
    int determinism, math;
    int reserved[3];
};

typedef void *dnn_handle, *dnn_tensor, *dnn_filter, *dnn_convolution;

/* Of the descriptions a, b and y: those of pictures are tensors, those of weights filters. */
typedef int dnn_ask_function(dnn_handle, void *a, void *b, dnn_convolution, void *y, int most, int *count, dnn_found *);
typedef int dnn_size_function(dnn_handle, void *a, void *b, dnn_convolution, void *y, int algorithm, size_t *bytes);
typedef int dnn_run_function(dnn_handle, const void *alpha, void *a_as, const void *a, void *b_as, const void *b,
                             dnn_convolution, int algorithm, void *workspace, size_t bytes, const void *beta,
                             void *y_as, void *y);

typedef int dnn_make_function(void **);
typedef int dnn_drop_function(void *);
typedef int dnn_stream_function(dnn_handle, cudaStream_t);
typedef int dnn_tensor_function(dnn_tensor, dnn_format, dnn_type, int n, int c, int h, int w);
typedef int dnn_filter_function(dnn_filter, dnn_type, dnn_format, int k, int c, int h, int w);
typedef int dnn_convolution_function(dnn_convolution, int top, int left, int down, int across, int dilation_down,
                                     int dilation_across, dnn_mode, dnn_type compute);
typedef int dnn_math_function(dnn_convolution, dnn_math);
typedef int dnn_groups_function(dnn_convolution, int groups);
typedef const char *dnn_text_function(int status);

/* Name and type; all but the last return a status. */
#define DNN_FUNCTIONS(F)                                                                                               \
    F(cudnnCreate, dnn_make_function)                                                                                  \
    F(cudnnDestroy, dnn_drop_function)                                                                                 \
    F(cudnnSetStream, dnn_stream_function)                                                                             \
    F(cudnnCreateTensorDescriptor, dnn_make_function)                                                                  \
    F(cudnnDestroyTensorDescriptor, dnn_drop_function)                                                                 \
    F(cudnnSetTensor4dDescriptor, dnn_tensor_function)                                                                 \
    F(cudnnCreateFilterDescriptor, dnn_make_function)                                                                  \
    F(cudnnDestroyFilterDescriptor, dnn_drop_function)                                                                 \
    F(cudnnSetFilter4dDescriptor, dnn_filter_function)                                                                 \
    F(cudnnCreateConvolutionDescriptor, dnn_make_function)                                                             \
    F(cudnnDestroyConvolutionDescriptor, dnn_drop_function)                                                            \
    F(cudnnSetConvolution2dDescriptor, dnn_convolution_function)                                                       \
    F(cudnnSetConvolutionMathType, dnn_math_function)                                                                  \
    F(cudnnSetConvolutionGroupCount, dnn_groups_function)                                                              \
    F(cudnnGetConvolutionForwardAlgorithm_v7, dnn_ask_function)                                                        \
    F(cudnnGetConvolutionBackwardDataAlgorithm_v7, dnn_ask_function)                                                   \
    F(cudnnGetConvolutionBackwardFilterAlgorithm_v7, dnn_ask_function)                                                 \
    F(cudnnGetConvolutionForwardWorkspaceSize, dnn_size_function)                                                      \
    F(cudnnGetConvolutionBackwardDataWorkspaceSize, dnn_size_function)                                                 \
    F(cudnnGetConvolutionBackwardFilterWorkspaceSize, dnn_size_function)                                               \
    F(cudnnConvolutionForward, dnn_run_function)                                                                       \
    F(cudnnConvolutionBackwardData, dnn_run_function)                                                                  \
    F(cudnnConvolutionBackwardFilter, dnn_run_function)                                                                \
    F(cudnnGetErrorString, dnn_text_function)

#endif
