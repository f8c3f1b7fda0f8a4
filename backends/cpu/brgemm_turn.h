/* The turning of brgemm.h, a part of brgemm_tile.h for one float type and vector width: a block of a matrix becomes
   its transpose. Elements are of type REAL in between, whatever is read and written. */

typedef uint16_t NAME(halves) __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef uint32_t NAME(words) __attribute__((vector_size(LANES * 4)));
typedef float NAME(singles) __attribute__((vector_size(LANES * 4)));

/* See core/bf16.h for both; the sign of a vector's comparison is -1. */
static inline __attribute__((always_inline)) TARGET void NAME(read)(const bool half, const char *from,
                                                                    NAME(vector) * to)
{
    if (half) {
        NAME(words) bits = __builtin_convertvector(*(const NAME(halves) *)(const void *)from, NAME(words)) << 16;
        *to = __builtin_convertvector((NAME(singles))bits, NAME(vector));
    } else
        *to = *(const NAME(vector) *)(const void *)from;
}

static inline __attribute__((always_inline)) TARGET void NAME(write)(const bool half, const NAME(vector) * from,
                                                                     char *to)
{
    if (half) {
        NAME(words) bits = (NAME(words)) __builtin_convertvector(*from, NAME(singles));
        NAME(words) nan = (NAME(words))((bits & 0x7fffffff) > 0x7f800000);
        NAME(words) rounded = bits + 0x7fff + (bits >> 16 & 1), quiet = bits | 0x400000;
        bits = (nan & quiet) | (~nan & rounded);
        *(NAME(halves) *)(void *)to = __builtin_convertvector(bits >> 16, NAME(halves));
    } else
        *(NAME(vector) *)(void *)to = *from;
}

/* log2(LANES) rounds, each of which shuffles the first half of the vectors with the second like a pack of cards, turn a
   square block. */
static inline __attribute__((always_inline)) TARGET void NAME(turn_any)(const bool from_half, const bool to_half,
                                                                        const char *from, int64_t row, int64_t rows,
                                                                        int64_t columns, const char *end, char *to,
                                                                        int64_t to_row)
{
    static const REAL nothing[LANES] = {0};
    const int64_t e = from_half ? 2 : sizeof(REAL), to_e = to_half ? 2 : sizeof(REAL);
    char aside[LANES * LANES * sizeof(REAL)];
    if (from + ((rows - 1) * row + LANES) * e > end) {
        for (int64_t r = 0; r < rows; r++) memcpy(aside + r * LANES * e, from + r * row * e, (size_t)(columns * e));
        from = aside;
        row = LANES;
    }
    NAME(vector) a[LANES], b[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) NAME(read)(from_half, r < rows ? from + r * row * e : (const char *)nothing, &a[r]);
#pragma GCC unroll 4
    for (int round = 1; round < LANES; round *= 2) {
#pragma GCC unroll 16
        for (int r = 0; r < LANES / 2; r++) {
            b[2 * r] = __builtin_shufflevector(a[r], a[r + LANES / 2], LOW);
            b[2 * r + 1] = __builtin_shufflevector(a[r], a[r + LANES / 2], HIGH);
        }
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) a[r] = b[r];
    }
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++)
        if (j < columns) NAME(write)(to_half, &a[j], to + j * to_row * to_e);
}

#define TURN(from_half, to_half)                                                                                       \
    static TARGET void NAME(turn_##from_half##to_half)(const void *from, int64_t row, int64_t rows, int64_t columns,   \
                                                       const void *end, void *to, int64_t to_row)                      \
    {                                                                                                                  \
        NAME(turn_any)(from_half, to_half, from, row, rows, columns, end, to, to_row);                                 \
    }
TURN(0, 0)
TURN(0, 1)
TURN(1, 0)
TURN(1, 1)
#undef TURN
