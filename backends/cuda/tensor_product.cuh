/* The tiled matrix product on tensor cores. Like product.cuh it reads matrices that need not exist, but in pieces: 16
   bytes that lie together, 8 bf16 or 4 floats. An operand has lines (rows of the left matrix, columns of the right one)
   and a depth, and a piece lies along one of the two:

       along the depth    part of one line: a pixel's channels, in a convolution over NHWC
       across the depth   several lines at one depth: a pixel's channels again, where pixels are what is summed over

   A block of 8 warps makes a tile of SIDE x SIDE elements, 4 warps down and 2 across, in steps of 64 bytes of depth.
   Pieces are copied into shared memory beside the work on earlier ones: while one of three stages is multiplied, two
   are on their way. Where a piece lies in its stage is turned by a few bits of its line or depth, such that the eight
   rows of an ldmatrix, and the eight threads that fill 128 bytes, meet eight different sets of banks.

   The tile goes to memory by way of shared memory, a warp writing 32 neighbours of one row at a time. Products of
   little area and great depth are cut along the depth into parts that a second kernel adds up in order. So is any depth
   of more than 512 steps: tensor cores cut their sums instead of rounding them, which is an error that grows with the
   number of additions. All cuts depend on sizes alone: the same bits from run to run.

   float32 is made of TF32, whose 10 bits of fraction are too few for it. TENSOR_SPLIT cuts each float into a TF32 and
   what that leaves, again a TF32, and adds up three of the four products: big big + big small + small big. The fourth
   is 2^-22 of the first.

   Cost: 2 rows columns depth operations (three times that when split); a tile reads 2 SIDE 64 bytes a step for
   2 SIDE^2 32 operations (bf16).

   A product is a tensor_problem. Its operands have
       T                            cuda_bf16 or float
       ALONG, Line, Depth
       line(i), at_depth(d)         where the first line or depth of a piece leads, worked out once and used many times
       at(line, depth)              the piece there; NULL for zeros
       some()                       any address that can be read
   and its result has
       Column, column(i)            where a column leads, worked out once and used for many rows
       store(row, column, value)
   The products of one launch differ by what batches.enter(batch, &left, &right, &out) makes of them. */
#ifndef REEL_BACKENDS_CUDA_TENSOR_PRODUCT_CUH
#define REEL_BACKENDS_CUDA_TENSOR_PRODUCT_CUH

#include "backends/cuda/device.cuh"
#include "backends/cuda/warp.cuh"

enum tensor_math { TENSOR_BF16, TENSOR_TF32, TENSOR_SPLIT };

static constexpr int TENSOR_THREADS = 256, TENSOR_DOWN = 4, TENSOR_ACROSS = 2; /* of a block: threads, its warps */
static constexpr int TENSOR_STAGES = 3;
static constexpr int TENSOR_PIECE = 16, TENSOR_STEP = 64;              /* bytes; of depth */
static constexpr int TENSOR_BLOCKS = 264;                              /* two for each processor of an H200 */
static constexpr int TENSOR_LEAST_STEPS = 16, TENSOR_MOST_STEPS = 512; /* of a part */

/* What lies along a piece is a whole number of pieces. */
template <class L, class R, class O, class B> struct tensor_problem {
    typedef typename L::T T;
    typedef L Left;
    typedef R Right;
    typedef O Out;
    unsigned rows, columns, depth;
    L left;
    R right;
    O out;
    B batches;
};

/* One product alone. */
struct tensor_alone {
    template <class L, class R, class O> __device__ void enter(unsigned, L *, R *, O *) const {}
};

/* --- how a product is cut --- */

struct tensor_cut {
    unsigned side, tiles_down, tiles_across, batches, parts, part; /* part: depth of one */
};

inline tensor_cut tensor_cut_of(int64_t rows, int64_t columns, int64_t depth, int64_t batches, size_t element)
{
    int64_t step = TENSOR_STEP / (int64_t)element, steps = (depth + step - 1) / step;
    int64_t most = steps / TENSOR_LEAST_STEPS > 1 ? steps / TENSOR_LEAST_STEPS : 1;
    int64_t large = (rows + 127) / 128 * ((columns + 127) / 128) * batches * most;
    unsigned side = rows > 64 && columns > 64 && large >= TENSOR_BLOCKS / 2 ? 128 : 64;
    tensor_cut c = {side,
                    (unsigned)((rows + side - 1) / side),
                    (unsigned)((columns + side - 1) / side),
                    (unsigned)batches,
                    1,
                    (unsigned)depth};
    int64_t tiles = (int64_t)c.tiles_down * c.tiles_across * batches, parts = tiles ? TENSOR_BLOCKS / tiles : 1;
    int64_t least = (steps + TENSOR_MOST_STEPS - 1) / TENSOR_MOST_STEPS;
    if (parts > most) parts = most;
    if (parts < least) parts = least;
    if (parts < 2) return c;
    c.part = (unsigned)((steps + parts - 1) / parts * step);
    c.parts = (unsigned)((depth + c.part - 1) / c.part);
    return c;
}

/* Bytes for the parts of a product. */
inline size_t tensor_parts(const tensor_cut &c, int64_t rows, int64_t columns)
{
    return c.parts > 1 ? (size_t)(rows * columns) * c.batches * c.parts * sizeof(float) : 0;
}

/* --- an operand's share of a stage --- */

/* Which pieces a thread copies, and where in the stage a piece lies. */
template <class T, int SIDE, bool ALONG> struct tensor_share {
    static constexpr unsigned PER_PIECE = TENSOR_PIECE / sizeof(T), IN_ROW = TENSOR_STEP / TENSOR_PIECE;
    static constexpr int LINES = SIDE * TENSOR_STEP / TENSOR_PIECE / TENSOR_THREADS, DEPTHS = 1;
    __device__ static unsigned line(int i) { return threadIdx.x / IN_ROW + (unsigned)i * (TENSOR_THREADS / IN_ROW); }
    __device__ static unsigned depth(int) { return threadIdx.x % IN_ROW * PER_PIECE; }
    __device__ static unsigned place(unsigned line, unsigned depth)
    {
        return line * TENSOR_STEP + ((depth / PER_PIECE ^ (line >> 1 & 3)) * TENSOR_PIECE);
    }
};

template <class T, int SIDE> struct tensor_share<T, SIDE, false> {
    static constexpr unsigned PER_PIECE = TENSOR_PIECE / sizeof(T), IN_ROW = SIDE / PER_PIECE;
    static constexpr int LINES = 1, DEPTHS = SIDE * TENSOR_STEP / TENSOR_PIECE / TENSOR_THREADS;
    __device__ static unsigned line(int) { return threadIdx.x % IN_ROW * PER_PIECE; }
    __device__ static unsigned depth(int i) { return threadIdx.x / IN_ROW + (unsigned)i * (TENSOR_THREADS / IN_ROW); }
    __device__ static unsigned place(unsigned line, unsigned depth)
    {
        unsigned turn = sizeof(T) == 2 ? depth % 8 : depth % 4 * 2;
        return depth * (unsigned)(SIDE * sizeof(T)) + ((line / PER_PIECE ^ turn) * TENSOR_PIECE);
    }
};

/* The registers of 16 lines, 32 bytes deep, as the left operand of a warp_multiply has them. */
template <class T, int SIDE, bool ALONG>
__device__ __forceinline__ void tensor_fragment(unsigned word[4], const unsigned char *stage, unsigned line,
                                                unsigned depth)
{
    typedef tensor_share<T, SIDE, ALONG> Share;
    unsigned lane = threadIdx.x % 32, matrix = lane / 8, row = lane % 8;
    if constexpr (ALONG) {
        warp_load(word, stage + Share::place(line + matrix % 2 * 8 + row, depth + matrix / 2 * Share::PER_PIECE));
    } else if constexpr (sizeof(T) == 2) {
        warp_load_turned(word, stage + Share::place(line + matrix % 2 * 8, depth + matrix / 2 * 8 + row));
    } else {
#pragma unroll
        for (unsigned i = 0; i < 4; i++) {
            unsigned l = line + i % 2 * 8 + lane / 4, d = depth + i / 2 * 4 + lane % 4;
            word[i] = *(const unsigned *)(stage + Share::place(l, d) + l % 4 * sizeof(T));
        }
    }
}

/* --- multiplying fragments --- */

/* A fragment as it is multiplied: for floats, of TF32 rounded, and what that leaves. */
template <int MATH> struct tensor_operand {
    unsigned big[4], small[MATH == TENSOR_SPLIT ? 4 : 1];

    __device__ __forceinline__ void take(const unsigned word[4])
    {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            big[i] = MATH == TENSOR_BF16   ? word[i]
                     : MATH == TENSOR_TF32 ? warp_tf32(__uint_as_float(word[i]))
                                           : word[i] & 0xffffe000; /* one instruction less; the rest has what is cut */
            if constexpr (MATH == TENSOR_SPLIT)
                small[i] = warp_tf32(__uint_as_float(word[i]) - __uint_as_float(big[i]));
        }
    }
};

template <int MATH>
__device__ __forceinline__ void tensor_multiply(float sum[4], const unsigned left[4], const unsigned right[2])
{
    if constexpr (MATH == TENSOR_BF16)
        warp_multiply_bf16(sum, left, right);
    else
        warp_multiply_tf32(sum, left, right);
}

/* Columns 8 half to 8 half + 7 of the right operand's 16. */
template <int MATH>
__device__ __forceinline__ void tensor_multiply(float sum[4], const tensor_operand<MATH> &left,
                                                const tensor_operand<MATH> &right, int half)
{
    unsigned big[2] = {right.big[half], right.big[half + 2]};
    if constexpr (MATH == TENSOR_SPLIT) {
        unsigned small[2] = {right.small[half], right.small[half + 2]};
        tensor_multiply<MATH>(sum, left.small, big);
        tensor_multiply<MATH>(sum, left.big, small);
    }
    tensor_multiply<MATH>(sum, left.big, big);
}

/* --- the kernel --- */

/* The part of a tile that a warp makes. */
template <int SIDE> struct tensor_warp {
    enum {
        ROWS = SIDE / TENSOR_DOWN,
        COLUMNS = SIDE / TENSOR_ACROSS,
        DOWN = ROWS / 16,      /* fragments */
        ACROSS = COLUMNS / 16, /* pairs of fragments */
        STRIDE = COLUMNS + 8,  /* of a row on its way out, such that lanes meet different banks */
        OUT = 16 * STRIDE      /* floats */
    };
    __device__ static unsigned row() { return threadIdx.x / 32 / TENSOR_ACROSS * ROWS; }
    __device__ static unsigned column() { return threadIdx.x / 32 % TENSOR_ACROSS * COLUMNS; }
};

template <class O, class T, int SIDE> struct tensor_fetch {
    typedef tensor_share<T, SIDE, O::ALONG> Share;
    typename O::Line line[Share::LINES];
    bool inside[Share::LINES];

    __device__ void begin(const O &operand, unsigned first, unsigned lines)
    {
#pragma unroll
        for (int i = 0; i < Share::LINES; i++) {
            inside[i] = first + Share::line(i) < lines;
            line[i] = operand.line(first + Share::line(i));
        }
    }
    __device__ __forceinline__ void step(const O &operand, unsigned char *stage, unsigned step, unsigned end) const
    {
#pragma unroll
        for (int d = 0; d < Share::DEPTHS; d++) {
            unsigned depth = step + Share::depth(d);
            typename O::Depth at = operand.at_depth(depth);
#pragma unroll
            for (int i = 0; i < Share::LINES; i++) {
                const void *piece = inside[i] && depth < end ? operand.at(line[i], at) : NULL;
                copy_begin(stage + Share::place(Share::line(i), Share::depth(d)), piece ? piece : operand.some(),
                           !piece);
            }
        }
    }
};

/* sum += the product of one stage. */
template <class P, int SIDE, int MATH>
__device__ __forceinline__ void tensor_stage(float (*sum)[tensor_warp<SIDE>::ACROSS * 2][4], const unsigned char *left,
                                             const unsigned char *right)
{
    typedef typename P::T T;
    typedef tensor_warp<SIDE> Warp;
#pragma unroll(MATH == TENSOR_SPLIT ? 1 : 2) /* registers are short */
    for (unsigned depth = 0; depth < TENSOR_STEP / sizeof(T); depth += 32 / sizeof(T)) {
        tensor_operand<MATH> l[Warp::DOWN];
        unsigned word[4];
#pragma unroll
        for (int i = 0; i < Warp::DOWN; i++) {
            tensor_fragment<T, SIDE, P::Left::ALONG>(word, left, Warp::row() + i * 16, depth);
            l[i].take(word);
        }
#pragma unroll
        for (int j = 0; j < Warp::ACROSS; j++) {
            tensor_operand<MATH> r;
            tensor_fragment<T, SIDE, P::Right::ALONG>(word, right, Warp::column() + j * 16, depth);
            r.take(word);
#pragma unroll
            for (int i = 0; i < Warp::DOWN; i++) {
                tensor_multiply<MATH>(sum[i][2 * j], l[i], r, 0);
                tensor_multiply<MATH>(sum[i][2 * j + 1], l[i], r, 1);
            }
        }
    }
}

/* Where the elements of a tile go: to the result, or to the parts that are added up later. */
template <class O> struct tensor_result {
    const O &out;
    unsigned rows, columns;
    float *partial; /* of this part and batch; NULL for the result itself */

    __device__ void put(unsigned row, unsigned column, const typename O::Column &at, float value) const
    {
        if (partial)
            partial[(size_t)row * columns + column] = value;
        else
            out.store(row, at, value);
    }
};

/* Takes 16 rows at a time of a warp's part through its shared memory. */
template <class O, int SIDE>
__device__ __forceinline__ void tensor_out(const tensor_result<O> &result,
                                           const float (*sum)[tensor_warp<SIDE>::ACROSS * 2][4], float *out,
                                           unsigned first_row, unsigned first_column)
{
    typedef tensor_warp<SIDE> Warp;
    unsigned lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    typename O::Column column[Warp::COLUMNS / 32];
#pragma unroll
    for (int c = 0; c < Warp::COLUMNS / 32; c++) column[c] = result.out.column(first_column + lane + c * 32);
#pragma unroll
    for (int i = 0; i < Warp::DOWN; i++) {
#pragma unroll
        for (int j = 0; j < Warp::ACROSS * 2; j++)
#pragma unroll
            for (int k = 0; k < 4; k++) out[(g + k / 2 * 8) * Warp::STRIDE + j * 8 + 2 * t + k % 2] = sum[i][j][k];
        __syncwarp();
        for (unsigned r = 0; r < 16; r++)
#pragma unroll
            for (int c = 0; c < Warp::COLUMNS / 32; c++) {
                unsigned row = first_row + i * 16 + r, at = first_column + lane + c * 32;
                if (row < result.rows && at < result.columns)
                    result.put(row, at, column[c], out[r * Warp::STRIDE + lane + c * 32]);
            }
        __syncwarp();
    }
}

template <class P, int SIDE, int MATH>
__global__ static void __launch_bounds__(TENSOR_THREADS, 2)
    tensor_product(const __grid_constant__ P p, tensor_cut cut, float *partial)
{
    typedef typename P::T T;
    typedef tensor_warp<SIDE> Warp;
    enum { OPERAND = SIDE * TENSOR_STEP, WHOLE = TENSOR_STAGES * 2 * OPERAND };
    static_assert(TENSOR_THREADS / 32 * Warp::OUT * sizeof(float) <= WHOLE);
    alignas(128) __shared__ unsigned char stage[TENSOR_STAGES][2][OPERAND];

    unsigned tile = blockIdx.x, down = tile % cut.tiles_down * SIDE;
    tile /= cut.tiles_down;
    unsigned across = tile % cut.tiles_across * SIDE;
    tile /= cut.tiles_across;
    unsigned batch = tile % cut.batches, part = tile / cut.batches;
    unsigned begin = part * cut.part, end = begin + cut.part < p.depth ? begin + cut.part : p.depth;
    const unsigned step = TENSOR_STEP / sizeof(T), steps = (end - begin + step - 1) / step;
    typename P::Left left = p.left;
    typename P::Right right = p.right;
    typename P::Out out = p.out;
    p.batches.enter(batch, &left, &right, &out);

    tensor_fetch<typename P::Left, T, SIDE> left_fetch;
    tensor_fetch<typename P::Right, T, SIDE> right_fetch;
    left_fetch.begin(left, down, p.rows);
    right_fetch.begin(right, across, p.columns);
    auto fetch = [&](unsigned number) {
        if (number < steps) {
            left_fetch.step(left, stage[number % TENSOR_STAGES][0], begin + number * step, end);
            right_fetch.step(right, stage[number % TENSOR_STAGES][1], begin + number * step, end);
        }
        copy_group(); /* of nothing behind the end, so that groups can be counted */
    };

    const unsigned first_row = down + Warp::row(), first_column = across + Warp::column();
    const bool works = first_row < p.rows && first_column < p.columns; /* or all that the warp makes is outside */
    float sum[Warp::DOWN][Warp::ACROSS * 2][4] = {};
    for (unsigned number = 0; number < TENSOR_STAGES - 1; number++) fetch(number);
    for (unsigned number = 0; number < steps; number++) {
        copy_wait<TENSOR_STAGES - 2>();
        __syncthreads(); /* all copies of this step are there, and nobody works on the one before it any more */
        fetch(number + TENSOR_STAGES - 1);
        if (works) tensor_stage<P, SIDE, MATH>(sum, stage[number % TENSOR_STAGES][0], stage[number % TENSOR_STAGES][1]);
    }
    copy_wait<0>();
    __syncthreads();
    size_t area = (size_t)p.rows * p.columns;
    float *mine = cut.parts > 1 ? partial + (part * cut.batches + batch) * area : NULL;
    tensor_result<typename P::Out> result = {out, p.rows, p.columns, mine};
    if (works)
        tensor_out<typename P::Out, SIDE>(result, sum, (float *)stage + threadIdx.x / 32 * Warp::OUT, first_row,
                                          first_column);
}

/* Adds the parts of each element. */
template <class P>
__global__ static void tensor_add_parts(const __grid_constant__ P p, tensor_cut cut, const float *partial)
{
    unsigned at = cuda_element(), area = p.rows * p.columns, each = area * cut.batches;
    if (at >= each) return;
    double sum = 0;
    for (unsigned part = 0; part < cut.parts; part++) sum += (double)partial[(size_t)part * each + at];
    typename P::Left left = p.left;
    typename P::Right right = p.right;
    typename P::Out out = p.out;
    p.batches.enter(at / area, &left, &right, &out);
    out.store(at / p.columns % p.rows, out.column(at % p.columns), (float)sum);
}

template <class P, int SIDE, int MATH>
reel_status tensor_tiles(const reel_call *call, const P &p, const tensor_cut &cut, float *partial)
{
    unsigned blocks = cut.tiles_down * cut.tiles_across * cut.batches * cut.parts;
    reel_status status = cuda_launch(call, blocks, TENSOR_THREADS, tensor_product<P, SIDE, MATH>, p, cut, partial);
    if (status || cut.parts == 1) return status;
    return cuda_over(call, (int64_t)p.rows * p.columns * cut.batches, tensor_add_parts<P>, p, cut,
                     (const float *)partial);
}

template <class P, int MATH>
reel_status tensor_in(const reel_call *call, const P &p, const tensor_cut &cut, float *partial)
{
    if (cut.side == 128) return tensor_tiles<P, 128, MATH>(call, p, cut, partial);
    return tensor_tiles<P, 64, MATH>(call, p, cut, partial);
}

/* Runs the products of a cut; `partial` has tensor_parts bytes. */
template <class P> reel_status tensor_run(const reel_call *call, const P &p, const tensor_cut &cut, float *partial)
{
    if constexpr (sizeof(typename P::T) == 2)
        return tensor_in<P, TENSOR_BF16>(call, p, cut, partial);
    else
        return cuda_of(call)->products.tf32 == CUDA_TF32_ON ? tensor_in<P, TENSOR_TF32>(call, p, cut, partial)
                                                            : tensor_in<P, TENSOR_SPLIT>(call, p, cut, partial);
}

#endif
