/* See metrics.h.

   F asks of every boundary pixel whether the other boundary comes within r of it. That is a dilation by a disk, or an
   exact distance transform cut at r; but boundaries are thin, so it is cheapest to ask only at their pixels: a disk is
   2r + 1 horizontal spans, and a span in a row of bits is one or two words. Rows are tried nearest first, and most
   pixels end at the first few. Cost: O(words) for the boundary and O(n (2r + 1)) for n boundary pixels. */
#include "tools/metrics.h"

#include "core/memory.h"

#include <endian.h>
#include <math.h>
#include <string.h>

reel_status reel_bitmask_new(reel_bitmask *mask, int height, int width, reel_error *error)
{
    int words = (width + 63) / 64;
    *mask = (reel_bitmask){height, width, words, reel_alloc_raw((size_t)height * (size_t)words, sizeof(uint64_t))};
    return mask->bit ? REEL_OK : reel_fail_memory(error);
}

void reel_bitmask_free(reel_bitmask *mask)
{
    reel_free(mask->bit);
    mask->bit = NULL;
}

/* One bit for each of 64 bytes: set where the byte differs from those of `pattern`. Masks are made of large areas, so
   all bytes are usually equal, and that is tried first. Otherwise eight bytes a step, in one register: adding 127 to
   the low seven bits carries into the eighth unless they are zero, and a multiplication then gathers the eight top bits
   into one byte. */
static uint64_t differing(const uint8_t *byte, uint64_t pattern)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t word[8], unequal = 0, bits = 0;
    memcpy(word, byte, sizeof word);
    for (int i = 0; i < 8; i++) unequal |= word[i] ^ word[0];
    if (!unequal && word[0] >> 8 == (word[0] & (UINT64_MAX >> 8))) return word[0] == pattern ? 0 : ~(uint64_t)0;
    for (int i = 0; i < 8; i++) {
        uint64_t x = le64toh(word[i]) ^ pattern;
        x = ((((x & low) + low) | x) & ~low) >> 7;
        bits |= (x * 0x0102040810204080 >> 56) << (8 * i);
    }
    return bits;
}

/* The bits of a row's last word that lie inside the image. */
static uint64_t last_word(const reel_bitmask *mask)
{
    return ~(uint64_t)0 >> (64 * mask->words - mask->width);
}

void reel_bitmask_select(reel_bitmask *mask, const uint8_t *id, int object)
{
    const uint64_t pattern = (uint64_t)object * 0x0101010101010101;
    const uint64_t flip = object == REEL_ANY_OBJECT ? 0 : ~(uint64_t)0;
    const int rest = mask->width - 64 * (mask->words - 1);
    uint64_t *bit = mask->bit;
    for (int y = 0; y < mask->height; y++) {
        for (int k = 0; k < mask->words - 1; k++, id += 64) *bit++ = differing(id, pattern) ^ flip;
        uint8_t tail[64] = {0};
        memcpy(tail, id, (size_t)rest);
        *bit++ = (differing(tail, pattern) ^ flip) & last_word(mask);
        id += rest;
    }
}

size_t reel_bitmask_count(const reel_bitmask *mask)
{
    size_t count = 0, words = (size_t)mask->height * (size_t)mask->words;
    for (size_t i = 0; i < words; i++)
        if (mask->bit[i]) count += (size_t)__builtin_popcountll(mask->bit[i]);
    return count;
}

/* Word k of a row moved one pixel to the left, so that each bit meets its right neighbour. */
static uint64_t right_of(const uint64_t *row, int k, int words)
{
    return row[k] >> 1 | (k + 1 < words ? row[k + 1] << 63 : 0);
}

void reel_bitmask_boundary(const reel_bitmask *mask, reel_bitmask *boundary)
{
    const int words = mask->words;
    const uint64_t last_column = (uint64_t)1 << (mask->width - 1) % 64;
    for (int y = 0; y < mask->height; y++) {
        const uint64_t *row = mask->bit + (size_t)y * (size_t)words, *below = row + words;
        uint64_t *out = boundary->bit + (size_t)y * (size_t)words;
        if (y == mask->height - 1) {
            for (int k = 0; k < words; k++) out[k] = row[k] ^ right_of(row, k, words);
            out[words - 1] &= ~last_column;
        } else {
            for (int k = 0; k < words; k++)
                out[k] =
                    (row[k] ^ right_of(row, k, words)) | (row[k] ^ below[k]) | (row[k] ^ right_of(below, k, words));
            out[words - 1] = (out[words - 1] & ~last_column) | ((row[words - 1] ^ below[words - 1]) & last_column);
        }
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

/* Whether any of the bits from..to of a row is set. */
static bool any_set(const uint64_t *row, int from, int to)
{
    int first = from / 64, last = to / 64;
    uint64_t head = ~(uint64_t)0 << from % 64, tail = ~(uint64_t)0 >> (63 - to % 64);
    if (first == last) return row[first] & head & tail;
    for (int k = first + 1; k < last; k++)
        if (row[k]) return true;
    return (row[first] & head) || (row[last] & tail);
}

static bool near(const reel_bitmask *mask, int y, int x, const reel_disk *disk)
{
    for (int d = 0; d <= disk->radius; d++) {
        int half = disk->half_width[d];
        int from = x > half ? x - half : 0, to = x + half < mask->width ? x + half : mask->width - 1;
        const uint64_t *row = mask->bit + (size_t)y * (size_t)mask->words;
        const ptrdiff_t step = (ptrdiff_t)d * mask->words;
        if (y >= d && any_set(row - step, from, to)) return true;
        if (d > 0 && y + d < mask->height && any_set(row + step, from, to)) return true;
    }
    return false;
}

/* How many pixels of `mask` have one of `other` within the disk. */
static size_t count_near(const reel_bitmask *mask, const reel_bitmask *other, const reel_disk *disk)
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

double reel_metric_j(const reel_bitmask *truth, const reel_bitmask *guess)
{
    size_t both = 0, either = 0, words = (size_t)truth->height * (size_t)truth->words;
    for (size_t i = 0; i < words; i++) {
        uint64_t t = truth->bit[i], g = guess->bit[i];
        if (!(t | g)) continue;
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
