/* A convolution is a matrix product: each window of the picture becomes a column of a matrix. Done by hand and held
   against conv2d. One image, two channels of 4 x 4, three output channels, 3 x 3 windows, padding 1. */
#include "core/plan.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>

enum { C = 2, K = 3, SIZE = 4, KERNEL = 3, PAD = 1, REACH = C * KERNEL * KERNEL, PIXELS = SIZE * SIZE };

/* Row r of the columns matrix is one channel, shifted to one kernel position; zero where that looks outside. */
static void make_columns(const double *x, double columns[REACH][PIXELS])
{
    for (int r = 0; r < REACH; r++)
        for (int t = 0; t < PIXELS; t++) {
            int row = t / SIZE + r % 9 / KERNEL - PAD, column = t % SIZE + r % KERNEL - PAD;
            bool inside = row >= 0 && row < SIZE && column >= 0 && column < SIZE;
            columns[r][t] = inside ? x[(r / 9 * SIZE + row) * SIZE + column] : 0;
        }
}

int main(void)
{
    reel_error error = {REEL_OK, ""};
    double x[C * PIXELS], w[K * REACH], y[K * PIXELS], columns[REACH][PIXELS], worst = 0;
    for (int i = 0; i < C * PIXELS; i++) x[i] = i % 7;
    for (int i = 0; i < K * REACH; i++) w[i] = i % 5 - 2;

    reel_graph *graph = reel_graph_new();
    reel_tensor *tx = reel_constant(graph, REEL_F64, REEL_SHAPE(1, C, SIZE, SIZE), x);
    reel_tensor *tw = reel_constant(graph, REEL_F64, REEL_SHAPE(K, C, KERNEL, KERNEL), w);
    if (reel_eval(reel_conv2d(tx, tw, NULL, reel_conv2d_same(KERNEL)), y, &error)) fprintf(stderr, "%s\n", error.text);

    make_columns(x, columns);
    for (int k = 0; k < K; k++)
        for (int t = 0; t < PIXELS; t++) {
            double sum = 0;
            for (int r = 0; r < REACH; r++) sum += w[k * REACH + r] * columns[r][t];
            worst = fmax(worst, fabs(sum - y[k * PIXELS + t]));
        }
    printf("columns matrix: %d x %d, %d times the picture\n", REACH, PIXELS, REACH / C);
    printf("largest difference from conv2d: %g\n", worst);
    reel_graph_free(graph);
    return error.status;
}
