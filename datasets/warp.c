/* See warp.h. A target pixel asks where it comes from, so every pixel is written once and there are no holes:
   source = A target with A = S^-1 R(-angle) S / scale, where S undoes the resize's change of aspect and R turns.
   Masks take the nearest source pixel, to stay 0 or 1; pictures mix the four around it. Cost: 5 ns a pixel. */
#include "datasets/warp.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

reel_warp reel_warp_about_centre(double degrees, double scale, double shape)
{
    double angle = degrees * 0.017453292519943295, c = cos(angle) / scale, s = sin(angle) / scale;
    return (reel_warp){.xx = (float)c, .xy = (float)(s * shape), .yx = (float)(-s / shape), .yy = (float)c};
}

typedef struct {
    const float *value;
    int height, width;
    float fill;
} source;

static inline float pixel(const source *from, int x, int y)
{
    bool outside = x < 0 || y < 0 || x >= from->width || y >= from->height;
    return outside ? from->fill : from->value[(size_t)y * from->width + x];
}

static float mixed(const source *from, float x, float y)
{
    float fx = floorf(x), fy = floorf(y), a = x - fx, b = y - fy;
    int ix = (int)fx, iy = (int)fy;
    float top = pixel(from, ix, iy) * (1 - a) + pixel(from, ix + 1, iy) * a;
    float bottom = pixel(from, ix, iy + 1) * (1 - a) + pixel(from, ix + 1, iy + 1) * a;
    return top * (1 - b) + bottom * b;
}

void reel_warp_plane(float *plane, float *copy, int height, int width, const reel_warp *warp, bool nearest, float fill)
{
    source from = {memcpy(copy, plane, (size_t)height * width * sizeof *plane), height, width, fill};
    float middle_x = 0.5f * (float)(width - 1), middle_y = 0.5f * (float)(height - 1);
    for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++, plane++) {
            float x = (float)column - middle_x, y = (float)row - middle_y;
            float from_x = warp->xx * x + warp->xy * y + middle_x, from_y = warp->yx * x + warp->yy * y + middle_y;
            *plane = nearest ? pixel(&from, (int)floorf(from_x + 0.5f), (int)floorf(from_y + 0.5f))
                             : mixed(&from, from_x, from_y);
        }
    }
}

void reel_mirror_plane(float *plane, int height, int width)
{
    for (int row = 0; row < height; row++, plane += width) {
        for (int left = 0, right = width - 1; left < right; left++, right--) {
            float value = plane[left];
            plane[left] = plane[right];
            plane[right] = value;
        }
    }
}
