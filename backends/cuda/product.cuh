/* The one tiled matrix product of this backend. Matrices need not exist: a problem says what element (row, depth) of
   the left and (depth, column) of the right one is, and where an element of the result goes. That makes it the kernel
   of matmul and of all convolutions (implicit GEMM: the matrix of windows is read out of the picture, never written).

   A block makes a tile of 16 MICRO x 16 MICRO elements, a thread MICRO x MICRO of them in registers. The depth is gone
   through in steps of DEPTH: while the block works on one step out of shared memory, its threads hold the next in
   registers. Products of little area and great depth are cut along the depth into parts, so that there are blocks for a
   whole GPU; a second kernel adds the parts in order. The cuts depend on sizes alone.

   Cost: 2 rows columns depth operations; a thread reads 2 MICRO numbers of shared memory for MICRO^2 of them, and a
   tile reads 32 MICRO DEPTH numbers of memory or second level cache for its 2 (16 MICRO)^2 DEPTH.

   A problem P has
       typedef T; Row, Column, Depth      where an index leads, worked out once and used many times
       rows, columns, depth               sizes
       left_along_depth, right_along_depth  whether neighbours in memory are neighbours along the depth
       enter(batch)                       the products of one launch differ by this
       row(i), column(i), at_depth(i)
       left(Row, Depth), right(Depth, Column), store(Row, Column, value) */
#ifndef REEL_BACKENDS_CUDA_PRODUCT_CUH
#define REEL_BACKENDS_CUDA_PRODUCT_CUH

#include "backends/cuda/device.cuh"

enum { PRODUCT_DEPTH = 16, PRODUCT_SIDE = 16, PRODUCT_THREADS = PRODUCT_SIDE * PRODUCT_SIDE };

/* How a product is cut: tiles of the result, batches, parts of the depth. */
struct product_cut {
    unsigned tiles_down, tiles_across, batches, parts, part; /* part: depth of one */
};

enum { PRODUCT_BLOCKS = 264, PRODUCT_LEAST_DEPTH = 256 }; /* two blocks for each processor of an H200 */

inline product_cut product_cut_of(int64_t rows, int64_t columns, int64_t depth, int64_t batches, int micro)
{
    int64_t side = PRODUCT_SIDE * micro;
    product_cut c = {(unsigned)((rows + side - 1) / side), (unsigned)((columns + side - 1) / side), (unsigned)batches,
                     1, (unsigned)depth};
    int64_t tiles = (int64_t)c.tiles_down * c.tiles_across * batches;
    int64_t parts = tiles ? PRODUCT_BLOCKS / tiles : 1, most = depth / PRODUCT_LEAST_DEPTH;
    if (parts > most) parts = most;
    if (parts < 2) return c;
    c.part = (unsigned)((depth + parts - 1) / parts + PRODUCT_DEPTH - 1) / PRODUCT_DEPTH * PRODUCT_DEPTH;
    c.parts = (unsigned)((depth + c.part - 1) / c.part);
    return c;
}

/* Threads for large tiles only where these leave enough of them. */
inline int product_micro(int64_t rows, int64_t columns, int64_t batches, reel_dtype dtype)
{
    int64_t large = (rows + 127) / 128 * ((columns + 127) / 128) * batches;
    return dtype == REEL_F32 && rows >= 96 && large >= PRODUCT_BLOCKS / 2 ? 8 : 4;
}

inline size_t product_scratch(int64_t rows, int64_t columns, int64_t depth, int64_t batches, reel_dtype dtype)
{
    product_cut c = product_cut_of(rows, columns, depth, batches, product_micro(rows, columns, batches, dtype));
    return c.parts > 1 ? (size_t)(rows * columns * batches) * c.parts * reel_dtype_size(dtype) : 0;
}

/* One operand's share of a step: a thread fetches MICRO elements into registers, and puts them into shared memory.
   Along the depth a thread has one depth and several lines (rows or columns); across it, one line and several depths.
 */
template <int MICRO, bool ALONG> struct product_share {
    enum { SIDE = PRODUCT_SIDE * MICRO, ACROSS = PRODUCT_THREADS / (ALONG ? PRODUCT_DEPTH : SIDE) };
    __device__ static unsigned line(int i)
    {
        return ALONG ? threadIdx.x / PRODUCT_DEPTH + (unsigned)(i * ACROSS) : threadIdx.x % SIDE;
    }
    __device__ static unsigned depth(int i)
    {
        return ALONG ? threadIdx.x % PRODUCT_DEPTH : threadIdx.x / SIDE + (unsigned)(i * ACROSS);
    }
};

template <class P, int MICRO>
__global__ static void __launch_bounds__(PRODUCT_THREADS) product(P p, product_cut cut, typename P::T *partial)
{
    typedef typename P::T T;
    typedef product_share<MICRO, P::left_along_depth> Left;
    typedef product_share<MICRO, P::right_along_depth> Right;
    enum {
        SIDE = PRODUCT_SIDE * MICRO,
        LEFT_LINES = P::left_along_depth ? MICRO : 1,
        RIGHT_LINES = P::right_along_depth ? MICRO : 1
    };
    alignas(16) __shared__ T left[PRODUCT_DEPTH][SIDE + 4], right[PRODUCT_DEPTH][SIDE + 4];

    unsigned tile = blockIdx.x, across = tile % cut.tiles_across * SIDE;
    tile /= cut.tiles_across;
    unsigned down = tile % cut.tiles_down * SIDE;
    tile /= cut.tiles_down;
    unsigned batch = tile % cut.batches, part = tile / cut.batches;
    unsigned begin = part * cut.part, end = begin + cut.part < p.depth ? begin + cut.part : p.depth;
    p.enter(batch);

    typename P::Row row[LEFT_LINES];
    typename P::Column column[RIGHT_LINES];
    for (int i = 0; i < LEFT_LINES; i++) row[i] = p.row(down + Left::line(i));
    for (int i = 0; i < RIGHT_LINES; i++) column[i] = p.column(across + Right::line(i));

    T next_left[MICRO], next_right[MICRO], sum[MICRO][MICRO];
    auto fetch = [&](unsigned step) {
#pragma unroll
        for (int i = 0; i < MICRO; i++) {
            unsigned d = step + Left::depth(i);
            bool inside = d < end && down + Left::line(i) < p.rows;
            next_left[i] = inside ? p.left(row[i % LEFT_LINES], p.at_depth(d)) : T(0);
        }
#pragma unroll
        for (int i = 0; i < MICRO; i++) {
            unsigned d = step + Right::depth(i);
            bool inside = d < end && across + Right::line(i) < p.columns;
            next_right[i] = inside ? p.right(p.at_depth(d), column[i % RIGHT_LINES]) : T(0);
        }
    };

    /* Elements of a thread lie in fours, 64 apart, so that a warp reads shared memory without conflicts. */
    unsigned x = threadIdx.x % PRODUCT_SIDE * 4, y = threadIdx.x / PRODUCT_SIDE * 4;
#pragma unroll
    for (int i = 0; i < MICRO; i++)
#pragma unroll
        for (int j = 0; j < MICRO; j++) sum[i][j] = 0;

    fetch(begin);
    for (unsigned step = begin; step < end; step += PRODUCT_DEPTH) {
        for (int i = 0; i < MICRO; i++) left[Left::depth(i)][Left::line(i)] = next_left[i];
        for (int i = 0; i < MICRO; i++) right[Right::depth(i)][Right::line(i)] = next_right[i];
        __syncthreads();
        if (step + PRODUCT_DEPTH < end) fetch(step + PRODUCT_DEPTH);
#pragma unroll
        for (int d = 0; d < PRODUCT_DEPTH; d++)
#pragma unroll
            for (int i = 0; i < MICRO; i++)
#pragma unroll
                for (int j = 0; j < MICRO; j++)
                    sum[i][j] += left[d][i / 4 * 64 + y + i % 4] * right[d][j / 4 * 64 + x + j % 4];
        __syncthreads();
    }

    for (int i = 0; i < MICRO; i++)
        for (int j = 0; j < MICRO; j++) {
            unsigned r = down + i / 4 * 64 + y + i % 4, c = across + j / 4 * 64 + x + j % 4;
            if (r >= p.rows || c >= p.columns) continue;
            if (cut.parts > 1)
                partial[((size_t)(part * cut.batches + batch) * p.rows + r) * p.columns + c] = sum[i][j];
            else
                p.store(p.row(r), p.column(c), sum[i][j]);
        }
}

/* Adds the parts of each element. */
template <class P> __global__ static void add_parts(P p, product_cut cut, const typename P::T *partial)
{
    unsigned at = cuda_element(), each = p.rows * p.columns * cut.batches;
    if (at >= each) return;
    double sum = 0;
    for (unsigned part = 0; part < cut.parts; part++) sum += (double)partial[(size_t)part * each + at];
    p.enter(at / (p.rows * p.columns));
    p.store(p.row(at / p.columns % p.rows), p.column(at % p.columns), (typename P::T)sum);
}

template <class P, int MICRO> reel_status product_tiles(const reel_call *call, const P &p, unsigned batches)
{
    typedef typename P::T T;
    product_cut cut = product_cut_of(p.rows, p.columns, p.depth, batches, MICRO);
    unsigned blocks = cut.tiles_down * cut.tiles_across * batches * cut.parts;
    reel_status status = cuda_launch(call, blocks, PRODUCT_THREADS, product<P, MICRO>, p, cut, (T *)call->scratch);
    if (status || cut.parts == 1) return status;
    return cuda_over(call, (int64_t)p.rows * p.columns * batches, add_parts<P>, p, cut, (const T *)call->scratch);
}

/* Runs `batches` products; the call's scratch is product_scratch. */
template <class P> reel_status product_run(const reel_call *call, const P &p, unsigned batches)
{
    if constexpr (sizeof(typename P::T) == 4)
        if (product_micro(p.rows, p.columns, batches, REEL_F32) == 8) return product_tiles<P, 8>(call, p, batches);
    return product_tiles<P, 4>(call, p, batches);
}

#endif
