/* See overlay.h. */
#include "tools/overlay.h"

#include <stddef.h>

static bool at_outline(const reel_mask *m, int y, int x)
{
    static const int dy[4] = {0, 0, 1, -1}, dx[4] = {1, -1, 0, 0};
    uint8_t id = m->id[(size_t)y * (size_t)m->width + (size_t)x];
    for (int k = 0; k < 4; k++) {
        int v = y + dy[k], u = x + dx[k];
        if (v < 0 || u < 0 || v >= m->height || u >= m->width) continue;
        if (m->id[(size_t)v * (size_t)m->width + (size_t)u] != id) return true;
    }
    return false;
}

void reel_overlay(reel_image *image, const reel_mask *mask)
{
    for (int y = 0; y < mask->height; y++) {
        for (int x = 0; x < mask->width; x++) {
            size_t at = (size_t)y * (size_t)mask->width + (size_t)x;
            if (!mask->id[at]) continue;
            const uint8_t *colour = mask->palette + (size_t)3 * mask->id[at];
            bool line = at_outline(mask, y, x);
            for (int c = 0; c < 3; c++) {
                uint8_t *pixel = &image->rgb[3 * at + (size_t)c];
                *pixel = line ? (uint8_t)(colour[c] / 2 + 127) : (uint8_t)((*pixel + colour[c]) / 2);
            }
        }
    }
}
