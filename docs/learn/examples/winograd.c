/* Winograd's filtering on a line: four neighbouring sums of three products each, by six multiplications instead of
   twelve. Six inputs are the coefficients of a polynomial, three taps those of another, and both are given as well by
   their values at six points: 0, 1, -1, 1/2, -2, and infinity, which is the leading coefficient. */
#include <math.h>
#include <stdio.h>

enum { SEEN = 6, TAPS = 3, OUTPUTS = SEEN - TAPS + 1 };

/* Rows: what the six inputs become; the values of the taps; how products make outputs. */
static const double from_input[SEEN][SEEN] = {{1, -1.5, -2, 1.5, 1, 0}, {0, -1, 0.5, 2.5, 1, 0},
                                              {0, 1, -2.5, 0.5, 1, 0},  {0, -2, -1, 2, 1, 0},
                                              {0, 0.5, -1, -0.5, 1, 0}, {0, 1, -1.5, -2, 1.5, 1}};
static const double point[SEEN - 1] = {0, 1, -1, 0.5, -2};

/* The product of the differences of point i from the others. */
static double apart(int i)
{
    double product = 1;
    for (int j = 0; j < SEEN - 1; j++) product *= j == i ? 1 : point[i] - point[j];
    return product;
}

/* Value of the taps at point i; at infinity, the last tap. */
static double tap_value(const double *tap, int i)
{
    double sum = 0;
    if (i == SEEN - 1) return tap[TAPS - 1];
    for (int j = 0; j < TAPS; j++) sum += pow(point[i], j) * tap[j];
    return sum / apart(i);
}

int main(void)
{
    const double x[SEEN] = {3, 1, -4, 1, 5, -9}, tap[TAPS] = {2, -1, 3};
    double product[SEEN];
    int multiplications = 0;
    for (int i = 0; i < SEEN; i++) {
        double value = 0;
        for (int j = 0; j < SEEN; j++) value += from_input[i][j] * x[j];
        product[i] = value * tap_value(tap, i);
        multiplications++;
    }
    for (int o = 0; o < OUTPUTS; o++) {
        double filtered = o == OUTPUTS - 1 ? product[SEEN - 1] : 0, direct = 0;
        for (int i = 0; i < SEEN - 1; i++) filtered += pow(point[i], o) * product[i];
        for (int j = 0; j < TAPS; j++) direct += tap[j] * x[o + j];
        printf("output %d: %.12g by filtering, %.12g directly\n", o, filtered, direct);
    }
    printf("%d multiplications instead of %d; in two dimensions %d instead of %d\n", multiplications, OUTPUTS * TAPS,
           multiplications * multiplications, OUTPUTS * TAPS * OUTPUTS * TAPS);
    return 0;
}
