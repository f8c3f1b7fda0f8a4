/* One tile of the LSTM cell and of its backward pass, for one float type: REAL, EXP and NAME(x) are defined by whoever
   includes this, once a type. Activations are passes of their own over the tile, which lies in the first level cache,
   so that each loop is free of choices and becomes vector code. */

CLONES static void NAME(activate)(int kind, const REAL *x, REAL *y, int64_t n)
{
    if (kind == REEL_LSTM_TANH) {
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] = 1 - 2 / (1 + EXP(2 * x[j]));
    } else if (kind == REEL_LSTM_SIGMOID) {
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] = 1 / (1 + EXP(-x[j]));
    } else {
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] = x[j] < 0 ? 0 : x[j];
    }
}

/* The derivative of an activation, from its value. */
CLONES static void NAME(slope)(int kind, const REAL *y, REAL *slope, int64_t n)
{
    if (kind == REEL_LSTM_TANH)
        for (int64_t j = 0; j < n; j++) slope[j] = 1 - y[j] * y[j];
    else if (kind == REEL_LSTM_SIGMOID)
        for (int64_t j = 0; j < n; j++) slope[j] = y[j] * (1 - y[j]);
    else
        for (int64_t j = 0; j < n; j++) slope[j] = y[j] > 0 ? 1 : 0;
}

/* Where an array of [N, parts * run] has elements first..first+n-1 of part `part` of sample `sample`; zeros for an
   array left out. */
static REAL *NAME(part)(const reel_array *a, const tile *t, int64_t parts, int64_t part)
{
    static REAL zero[TILE];
    return a->data ? (REAL *)a->data + (t->sample * parts + part) * t->run + t->first : zero;
}

/* The peephole weights of a tile, one an element. */
static const REAL *NAME(peephole)(const reel_call *call, int input, const tile *t, REAL *room)
{
    const reel_array *w = input < call->inputs ? &call->input[input] : NULL;
    if (w && w->data && w->shape.rank > 1) return (const REAL *)w->data + t->first;
    for (int64_t j = 0; j < t->n; j++) room[j] = w && w->data ? ((const REAL *)w->data)[(t->first + j) / t->plane] : 0;
    return room;
}

CLONES static void NAME(forward)(const reel_call *call, const tile *t)
{
    const reel_lstm_cell_attr *a = call->attr;
    const int64_t n = t->n;
    REAL room[3][TILE], p[TILE];
    const REAL *w[3], *c_in = NAME(part)(&call->input[1], t, 1, 0), *z[4];
    REAL *h = NAME(part)(&call->output[0], t, 1, 0), *c = NAME(part)(&call->output[1], t, 1, 0), *gate[4];
    for (int q = 0; q < 4; q++) z[q] = NAME(part)(&call->input[0], t, 4, q);
    for (int q = 0; q < 4; q++) gate[q] = NAME(part)(&call->output[2], t, 4, q);
    for (int q = 0; q < 3; q++) w[q] = NAME(peephole)(call, 2 + q, t, room[q]);
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        gate[0][j] = z[0][j] + w[0][j] * c_in[j];
        gate[1][j] = z[1][j] + w[1][j] * c_in[j] + (REAL)a->forget_bias;
    }
    NAME(activate)(REEL_LSTM_SIGMOID, gate[0], gate[0], n);
    NAME(activate)(REEL_LSTM_SIGMOID, gate[1], gate[1], n);
    NAME(activate)(a->candidate, z[3], gate[3], n);
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        c[j] = gate[1][j] * c_in[j] + gate[0][j] * gate[3][j];
        gate[2][j] = z[2][j] + w[2][j] * c[j];
    }
    NAME(activate)(REEL_LSTM_SIGMOID, gate[2], gate[2], n);
    NAME(activate)(a->output, c, p, n);
#pragma omp simd
    for (int64_t j = 0; j < n; j++) h[j] = gate[2][j] * p[j];
}

CLONES static void NAME(backward)(const reel_call *call, const tile *t)
{
    const reel_lstm_cell_attr *a = call->attr;
    const int64_t n = t->n;
    REAL room[3][TILE], p[TILE], p_slope[TILE], g_slope[TILE];
    const REAL *w[3], *gate[4], *e[4], *c_in = NAME(part)(&call->input[1], t, 1, 0);
    const REAL *dh = NAME(part)(&call->input[3], t, 1, 0), *dc = NAME(part)(&call->input[4], t, 1, 0);
    REAL *dz[4], *dc_in = NAME(part)(&call->output[1], t, 1, 0);
    for (int q = 0; q < 4; q++) gate[q] = NAME(part)(&call->input[0], t, 4, q);
    for (int q = 0; q < 4; q++) e[q] = NAME(part)(&call->input[5], t, 4, q);
    for (int q = 0; q < 4; q++) dz[q] = NAME(part)(&call->output[0], t, 4, q);
    for (int q = 0; q < 3; q++) w[q] = NAME(peephole)(call, 6 + q, t, room[q]);
    NAME(activate)(a->output, NAME(part)(&call->input[2], t, 1, 0), p, n);
    NAME(slope)(a->output, p, p_slope, n);
    NAME(slope)(a->candidate, gate[3], g_slope, n);
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        REAL i = gate[0][j], f = gate[1][j], o = gate[2][j], g = gate[3][j];
        REAL dz_o = (dh[j] * p[j] + e[2][j]) * o * (1 - o);
        REAL d = dc[j] + dh[j] * o * p_slope[j] + w[2][j] * dz_o;
        REAL dz_i = (d * g + e[0][j]) * i * (1 - i), dz_f = (d * c_in[j] + e[1][j]) * f * (1 - f);
        dz[0][j] = dz_i;
        dz[1][j] = dz_f;
        dz[2][j] = dz_o;
        dz[3][j] = (d * i + e[3][j]) * g_slope[j];
        dc_in[j] = d * f + w[0][j] * dz_i + w[1][j] * dz_f;
    }
}
