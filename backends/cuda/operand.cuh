/* Operands of the product on tensor cores (tensor_product.cuh): a matrix that lies in memory, and the windows of a
   convolution, which are read out of a picture. */
#ifndef REEL_BACKENDS_CUDA_OPERAND_CUH
#define REEL_BACKENDS_CUDA_OPERAND_CUH

#include "backends/cuda/tensor_product.cuh"

/* [line][depth] when along the depth, else [depth][line]; `stride` elements from one row to the next. Lines begin less
   than 2^32 elements from the first. */
template <class Type, bool IS_ALONG> struct matrix_operand {
    typedef Type T;
    static constexpr bool ALONG = IS_ALONG;
    typedef unsigned Line;
    typedef size_t Depth;
    const T *data;
    unsigned stride;

    __device__ Line line(unsigned i) const { return ALONG ? i * stride : i; }
    __device__ Depth at_depth(unsigned d) const { return ALONG ? d : (size_t)d * stride; }
    __device__ const T *at(Line line, Depth depth) const { return data + (line + depth); }
    __device__ const T *some() const { return data; }
};

/* Where a window begins, and the rows of all images before its own. */
struct window_pixel {
    unsigned before;
    int row, column;
};

/* Place within a window, and channel. */
struct window_tap {
    int row, column;
    unsigned channel;
};

/* The windows that pixels of one picture have on another [image][row][column][channel]. At place (i, j), the window of
   pixel (r, c) sees row

       (r * scale + i * step + offset) / shrink

   where that is a whole number and a row of the picture, and zero elsewhere; columns alike. The output of a convolution
   sees its input with scale = stride, step = dilation, offset = -padding, shrink = 1; the input sees the output with
   scale = 1, step = -dilation, offset = padding, shrink = stride. Taps are counted [i][j][channel]. */
template <class T> struct window_places {
    const T *picture;
    unsigned height, width, channels;
    int scale[2], step[2], offset[2];
    cuda_divider by_rows, by_columns; /* of the pixels that have windows */
    cuda_divider by_kw, by_channels, shrink[2];

    __device__ window_pixel pixel(unsigned i) const
    {
        int column = (int)cuda_split(&i, by_columns), row = (int)cuda_split(&i, by_rows);
        return {i * height, row * scale[0] + offset[0], column * scale[1] + offset[1]};
    }
    __device__ window_tap tap(unsigned i) const
    {
        unsigned channel = cuda_split(&i, by_channels);
        int column = (int)cuda_split(&i, by_kw);
        return {(int)i * step[0], column * step[1], channel};
    }
    __device__ const T *at(const window_pixel &pixel, const window_tap &tap) const
    {
        int top = pixel.row + tap.row, left = pixel.column + tap.column;
        if (top < 0 || left < 0) return NULL;
        unsigned row = (unsigned)top, column = (unsigned)left;
        if (cuda_split(&row, shrink[0]) || cuda_split(&column, shrink[1]) || row >= height || column >= width)
            return NULL;
        return picture + ((size_t)(pixel.before + row) * width + column) * channels + tap.channel;
    }
    __device__ const T *some() const { return picture; }
};

/* Windows as lines, for what sums over taps. */
template <class Type> struct window_lines : window_places<Type> {
    typedef Type T;
    static constexpr bool ALONG = true;
    typedef window_pixel Line;
    typedef window_tap Depth;
    __device__ Line line(unsigned i) const { return this->pixel(i); }
    __device__ Depth at_depth(unsigned d) const { return this->tap(d); }
};

/* Taps as lines, for what sums over pixels. */
template <class Type> struct window_taps : window_places<Type> {
    typedef Type T;
    static constexpr bool ALONG = false;
    typedef window_tap Line;
    typedef window_pixel Depth;
    __device__ Line line(unsigned i) const { return this->tap(i); }
    __device__ Depth at_depth(unsigned d) const { return this->pixel(d); }
    __device__ const T *at(const window_tap &tap, const window_pixel &pixel) const
    {
        return window_places<T>::at(pixel, tap);
    }
};

#endif
