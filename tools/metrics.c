/* See metrics.h.

   F asks of every boundary pixel whether the other boundary comes within r of it. That is a dilation by a disk, or an
   exact distance transform cut at r; but boundaries are thin, so it is cheapest to ask only at their pixels: a disk is
   2r + 1 horizontal spans, and 64 pixels of a span are read at once. Rows are tried nearest first, and most pixels end
   at the first few. Cost: O(words) for the boundary and O(n (2r + 1)) for n boundary pixels. */
#include "tools/metrics.h"

#include "core/clones.h" /* wider words, and the instruction that counts bits */
#include "core/memory.h"

#include <endian.h>
#include <math.h>
#include <string.h>

reel_status reel_bitmask_new(reel_bitmask *mask, int height, int width, reel_error *error)
{
    int words = width / 64 + 1;
    size_t all = (size_t)height * (size_t)words;
    *mask = (reel_bitmask){height, width, words, reel_alloc_raw(all + 1, sizeof(uint64_t))};
    if (!mask->bit) return reel_fail_memory(error);
    mask->bit[all] = 0;
    return REEL_OK;
}

void reel_bitmask_free(reel_bitmask *mask)
{
    reel_free(mask->bit);
    mask->bit = NULL;
}

/* One bit for each of 64 bytes: set where the byte differs from `object`. Masks are made of large areas, so usually all
   bytes equal the first. Otherwise eight bytes a step, in one register: adding 127 to the low seven bits carries into
   the eighth unless they are zero, and a multiplication then gathers the eight top bits into one byte. */
static uint64_t differing(const uint8_t *byte, uint8_t object)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f, pattern = object * 0x0101010101010101u;
    uint64_t bits = 0;
    if (reel_all_equal(byte, *byte)) return *byte == object ? 0 : ~(uint64_t)0;
    for (size_t i = 0; i < 8; i++) {
        uint64_t x;
        memcpy(&x, byte + 8 * i, sizeof x);
        x = le64toh(x) ^ pattern;
        x = ((((x & low) + low) | x) & ~low) >> 7;
        bits |= (x * 0x0102040810204080 >> 56) << (8 * i);
    }
    return bits;
}

/* The bits of a row's last word that lie inside the image. */
static uint64_t last_word(const reel_bitmask *mask)
{
    return ((uint64_t)1 << mask->width % 64) - 1;
}

void reel_bitmask_select(reel_bitmask *mask, const uint8_t *id, int object)
{
    const uint64_t flip = object == REEL_ANY_OBJECT ? 0 : ~(uint64_t)0;
    const int rest = mask->width % 64;
    uint64_t *bit = mask->bit;
    for (int y = 0; y < mask->height; y++) {
        for (int k = 0; k < mask->words - 1; k++, id += 64) *bit++ = differing(id, (uint8_t)object) ^ flip;
        uint8_t tail[64] = {0};
        memcpy(tail, id, (size_t)rest);
        *bit++ = (differing(tail, (uint8_t)object) ^ flip) & last_word(mask);
        id += rest;
    }
}

CLONES size_t reel_bitmask_count(const reel_bitmask *mask)
{
    size_t count = 0, words = (size_t)mask->height * (size_t)mask->words;
    for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(mask->bit[i]);
    return count;
}

/* Every pixel is compared with its right, lower and lower right neighbour, the lower ones of the last row being its
   own, as if the row were repeated. That is wrong only in the last column, which is then done over. */
CLONES void reel_bitmask_boundary(const reel_bitmask *mask, reel_bitmask *boundary)
{
    const int words = mask->words, last = (mask->width - 1) / 64;
    const uint64_t last_column = (uint64_t)1 << (mask->width - 1) % 64;
    for (int y = 0; y < mask->height; y++) {
        const uint64_t *row = mask->bit + (size_t)y * (size_t)words, *below = y + 1 < mask->height ? row + words : row;
        uint64_t *restrict out = boundary->bit + (size_t)y * (size_t)words;
        for (int k = 0; k < words; k++) {
            uint64_t right = row[k] >> 1 | row[k + 1] << 63, below_right = below[k] >> 1 | below[k + 1] << 63;
            out[k] = (row[k] ^ right) | (row[k] ^ below[k]) | (row[k] ^ below_right);
        }
        out[words - 1] &= last_word(mask);
        out[last] = (out[last] & ~last_column) | ((row[last] ^ below[last]) & last_column);
    }
}

reel_disk reel_metric_disk(int height, int width)
{
    double radius = ceil(0.008 * sqrt((double)height * height + (double)width * width));
    reel_disk disk = {.radius = radius < REEL_DISK_MAX ? (int)radius : REEL_DISK_MAX};
    int reach = disk.radius;
    for (int d = 0; d <= disk.radius; d++) {
        while (reach * reach + d * d > disk.radius * disk.radius) reach--;
        disk.half_width[d] = reach;
    }
    return disk;
}

/* The rows d above and below are searched together. Where one of them is outside the image, the pixel's own row is
   taken again: it has been searched further than that. */
static inline bool near(const reel_bitmask *mask, int y, int x, const reel_disk *disk)
{
    const uint64_t *row = mask->bit + (size_t)y * (size_t)mask->words;
    for (int d = 0; d <= disk->radius; d++) {
        const ptrdiff_t step = (ptrdiff_t)d * mask->words;
        const uint64_t *above = y >= d ? row - step : row, *below = y + d < mask->height ? row + step : row;
        int half = disk->half_width[d];
        int from = x > half ? x - half : 0, to = x + half < mask->width ? x + half : mask->width - 1;
        for (; from <= to; from += 64) {
            int k = from / 64, shift = from % 64, too_many = to - from < 63 ? 63 - (to - from) : 0;
            uint64_t here = above[k] | below[k], next = above[k + 1] | below[k + 1];
            if ((here >> shift | next << 1 << (63 - shift)) << too_many) return true;
        }
    }
    return false;
}

/* How many pixels of `mask` have one of `other` within the disk. */
CLONES static size_t count_near(const reel_bitmask *mask, const reel_bitmask *other, const reel_disk *disk)
{
    size_t count = 0;
    const uint64_t *word = mask->bit;
    for (int y = 0; y < mask->height; y++)
        for (int k = 0; k < mask->words; k++, word++) {
            if (!*word) continue;
            uint64_t same = *word & other->bit[word - mask->bit];
            count += (size_t)__builtin_popcountll(same);
            for (uint64_t left = *word ^ same; left; left &= left - 1)
                count += near(other, y, 64 * k + __builtin_ctzll(left), disk);
        }
    return count;
}

CLONES double reel_metric_j(const reel_bitmask *truth, const reel_bitmask *guess)
{
    size_t both = 0, either = 0, words = (size_t)truth->height * (size_t)truth->words;
    for (size_t i = 0; i < words; i++) {
        uint64_t t = truth->bit[i], g = guess->bit[i];
        both += (size_t)__builtin_popcountll(t & g);
        either += (size_t)__builtin_popcountll(t | g);
    }
    return either ? (double)both / (double)either : 1;
}

double reel_metric_f(const reel_bitmask *truth_boundary, const reel_bitmask *guess_boundary, const reel_disk *disk)
{
    size_t in_truth = reel_bitmask_count(truth_boundary), in_guess = reel_bitmask_count(guess_boundary);
    if (!in_truth || !in_guess) return in_truth == in_guess;
    double precision = (double)count_near(guess_boundary, truth_boundary, disk) / (double)in_guess;
    double recall = (double)count_near(truth_boundary, guess_boundary, disk) / (double)in_truth;
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

static double or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

/* Blocks of up to 128 values in eight interleaved sums; longer rows are halved at a multiple of eight. */
static double pairwise_sum(const double *value, int n)
{
    if (n > 128) {
        int half = n / 2 - n / 2 % 8;
        return pairwise_sum(value, half) + pairwise_sum(value + half, n - half);
    }
    double sum = 0;
    int i = 0;
    if (n >= 8) {
        double lane[8] = {0};
        for (; i < n - n % 8; i++) lane[i % 8] += or_zero(value[i]);
        sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
    for (; i < n; i++) sum += or_zero(value[i]);
    return sum;
}

double reel_metric_mean(const double *value, int n)
{
    int known = 0;
    for (int i = 0; i < n; i++) known += !isnan(value[i]);
    return known ? pairwise_sum(value, n) / known : NAN;
}

/* First or last frame of a quarter, k = 0..4. The small term makes exact halves go up, where rint alone would take the
   even neighbour. */
static int quarter(int k, int frames)
{
    return (int)rint(1 + k * (frames - 1) / 4.0 + 1e-10) - 1;
}

reel_statistics reel_metric_statistics(const double *value, int frames)
{
    if (frames < 1) return (reel_statistics){NAN, NAN, NAN};
    int above = 0;
    for (int i = 0; i < frames; i++) above += value[i] > 0.5;
    int last = quarter(3, frames);
    double early = reel_metric_mean(value, quarter(1, frames) + 1);
    double late = reel_metric_mean(value + last, frames - last);
    return (reel_statistics){reel_metric_mean(value, frames), (double)above / frames, early - late};
}
