/* Draws the scenes of moving_shapes: every number of reel_shape_scene from (seed, video) alone.

   What makes a scene worth learning from:
   - Shapes travel at 2 to 9 % of the frame height a frame, on paths as wide as the frame: a copy of the first mask is
     soon wrong, and some shapes leave and come back.
   - A surface is at times coloured as the background is, or as another shape is, and at times a shape is the twin of
     another one: colour alone does not tell what to follow.
   - Depth is drawn apart from the id, so ids do not tell who hides whom.
   - In some scenes the last shape enters later, from a side.
   Shapes are placed one by one and drawn anew until all of them, painted small, show enough of themselves in their
   first frame. Cost: about 0.1 ms a try, a few tries a scene. */
#include "datasets/shapes_scene.h"

#include "core/rng.h"

#include <stdbool.h>
#include <string.h>

enum { TRIES = 48, SMALL = 56 }; /* SMALL: longer side of the picture that places are judged on */

static const float turn = 6.2831853f;

/* A numbered sequence of draws. */
typedef struct {
    uint64_t key, drawn;
} dice;

static float between(dice *d, float low, float high)
{
    return low + (high - low) * (float)reel_uniform(d->key, d->drawn++);
}

static int below(dice *d, int n)
{
    return (int)reel_below(d->key, d->drawn++, (uint64_t)n);
}

static bool chance(dice *d, float p)
{
    return between(d, 0, 1) < p;
}

static reel_shape_wave draw_wave(dice *d, float swing_low, float swing_high, float frames_low, float frames_high)
{
    reel_shape_wave wave = {.swing = between(d, swing_low, swing_high)};
    wave.rate = turn / between(d, frames_low, frames_high);
    wave.phase = between(d, 0, turn);
    return wave;
}

/* Two colours that differ in brightness enough for the pattern to show. */
static void draw_colours(dice *d, reel_shape_texture *texture, float most_saturation)
{
    float hue = between(d, 0, 1), value = between(d, 0.25f, 0.6f);
    for (int end = 0; end < 2; end++) {
        texture->hsv[end][0] = hue + (end ? between(d, -0.14f, 0.14f) : 0);
        texture->hsv[end][1] = between(d, 0.15f, most_saturation);
        texture->hsv[end][2] = end ? fminf(value + between(d, 0.2f, 0.45f), 0.98f) : value;
    }
}

static void borrow_colours(dice *d, reel_shape_texture *texture, const reel_shape_texture *from)
{
    for (int end = 0; end < 2; end++)
        for (int c = 0; c < 3; c++) {
            float near = from->hsv[end][c] + between(d, -0.06f, 0.06f);
            texture->hsv[end][c] = c ? fminf(fmaxf(near, 0), 1) : near;
        }
}

static void draw_texture(dice *d, reel_shape_texture *texture, float frequency_low, float frequency_high)
{
    texture->pattern = (reel_shape_pattern)below(d, REEL_SHAPE_PATTERNS);
    texture->key = (uint32_t)reel_random(d->key, d->drawn++);
    texture->frequency = between(d, frequency_low, frequency_high);
    texture->warp = between(d, 0.2f, 1.4f);
}

static void draw_background(dice *d, reel_shape_scene *scene)
{
    draw_texture(d, &scene->background, 3, 9);
    draw_colours(d, &scene->background, 0.55f);
    reel_shape_texture_tint(&scene->background);
    float heading = between(d, 0, turn), speed = between(d, 0, 0.02f);
    scene->pan[0] = speed * cosf(heading);
    scene->pan[1] = speed * sinf(heading);
    for (int a = 0; a < 2; a++) scene->drift[a] = draw_wave(d, 0, 0.15f, 30, 90);
    scene->turn = draw_wave(d, 0, 0.15f, 40, 120);
    scene->zoom = draw_wave(d, 0, 0.12f, 40, 120);
    scene->grain = between(d, 0, 4);
}

static void draw_outline(dice *d, reel_shape_outline *outline)
{
    int kind = below(d, 5); /* 0, 1: blob; 2: polygon; 3: star; 4: pebble with a bow */
    if (kind == 2) outline->corners = 3 + below(d, 4);
    if (kind == 3) {
        outline->corners = 4 + below(d, 4);
        outline->star = between(d, 0.35f, 0.6f);
    }
    float loose = outline->corners ? 0.05f : 0.16f;
    for (int k = 0; k < REEL_SHAPE_HARMONICS; k++) {
        outline->amplitude[k] = between(d, 0.2f, 1) * loose;
        outline->phase[k] = between(d, 0, turn);
        outline->rate[k] = between(d, -0.3f, 0.3f);
    }
    outline->stretch = expf(between(d, -0.3f, 0.3f));
    outline->bend = draw_wave(d, 0, kind == 4 ? 0.4f : 0.12f, 16, 40);
}

static void draw_place(dice *d, reel_shape *shape, float aspect)
{
    shape->glide = 1;
    if (!shape->first) {
        shape->start[0] = between(d, 0.12f, 0.88f) * aspect;
        shape->start[1] = between(d, 0.15f, 0.85f);
        return;
    }
    /* A latecomer: first seen with its centre about at a border, gliding in. */
    bool from_left = chance(d, 0.5f);
    float out = 0.25f * shape->size;
    shape->start[0] = from_left ? -out : aspect + out;
    shape->start[1] = between(d, 0.25f, 0.75f);
    shape->entry[0] = (from_left ? 1 : -1) * between(d, 0.35f, 0.65f) * aspect;
    shape->entry[1] = between(d, -0.2f, 0.2f);
    shape->glide = between(d, 5, 10);
}

/* Rates follow from speed and swing, because it is the speed that makes a clip hard. The phase puts the middle of the
   way near the middle of the frame: a shape that swings out comes back. */
static void draw_path(dice *d, reel_shape *shape, float aspect)
{
    float unit = fminf(1, aspect), speed = between(d, 0.02f, 0.06f) * unit;
    int far_axis = chance(d, 0.4f) ? below(d, 2) : -1; /* the axis on which a traveller leaves the frame */
    for (int a = 0; a < 2; a++) {
        float room = a ? 1 : aspect;
        reel_shape_wave *wide = &shape->path[a][0];
        wide->swing = room * (a == far_axis ? between(d, 0.6f, 0.8f) : between(d, 0.2f, 0.36f));
        wide->rate = speed * between(d, 0.6f, 1.2f) * (a == far_axis ? 1.5f : 1) / wide->swing;
        float middle = shape->start[a] + shape->entry[a] + between(d, -0.5f, 0.5f) * wide->swing;
        if (!shape->first) middle = between(d, 0.38f, 0.62f) * room;
        float ahead = (shape->start[a] + shape->entry[a] - middle) / wide->swing;
        wide->phase = asinf(fminf(fmaxf(ahead, -1), 1));
        if (chance(d, 0.5f)) wide->phase = 0.5f * turn - wide->phase;
        shape->path[a][1] = draw_wave(d, 0, 0.05f * unit, 10, 24);
    }
}

static void draw_shape(dice *d, reel_shape *shape, const reel_shape_scene *scene)
{
    float unit = fminf(1, scene->aspect);
    shape->size = between(d, 0.11f, 0.24f) * unit;
    shape->growth = draw_wave(d, 0.05f, 0.3f, 20, 50);
    shape->angle = between(d, 0, turn);
    shape->spin = between(d, -0.12f, 0.12f);
    draw_place(d, shape, scene->aspect);
    draw_path(d, shape, scene->aspect);
    draw_outline(d, &shape->outline);
    draw_texture(d, &shape->texture, 7, 16);
    draw_colours(d, &shape->texture, 0.9f);
    float look = between(d, 0, 1);
    const reel_shape *other = scene->shapes ? &scene->shape[below(d, scene->shapes)] : NULL;
    if (look < 0.25f) borrow_colours(d, &shape->texture, &scene->background);
    if (look > 0.7f && other) borrow_colours(d, &shape->texture, &other->texture);
    if (look > 0.85f && other) {
        shape->texture.pattern = other->texture.pattern;
        shape->texture.frequency = other->texture.frequency;
        shape->outline = other->outline;
    }
    reel_shape_texture_tint(&shape->texture);
}

/* Every shape shows at least this part of the frame when it first appears: 1.2 %, a latecomer's tip 0.3 %. */
static bool all_visible(const reel_shape_scene *scene)
{
    int width = scene->aspect >= 1 ? SMALL : (int)(SMALL * scene->aspect) + 1;
    int height = scene->aspect >= 1 ? (int)(SMALL / scene->aspect) + 1 : SMALL;
    uint8_t id[SMALL * (SMALL + 1)] = {0};
    int painted = -1; /* the frame in `id`: most shapes appear in the same one */
    for (int i = 0; i < scene->shapes; i++) {
        const reel_shape *shape = &scene->shape[i];
        int seen = 0;
        if (shape->first != painted)
            reel_shape_scene_paint(scene, painted = shape->first, width, height, NULL, NULL, id);
        for (int p = 0; p < width * height; p++) seen += id[p] == shape->id;
        if ((float)seen < (shape->first ? 0.003f : 0.012f) * (float)(width * height)) return false;
    }
    return true;
}

static void place_shape(dice *d, reel_shape_scene *scene, int id, int first)
{
    int depth = below(d, scene->shapes + 1);
    reel_shape *place = &scene->shape[depth];
    size_t behind = (size_t)(scene->shapes - depth) * sizeof *place;
    for (int try = 0; try < TRIES; try++) {
        reel_shape shape = {.id = id, .first = first};
        draw_shape(d, &shape, scene);
        memmove(place + 1, place, behind);
        *place = shape;
        scene->shapes++;
        if (all_visible(scene)) return;
        if (scene->shapes == 1 && try == TRIES - 1) return; /* an empty video would be worse than a small shape */
        scene->shapes--;
        memmove(place, place + 1, behind);
    }
}

void reel_shape_scene_draw(reel_shape_scene *scene, uint64_t seed, int video, int most, float aspect)
{
    *scene = (reel_shape_scene){.key = reel_key(reel_key(seed, 0x736861706573), (uint64_t)video), .aspect = aspect};
    dice d = {.key = scene->key};
    draw_background(&d, scene);
    int wanted = 1 + below(&d, most), late = wanted > 1 && chance(&d, 0.3f) ? 2 + below(&d, 8) : 0;
    for (int i = 0; i < wanted; i++) place_shape(&d, scene, scene->shapes + 1, i == wanted - 1 ? late : 0);
}
