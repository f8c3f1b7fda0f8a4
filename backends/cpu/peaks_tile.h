/* Multiply-adds in registers, included once for every vector width: CHAINS sums that do not depend on each other, more
   than the units' number times their latency, so that no unit waits. The factor is below one and the summand small, so
   that sums neither grow nor become denormal. The including file sets LANES, CHAINS, NAME and TARGET. */

static TARGET double NAME(int64_t rounds)
{
    typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
    vector sum[CHAINS], factor = (vector){0} + 0.999f, summand = (vector){0} + 0.001f;
    float total = 0;
#pragma GCC unroll 32
    for (int i = 0; i < CHAINS; i++) sum[i] = (vector){0} + (1 + 0.01f * (float)i);
    for (int64_t k = 0; k < rounds; k++)
#pragma GCC unroll 32
        for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * factor + summand;
#pragma GCC unroll 32
    for (int i = 0; i < CHAINS; i++) total += sum[i][0];
    return (double)total;
}

#undef LANES
#undef CHAINS
#undef NAME
#undef TARGET
