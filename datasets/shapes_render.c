/* Pixels of moving_shapes. Shapes are painted from the farthest to the nearest over the background, each inside its
   bounding square only.

   A pixel is taken into the shape's own frame: subtract the centre, turn by -angle, divide by the size, undo bend and
   stretch. There the shape is { (r, theta) : r <= R(theta) }. R is tabulated once a frame, so a pixel costs an atan2
   and a table look-up. The mask is R(theta) - r >= 0 at the pixel's centre; the picture mixes shape and ground over the
   one pixel around that line, so that frames look filmed while masks stay crisp and agree with them to half a pixel.
   The distance to the outline is (R - r) / sqrt(1 + (R'/R)^2), its first order.

   Cost: 2 to 3 ms for 128 x 224 with four shapes, half of it the background; labels alone are about 0.2 ms. */
#include "datasets/shapes_scene.h"

#include "core/rng.h"

#include <stddef.h>
#include <string.h>

enum { ANGLES = 512 };

/* A shape at one instant. */
typedef struct {
    float x, y, size, cosine, sine, stretch, bend, reach;
    float radius[ANGLES + 1], slope[ANGLES + 1];
} pose;

typedef struct {
    int width;
    float pitch_x, pitch_y; /* lengths of a pixel's sides */
    uint8_t *id;
    float *row; /* RGB of the row being painted; NULL when only ids are wanted */
} canvas;

static float outline_radius(const reel_shape_outline *outline, float theta, float t)
{
    float r = 1;
    if (outline->corners) {
        float wedge = 6.2831853f / (float)outline->corners;
        float phi = fmodf(theta + 6.2831853f, wedge) - 0.5f * wedge; /* 0 in the middle of a side */
        if (outline->star > 0) {
            float tip = fabsf(phi) / (0.5f * wedge); /* 1 at a tip */
            r = 1 - outline->star * (1 - tip) * (1 - 0.3f * tip);
        } else {
            r = cosf(0.5f * wedge) / cosf(phi) * (1 + 0.12f * (float)(outline->corners == 3));
        }
    }
    float wobble = 1;
    for (int k = 0; k < REEL_SHAPE_HARMONICS; k++)
        wobble += outline->amplitude[k] * cosf((float)(k + 2) * theta + outline->phase[k] + outline->rate[k] * t);
    return r * wobble;
}

static void pose_outline(pose *p, const reel_shape_outline *outline, float t)
{
    float most = 0;
    for (int i = 0; i <= ANGLES; i++) {
        float theta = 6.2831853f * (float)(i % ANGLES) / ANGLES;
        p->radius[i] = outline_radius(outline, theta, t);
        if (p->radius[i] > most) most = p->radius[i];
    }
    for (int i = 0; i <= ANGLES; i++) {
        float after = p->radius[(i + 1) % ANGLES], before = p->radius[(i + ANGLES - 1) % ANGLES];
        float tangent = (after - before) * (ANGLES / (2 * 6.2831853f)) / p->radius[i];
        p->slope[i] = 1 / sqrtf(1 + tangent * tangent);
    }
    p->stretch = outline->stretch;
    p->bend = reel_shape_wave_at(&outline->bend, t);
    float length = most * fmaxf(p->stretch, 1 / p->stretch);
    p->reach = p->size * (length + fabsf(p->bend) * length * length);
}

static void pose_at(pose *p, const reel_shape *shape, float t)
{
    float in = 1 - expf(-t / shape->glide), centre[2];
    for (int a = 0; a < 2; a++)
        centre[a] = shape->start[a] + shape->entry[a] * in + reel_shape_wave_at(&shape->path[a][0], t) +
                    reel_shape_wave_at(&shape->path[a][1], t);
    p->x = centre[0];
    p->y = centre[1];
    p->size = shape->size * expf(reel_shape_wave_at(&shape->growth, t));
    float angle = shape->angle + shape->spin * t;
    p->cosine = cosf(angle);
    p->sine = sinf(angle);
    pose_outline(p, &shape->outline, t);
}

/* Distance of a point from the outline, positive inside, in frame heights; (u, v) is the point on the surface, (q, s)
   the direction from the centre scaled to 1 at the rim, in the frame's axes. */
static float distance_inside(const pose *p, float x, float y, float uv[2], float rim[2])
{
    float dx = x - p->x, dy = y - p->y;
    float u = (dx * p->cosine + dy * p->sine) / p->size, v = (dy * p->cosine - dx * p->sine) / p->size;
    uv[0] = u / p->stretch;
    uv[1] = (v - p->bend * u * u) * p->stretch;
    float r = sqrtf(uv[0] * uv[0] + uv[1] * uv[1]);
    float turns = atan2f(uv[1], uv[0]) / 6.2831853f;
    float at = (turns < 0 ? turns + 1 : turns) * ANGLES;
    int i = (int)at;
    if (i >= ANGLES) i = ANGLES - 1;
    float part = at - (float)i, radius = p->radius[i] + part * (p->radius[i + 1] - p->radius[i]);
    float scale = r / (radius * sqrtf(dx * dx + dy * dy) + 1e-9f);
    rim[0] = dx * scale;
    rim[1] = dy * scale;
    return (radius - r) * p->slope[i] * p->size;
}

/* A surface lit from the upper left, darker towards its rim: a flat texture would look pasted on. */
static void surface_colour(const reel_shape *shape, const float uv[2], const float rim[2], float rgb[3])
{
    reel_shape_texture_at(&shape->texture, uv[0] * shape->size, uv[1] * shape->size, rgb);
    float q = rim[0] * rim[0] + rim[1] * rim[1];
    float light = 1.04f - 0.2f * (0.55f * rim[0] + 0.83f * rim[1]) - 0.22f * q * q;
    for (int c = 0; c < 3; c++) rgb[c] *= light;
}

static int clamp_to(float value, int most)
{
    return value < 0 ? 0 : value > (float)most ? most : (int)value;
}

static void paint_shape_row(const canvas *to, const reel_shape *shape, const pose *p, int row)
{
    float y = ((float)row + 0.5f) * to->pitch_y, pixel = fminf(to->pitch_x, to->pitch_y);
    if (fabsf(y - p->y) > p->reach + pixel) return;
    int from = clamp_to((p->x - p->reach) / to->pitch_x - 1, to->width);
    int until = clamp_to((p->x + p->reach) / to->pitch_x + 2, to->width);
    for (int column = from; column < until; column++) {
        float uv[2], rim[2], rgb[3];
        float inside = distance_inside(p, ((float)column + 0.5f) * to->pitch_x, y, uv, rim) / pixel;
        if (to->id && inside >= 0) to->id[(size_t)row * to->width + column] = (uint8_t)shape->id;
        if (!to->row || inside <= -0.5f) continue;
        surface_colour(shape, uv, rim, rgb);
        float cover = inside >= 0.5f ? 1 : inside + 0.5f;
        float *under = to->row + (ptrdiff_t)3 * column;
        for (int c = 0; c < 3; c++) under[c] += cover * (rgb[c] - under[c]);
    }
}

static void paint_background_row(const canvas *to, const reel_shape_scene *scene, int frame, int row)
{
    float t = (float)frame, turn = reel_shape_wave_at(&scene->turn, t),
          zoom = expf(reel_shape_wave_at(&scene->zoom, t));
    float cosine = cosf(turn) * zoom, sine = sinf(turn) * zoom;
    float at_x = scene->pan[0] * t + reel_shape_wave_at(&scene->drift[0], t);
    float at_y = scene->pan[1] * t + reel_shape_wave_at(&scene->drift[1], t);
    float y = ((float)row + 0.5f) * to->pitch_y - 0.5f;
    for (int column = 0; column < to->width; column++) {
        float x = ((float)column + 0.5f) * to->pitch_x - 0.5f * scene->aspect;
        reel_shape_texture_at(&scene->background, cosine * x + sine * y + at_x, cosine * y - sine * x + at_y,
                              to->row + (ptrdiff_t)3 * column);
    }
}

/* To 8 bits, with the camera's noise: three sums of two bytes of one random word are triangular around zero, near
   enough to a bell. */
static void expose_row(const canvas *from, const reel_shape_scene *scene, int frame, int row, uint8_t *rgb)
{
    uint64_t key = reel_key(reel_key(scene->key, 0x6e6f697365), (uint64_t)frame);
    float gain = scene->grain / 104; /* deviation of the sum of two uniform bytes */
    for (int column = 0; column < from->width; column++) {
        uint64_t noise = reel_random(key, (uint64_t)row * (uint64_t)from->width + (uint64_t)column);
        for (int c = 0; c < 3; c++, noise >>= 16) {
            float grain = gain * ((float)(noise & 255) + (float)(noise >> 8 & 255) - 255);
            rgb[3 * column + c] = (uint8_t)clamp_to(255 * from->row[3 * column + c] + grain + 0.5f, 255);
        }
    }
}

/* Poses are 4 KiB each and live on the stack together: at most REEL_SHAPES_MOST of them. */
void reel_shape_scene_paint(const reel_shape_scene *scene, int frame, int width, int height, float *row_rgb,
                            uint8_t *rgb, uint8_t *id)
{
    pose poses[REEL_SHAPES_MOST];
    for (int i = 0; i < scene->shapes; i++)
        if (frame >= scene->shape[i].first)
            pose_at(&poses[i], &scene->shape[i], (float)(frame - scene->shape[i].first));
    canvas to = {width, scene->aspect / (float)width, 1 / (float)height, id, rgb ? row_rgb : NULL};
    if (id) memset(id, 0, (size_t)width * height);
    for (int row = 0; row < height; row++) {
        if (to.row) paint_background_row(&to, scene, frame, row);
        for (int i = 0; i < scene->shapes; i++)
            if (frame >= scene->shape[i].first) paint_shape_row(&to, &scene->shape[i], &poses[i], row);
        if (to.row) expose_row(&to, scene, frame, row, rgb + (size_t)3 * width * row);
    }
}
