/* See curve.h. */
#include "tools/curve.h"

#include "core/file.h"
#include "core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 760, HEIGHT = 380, LEFT = 64, RIGHT = 20, TOP = 36, BOTTOM = 44, DOTS = 1500, TICKS = 20 };

typedef struct {
    double *step, *loss;
    int count, room;
    double low, high; /* of the loss axis */
} series;

static bool add(series *s, double step, double loss)
{
    if (s->count == s->room) {
        size_t old = (size_t)s->room, room = old ? 2 * old : 1024;
        double *steps = reel_grow(s->step, old, room, sizeof *steps);
        if (steps) s->step = steps;
        double *losses = steps ? reel_grow(s->loss, old, room, sizeof *losses) : NULL;
        if (!losses) return false;
        s->loss = losses;
        s->room = (int)room;
    }
    s->step[s->count] = step;
    s->loss[s->count++] = loss;
    return true;
}

/* The first three numbers of a row: step, learning rate, loss. */
static bool read_row(const char *line, double value[3])
{
    for (int i = 0; i < 3; i++) {
        char *end;
        value[i] = strtod(line, &end);
        if (end == line || (i < 2 && *end != ',')) return false;
        line = end + 1;
    }
    return true;
}

static reel_status read_log(const char *path, series *s, reel_error *error)
{
    unsigned char *text;
    size_t bytes;
    reel_status status = reel_file_read(path, (size_t)1 << 30, &text, &bytes, error);
    if (status) return status;
    char *save = NULL;
    for (char *line = strtok_r((char *)text, "\n", &save); line && !status; line = strtok_r(NULL, "\n", &save)) {
        double value[3];
        if (!read_row(line, value) || !isfinite(value[0]) || !isfinite(value[2])) continue;
        if (!add(s, value[0], value[2])) status = reel_fail_memory(error);
    }
    reel_free(text);
    return status;
}

static double across(const series *s, double step)
{
    double first = s->step[0], last = s->step[s->count - 1];
    return LEFT + (last > first ? (step - first) / (last - first) : 0.5) * (WIDTH - LEFT - RIGHT);
}

static double down(const series *s, double loss)
{
    double clipped = fmin(fmax(loss, s->low), s->high);
    return TOP + (s->high - clipped) / (s->high - s->low) * (HEIGHT - TOP - BOTTOM);
}

/* A step of 1, 2 or 5 times a power of ten that cuts `range` into four to nine parts. */
static double tick(double range)
{
    double power = pow(10, floor(log10(range / 4))), times = range / 4 / power;
    return power * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
}

static void put(reel_writer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(reel_writer *to, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n > 0) reel_writer_write(to, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, NULL);
}

static void draw_axes(reel_writer *to, const series *s)
{
    put(to,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n"
        "<rect width='%d' height='%d' fill='white'/>\n<text x='%d' y='22' font-size='14'>loss</text>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
    double step = tick(s->high - s->low), from = ceil(s->low / step);
    for (int i = 0; i < TICKS && from + i <= s->high / step + 1e-9; i++) {
        double v = (from + i) * step;
        put(to, "<path d='M%d %.1fH%d' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end'>%g</text>\n", LEFT,
            down(s, v), WIDTH - RIGHT, LEFT - 8, down(s, v) + 4, v);
    }
    double first = s->step[0], last = s->step[s->count - 1], by = last > first ? tick(last - first) : 1;
    from = ceil(first / by);
    for (int i = 0; i < TICKS && from + i <= last / by + 1e-9; i++) {
        double v = (from + i) * by;
        put(to, "<text x='%.1f' y='%d' text-anchor='middle'>%g</text>\n", across(s, v), HEIGHT - BOTTOM + 18, v);
    }
    put(to, "<text x='%d' y='%d' text-anchor='end'>step</text>\n", WIDTH - RIGHT, HEIGHT - 6);
}

static void draw_values(reel_writer *to, const series *s)
{
    int every = s->count / DOTS + 1, window = s->count / 50 + 1;
    put(to, "<g fill='#7aa6d8' fill-opacity='.5'>\n");
    for (int i = 0; i < s->count; i += every)
        put(to, "<circle cx='%.1f' cy='%.1f' r='1.3'/>\n", across(s, s->step[i]), down(s, s->loss[i]));
    put(to, "</g>\n<path fill='none' stroke='#c0392b' stroke-width='2' d='");
    double sum = 0;
    for (int i = 0; i < s->count; i++) {
        sum += s->loss[i] - (i >= window ? s->loss[i - window] : 0);
        if (i % every && i + 1 < s->count) continue;
        put(to, "%s%.1f %.1f", i ? "L" : "M", across(s, s->step[i]), down(s, sum / (i < window ? i + 1 : window)));
    }
    put(to, "'/>\n</svg>\n");
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The axis holds all but the largest hundredth of the losses, so that one bad start does not flatten the rest. */
static bool set_range(series *s)
{
    double *sorted = reel_alloc((size_t)s->count, sizeof *sorted);
    if (!sorted) return false;
    memcpy(sorted, s->loss, sizeof *sorted * (size_t)s->count);
    qsort(sorted, (size_t)s->count, sizeof *sorted, ascending);
    s->low = sorted[0] > 0 ? 0 : sorted[0];
    s->high = sorted[(s->count - 1) * 99 / 100];
    if (!(s->high > s->low)) s->high = s->low + fmax(1, fabs(s->low));
    reel_free(sorted);
    return true;
}

reel_status reel_curve_draw(const char *log, const char *svg, reel_error *error)
{
    series s = {0};
    reel_writer to;
    reel_status status = read_log(log, &s, error);
    if (!status && !s.count) status = reel_fail(error, REEL_BAD_DATA, "%s: holds no step with a loss to draw", log);
    if (!status && !set_range(&s)) status = reel_fail_memory(error);
    if (!status) status = reel_writer_open(&to, svg, error);
    if (!status) {
        draw_axes(&to, &s);
        draw_values(&to, &s);
        status = reel_writer_commit(&to, error);
    }
    reel_free(s.step);
    reel_free(s.loss);
    return status;
}
