/* Matrices turned for tensor cores: [batch][rows][columns] becomes [batch][columns][padded], with zeros behind the
   rows. So a picture's planes of channels (NCHW) become pixels that have their channels side by side (NHWC), in pieces
   of 16 bytes.

   A block turns 32 x 32 elements by way of shared memory, so that memory is read and written along its lines.
   Cost: one pass over the matrix. */
#ifndef REEL_BACKENDS_CUDA_TURN_CUH
#define REEL_BACKENDS_CUDA_TURN_CUH

#include "backends/cuda/device.cuh"

static constexpr unsigned TURN_SIDE = 32, TURN_EACH = CUDA_THREADS / TURN_SIDE; /* rows at a time */

struct turn_sizes {
    unsigned rows, columns, padded, tiles_down, tiles_across;
};

template <class W> __global__ static void turn(const W *from, W *to, turn_sizes s)
{
    __shared__ W tile[TURN_SIDE][TURN_SIDE + 1];
    unsigned block = blockIdx.x, across = block % s.tiles_across * TURN_SIDE;
    block /= s.tiles_across;
    unsigned down = block % s.tiles_down * TURN_SIDE, batch = block / s.tiles_down;
    unsigned x = threadIdx.x % TURN_SIDE, y = threadIdx.x / TURN_SIDE;
    from += (size_t)batch * s.rows * s.columns;
    to += (size_t)batch * s.columns * s.padded;
    for (unsigned i = y; i < TURN_SIDE; i += TURN_EACH)
        tile[i][x] =
            down + i < s.rows && across + x < s.columns ? from[(size_t)(down + i) * s.columns + across + x] : W(0);
    __syncthreads();
    for (unsigned i = y; i < TURN_SIDE; i += TURN_EACH)
        if (across + i < s.columns && down + x < s.padded) to[(size_t)(across + i) * s.padded + down + x] = tile[x][i];
}

/* Elements that fill whole pieces of 16 bytes. */
inline int64_t turn_padded(int64_t rows, size_t element)
{
    int64_t piece = 16 / (int64_t)element;
    return (rows + piece - 1) / piece * piece;
}

/* Floats or bf16, by the size of an element; they are only moved. */
inline reel_status turn_run(const reel_call *call, const void *from, void *to, int64_t batches, int64_t rows,
                            int64_t columns, size_t element)
{
    turn_sizes s = {(unsigned)rows, (unsigned)columns, (unsigned)turn_padded(rows, element)};
    s.tiles_down = (s.padded + TURN_SIDE - 1) / TURN_SIDE;
    s.tiles_across = (s.columns + TURN_SIDE - 1) / TURN_SIDE;
    unsigned blocks = s.tiles_down * s.tiles_across * (unsigned)batches;
    if (element == 2)
        return cuda_launch(call, blocks, CUDA_THREADS, turn<uint16_t>, (const uint16_t *)from, (uint16_t *)to, s);
    return cuda_launch(call, blocks, CUDA_THREADS, turn<uint32_t>, (const uint32_t *)from, (uint32_t *)to, s);
}

#endif
