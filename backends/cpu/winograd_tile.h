/* The transforms of winograd.h for one vector width. The including file sets LANES, NAME(x) and TARGET. */

typedef float NAME(vector) __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef int32_t NAME(words) __attribute__((vector_size(LANES * 4)));

/* One side of a transform: out = matrix in, or its transpose's. Everything but the vectors is constant, so that only
   products with what is neither 0 nor 1 remain. */
static inline __attribute__((always_inline)) TARGET void
NAME(side)(const int rows, const int depth, const float (*matrix)[WINOGRAD_SIDE], const bool adjoint,
           const NAME(vector) * in, const int in_step, NAME(vector) * out, const int out_step)
{
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
        NAME(vector) sum = {0};
        bool some = false;
#pragma GCC unroll 6
        for (int d = 0; d < depth; d++) {
            const float factor = adjoint ? matrix[d][r] : matrix[r][d];
            if (factor == 0) continue;
            if (some)
                sum += factor * in[d * in_step];
            else
                sum = factor * in[d * in_step];
            some = true;
        }
        out[r * out_step] = sum;
    }
}

/* Both: out = matrix in matrix^T. */
static inline __attribute__((always_inline)) TARGET void NAME(both)(const int rows, const int depth,
                                                                    const float (*matrix)[WINOGRAD_SIDE],
                                                                    const bool adjoint, const NAME(vector) * in,
                                                                    NAME(vector) * out)
{
    NAME(vector) half[WINOGRAD_POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < depth; j++) NAME(side)(rows, depth, matrix, adjoint, in + j, depth, half + j, depth);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) NAME(side)(rows, depth, matrix, adjoint, half + i * depth, 1, out + i * rows, 1);
}

/* Tiles that see `seen` rows and columns, and are `outputs` apart. */
static inline __attribute__((always_inline)) TARGET void NAME(values)(const int seen, const int outputs,
                                                                      const float (*matrix)[WINOGRAD_SIDE],
                                                                      const bool adjoint, const float *x, int64_t line,
                                                                      int64_t pixel, int64_t tiles, int64_t vectors,
                                                                      float *v, int64_t plane, int64_t row)
{
    for (int64_t t = 0; t < tiles; t++, x += outputs * pixel, v += row)
        for (int64_t l = 0; l < vectors * LANES; l += LANES) {
            NAME(vector) in[WINOGRAD_POINTS], out[WINOGRAD_POINTS];
#pragma GCC unroll 36
            for (int s = 0; s < seen * seen; s++)
                in[s] = *(const NAME(vector) *)(x + s / seen * line + s % seen * pixel + l);
            NAME(both)(WINOGRAD_SIDE, seen, matrix, adjoint, in, out);
#pragma GCC unroll 36
            for (int s = 0; s < WINOGRAD_POINTS; s++) *(NAME(vector) *)(v + s * plane + l) = out[s];
        }
}

static inline __attribute__((always_inline)) TARGET void NAME(weight)(const int kernel,
                                                                      const float (*matrix)[WINOGRAD_SIDE],
                                                                      const float *w, int64_t channels, int64_t vectors,
                                                                      float *u, int64_t plane)
{
    for (int64_t c = 0; c < channels; c++, w += kernel * kernel * vectors * LANES, u += vectors * LANES)
        for (int64_t l = 0; l < vectors * LANES; l += LANES) {
            NAME(vector) in[WINOGRAD_POINTS], out[WINOGRAD_POINTS];
#pragma GCC unroll 25
            for (int s = 0; s < kernel * kernel; s++) in[s] = *(const NAME(vector) *)(w + s * vectors * LANES + l);
            NAME(both)(WINOGRAD_SIDE, kernel, matrix, false, in, out);
#pragma GCC unroll 36
            for (int s = 0; s < WINOGRAD_POINTS; s++) *(NAME(vector) *)(u + s * plane + l) = out[s];
        }
}

static inline __attribute__((always_inline)) TARGET void
NAME(weight_gradient)(const int kernel, const float (*matrix)[WINOGRAD_SIDE], const float *u, int64_t plane,
                      int64_t channels, int64_t vectors, float *w)
{
    for (int64_t c = 0; c < channels; c++, w += kernel * kernel * vectors * LANES, u += vectors * LANES)
        for (int64_t l = 0; l < vectors * LANES; l += LANES) {
            NAME(vector) in[WINOGRAD_POINTS], out[WINOGRAD_POINTS];
#pragma GCC unroll 36
            for (int s = 0; s < WINOGRAD_POINTS; s++) in[s] = *(const NAME(vector) *)(u + s * plane + l);
            NAME(both)(kernel, WINOGRAD_SIDE, matrix, true, in, out);
#pragma GCC unroll 25
            for (int s = 0; s < kernel * kernel; s++) *(NAME(vector) *)(w + s * vectors * LANES + l) = out[s];
        }
}

static inline __attribute__((always_inline)) TARGET void
NAME(output)(const int outputs, const float (*matrix)[WINOGRAD_SIDE], const float *m, int64_t plane, int64_t tiles,
             int64_t vectors, const float *bias, bool relu, float *y)
{
    const int64_t lanes = vectors * LANES;
    for (int64_t t = 0; t < tiles; t++)
        for (int64_t l = 0; l < lanes; l += LANES) {
            NAME(vector) in[WINOGRAD_POINTS], out[WINOGRAD_POINTS], start = *(const NAME(vector) *)(bias + l);
#pragma GCC unroll 36
            for (int s = 0; s < WINOGRAD_POINTS; s++) in[s] = *(const NAME(vector) *)(m + s * plane + t * lanes + l);
            NAME(both)(outputs, WINOGRAD_SIDE, matrix, false, in, out);
#pragma GCC unroll 16
            for (int s = 0; s < outputs * outputs; s++) {
                NAME(vector) value = out[s] + start;
                if (relu) value = (NAME(vector))(~(value <= 0) & (NAME(words))value);
                *(NAME(vector) *)(y + ((s / outputs * tiles + t) * outputs + s % outputs) * lanes + l) = value;
            }
        }
}

#define KERNEL(kernel, outputs)                                                                                        \
    static TARGET void NAME(input_##kernel)(const float *x, int64_t line, int64_t pixel, int64_t tiles,                \
                                            int64_t vectors, float *v, int64_t plane, int64_t row)                     \
    {                                                                                                                  \
        NAME(values)(WINOGRAD_SIDE, outputs, from_input, false, x, line, pixel, tiles, vectors, v, plane, row);        \
    }                                                                                                                  \
    static TARGET void NAME(gradient_##kernel)(const float *x, int64_t line, int64_t pixel, int64_t tiles,             \
                                               int64_t vectors, float *v, int64_t plane, int64_t row)                  \
    {                                                                                                                  \
        NAME(values)(outputs, outputs, to_output_##outputs, true, x, line, pixel, tiles, vectors, v, plane, row);      \
    }                                                                                                                  \
    static TARGET void NAME(weight_##kernel)(const float *w, int64_t channels, int64_t vectors, float *u,              \
                                             int64_t plane)                                                            \
    {                                                                                                                  \
        NAME(weight)(kernel, from_kernel_##kernel, w, channels, vectors, u, plane);                                    \
    }                                                                                                                  \
    static TARGET void NAME(weight_gradient_##kernel)(const float *u, int64_t plane, int64_t channels,                 \
                                                      int64_t vectors, float *w)                                       \
    {                                                                                                                  \
        NAME(weight_gradient)(kernel, from_kernel_##kernel, u, plane, channels, vectors, w);                           \
    }                                                                                                                  \
    static TARGET void NAME(output_##kernel)(const float *m, int64_t plane, int64_t tiles, int64_t vectors,            \
                                             const float *bias, bool relu, float *y)                                   \
    {                                                                                                                  \
        NAME(output)(outputs, to_output_##outputs, m, plane, tiles, vectors, bias, relu, y);                           \
    }
KERNEL(3, 4)
KERNEL(5, 2)
#undef KERNEL

#define ENTRY(kernel, outputs)                                                                                         \
    {                                                                                                                  \
        outputs, NAME(input_##kernel), NAME(gradient_##kernel), NAME(weight_##kernel), NAME(weight_gradient_##kernel), \
            NAME(output_##kernel)                                                                                      \
    }
static const cpu_winograd NAME(transforms)[] = {ENTRY(3, 4), ENTRY(5, 2)};
#undef ENTRY

#undef LANES
#undef NAME
#undef TARGET
