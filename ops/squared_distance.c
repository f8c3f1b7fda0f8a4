/* See squared_distance.h. */
#include "ops/squared_distance.h"

static int64_t one_further(int64_t distance)
{
    return distance == REEL_INFINITELY_FAR ? distance : distance + 1;
}

void reel_column_distances(const uint8_t *feature, int64_t height, int64_t width, int64_t first, int64_t end,
                           int64_t *column)
{
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = first, at = y * width + x; x < end; x++, at++)
            column[at] = feature[at] ? 0 : y ? one_further(column[at - width]) : REEL_INFINITELY_FAR;
    for (int64_t y = height - 2; y >= 0; y--)
        for (int64_t x = first, at = y * width + x; x < end; x++, at++) {
            int64_t below = one_further(column[at + width]);
            if (below < column[at]) column[at] = below;
        }
}

/* Quotient rounded down, for a positive divisor. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* The last position at which the parabola over u is not above the one over the later v. */
static int64_t crossing(const int64_t *column, int64_t u, int64_t v)
{
    return floor_divide(v * v - u * u + column[v] * column[v] - column[u] * column[u], 2 * (v - u));
}

void reel_squared_distance_row(const int64_t *column, int64_t *squared, int64_t width, int64_t *work)
{
    int64_t *vertex = work, *last = work + width; /* parabolas of the envelope, and where each ends */
    int64_t parabolas = 0;
    for (int64_t x = 0; x < width; x++) {
        if (column[x] == REEL_INFINITELY_FAR) continue;
        while (parabolas > 0) {
            int64_t end = crossing(column, vertex[parabolas - 1], x);
            last[parabolas - 1] = end;
            /* The parabola before reaches as far as this one: this one is nowhere the lowest. */
            if (end >= 0 && (parabolas == 1 || end > last[parabolas - 2])) break;
            parabolas--;
        }
        vertex[parabolas++] = x;
    }
    int64_t p = 0;
    for (int64_t x = 0; x < width; x++) {
        while (p < parabolas - 1 && x > last[p]) p++;
        int64_t away = parabolas ? x - vertex[p] : 0;
        squared[x] = parabolas ? away * away + column[vertex[p]] * column[vertex[p]] : REEL_INFINITELY_FAR;
    }
}
