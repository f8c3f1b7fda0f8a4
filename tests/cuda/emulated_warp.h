/* The functions of backends/cuda/warp.cuh on the CPU.

   Fragments lie in the lanes as the PTX ISA documents them: lanes put their registers into a buffer of the warp, meet,
   and each works out its own part of the result. Two buffers take turns, so that one meeting is enough: a lane that
   writes to a buffer has met all others since they last read it. Products are exact; their sum, with what was there, is
   cut to a float, as tensor cores round towards zero (Fasi, Higham, Mikaitis and Pranesh, 2021).

   A copy that was begun is done when its thread waits for it; until then its place holds NaN. Something that is read
   too early is therefore wrong, not right by chance. */
#ifndef REEL_TESTS_CUDA_EMULATED_WARP_H
#define REEL_TESTS_CUDA_EMULATED_WARP_H

#define REEL_CUDA_EMULATED

union emulated_registers {
    unsigned word[6]; /* left[4], right[2] */
    const unsigned char *row;
};

/* Leaves this lane's registers, meets the warp, and returns those of lane 0; the others' follow. */
const emulated_registers *emulate_exchange(const emulated_registers &mine);

inline unsigned emulate_lane()
{
    return emulate_thread() % warpSize;
}

inline float __uint_as_float(unsigned bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* `pairs`: of bf16, else one TF32 a word. */
void emulate_multiply(float sum[4], const unsigned left[4], const unsigned right[2], bool pairs);

inline void warp_multiply_bf16(float sum[4], const unsigned left[4], const unsigned right[2])
{
    emulate_multiply(sum, left, right, true);
}

inline void warp_multiply_tf32(float sum[4], const unsigned left[4], const unsigned right[2])
{
    emulate_multiply(sum, left, right, false);
}

inline unsigned warp_tf32(float value)
{
    unsigned bits = __float_as_uint(value);
    return value == value ? (bits + 0x1000) & 0xffffe000 : bits;
}

inline const emulated_registers *emulate_rows(const void *row)
{
    emulated_registers mine;
    mine.row = (const unsigned char *)row;
    return emulate_exchange(mine);
}

inline void warp_load(unsigned word[4], const void *row)
{
    const emulated_registers *lane = emulate_rows(row);
    unsigned g = emulate_lane() / 4, t = emulate_lane() % 4;
    for (unsigned i = 0; i < 4; i++) memcpy(&word[i], lane[i * 8 + g].row + t * 4, 4);
}

inline void warp_load_turned(unsigned word[4], const void *row)
{
    const emulated_registers *lane = emulate_rows(row);
    unsigned g = emulate_lane() / 4, t = emulate_lane() % 4;
    for (unsigned i = 0; i < 4; i++) {
        unsigned char *half = (unsigned char *)&word[i];
        memcpy(half, lane[i * 8 + 2 * t].row + g * 2, 2);
        memcpy(half + 2, lane[i * 8 + 2 * t + 1].row + g * 2, 2);
    }
}

void copy_begin(void *shared, const void *from, bool zeros);
void copy_group();
void emulate_copy_wait(unsigned later);
template <int LATER> void copy_wait()
{
    emulate_copy_wait(LATER);
}

#endif
