/* The inside of moving_shapes: what one generated video is made of, as numbers. shapes_scene.c draws these numbers,
   shapes_render.c turns them and a frame number into pixels, shapes_texture.c says how a surface looks.

   Lengths are in frame heights: y runs over 0..1, x over 0..aspect, so that a scene is the same at every resolution.
   Time is in frames since the shape appeared. */
#ifndef REEL_DATASETS_SHAPES_SCENE_H
#define REEL_DATASETS_SHAPES_SCENE_H

#include <math.h>
#include <stdint.h>

enum { REEL_SHAPES_MOST = 8, REEL_SHAPE_HARMONICS = 3 };

/* Everything that changes smoothly is a wave that starts at zero: swing (sin(rate t + phase) - sin(phase)). Shapes are
   placed for their first frame, and waves that start at zero cannot move them away from there. */
typedef struct {
    float swing, rate, phase;
} reel_shape_wave;

static inline float reel_shape_wave_at(const reel_shape_wave *wave, float t)
{
    return wave->swing * (sinf(wave->rate * t + wave->phase) - sinf(wave->phase));
}

typedef enum { REEL_CLOUDS, REEL_STRIPES, REEL_CHECKS, REEL_CELLS, REEL_DOTS, REEL_SHAPE_PATTERNS } reel_shape_pattern;

typedef struct {
    reel_shape_pattern pattern;
    uint32_t key;
    float frequency;    /* features a frame height */
    float warp;         /* how much noise bends the pattern */
    float hsv[2][3];    /* what the colours were drawn as: a similar surface begins from these */
    float colour[2][3]; /* the two RGB ends, 0..1, between which the pattern mixes */
} reel_shape_texture;

/* Distance of the outline from the centre, by angle: a circle, polygon or star, times 1 + sum of harmonics. */
typedef struct {
    int corners;   /* 0: a circle */
    float star;    /* 0 gives the polygon; otherwise how deep the notches of a star go */
    float stretch; /* elongation: one axis times, the other one divided by it */
    float amplitude[REEL_SHAPE_HARMONICS], phase[REEL_SHAPE_HARMONICS], rate[REEL_SHAPE_HARMONICS];
    reel_shape_wave bend; /* bows the shape like a banana */
} reel_shape_outline;

typedef struct {
    int id, first;              /* pixel value in masks; first frame in which it exists */
    float start[2];             /* centre in its first frame */
    float entry[2];             /* how far it glides on from there, slowing down: zero unless it enters late */
    float glide;                /* frames the glide takes to get 63 % of its way */
    reel_shape_wave path[2][2]; /* two waves an axis: a large slow and a small quick one */
    float size;
    reel_shape_wave growth; /* of log size */
    float angle, spin;
    reel_shape_outline outline;
    reel_shape_texture texture;
} reel_shape;

typedef struct {
    uint64_t key;
    float aspect;
    reel_shape_texture background;
    float pan[2];
    reel_shape_wave drift[2], turn, zoom;
    float grain; /* camera noise: deviation in grey levels */
    int shapes;
    reel_shape shape[REEL_SHAPES_MOST]; /* from the farthest to the nearest */
} reel_shape_scene;

/* Draws the scene of a video. `most` bounds the shapes in it; one that finds no place is left out. */
void reel_shape_scene_draw(reel_shape_scene *scene, uint64_t seed, int video, int most, float aspect);

/* Paints one frame: interleaved RGB (or NULL) and the id of the nearest shape a pixel (or NULL). RGB needs room for one
   row of 3 * width floats to mix in. */
void reel_shape_scene_paint(const reel_shape_scene *scene, int frame, int width, int height, float *row_rgb,
                            uint8_t *rgb, uint8_t *id);

/* The colour of a surface at (u, v), and the ends it mixes, from hue, saturation and value. */
void reel_shape_texture_at(const reel_shape_texture *texture, float u, float v, float rgb[3]);
void reel_shape_texture_tint(reel_shape_texture *texture);

#endif
