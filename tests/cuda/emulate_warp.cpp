/* See emulated_warp.h: the buffers that lanes exchange registers by, and copies that wait to be done. */
#include <cuda_runtime.h>

#include <vector>

#pragma GCC optimize("O3") /* most of the time of a test of tensor cores passes here */

enum { MOST_THREADS = 1024 };

static emulated_registers buffers[2][MOST_THREADS];
static unsigned char turn[MOST_THREADS];

const emulated_registers *emulate_exchange(const emulated_registers &mine)
{
    unsigned thread = emulate_thread(), first = thread / warpSize * warpSize;
    emulated_registers *buffer = buffers[turn[thread]];
    turn[thread] ^= 1;
    buffer[thread] = mine;
    emulate_warp_barrier(0xffffffffu);
    return buffer + first;
}

/* What of a TF32 operand counts. */
static float cut(unsigned bits)
{
    return __uint_as_float(bits & 0xffffe000);
}

/* The 8 words along the depth of a row or column, out of the 4 lanes that hold it: 4 in one register, 4 in another. */
template <bool PAIRS>
static inline void gather(float *to, const emulated_registers *lane, unsigned first, unsigned second)
{
    for (unsigned w = 0; w < 8; w++) {
        unsigned word = lane[w % 4].word[w < 4 ? first : second];
        if (!PAIRS) {
            to[w] = cut(word);
            continue;
        }
        to[2 * w] = __uint_as_float(word << 16);
        to[2 * w + 1] = __uint_as_float(word & 0xffff0000);
    }
}

/* The float nearest to a number that is not farther from zero. */
static inline float towards_zero(double value)
{
    float near = (float)value;
    if (!((double)near > value ? value > 0 : (double)near < value && value < 0)) return near;
    return __uint_as_float(__float_as_uint(near) - 1);
}

template <bool PAIRS> static inline void multiply(float sum[4], const emulated_registers *lane)
{
    unsigned g = emulate_lane() / 4, t = emulate_lane() % 4;
    float row[2][16], column[2][16];
    for (unsigned i = 0; i < 2; i++) {
        gather<PAIRS>(row[i], lane + g * 4, i, 2 + i);
        gather<PAIRS>(column[i], lane + (2 * t + i) * 4, 4, 5);
    }
    for (unsigned i = 0; i < 4; i++) {
        double total = sum[i];
        for (unsigned d = 0; d < (PAIRS ? 16 : 8); d++) total += (double)row[i / 2][d] * (double)column[i % 2][d];
        sum[i] = towards_zero(total);
    }
}

void emulate_multiply(float sum[4], const unsigned left[4], const unsigned right[2], bool pairs)
{
    const emulated_registers *lane = emulate_exchange({{left[0], left[1], left[2], left[3], right[0], right[1]}});
    pairs ? multiply<true>(sum, lane) : multiply<false>(sum, lane);
}

struct waiting_copy {
    void *to;
    const void *from;
    unsigned group; /* groups of its thread before it */
};
static std::vector<waiting_copy> waiting[MOST_THREADS];
static unsigned groups[MOST_THREADS];
static size_t begun; /* copies, of all threads, that have not been waited for */

void copy_begin(void *shared, const void *from, bool zeros)
{
    if ((uintptr_t)shared % 16 || (!zeros && (uintptr_t)from % 16)) emulate_stop("a copy of 16 bytes is not aligned");
    memset(shared, 0xff, 16);
    waiting[emulate_thread()].push_back({shared, zeros ? nullptr : from, groups[emulate_thread()]});
    begun++;
}

void copy_group()
{
    groups[emulate_thread()]++;
}

void emulate_copy_wait(unsigned later)
{
    unsigned thread = emulate_thread();
    std::vector<waiting_copy> &copies = waiting[thread];
    size_t done = 0;
    for (; done < copies.size() && copies[done].group + later < groups[thread]; done++) {
        if (copies[done].from)
            memcpy(copies[done].to, copies[done].from, 16);
        else
            memset(copies[done].to, 0, 16);
    }
    copies.erase(copies.begin(), copies.begin() + (ptrdiff_t)done);
    begun -= done;
}

void emulate_end_of_block()
{
    if (begun) emulate_stop("a block ends before its copies into shared memory have");
}
