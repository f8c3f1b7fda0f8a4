/* The picture of a timeline. Time goes from left to right, a step a node; each block of the arena is a rectangle, as
   high as it is large and as long as it lives; holes are white. What a block is shows when the pointer rests on it. */
#include "tools/timeline.h"

#include "core/file.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

enum { WIDTH = 1200, HEIGHT = 720, LEFT = 70, RIGHT = 16, TOP = 76, BOTTOM = 56 };
static const double mib = 1048576;
static const char *const colour[REEL_KINDS] = {"#4c86b8", "#7cc3d8", "#e0913a", "#b5475f"};

typedef struct {
    const reel_timeline *t;
    reel_writer file;
} picture;

static void put(picture *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(picture *p, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n > 0) reel_writer_write(&p->file, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, NULL);
}

static double across(const picture *p, int step)
{
    return LEFT + (double)step / (p->t->steps ? p->t->steps : 1) * (WIDTH - LEFT - RIGHT);
}

static double up(const picture *p, size_t bytes)
{
    return HEIGHT - BOTTOM - (double)bytes / (double)(p->t->arena ? p->t->arena : 1) * (HEIGHT - TOP - BOTTOM);
}

static void draw_legend(picture *p)
{
    const reel_timeline *t = p->t;
    char text[REEL_NODE_TEXT];
    put(p,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n"
        "<rect width='%d' height='%d' fill='white'/>\n"
        "<text x='%d' y='22' font-size='14'>arena %.1f MiB; peak %.1f MiB at node %d, %s</text>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, (double)t->arena / mib, t->steps ? (double)t->live[t->peak] / mib : 0,
        t->peak, t->steps ? reel_node_text(reel_plan_node(t->plan, t->peak), text) : "none");
    for (int k = 0; k < REEL_KINDS; k++)
        put(p, "<rect x='%d' y='34' width='12' height='12' fill='%s'/><text x='%d' y='44'>%s</text>\n", LEFT + 160 * k,
            colour[k], LEFT + 160 * k + 18, reel_kind_name((reel_kind)k));
}

/* A step of 1, 2 or 5 times a power of ten that cuts the range into four to nine parts. */
static double tick(double range)
{
    double power = 1;
    while (power * 10 <= range / 4) power *= 10;
    while (power > range / 4) power /= 10;
    double times = range / 4 / power;
    return power * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
}

/* Where a frame begins on the way forward, and on the way back. */
static void draw_frames(picture *p)
{
    int frame = -1;
    for (int i = 0; i < p->t->steps; i++) {
        const reel_node *node = reel_plan_node(p->t->plan, i);
        bool backward = reel_timeline_backward(node);
        if (i == p->t->backward) frame = INT_MAX;
        if (node->op->flags & REEL_OP_SOURCE || node->time < 0 || backward != (i >= p->t->backward)) continue;
        if (backward ? node->time >= frame : node->time <= frame) continue;
        frame = node->time;
        put(p,
            "<path d='M%.1f %dV%d' stroke='#333' stroke-opacity='.35' stroke-dasharray='2 3'/>"
            "<text x='%.1f' y='%d' fill='#555'>%d</text>\n",
            across(p, i), TOP, HEIGHT - BOTTOM + 16, across(p, i) + 3, HEIGHT - BOTTOM + 15, frame);
    }
    put(p, "<text x='%d' y='%d' fill='#555' text-anchor='end'>frame</text>\n", LEFT - 8, HEIGHT - BOTTOM + 15);
}

static void draw_axes(picture *p)
{
    double all = (double)p->t->arena / mib, step = all > 0 ? tick(all) : 1;
    for (int i = 0; i <= (int)(all / step); i++) {
        double y = up(p, (size_t)(i * step * mib));
        put(p, "<path d='M%d %.1fH%d' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end'>%g</text>\n", LEFT, y,
            WIDTH - RIGHT, LEFT - 8, y + 4, i * step);
    }
    put(p, "<text x='%d' y='%d' text-anchor='end'>MiB</text>\n", LEFT - 8, TOP - 8);
    put(p, "<text x='%d' y='%d' text-anchor='end'>%d nodes in the order in which they run, forward and back</text>\n",
        WIDTH - RIGHT, HEIGHT - 14, p->t->steps);
}

static void draw_spans(picture *p)
{
    for (int i = 0; i < p->t->spans; i++) {
        const reel_block *b = &p->t->span[i].block;
        char text[REEL_NODE_TEXT], shape[REEL_SHAPE_TEXT];
        double top = up(p, b->offset + b->bytes), left = across(p, b->first);
        put(p,
            "<rect x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill='%s' stroke='white' stroke-width='.3'>"
            "<title>%s %s, %.2f MiB, nodes %d to %d</title></rect>\n",
            left, top, across(p, b->last + 1) - left, up(p, b->offset) - top, colour[p->t->span[i].kind],
            reel_node_text(b->tensor->node, text), reel_shape_text(&b->tensor->shape, shape), (double)b->bytes / mib,
            b->first, b->last);
    }
}

static void draw_peak(picture *p)
{
    double x = across(p, p->t->peak) + 0.5 * (WIDTH - LEFT - RIGHT) / (p->t->steps ? p->t->steps : 1);
    put(p,
        "<path d='M%.1f %dV%d' stroke='black' stroke-width='1.2'/>"
        "<text x='%.1f' y='%d' text-anchor='middle' font-weight='bold'>peak</text>\n</svg>\n",
        x, TOP - 4, HEIGHT - BOTTOM, x, TOP - 7);
}

reel_status reel_timeline_draw(const reel_timeline *timeline, const char *path, reel_error *error)
{
    picture p = {.t = timeline};
    reel_status status = reel_writer_open(&p.file, path, error);
    if (status) return status;
    draw_legend(&p);
    draw_axes(&p);
    draw_spans(&p);
    draw_frames(&p);
    draw_peak(&p);
    return reel_writer_commit(&p.file, error);
}
