/* The innermost product, included once for every float type and vector width: a tile of C of ROWS by `vectors` vectors
   stays in registers while depth products are added to it.

   `a` holds ROWS numbers a step, `b` vectors * LANES numbers a step, both packed so that they are read in order. Every
   step is one multiply-add a vector of the tile: ROWS * 3 of them for 3 loads and ROWS broadcasts, which keeps both
   multiply-add units of a core busy. The including file sets REAL, LANES, ROWS, NAME(x) and TARGET. */

typedef REAL NAME(vector) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

static inline __attribute__((always_inline)) TARGET void NAME(any)(const int vectors, int64_t depth, const REAL *a,
                                                                   const REAL *b, bool add, REAL *c, int64_t row)
{
    NAME(vector) sum[ROWS][3] = {0};
    for (int64_t k = 0; k < depth; k++, a += ROWS, b += vectors * LANES) {
        NAME(vector) v[3];
#pragma GCC unroll 3
        for (int j = 0; j < vectors; j++) v[j] = *(const NAME(vector) *)(b + j * LANES);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 3
            for (int j = 0; j < vectors; j++) sum[i][j] += a[i] * v[j];
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 3
        for (int j = 0; j < vectors; j++) {
            NAME(vector) *to = (NAME(vector) *)(c + i * row + j * LANES);
            if (add) sum[i][j] += *to;
            *to = sum[i][j];
        }
}

static TARGET void NAME(one)(int64_t depth, const void *a, const void *b, bool add, void *c, int64_t row)
{
    NAME(any)(1, depth, a, b, add, c, row);
}

static TARGET void NAME(two)(int64_t depth, const void *a, const void *b, bool add, void *c, int64_t row)
{
    NAME(any)(2, depth, a, b, add, c, row);
}

static TARGET void NAME(three)(int64_t depth, const void *a, const void *b, bool add, void *c, int64_t row)
{
    NAME(any)(3, depth, a, b, add, c, row);
}

static const cpu_gemm_kernel NAME(kernel) = {ROWS, LANES, sizeof(REAL), {NAME(one), NAME(two), NAME(three)}};

#undef REAL
#undef LANES
#undef ROWS
#undef NAME
#undef TARGET
