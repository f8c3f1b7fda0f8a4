/* The tiles of pictures and their values: see winograd.h. */
#include "backends/cpu/winograd.h"

cpu_winograd_grid cpu_winograd_cut(const reel_conv2d_geometry *g, int64_t most)
{
    cpu_winograd_grid grid = {.outputs = WINOGRAD_SIDE + 1 - g->kh};
    grid.down = cpu_pieces(g->p, grid.outputs);
    grid.across = cpu_pieces(g->q, grid.outputs);
    grid.columns = cpu_even(grid.across, most);
    grid.wide = cpu_pieces(grid.across, grid.columns);
    grid.rows = grid.wide > 1 ? 1 : cpu_even(g->n * grid.down, most / grid.columns);
    grid.tall = g->n * grid.down;
    grid.blocks = cpu_pieces(grid.tall, grid.rows) * grid.wide;
    return grid;
}

cpu_winograd_block cpu_winograd_block_of(const cpu_winograd_grid *grid, int64_t number)
{
    cpu_winograd_block b = {.row = number / grid->wide * grid->rows, .column = number % grid->wide * grid->columns};
    b.rows = cpu_least(grid->rows, grid->tall - b.row);
    b.columns = cpu_least(grid->columns, grid->across - b.column);
    return b;
}

int64_t cpu_winograd_room(const cpu_winograd_grid *grid, int64_t beyond, int64_t slice)
{
    return (grid->rows * grid->outputs + beyond) * (grid->columns * grid->outputs + beyond) * slice;
}

/* The rows of a block that lie in one image, for a slice of channels. */
static void fill_rows(const cpu_winograd_grid *grid, const cpu_winograd_picture *p, const cpu_winograd_block *b,
                      int64_t c0, float *room, float *v, int64_t plane, int64_t row)
{
    int64_t m = grid->outputs, channels = cpu_least(p->slice, p->channels - c0);
    int64_t first = b->row / grid->down * p->from->shape.size[1] + p->channel + c0;
    cpu_window at = {b->row % grid->down * m + p->top, b->column * m + p->left, b->rows * m + p->beyond,
                     b->columns * m + p->beyond};
    cpu_conv2d_pack_pixels(p->kernel, p->from, first, channels, &at, (char *)room, p->slice);
    for (int64_t r = 0; r < b->rows; r++)
        p->values(room + r * m * at.width * p->slice, at.width * p->slice, p->slice, b->columns,
                  cpu_pieces(channels, p->kernel->lanes), v + r * b->columns * row + c0, plane, row);
}

void cpu_winograd_fill(const cpu_winograd_grid *grid, const cpu_winograd_block *b, const cpu_winograd_picture *p,
                       float *room, float *v, int64_t plane, int64_t row)
{
    for (int64_t c0 = 0; c0 < p->channels; c0 += p->slice)
        for (int64_t r = 0, rows; r < b->rows; r += rows) {
            rows = cpu_least(b->rows - r, grid->down - (b->row + r) % grid->down);
            cpu_winograd_block part = {b->row + r, rows, b->column, b->columns};
            fill_rows(grid, p, &part, c0, room, v + r * b->columns * row, plane, row);
        }
}
