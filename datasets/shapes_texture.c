/* Procedural surfaces for moving_shapes. A pattern gives a weight t in 0..1 at a point, and the colour is the mix
   (1 - t) colour[0] + t colour[1]. All of them are built from value noise: random values on the integer lattice,
   interpolated by the smooth step 3 f^2 - 2 f^3, summed over octaves that halve in size and weight.

   Patterns are bent by noise so that no two places of a surface look alike; a network that should follow a surface
   needs something to hold on to. Cost: 30 to 80 ns a pixel. */
#include "datasets/shapes_scene.h"

/* A 32-bit hash of a lattice point: one random value a corner is asked four times a pixel, so it has to be cheap. */
static inline uint32_t lattice_hash(int x, int y, uint32_t key)
{
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^ key;
    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    h = (h ^ (h >> 12)) * 0x297a2d39u;
    return h ^ (h >> 15);
}

static inline float lattice(int x, int y, uint32_t key)
{
    return (float)(lattice_hash(x, y, key) >> 8) * 0x1p-24f;
}

static inline float smooth(float f)
{
    return f * f * (3 - 2 * f);
}

/* 0 below `low`, 1 above `high`, smooth between. */
static inline float ramp(float low, float high, float value)
{
    float f = (value - low) / (high - low);
    return smooth(f < 0 ? 0 : f > 1 ? 1 : f);
}

static float value_noise(float u, float v, uint32_t key)
{
    float fu = floorf(u), fv = floorf(v);
    int x = (int)fu, y = (int)fv;
    float a = smooth(u - fu), b = smooth(v - fv);
    float top = lattice(x, y, key) * (1 - a) + lattice(x + 1, y, key) * a;
    float bottom = lattice(x, y + 1, key) * (1 - a) + lattice(x + 1, y + 1, key) * a;
    return top * (1 - b) + bottom * b;
}

static float clouds(float u, float v, uint32_t key)
{
    return (value_noise(u, v, key) + 0.5f * value_noise(2.03f * u, 2.03f * v, key + 1) +
            0.25f * value_noise(4.1f * u, 4.1f * v, key + 2)) /
           1.75f;
}

/* Distance to the nearest of the points that lie one in each lattice cell, jittered (Worley 1996). A flat centre and
   dark seams: stones, scales. */
static float cells(float u, float v, uint32_t key, float *tone)
{
    float nearest = 9, fu = floorf(u), fv = floorf(v);
    int x = (int)fu, y = (int)fv;
    for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
            uint32_t h = lattice_hash(x + i, y + j, key);
            float du = fu + (float)i + (float)(h & 0xffff) * 0x1p-16f - u;
            float dv = fv + (float)j + (float)(h >> 16) * 0x1p-16f - v;
            float d = du * du + dv * dv;
            if (d >= nearest) continue;
            nearest = d;
            *tone = (float)((h * 0x9e3779b9u) >> 8) * 0x1p-24f;
        }
    }
    return sqrtf(nearest);
}

static float pattern_weight(const reel_shape_texture *texture, float u, float v)
{
    const float turn = 6.2831853f;
    float bend = texture->warp * (value_noise(0.7f * u, 0.7f * v, texture->key + 11) - 0.5f), tone = 0;
    switch (texture->pattern) {
    case REEL_STRIPES:
        return ramp(-0.5f, 0.5f, sinf(turn * (u + 1.5f * bend)));
    case REEL_CHECKS:
        return ramp(-0.2f, 0.2f, sinf(turn * 0.5f * (u + bend)) * sinf(turn * 0.5f * (v - bend)));
    case REEL_CELLS: {
        float d = cells(u, v, texture->key + 3, &tone);
        return (0.35f + 0.65f * tone) * (1 - ramp(0.45f, 0.85f, d));
    }
    case REEL_DOTS: {
        float d = cells(u, v, texture->key + 5, &tone);
        return 1 - ramp(0.2f + 0.12f * tone, 0.28f + 0.12f * tone, d);
    }
    default:
        return ramp(0.25f, 0.75f, clouds(u + bend, v - bend, texture->key + 7));
    }
}

void reel_shape_texture_at(const reel_shape_texture *texture, float u, float v, float rgb[3])
{
    u *= texture->frequency;
    v *= texture->frequency;
    float t = pattern_weight(texture, u, v);
    float light = 0.84f + 0.32f * value_noise(2.3f * u, 2.3f * v, texture->key + 23);
    for (int c = 0; c < 3; c++) rgb[c] = light * ((1 - t) * texture->colour[0][c] + t * texture->colour[1][c]);
}

/* Hue (turns), saturation, value to RGB: each channel falls and rises linearly around the colour circle. */
static void hsv_to_rgb(const float hsv[3], float rgb[3])
{
    static const float offset[3] = {5, 3, 1};
    for (int c = 0; c < 3; c++) {
        float k = fmodf(offset[c] + 6 * (hsv[0] - floorf(hsv[0])), 6);
        float dip = fminf(k, 4 - k);
        rgb[c] = hsv[2] * (1 - hsv[1] * fmaxf(0, fminf(dip, 1)));
    }
}

void reel_shape_texture_tint(reel_shape_texture *texture)
{
    for (int end = 0; end < 2; end++) hsv_to_rgb(texture->hsv[end], texture->colour[end]);
}
